"""The store's figures: run it by hand, ``python tests/bench/store.py [--items 200000]``. No test reads a clock."""

import argparse
import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.responses import DynamoHandler

from rydelab.plugins.dynamodb.store.backend import OrderedBackend
from rydelab.plugins.dynamodb.store.direct import DirectOperations

ACCOUNT, REGION = "000000000000", "us-east-1"
PAGE = 10
ITEMS_PER_PARTITION = 20


def description() -> dict[str, Any]:
    """Return a table with a sort key and a global index, as moto's create_table takes it."""
    return {
        "schema": [{"AttributeName": "Rider", "KeyType": "HASH"}, {"AttributeName": "RideId", "KeyType": "RANGE"}],
        "attr": [{"AttributeName": name, "AttributeType": "S"} for name in ("Rider", "RideId", "Unicorn")],
        "global_indexes": [
            {
                "IndexName": "ByUnicorn",
                "KeySchema": [{"AttributeName": "Unicorn", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        "indexes": [],
        "throughput": None,
        "streams": None,
        "billing_mode": "PAY_PER_REQUEST",
        "sse_specification": None,
        "tags": [],
        "deletion_protection_enabled": False,
        "warm_throughput": None,
    }


def ride(number: int) -> dict[str, Any]:
    """Return a small item: a ride, as the record table has them."""
    return {
        "Rider": {"S": f"rider-{number // ITEMS_PER_PARTITION:08}"},
        "RideId": {"S": f"3f1b9a0e-8d0a-11ef-9c1a-{number:012}"},
        "Unicorn": {"S": f"unicorn-{number // ITEMS_PER_PARTITION:08}"},
        "RequestTime": {"S": "2026-01-01 00:00:00.000000"},
        "Location": {"M": {"Latitude": {"N": "47.61"}, "Longitude": {"N": "-122.28"}}},
    }


def median_us(call: Callable[[int], Any], repeats: int = 2000) -> float:
    """Return the median time of *call*, which gets a running number, in microseconds."""
    times: list[int] = []
    for number in range(repeats):
        start = time.perf_counter_ns()
        call(number)
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1000


def filled(items: int) -> tuple[DirectOperations, float]:
    """Return a table of so many items, and the bytes of memory that it takes per item."""
    backend = OrderedBackend(REGION, ACCOUNT)
    backend.create_table("Rides", **description())
    operations = DirectOperations(backend.store)
    gc.collect()
    tracemalloc.start()
    for number in range(items):
        operations.put_item({"TableName": "Rides", "Item": ride(number)})
    gc.collect()
    memory_bytes = tracemalloc.get_traced_memory()[0] / items
    tracemalloc.stop()
    return operations, memory_bytes


def pages(operations: DirectOperations, items: int) -> dict[str, float]:
    """Return the times of a page of ten items, read in three ways."""
    partitions = items // ITEMS_PER_PARTITION

    def query(number: int, key: str = "Rider", prefix: str = "rider", **more: Any) -> None:
        value = {"S": f"{prefix}-{number * 7919 % partitions:08}"}
        page = operations.query(
            {
                "TableName": "Rides",
                "KeyConditionExpression": f"{key} = :k",
                "ExpressionAttributeValues": {":k": value},
                "Limit": PAGE,
                **more,
            }
        )
        assert page["Count"] == PAGE, page

    def scan(number: int) -> None:
        start = ride(number * 7919 % items)
        key = {name: start[name] for name in ("Rider", "RideId")}
        operations.scan({"TableName": "Rides", "Limit": PAGE, "ExclusiveStartKey": key})

    return {
        "Query, table": median_us(query),
        "Query, index": median_us(lambda number: query(number, "Unicorn", "unicorn", IndexName="ByUnicorn")),
        "Scan": median_us(scan),
    }


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", type=int, default=200_000, help="items in the large table (default 200000)")
    large = arguments.parse_args().items

    times = {}
    for items in (1000, large):
        operations, memory_bytes = filled(items)
        times[items] = pages(operations, items)
        print(f"{items:>8} items: {memory_bytes:.0f} bytes of memory per item")
    for name in times[1000]:
        small_us, large_us = times[1000][name], times[large][name]
        ratio = large_us / small_us
        print(f"{name:<12}, {PAGE} items: {small_us:5.1f} us at 1000, {large_us:5.1f} us at {large}: x {ratio:.2f}")

    put_get_update(operations, large)


def put_get_update(operations: DirectOperations, items: int) -> None:
    """Print the times of single-item requests beside those of moto's own operations, checks and answer included."""
    dynamodb_backends[ACCOUNT][REGION].create_table("Rides", **description())
    handler = DynamoHandler()
    handler.current_account, handler.region, handler.response_headers = ACCOUNT, REGION, {}
    key = {name: ride(7)[name] for name in ("Rider", "RideId")}
    new_time = {
        "UpdateExpression": "SET RequestTime = :t",
        "ExpressionAttributeValues": {":t": {"S": "now"}},
    }
    requests: dict[str, Callable[[int], dict[str, Any]]] = {
        "put_item": lambda number: {"TableName": "Rides", "Item": ride(number)},
        "get_item": lambda _: {"TableName": "Rides", "Key": key},
        "update_item": lambda _: {"TableName": "Rides", "Key": key, **new_time},
    }

    for operation, request in requests.items():

        def call_moto(number: int, operation: str = operation, request: Callable[[int], Any] = request) -> None:
            handler.body = request(number)
            getattr(handler, operation)()

        def call_ours(number: int, operation: str = operation, request: Callable[[int], Any] = request) -> None:
            getattr(operations, operation)(request(number))

        moto_us, ours_us = median_us(call_moto), median_us(call_ours)
        print(f"{operation:<11}: {ours_us:6.1f} us at {items} items; moto's handler {moto_us:6.1f} us at 2000")


if __name__ == "__main__":
    main()
