"""DynamoDB through the gateway: what enforcement costs, and what a flooded table admits."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import batched, count
from pathlib import Path
from statistics import median
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from rydelab.lab.emulation import emulator
from rydelab.settings import Settings
from tests.bench.figures import show, spread
from tests.bench.lab import client, make_function, mean_ms
from tests.bench.store import PAGE, ride

PORTS = {"on": 4591, "off": 4592}
ROUNDS = 60
"""Many short ones: a busy machine then disturbs both sides alike."""
CALLS = 40
PAGE_TABLES = (1_000, 200_000)
"""Items in the two tables of which pages are read."""
FLOOD_S = 30.0
FLOOD_THREADS = (1, 4, 32)
ITEM = {"RideId": {"S": "r" * 36}, "Note": {"S": "x" * 900}}
"""Just under 1 KB: one write unit."""


def main() -> None:
    """Print the figures of the DynamoDB front."""
    with tempfile.TemporaryDirectory(prefix="rydelab-bench-") as folder:
        with lab("on", Path(folder)) as enforced, lab("off", Path(folder)) as free:
            measure_overhead(enforced, free)
            measure_pages(enforced)
        with lab("on", Path(folder)) as enforced:
            for threads in FLOOD_THREADS:
                measure_flood(enforced, threads)


@contextmanager
def lab(enforcement: str, folder: Path) -> Iterator[str]:
    """Run a lab with enforcement on or off and give its address."""
    port = PORTS[enforcement]
    os.environ["RYDELAB_DYNAMODB_ENFORCEMENT"] = enforcement
    try:
        running = emulator.start(Settings(port=port, data_dir=folder, endpoint_url=f"http://127.0.0.1:{port}"))
    finally:
        del os.environ["RYDELAB_DYNAMODB_ENFORCEMENT"]
    with running:
        yield running.endpoint_url


def measure_overhead(enforced: str, free: str) -> None:
    """Time PutItem and, for comparison, a Lambda invoke on both labs in turns."""
    calls = [(put_call(endpoint_url), invoke_call(endpoint_url)) for endpoint_url in (enforced, free)]
    ratios: dict[str, list[float]] = {"PutItem": [], "Lambda invoke": []}
    for number in range(ROUNDS):
        order = (0, 1) if number % 2 else (1, 0)
        for position, name in enumerate(ratios):
            taken_ms = {which: mean_ms(calls[which][position], CALLS) for which in order}
            ratios[name].append(taken_ms[0] / taken_ms[1])
    put, invoke = ratios["PutItem"], ratios["Lambda invoke"]
    show("PutItem, enforcement on / off", spread(put, "x"), "<= 1.10 x", met=median(put) <= 1.10)
    show("Lambda invoke, enforcement on / off", spread(invoke, "x"), "nothing measurable")


def measure_pages(endpoint_url: str) -> None:
    """Time pages of ten items in a small and a large table, in turns."""
    dynamodb = client(endpoint_url, "dynamodb")
    for items in PAGE_TABLES:
        fill(endpoint_url, items)

    def query(items: int, numbers: Iterator[int]) -> None:
        rider = ride(next(numbers) * 7919 % items)["Rider"]
        page = dynamodb.query(
            TableName=f"pages-{items}",
            KeyConditionExpression="Rider = :rider",
            ExpressionAttributeValues={":rider": rider},
            Limit=PAGE,
        )
        assert page["Count"] == PAGE, page

    def scan(items: int, numbers: Iterator[int]) -> None:
        start = ride(next(numbers) * 7919 % items)
        key = {name: start[name] for name in ("Rider", "RideId")}
        page = dynamodb.scan(TableName=f"pages-{items}", ExclusiveStartKey=key, Limit=PAGE)
        assert page["Count"] == PAGE or "LastEvaluatedKey" not in page, page

    for name, read in (("Query", query), ("Scan", scan)):
        ratios = []
        for number in range(ROUNDS):
            taken_ms = {}
            for items in PAGE_TABLES if number % 2 else reversed(PAGE_TABLES):
                taken_ms[items] = mean_ms(partial(read, items, count(number * CALLS)), CALLS)
            ratios.append(taken_ms[PAGE_TABLES[1]] / taken_ms[PAGE_TABLES[0]])
        show(
            f"{name} page of {PAGE}, {PAGE_TABLES[1]:,} / {PAGE_TABLES[0]:,} items",
            spread(ratios, "x"),
            "0.8 to 1.2 x",
            met=0.8 <= median(ratios) <= 1.2,
        )


def fill(endpoint_url: str, items: int) -> None:
    """Make a table with so many rides, with the capacity to take them as fast as they come."""
    dynamodb = client(endpoint_url, "dynamodb")
    table = f"pages-{items}"
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "Rider", "KeyType": "HASH"}, {"AttributeName": "RideId", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("Rider", "RideId")],
        ProvisionedThroughput={"ReadCapacityUnits": 40_000, "WriteCapacityUnits": 40_000},
    )
    for numbers in batched(range(items), 25, strict=True):  # the most that a request may have
        requests = [{"PutRequest": {"Item": ride(number)}} for number in numbers]
        while requests:
            requests = dynamodb.batch_write_item(RequestItems={table: requests})["UnprocessedItems"].get(table, [])


def measure_flood(endpoint_url: str, threads: int) -> None:
    """Flood a fresh table of 1 WCU with 1-KB puts and count what it admits."""
    table = f"flood-{threads}"
    make_table(endpoint_url, table, provisioned=1)
    admitted, refused = [0] * threads, [0] * threads
    end = time.monotonic() + FLOOD_S

    def flood(number: int) -> None:
        dynamodb = client(endpoint_url, "dynamodb", Config(retries={"total_max_attempts": 1}))
        while time.monotonic() < end:
            try:
                dynamodb.put_item(TableName=table, Item=ITEM)
                admitted[number] += 1
            except ClientError as error:
                if error.response["Error"]["Code"] != "ProvisionedThroughputExceededException":
                    raise
                refused[number] += 1

    workers = [threading.Thread(target=flood, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    total, expected = sum(admitted), 300 + FLOOD_S
    measured = f"{total} of {total + sum(refused)}"
    show(f"1 WCU flooded for 30 s by {threads}", measured, f"{expected:.0f} +- 1", met=abs(total - expected) <= 1)


def put_call(endpoint_url: str) -> Callable[[], Any]:
    """Return a PutItem on a table that admits it."""
    make_table(endpoint_url, "bench-put")
    dynamodb = client(endpoint_url, "dynamodb")

    def put() -> None:
        dynamodb.put_item(TableName="bench-put", Item=ITEM)

    return put


def invoke_call(endpoint_url: str) -> Callable[[], Any]:
    """Return an invoke of an empty handler."""
    function = make_function(endpoint_url, "bench-empty", "def handler(event, context):\n    return {}\n")
    lambda_ = client(endpoint_url, "lambda")

    def invoke() -> None:
        lambda_.invoke(FunctionName=function, Payload=b"{}")["Payload"].read()

    return invoke


def make_table(endpoint_url: str, name: str, *, provisioned: int = 0) -> None:
    """Create a table, on demand unless it is provisioned."""
    mode: dict[str, Any] = {"BillingMode": "PAY_PER_REQUEST"}
    if provisioned:
        mode = {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": provisioned}}
    client(endpoint_url, "dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "RideId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "RideId", "AttributeType": "S"}],
        **mode,
    )
