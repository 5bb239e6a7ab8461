"""Thirty-two threads on the same tables."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rydelab.plugins.dynamodb.store.backend import OrderedBackend
from rydelab.plugins.dynamodb.store.direct import DirectOperations
from rydelab.plugins.dynamodb.store.errors import DynamoError

THREADS = 32


@pytest.fixture(autouse=True)
def frequent_switches() -> Iterator[None]:
    """Let threads take turns a hundred times more often than usual."""
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(interval_s / 100)
    yield
    sys.setswitchinterval(interval_s)


def in_threads(work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, range(THREADS)))


def succeeds(operation: Callable[[dict[str, Any]], Any], request: dict[str, Any], *, failure: str) -> bool:
    """Tell whether an operation is done; the only error that it may give is *failure*."""
    try:
        operation(request)
    except DynamoError as error:
        if error.code != failure:
            raise
        return False
    return True


def key(number: int) -> dict[str, Any]:
    return {"p": {"S": "a"}, "s": {"N": str(number)}}


def test_no_conditional_increment_is_lost(table: DirectOperations) -> None:
    """Each thread reads the counter and writes it back plus one, on condition that it is what was read."""
    table.put_item({"TableName": "T", "Item": {**key(0), "n": {"N": "0"}}})
    rounds = 10

    def increment(_thread: int) -> int:
        tries = 0
        for _ in range(rounds):
            done = False
            while not done:
                tries += 1
                seen = int(table.get_item({"TableName": "T", "Key": key(0)})["Item"]["n"]["N"])
                put = {
                    "TableName": "T",
                    "Item": {**key(0), "n": {"N": str(seen + 1)}},
                    "ConditionExpression": "n = :seen",
                    "ExpressionAttributeValues": {":seen": {"N": str(seen)}},
                }
                done = succeeds(table.put_item, put, failure="ConditionalCheckFailedException")
        return tries

    tries = in_threads(increment)

    item = table.get_item({"TableName": "T", "Key": key(0)})["Item"]
    assert item["n"] == {"N": str(THREADS * rounds)}
    assert sum(tries) >= THREADS * rounds


def test_no_update_is_lost(table: DirectOperations) -> None:
    values = {":one": {"N": "1"}}
    update = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": values}
    in_threads(lambda _: [table.update_item({"TableName": "T", "Key": key(0), **update}) for _ in range(10)])
    assert table.get_item({"TableName": "T", "Key": key(0)})["Item"]["n"] == {"N": str(THREADS * 10)}


def test_only_one_thread_creates_an_item(table: DirectOperations) -> None:
    def create(thread: int) -> int:
        created = 0
        for number in range(20):
            put: dict[str, Any] = {"TableName": "T", "Item": {**key(number), "by": {"N": str(thread)}}}
            put["ConditionExpression"] = "attribute_not_exists(p)"
            created += succeeds(table.put_item, put, failure="ConditionalCheckFailedException")
        return created

    assert sum(in_threads(create)) == 20


def test_transfers_keep_the_sum_in_every_snapshot(describe: Callable[..., dict[str, Any]]) -> None:
    """Transactions over two tables, in both orders of the tables, while others read both in one transaction."""
    backend = OrderedBackend("us-east-1", "000000000000")
    for name in "AB":
        backend.create_table(name, **describe({"p": "S"}))
    tables = DirectOperations(backend.store)
    accounts = [(name, f"account-{number}") for name in "AB" for number in range(3)]
    for name, account in accounts:
        tables.put_item({"TableName": name, "Item": {"p": {"S": account}, "n": {"N": "10"}}})

    def change(name: str, account: str, amount: int) -> dict[str, Any]:
        values = {":n": {"N": str(amount)}, ":least": {"N": str(-amount)}}
        return {
            "Update": {
                "TableName": name,
                "Key": {"p": {"S": account}},
                "UpdateExpression": "SET n = n + :n",
                "ConditionExpression": "n >= :least",
                "ExpressionAttributeValues": values,
            }
        }

    def transfer_and_look(thread: int) -> list[int]:
        seen = []
        for step in range(12):
            source, target = accounts[(thread + step) % 6], accounts[(thread * 5 + step * 2 + 1) % 6]
            if source != target:
                amount = step % 4 + 1
                transfer = {"TransactItems": [change(*source, -amount), change(*target, amount)]}
                succeeds(tables.transact_write_items, transfer, failure="TransactionCanceledException")
            gets = [{"Get": {"TableName": name, "Key": {"p": {"S": account}}}} for name, account in accounts]
            answer = tables.transact_get_items({"TransactItems": gets})
            seen.append(sum(int(response["Item"]["n"]["N"]) for response in answer["Responses"]))
        return seen

    assert {total for seen in in_threads(transfer_and_look) for total in seen} == {60}


def test_pages_stay_whole_while_others_write(new_table: Callable[..., DirectOperations]) -> None:
    """Every page is in order, and the index shows exactly the items that it should hold in the end."""
    table = new_table({"p": "S", "s": "N"}, globals_={"G": ({"g": "S", "s": "N"}, "ALL")})

    def work(thread: int) -> None:
        for step in range(15):
            number = thread * 100 + step
            table.put_item({"TableName": "T", "Item": {**key(number), "g": {"S": str(step % 2)}}})
            if step % 3 == 0:
                table.update_item({"TableName": "T", "Key": key(number), "UpdateExpression": "REMOVE g"})
            if step % 5 == 0:
                table.delete_item({"TableName": "T", "Key": key(number)})
            page = table.query(
                {
                    "TableName": "T",
                    "IndexName": "G",
                    "KeyConditionExpression": "g = :g",
                    "ExpressionAttributeValues": {":g": {"S": "1"}},
                    "Limit": 20,
                }
            )
            order = [int(item["s"]["N"]) for item in page["Items"]]
            assert order == sorted(order)
            assert all(item["g"] == {"S": "1"} for item in page["Items"])

    in_threads(work)

    kept = [step for step in range(15) if step % 5]
    assert table.scan({"TableName": "T"})["Count"] == THREADS * len(kept)
    assert table.scan({"TableName": "T", "IndexName": "G"})["Count"] == THREADS * len([s for s in kept if s % 3])
