"""Many requests at once: what is admitted is exact, what is written is whole."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.integration.dynamodb.tables import KB, Tables, item

FLOOD_S = 3.5
THREADS = 32


def together(count: int, work: Callable[[int], None]) -> None:
    """Run *work* in so many threads that begin at the same moment; raise what one of them raised."""
    barrier = threading.Barrier(count)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        except BaseException as error:  # noqa: BLE001 (it is raised again below)
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("threads", [1, THREADS])
def test_a_flood_of_a_fresh_table_is_admitted_up_to_its_burst_and_its_rate(dynamodb: Tables, threads: int) -> None:
    table = dynamodb.create(units=1)
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "DynamoDB_20120810.PutItem",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, Signature=none",
    }
    accepted: list[str] = []
    units: list[float] = []
    start = time.monotonic()

    def flood(thread: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(dynamodb.endpoint_url).netloc)
        number = 0
        while time.monotonic() - start < FLOOD_S:
            number += 1
            key = f"{thread}-{number}"
            request = {"TableName": table, "Item": item(key, KB), "ReturnConsumedCapacity": "TOTAL"}
            connection.request("POST", "/", json.dumps(request), headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status == 200:
                accepted.append(key)
                units.append(answer["ConsumedCapacity"]["CapacityUnits"])
            else:
                assert answer["__type"].endswith("#ProvisionedThroughputExceededException")
        connection.close()

    together(threads, flood)
    elapsed_s = time.monotonic() - start

    assert len(accepted) == pytest.approx(300 + elapsed_s, abs=1)
    assert sum(units) == len(accepted)
    seen = dynamodb.observe(table)
    assert seen["resources"][0]["write"]["consumed_units"] == len(accepted)
    assert seen["items"] == len(accepted)
    assert sum(seen["resources"][0]["series"]["write_units"]) == pytest.approx(len(accepted), abs=2)


def test_concurrent_updates_are_all_counted(dynamodb: Tables) -> None:
    table = dynamodb.create(units=None)
    update = {
        "TableName": table,
        "Key": {"p": {"S": "counter"}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }

    together(THREADS, lambda _number: [dynamodb.client.update_item(**update) for _ in range(5)] and None)

    counter = dynamodb.client.get_item(TableName=table, Key=update["Key"], ConsistentRead=True)["Item"]
    assert counter["n"] == {"N": str(THREADS * 5)}


def test_of_concurrent_conditional_writes_one_succeeds(dynamodb: Tables) -> None:
    table = dynamodb.create(units=None)
    winners: list[int] = []

    def claim(number: int) -> None:
        try:
            dynamodb.client.put_item(
                TableName=table, Item=item("one", by=str(number)), ConditionExpression="attribute_not_exists(p)"
            )
            winners.append(number)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ConditionalCheckFailedException"  # noqa: PT017 (one succeeds)

    together(THREADS, claim)

    assert len(winners) == 1
    assert dynamodb.client.get_item(TableName=table, Key={"p": {"S": "one"}})["Item"]["by"] == {"S": str(winners[0])}


def test_concurrent_transactions_over_two_tables_move_money_and_make_none(dynamodb: Tables) -> None:
    tables = [dynamodb.create(units=None) for _ in range(2)]
    for table in tables:
        dynamodb.client.put_item(TableName=table, Item={"p": {"S": "account"}, "n": {"N": "20"}})

    def move(number: int) -> None:
        from_, to = tables if number % 2 else reversed(tables)
        amounts = ((from_, "-1", "n >= :least"), (to, "1", "n < :most"))
        actions = [
            {
                "Update": {
                    "TableName": table,
                    "Key": {"p": {"S": "account"}},
                    "UpdateExpression": "ADD n :amount",
                    "ConditionExpression": condition,
                    "ExpressionAttributeValues": {
                        ":amount": {"N": amount},
                        condition.rpartition(" ")[2]: {"N": "1" if amount == "-1" else "1000"},
                    },
                }
            }
            for table, amount, condition in amounts
        ]
        for _ in range(3):
            try:
                dynamodb.client.transact_write_items(TransactItems=actions)
            except dynamodb.client.exceptions.TransactionCanceledException as cancelled:
                assert cancelled.response["CancellationReasons"][0]["Code"] == "ConditionalCheckFailed"  # noqa: PT017 (it may succeed)

    together(THREADS, move)

    left: list[Any] = [
        dynamodb.client.get_item(TableName=table, Key={"p": {"S": "account"}}, ConsistentRead=True)["Item"]["n"]["N"]
        for table in tables
    ]
    assert sum(map(int, left)) == 40
    assert all(int(amount) >= 0 for amount in left)
