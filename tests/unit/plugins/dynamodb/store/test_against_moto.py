"""The same requests to the store and to moto's own operations, on small tables, where moto answers as DynamoDB does."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.responses import DynamoHandler

from rydelab.plugins.dynamodb.store.direct import DirectOperations
from rydelab.plugins.dynamodb.store.errors import DynamoError

type NewTable = Callable[..., DirectOperations]
type Call = Callable[[str, dict[str, Any]], dict[str, Any]]

KEYS = {"p": "S", "s": "N"}
INDEXES = {
    "local": {"L": ({"p": "S", "l": "S"}, "ALL")},
    "globals_": {"G": ({"g": "S", "l": "S"}, "KEYS_ONLY")},
}

texts = st.text(st.sampled_from("abé"), min_size=1, max_size=2)
# Whole numbers from 2: moto compares numbers as floats, takes 0 for a missing value and 1 for true.
numbers = st.integers(2, 9).map(str)
scalars = st.one_of(st.builds(lambda text: {"S": text}, texts), st.builds(lambda n: {"N": n}, numbers))
values = st.one_of(
    scalars,
    st.booleans().map(lambda flag: {"BOOL": flag}),
    st.lists(texts, min_size=1, max_size=3, unique=True).map(lambda members: {"SS": members}),
    st.lists(scalars, max_size=3).map(lambda members: {"L": members}),
    st.dictionaries(st.sampled_from("mn"), scalars, max_size=2).map(lambda members: {"M": members}),
)
keys = st.fixed_dictionaries(
    {"p": st.sampled_from("xy").map(lambda name: {"S": name}), "s": st.integers(1, 4).map(lambda n: {"N": str(n)})}
)
others = st.fixed_dictionaries(
    {},
    optional={
        "l": texts.map(lambda text: {"S": text}),
        "g": st.sampled_from("uv").map(lambda name: {"S": name}),
        "n": numbers.map(lambda number: {"N": number}),
        "a": values,
        "b": values,
    },
)
items = st.builds(lambda key, rest: key | rest, keys, others)


@pytest.fixture(scope="module")
def moto_call(describe: Callable[..., dict[str, Any]]) -> Iterator[Callable[[], Call]]:
    """Return a function that empties moto's table and gives the way to call moto's operations on it."""
    saved = dynamodb_backends.backend
    dynamodb_backends.backend = DynamoDBBackend
    handler = DynamoHandler()
    handler.current_account, handler.region, handler.response_headers = "000000000000", "eu-west-3", {}
    backend = dynamodb_backends[handler.current_account][handler.region]

    def call(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        handler.body = json.loads(json.dumps(request))
        answer = getattr(handler, operation)()
        parsed: dict[str, Any] = json.loads(answer)
        return parsed

    def fresh() -> Call:
        backend.tables.clear()
        backend.create_table("T", **describe(KEYS, **INDEXES))
        return call

    yield fresh
    del dynamodb_backends[handler.current_account][handler.region]
    dynamodb_backends.backend = saved


def outcome(call: Call, operation: str, request: dict[str, Any]) -> tuple[str, Any]:
    """Return "done" and the response, or the code and message of the error."""
    try:
        return "done", call(operation, request)
    except DynamoError as error:
        return error.code, error.message
    except JsonRESTError as error:
        return error.error_type.rpartition("#")[2], error.message


def unordered(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item with its sets sorted: they have no order."""
    return {name: {"SS": sorted(value["SS"])} if "SS" in value else value for name, value in item.items()}


def stored(call: Call) -> list[dict[str, Any]]:
    """Return all items, in an order of their own."""
    found = call("scan", {"TableName": "T"})["Items"]
    return sorted(map(unordered, found), key=lambda item: (item["p"]["S"], int(item["s"]["N"])))


CONDITIONS = [
    "attribute_exists(a)",
    "attribute_not_exists(a) OR b = :v",
    "a = :v AND NOT attribute_exists(l)",
    "begins_with(l, :t)",
    "contains(a, :t)",
    "attribute_type(a, :type)",
    "l BETWEEN :t AND :z",
    "l IN (:t, :z) OR s < :n",
    "s >= :n AND (l > :t OR g <> :t)",
]


operands = st.fixed_dictionaries(
    {
        ":v": scalars,
        ":t": texts.map(lambda text: {"S": text}),
        ":z": st.just({"S": "ééé"}),
        ":n": numbers.map(lambda number: {"N": number}),
        ":type": st.just({"S": "SS"}),
        ":set": st.lists(texts, min_size=1, max_size=2, unique=True).map(lambda members: {"SS": members}),
        ":list": scalars.map(lambda value: {"L": [value]}),
    }
)


def used(expressions: str, given_: dict[str, Any]) -> dict[str, Any]:
    """Return the ExpressionAttributeValues that *expressions* use."""
    words = {word.strip("(),") for word in expressions.split()}
    picked = {name: value for name, value in given_.items() if name in words}
    return {"ExpressionAttributeValues": picked} if picked else {}


@settings(max_examples=100, deadline=None)
@given(
    puts=st.lists(items, max_size=12), expression=st.sampled_from(CONDITIONS), given_=operands, forward=st.booleans()
)
def test_reads_are_those_of_moto(
    new_table: NewTable,
    moto_call: Callable[[], Call],
    *,
    puts: list[dict[str, Any]],
    expression: str,
    given_: dict[str, Any],
    forward: bool,
) -> None:
    moto, ours = moto_call(), new_table(KEYS, **INDEXES)
    for item in puts:
        moto("put_item", {"TableName": "T", "Item": item})
        ours.put_item({"TableName": "T", "Item": item})
    filtered = {"FilterExpression": expression, **used(expression, given_)}
    partition: dict[str, Any] = {
        "TableName": "T",
        "KeyConditionExpression": "p = :p",
        "ExpressionAttributeValues": {":p": {"S": "x"}},
        "ScanIndexForward": forward,
    }

    for request in (
        partition,
        partition | {"ProjectionExpression": "a, l"},
        partition | {"IndexName": "L"},
        partition
        | {"IndexName": "G", "KeyConditionExpression": "g = :p", "ExpressionAttributeValues": {":p": {"S": "u"}}},
    ):
        theirs, mine = moto("query", request), ours.query(request)
        assert (mine["Count"], mine["ScannedCount"]) == (theirs["Count"], theirs["ScannedCount"])
        sort = {"L": "l", "G": "l"}.get(str(request.get("IndexName")))
        if sort is None:
            assert list(map(unordered, mine["Items"])) == list(map(unordered, theirs["Items"]))
        else:
            # Which of two entries with one index key comes first is not defined.
            assert [item[sort] for item in mine["Items"]] == [item[sort] for item in theirs["Items"]]
            assert sorted(map(repr, map(sorted_item, mine["Items"]))) == sorted(
                map(repr, map(sorted_item, theirs["Items"]))
            )
    theirs, mine = moto("scan", {"TableName": "T", **filtered}), ours.scan({"TableName": "T", **filtered})
    assert (mine["Count"], mine["ScannedCount"]) == (theirs["Count"], theirs["ScannedCount"])
    assert sorted(repr(sorted_item(item)) for item in mine["Items"]) == sorted(
        repr(sorted_item(item)) for item in theirs["Items"]
    )


def sorted_item(item: dict[str, Any]) -> list[Any]:
    return sorted(unordered(item).items())


UPDATES = [
    "SET a = :v",
    "SET a = if_not_exists(b, :v), c = n",
    "SET a.m = :v",
    "SET b[1] = :v",
    "REMOVE a, b[0]",
    "SET b = list_append(b, :list)",
    "SET c = n + :n",
    "SET c = n - :n REMOVE b",
    "ADD c :n",
    "ADD a :set",
    "DELETE a :set",
    "SET p = :v",
    "SET a = :v, a.m = :v",
]
# Wrong whatever the item: moto looks at the condition first, DynamoDB does not.
WRONG = ("SET p", "SET a = :v, a.m")


@settings(max_examples=150, deadline=None)
@given(
    puts=st.lists(items, max_size=4),
    key=keys,
    update=st.sampled_from(UPDATES),
    expression=st.one_of(st.none(), st.sampled_from(CONDITIONS[:4])),
    given_=operands,
)
def test_writes_leave_what_moto_leaves(
    new_table: NewTable,
    moto_call: Callable[[], Call],
    *,
    puts: list[dict[str, Any]],
    key: dict[str, Any],
    update: str,
    expression: str | None,
    given_: dict[str, Any],
) -> None:
    moto, table = moto_call(), new_table(KEYS, **INDEXES)

    def ours(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(table, operation)(request)
        return answer

    condition = expression if expression and not update.startswith(WRONG) else ""
    guard = {"ConditionExpression": condition} if condition else {}
    request = {
        "TableName": "T",
        "Key": key,
        "UpdateExpression": update,
        **guard,
        **used(f"{update} {condition}", given_),
    }
    delete = {"TableName": "T", "Key": key, **guard, **used(condition, given_)}

    for item in puts:
        ours("put_item", {"TableName": "T", "Item": item})
        moto("put_item", {"TableName": "T", "Item": item})
    mine, theirs = outcome(ours, "update_item", request), outcome(moto, "update_item", request)
    assert mine[0] == theirs[0]
    if mine[0] == "done":
        assert stored(ours) == stored(moto)
        assert outcome(ours, "delete_item", delete)[0] == outcome(moto, "delete_item", delete)[0]
        assert stored(ours) == stored(moto)
    elif update.startswith(WRONG):
        # moto keeps the new item of an update that then fails, so the tables differ here; DynamoDB keeps nothing.
        assert mine[1] == theirs[1]
