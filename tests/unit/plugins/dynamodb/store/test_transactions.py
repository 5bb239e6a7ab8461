"""Transactions: all or nothing, repeatable under a token, refused with a reason for each action."""

from collections.abc import Callable
from typing import Any

import pytest

from rydelab.plugins.dynamodb.store.backend import OrderedBackend
from rydelab.plugins.dynamodb.store.direct import DirectOperations
from rydelab.plugins.dynamodb.store.errors import DynamoError
from rydelab.plugins.dynamodb.store.store import Store


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tables(describe: Callable[..., dict[str, Any]], clock: Clock) -> DirectOperations:
    """Return the operations on two tables, A and B, with partition key ``p``."""
    backend = OrderedBackend("us-east-1", "000000000000")
    for name in "AB":
        backend.create_table(name, **describe({"p": "S"}))
    return DirectOperations(Store(backend, clock=clock))


def key(name: str) -> dict[str, Any]:
    return {"p": {"S": name}}


def put(table: str, name: str, **attributes: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": {**key(name), **attributes}}}


def add(table: str, name: str, amount: str) -> dict[str, Any]:
    values = {":n": {"N": amount}}
    update = {"UpdateExpression": "ADD n :n", "ExpressionAttributeValues": values}
    return {"Update": {"TableName": table, "Key": key(name), **update}}


def everything(tables: DirectOperations) -> list[Any]:
    return [tables.scan({"TableName": name})["Items"] for name in "AB"]


def test_all_actions_are_done_together(tables: DirectOperations) -> None:
    tables.put_item({"TableName": "B", "Item": key("old")})
    answer = tables.transact_write_items(
        {
            "TransactItems": [
                put("A", "x"),
                add("B", "y", "5"),
                {"Delete": {"TableName": "B", "Key": key("old")}},
                {
                    "ConditionCheck": {
                        "TableName": "A",
                        "Key": key("z"),
                        "ConditionExpression": "attribute_not_exists(p)",
                    }
                },
            ]
        }
    )
    assert answer == {}
    assert everything(tables) == [[key("x")], [{**key("y"), "n": {"N": "5"}}]]


def test_a_cancelled_transaction_changes_nothing_and_gives_its_reasons_in_order(tables: DirectOperations) -> None:
    tables.put_item({"TableName": "A", "Item": {**key("x"), "n": {"S": "text"}}})
    before = everything(tables)
    condition = {"ConditionExpression": "attribute_not_exists(p)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}

    with pytest.raises(DynamoError) as cancelled:
        tables.transact_write_items(
            {
                "TransactItems": [
                    put("B", "y"),
                    {"Put": {"TableName": "A", "Item": key("x"), **condition}},
                    {"Put": {"TableName": "B", "Item": key("z")}},
                ]
            }
        )
    with pytest.raises(DynamoError) as mistyped:
        tables.transact_write_items({"TransactItems": [put("B", "y"), add("A", "x", "1")]})

    assert cancelled.value.code == "TransactionCanceledException"
    assert cancelled.value.message == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[None, ConditionalCheckFailed, None]"
    )
    failed = {
        "Code": "ConditionalCheckFailed",
        "Message": "The conditional request failed",
        "Item": {**key("x"), "n": {"S": "text"}},
    }
    assert cancelled.value.members["CancellationReasons"] == [{"Code": "None"}, failed, {"Code": "None"}]
    assert mistyped.value.members["CancellationReasons"] == [
        {"Code": "None"},
        {"Code": "ValidationError", "Message": "An operand in the update expression has an incorrect data type"},
    ]
    assert everything(tables) == before


def test_a_token_makes_a_transaction_repeatable_for_ten_minutes(tables: DirectOperations, clock: Clock) -> None:
    request = {"TransactItems": [add("A", "x", "1")], "ClientRequestToken": "token"}

    tables.transact_write_items(request)
    clock.now_s += 599
    tables.transact_write_items(request)
    after_repeat = everything(tables)
    with pytest.raises(DynamoError) as mismatched:
        tables.transact_write_items(request | {"TransactItems": [add("A", "x", "2")]})
    clock.now_s += 2
    tables.transact_write_items(request)

    assert after_repeat == [[{**key("x"), "n": {"N": "1"}}], []]
    assert mismatched.value.code == "IdempotentParameterMismatchException"
    assert everything(tables) == [[{**key("x"), "n": {"N": "2"}}], []]


def test_a_cancelled_transaction_uses_up_no_token(tables: DirectOperations) -> None:
    check = {"TableName": "A", "Key": key("x"), "ConditionExpression": "attribute_exists(p)"}
    request = {"TransactItems": [{"ConditionCheck": check}, put("B", "y")], "ClientRequestToken": "token"}
    with pytest.raises(DynamoError):
        tables.transact_write_items(request)
    tables.put_item({"TableName": "A", "Item": key("x")})
    tables.transact_write_items(request)
    assert everything(tables) == [[key("x")], [key("y")]]


def test_a_planned_repeat_reads_instead_of_writing(tables: DirectOperations) -> None:
    store = tables._store
    request = {"TransactItems": [put("A", "x", n={"N": "1"})], "ClientRequestToken": "token"}
    tables.transact_write_items(request)
    transaction = store.prepare_transaction(request)
    with store.lock(transaction.writes) as session:
        planned = session.plan_transaction(transaction)
        session.commit_transaction(planned)
    assert planned.is_repeat
    assert [(change.before, change.kind) for change in planned.changes] == [({**key("x"), "n": {"N": "1"}}, "check")]


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([put("A", "x"), add("A", "x", "1")], "Transaction request cannot include multiple operations on one item"),
        (
            [put("A", "x") | add("A", "x", "1")],
            "TransactItems can only contain one of Check, Put, Update or Delete",
        ),
        (
            [put("A", str(n)) for n in range(101)],
            (
                "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
                "Member must have length less than or equal to 100"
            ),
        ),
        (
            [put("A", str(n), x={"S": "x" * 399_000}) for n in range(11)],
            "Member must have aggregated size less than or equal to 4 MB",
        ),
    ],
)
def test_a_wrong_transaction_is_refused_whole(tables: DirectOperations, actions: list[Any], message: str) -> None:
    with pytest.raises(DynamoError) as refused:
        tables.transact_write_items({"TransactItems": actions})
    assert (refused.value.code, refused.value.message) == ("ValidationException", message)
    assert everything(tables) == [[], []]


def test_a_transaction_of_reads_answers_in_order(tables: DirectOperations) -> None:
    tables.transact_write_items({"TransactItems": [put("A", "x", n={"N": "1"}), put("B", "y")]})
    wanted = [("B", "y"), ("A", "none"), ("A", "x")]
    gets: list[dict[str, Any]] = [{"Get": {"TableName": table, "Key": key(name)}} for table, name in wanted]
    gets[2]["Get"]["ProjectionExpression"] = "n"
    answer = tables.transact_get_items({"TransactItems": gets})
    assert answer == {"Responses": [{"Item": key("y")}, {}, {"Item": {"n": {"N": "1"}}}]}


def test_batches_answer_for_each_item(tables: DirectOperations) -> None:
    requests = {
        "A": [{"PutRequest": {"Item": key("x")}}, {"PutRequest": {"Item": key("y")}}],
        "B": [{"DeleteRequest": {"Key": key("none")}}],
    }
    assert tables.batch_write_item({"RequestItems": requests}) == {"UnprocessedItems": {}}
    answer = tables.batch_get_item(
        {"RequestItems": {"A": {"Keys": [key("y"), key("none"), key("x")]}, "B": {"Keys": [key("x")]}}}
    )
    assert answer == {"Responses": {"A": [key("y"), key("x")], "B": []}, "UnprocessedKeys": {}}


def test_a_batch_of_reads_stops_at_16_mb_and_leaves_refused_reads_unprocessed(tables: DirectOperations) -> None:
    for number in range(45):
        tables.put_item({"TableName": "A", "Item": {**key(f"{number:02}"), "x": {"S": "x" * 390_000}}})
    keys = [key(f"{number:02}") for number in range(45)]
    wanted = {"Keys": keys, "ProjectionExpression": "p", "ConsistentRead": True}
    batch = tables._store.batch_get_item({"RequestItems": {"A": wanted}})
    refused = [read for _, read in batch.reads[:2]]

    answer = batch.response(refused)

    assert answer["Responses"]["A"] == keys[2:43]
    left = {"Keys": [*keys[:2], *keys[43:]], "ProjectionExpression": "p", "ConsistentRead": True}
    assert answer["UnprocessedKeys"] == {"A": left}
    assert {read.size_bytes for read in refused} == {390_004}


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        (
            "batch_write_item",
            {"A": [{"PutRequest": {"Item": key("x")}}, {"DeleteRequest": {"Key": key("x")}}]},
            "Provided list of item keys contains duplicates",
        ),
        (
            "batch_write_item",
            {"A": [{"PutRequest": {"Item": key(str(n))}} for n in range(26)]},
            "Too many items requested for the BatchWriteItem call",
        ),
        ("batch_get_item", {"A": {"Keys": [key("x"), key("x")]}}, "Provided list of item keys contains duplicates"),
        (
            "batch_get_item",
            {name: {"Keys": [key(str(n)) for n in range(60)]} for name in "AB"},
            "Too many items requested for the BatchGetItem call",
        ),
    ],
)
def test_a_wrong_batch_is_refused(tables: DirectOperations, operation: str, request_: Any, message: str) -> None:
    with pytest.raises(DynamoError) as refused:
        getattr(tables, operation)({"RequestItems": request_})
    assert refused.value.message == message
