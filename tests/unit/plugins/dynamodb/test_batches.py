"""Batches: each item by itself. Transactions: all or nothing."""

from typing import Any

import pytest

from rydelab.plugins.dynamodb.refusals import RefusedError
from rydelab.plugins.dynamodb.store.errors import DynamoError

KB = 1024
NONE = {"Code": "None"}
THROTTLED = {
    "Code": "ProvisionedThroughputExceeded",
    "Message": "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API.",
}


def key(name: str) -> dict[str, Any]:
    return {"p": {"S": name}}


def put_request(name: str, size: int = KB) -> dict[str, Any]:
    return {"PutRequest": {"Item": key(name) | {"x": {"S": "x" * (size - len(name) - 2)}}}}


def leave(front: Any, *, reads: float | None = None, writes: float | None = None, table: str = "T") -> None:
    """Leave exactly so many units in a table."""
    resource = front.tables.of(front.backend.tables[table]).capacity.resource()
    if reads is not None:
        resource.read.take(resource.read.level(front.clock.now_s) - reads, front.clock.now_s)
    if writes is not None:
        resource.write.take(resource.write.level(front.clock.now_s) - writes, front.clock.now_s)


def consumed(front: Any, table: str = "T") -> tuple[float, float]:
    resource = front.tables.of(front.backend.tables[table]).capacity.resource()
    return resource.read.consumed_units, resource.write.consumed_units


def test_a_batch_write_returns_exactly_what_it_did_not_do(front: Any) -> None:
    front.create()
    leave(front, writes=3)
    requests = [put_request(f"{number}") for number in range(5)]

    answer = front.operations.batch_write_item({"RequestItems": {"T": requests}})

    assert answer["UnprocessedItems"] == {"T": requests[3:]}
    assert set(front.items()) == {"0", "1", "2"}
    assert consumed(front) == (0, 3)


def test_a_batch_write_of_which_nothing_was_done_raises(front: Any) -> None:
    front.create()
    leave(front, writes=0)

    with pytest.raises(RefusedError) as refused:
        front.operations.batch_write_item({"RequestItems": {"T": [put_request("a"), put_request("b")]}})

    assert refused.value.code == "ProvisionedThroughputExceededException"
    assert front.items() == {}


def test_a_batch_over_two_tables_goes_on_with_the_one_that_has_capacity(front: Any) -> None:
    front.create("T")
    front.create("U")
    leave(front, writes=0, table="T")

    answer = front.operations.batch_write_item({"RequestItems": {"T": [put_request("a")], "U": [put_request("a")]}})

    assert answer["UnprocessedItems"] == {"T": [put_request("a")]}
    assert set(front.items("U")) == {"a"}


def test_a_batch_get_returns_the_keys_that_it_did_not_read(front: Any) -> None:
    front.create()
    for name in "abcd":
        front.backend.tables["T"].put_item(key(name))
    leave(front, reads=1)
    wanted = {"Keys": [key(name) for name in "abcd"], "ProjectionExpression": "p"}

    answer = front.operations.batch_get_item({"RequestItems": {"T": wanted}})

    assert answer["Responses"] == {"T": [key("a"), key("b")]}
    assert answer["UnprocessedKeys"] == {"T": {"Keys": [key("c"), key("d")], "ProjectionExpression": "p"}}
    assert consumed(front) == (1, 0)


def test_a_batch_get_of_which_nothing_was_read_raises(front: Any) -> None:
    front.create()
    leave(front, reads=0)

    with pytest.raises(RefusedError) as refused:
        front.operations.batch_get_item({"RequestItems": {"T": {"Keys": [key("a")]}}})

    assert refused.value.code == "ProvisionedThroughputExceededException"


def transaction(*actions: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"TransactItems": list(actions), **options}


def put_action(name: str, table: str = "T", **options: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": key(name), **options}}


def test_a_transaction_is_cancelled_whole_when_one_table_lacks_capacity(front: Any) -> None:
    front.create("T")
    front.create("U")
    leave(front, writes=0, table="U")

    with pytest.raises(RefusedError) as refused:
        front.operations.transact_write_items(transaction(put_action("a"), put_action("b", "U"), put_action("c")))

    assert refused.value.code == "TransactionCanceledException"
    assert refused.value.members["CancellationReasons"] == [NONE, THROTTLED, NONE]
    assert refused.value.message.endswith("[None, ProvisionedThroughputExceeded, None]")
    assert front.items("T") == front.items("U") == {}
    assert consumed(front, "T") == (0, 0)


def test_a_cancelled_transaction_can_be_repeated_with_its_token(front: Any) -> None:
    front.create()
    leave(front, writes=0)
    request = transaction(put_action("a"), ClientRequestToken="one")
    with pytest.raises(RefusedError):
        front.operations.transact_write_items(request)

    front.clock.now_s += 2
    front.operations.transact_write_items(request)

    assert set(front.items()) == {"a"}
    assert consumed(front) == (0, 2)


def test_a_repeated_transaction_reads_its_items_and_writes_nothing(front: Any) -> None:
    front.create()
    request = transaction(put_action("a"), put_action("b"), ClientRequestToken="one", ReturnConsumedCapacity="TOTAL")
    front.operations.transact_write_items(request)

    answer = front.operations.transact_write_items(request)

    assert answer["ConsumedCapacity"] == [{"TableName": "T", "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}]
    assert consumed(front) == (4, 4)


def test_a_transaction_whose_condition_fails_costs_its_units(front: Any) -> None:
    front.create(units=(10, 10), indexes={"g": (1, 1)})
    failing = put_action("a", ConditionExpression="attribute_exists(p)")
    indexed = {"Put": {"TableName": "T", "Item": key("b") | {"g": {"S": "1"}}}}

    with pytest.raises(DynamoError) as cancelled:
        front.operations.transact_write_items(transaction(failing, indexed))

    assert not isinstance(cancelled.value, RefusedError)
    assert [reason["Code"] for reason in cancelled.value.members["CancellationReasons"]] == [
        "ConditionalCheckFailed",
        "None",
    ]
    assert consumed(front) == (0, 4)
    assert front.tables.of(front.backend.tables["T"]).capacity.resource("g").write.consumed_units == 0


def test_transactional_reads_are_all_or_nothing(front: Any) -> None:
    front.create("T")
    front.create("U")
    leave(front, reads=0, table="T")
    gets = [{"Get": {"TableName": name, "Key": key("a")}} for name in ("U", "T")]

    with pytest.raises(RefusedError) as refused:
        front.operations.transact_get_items({"TransactItems": gets})

    assert [reason["Code"] for reason in refused.value.members["CancellationReasons"]] == [
        "None",
        "ProvisionedThroughputExceeded",
    ]
    assert consumed(front, "U") == (0, 0)


def statement(name: str) -> dict[str, Any]:
    return {"Statement": "INSERT INTO T VALUE {'p': ?}", "Parameters": [{"S": name}]}


def test_a_partiql_batch_tells_throttling_statement_by_statement(front: Any) -> None:
    front.create()
    leave(front, writes=1)

    answer = front.operations.batch_execute_statement({"Statements": [statement("a"), statement("b")]})

    assert answer["Responses"] == [
        {"TableName": "T"},
        {"TableName": "T", "Error": THROTTLED},
    ]
    assert set(front.items()) == {"a"}


def test_a_duplicate_insert_costs_its_units(front: Any) -> None:
    front.create()
    front.operations.execute_statement(statement("a"))

    with pytest.raises(DynamoError, match="DuplicateItemException"):
        front.operations.execute_statement(statement("a"))

    assert consumed(front) == (0, 2)


def test_a_partiql_transaction_is_cancelled_whole(front: Any) -> None:
    front.create()
    leave(front, writes=0)

    with pytest.raises(RefusedError) as refused:
        front.operations.execute_transaction({"TransactStatements": [statement("a"), statement("b")]})

    assert refused.value.members["CancellationReasons"] == [THROTTLED, THROTTLED]
    assert front.items() == {}
