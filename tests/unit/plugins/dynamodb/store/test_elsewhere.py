"""A store whose items somebody else keeps answers as one that keeps them itself."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore import xform_name
from hypothesis import given
from hypothesis import strategies as st

from rydelab.capacity.settings import Settings
from rydelab.plugins.dynamodb.store.backend import OrderedBackend
from rydelab.plugins.dynamodb.store.direct import DirectOperations
from rydelab.plugins.dynamodb.store.elsewhere import BackendElsewhere
from rydelab.plugins.dynamodb.store.errors import DynamoError
from rydelab.plugins.dynamodb.store.keys import KeySchema
from rydelab.plugins.dynamodb.store.values import canonical_number

ACCOUNT, REGION = "000000000000", "us-east-1"
KEYS = {"p": "S", "s": "N"}
INDEXES = {"globals_": {"G": ({"g": "S"}, "KEYS_ONLY")}, "local": {"L": ({"p": "S", "l": "S"}, "ALL")}}


@pytest.fixture
def both(describe: Callable[..., dict[str, Any]]) -> tuple[DirectOperations, DirectOperations, list[str]]:
    """Return operations on a store, on one whose items another store keeps, and what the keeper was asked."""
    own, kept = OrderedBackend(REGION, ACCOUNT), OrderedBackend(REGION, ACCOUNT)
    keeper_operations = DirectOperations(kept.store)
    asked: list[str] = []

    def keeper(operation: str, request: dict[str, Any]) -> Mapping[str, Any]:
        asked.append(operation)
        if operation == "DescribeTable":
            described: dict[str, Any] = kept.tables["T"].describe("Table")
            return described
        answer: dict[str, Any] = getattr(keeper_operations, xform_name(operation))(request)
        return answer

    elsewhere = BackendElsewhere(REGION, ACCOUNT, settings=Settings(), keeper_of=lambda _account, _region: keeper)
    for backend in (own, kept, elsewhere):
        backend.create_table("T", **describe(KEYS, **INDEXES))
    elsewhere.hand_over(elsewhere.tables["T"])
    return DirectOperations(own.store), DirectOperations(elsewhere.store), asked


def key(partition: str, sort: str) -> dict[str, Any]:
    return {"p": {"S": partition}, "s": {"N": sort}}


def outcome(operations: DirectOperations, operation: str, request: dict[str, Any]) -> Any:
    try:
        return getattr(operations, operation)(request)
    except DynamoError as error:
        return error.code, error.message, error.members


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    *(
        (
            "put_item",
            {"TableName": "T", "Item": key(p, s) | {"g": {"S": s}, "l": {"S": p}, "b": {"B": b"\x00" + s.encode()}}},
        )
        for p in ("x", "y")
        for s in ("-1.5", "2", "10")
    ),
    ("get_item", {"TableName": "T", "Key": key("x", "2")}),
    ("get_item", {"TableName": "T", "Key": key("x", "3")}),
    (
        "update_item",
        {
            "TableName": "T",
            "Key": key("x", "2"),
            "UpdateExpression": "SET n = :n",
            "ExpressionAttributeValues": {":n": {"N": "1"}},
            "ReturnValues": "ALL_NEW",
        },
    ),
    ("put_item", {"TableName": "T", "Item": key("x", "2"), "ConditionExpression": "attribute_not_exists(p)"}),
    (
        "query",
        {
            "TableName": "T",
            "KeyConditionExpression": "p = :p AND s > :s",
            "ExpressionAttributeValues": {":p": {"S": "x"}, ":s": {"N": "-1.5"}},
            "ScanIndexForward": False,
            "Limit": 1,
        },
    ),
    (
        "query",
        {
            "TableName": "T",
            "IndexName": "G",
            "KeyConditionExpression": "g = :g",
            "ExpressionAttributeValues": {":g": {"S": "2"}},
        },
    ),
    ("scan", {"TableName": "T", "Limit": 2}),
    ("scan", {"TableName": "T", "ExclusiveStartKey": key("x", "10"), "TotalSegments": 1, "Segment": 0}),
    ("scan", {"TableName": "T", "IndexName": "L", "Select": "COUNT"}),
    ("execute_statement", {"Statement": "SELECT s FROM T WHERE p = 'y' AND s BETWEEN 0 AND 5"}),
    ("delete_item", {"TableName": "T", "Key": key("y", "2"), "ReturnValues": "ALL_OLD"}),
    (
        "transact_write_items",
        {
            "TransactItems": [
                {"Delete": {"TableName": "T", "Key": key("y", "10")}},
                {"Put": {"TableName": "T", "Item": key("y", "11")}},
            ]
        },
    ),
    ("batch_get_item", {"RequestItems": {"T": {"Keys": [key("y", "10"), key("y", "11")]}}}),
    ("scan", {"TableName": "T"}),
]


def test_it_answers_as_a_store_that_keeps_its_items_itself(
    both: tuple[DirectOperations, DirectOperations, list[str]],
) -> None:
    own, elsewhere, _ = both

    for operation, request in REQUESTS:
        assert outcome(elsewhere, operation, request) == outcome(own, operation, request), (operation, request)


def test_a_query_reads_its_partition_and_no_more(both: tuple[DirectOperations, DirectOperations, list[str]]) -> None:
    _, elsewhere, asked = both
    query = {"KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": {"S": "x"}}}

    elsewhere.query({"TableName": "T", **query})
    elsewhere.scan({"TableName": "T"})

    assert asked == ["Query", "Scan"]


def test_a_failed_condition_writes_nothing_to_the_keeper(
    both: tuple[DirectOperations, DirectOperations, list[str]],
) -> None:
    _, elsewhere, asked = both

    with pytest.raises(DynamoError):
        elsewhere.put_item({"TableName": "T", "Item": key("x", "1"), "ConditionExpression": "attribute_exists(p)"})

    assert asked == ["GetItem"]


numbers = st.tuples(st.integers(-(10**37), 10**37), st.integers(-120, 80)).map(
    lambda parts: canonical_number(f"{parts[0]}E{parts[1]}")
)


@given(partition=numbers, sort=st.binary(min_size=1, max_size=9))
def test_a_key_can_be_read_back_from_its_bytes(partition: str, sort: bytes) -> None:
    schema = KeySchema("p", "N", "s", "B")
    item = {"p": {"N": partition}, "s": {"B": sort}}

    assert schema.decode(schema.encode(item)) == item


@given(partition=st.text(min_size=1, max_size=9))
def test_the_range_of_one_partition_tells_its_key(partition: str) -> None:
    schema = KeySchema("p", "S", None, None)

    assert schema.partition_within(schema.range_of({"S": partition})) == {"S": partition}
