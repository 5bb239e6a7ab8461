"""ReturnConsumedCapacity, operation by operation (A3 and A5 of the fact sheet)."""

from typing import Any

import pytest

KB = 1024
ARN = "arn:aws:dynamodb:us-east-1:000000000042:table/T"


def key(name: str) -> dict[str, Any]:
    return {"p": {"S": name}}


def item(name: str, size: int, **attributes: str) -> dict[str, Any]:
    """Return an item of exactly *size* bytes."""
    made = key(name) | {attribute: {"S": value} for attribute, value in attributes.items()}
    used = sum(len(attribute) + len(value["S"]) for attribute, value in made.items())
    return made | {"x": {"S": "x" * (size - used - 1)}}


@pytest.fixture
def table(front: Any) -> Any:
    """Return the operations on table T: item a of 1,700 bytes, item b of 9 KB, b in the global index g."""
    front.create(units=(1000, 1000), indexes={"g": (1000, 1000)}, local_indexes=("l",), sort_key=False)
    front.operations.put_item({"TableName": "T", "Item": item("a", 1700)})
    front.operations.put_item({"TableName": "T", "Item": item("b", 9 * KB, g="1")})
    return front.operations


ONE_KEY = {"TableName": "T", "Key": key("a")}
UPDATE_A = ONE_KEY | {"UpdateExpression": "SET y = :y", "ExpressionAttributeValues": {":y": {"S": "1"}}}
QUERY_B = {
    "TableName": "T",
    "KeyConditionExpression": "p = :p",
    "ExpressionAttributeValues": {":p": {"S": "b"}},
}


@pytest.mark.parametrize(
    ("operation", "request_", "units"),
    [
        pytest.param("get_item", ONE_KEY, 0.5, id="GetItem, eventual"),
        pytest.param("get_item", ONE_KEY | {"ConsistentRead": True}, 1.0, id="GetItem, strong"),
        pytest.param("get_item", ONE_KEY | {"Key": key("none")}, 0.5, id="GetItem, no such item"),
        pytest.param(
            "get_item", ONE_KEY | {"Key": key("b"), "ProjectionExpression": "p"}, 1.5, id="GetItem, projected"
        ),
        pytest.param("put_item", {"TableName": "T", "Item": item("a", 2100)}, 3.0, id="PutItem, larger"),
        pytest.param("put_item", {"TableName": "T", "Item": key("a")}, 2.0, id="PutItem, smaller"),
        pytest.param("put_item", {"TableName": "T", "Item": key("new")}, 1.0, id="PutItem, new"),
        pytest.param("update_item", UPDATE_A, 2.0, id="UpdateItem, one attribute"),
        pytest.param("delete_item", ONE_KEY, 2.0, id="DeleteItem"),
        pytest.param("delete_item", ONE_KEY | {"Key": key("none")}, 1.0, id="DeleteItem, no such item"),
        pytest.param("query", QUERY_B, 1.5, id="Query"),
        pytest.param("query", QUERY_B | {"Select": "COUNT", "ConsistentRead": True}, 3.0, id="Query, count, strong"),
        pytest.param("scan", {"TableName": "T"}, 1.5, id="Scan: rounded once"),
        pytest.param(
            "scan",
            {
                "TableName": "T",
                "FilterExpression": "p = :p",
                "ExpressionAttributeValues": {":p": {"S": "none"}},
                "ConsistentRead": True,
            },
            3.0,
            id="Scan: evaluated, not returned",
        ),
        pytest.param("execute_statement", {"Statement": "SELECT * FROM T WHERE p = 'b'"}, 1.5, id="SELECT"),
        pytest.param("execute_statement", {"Statement": "INSERT INTO T VALUE {'p': 'new'}"}, 1.0, id="INSERT"),
        pytest.param("execute_statement", {"Statement": "DELETE FROM T WHERE p = 'a'"}, 2.0, id="DELETE"),
    ],
)
def test_the_units_of_one_table(table: Any, operation: str, request_: dict[str, Any], units: float) -> None:
    answer = getattr(table, operation)(request_ | {"ReturnConsumedCapacity": "TOTAL"})

    assert answer["ConsumedCapacity"] == {"TableName": "T", "CapacityUnits": units}


@pytest.mark.parametrize(
    ("operation", "request_", "consumed"),
    [
        pytest.param(
            "batch_get_item",
            {"RequestItems": {"T": {"Keys": [key("a"), key("b"), key("none")]}}},
            {"CapacityUnits": 0.5 + 1.5 + 0.5},
            id="BatchGetItem: each rounded alone",
        ),
        pytest.param(
            "batch_write_item",
            {
                "RequestItems": {
                    "T": [{"PutRequest": {"Item": item("c", 500)}}, {"PutRequest": {"Item": item("d", 3584)}}]
                }
            },
            {"CapacityUnits": 5.0},
            id="BatchWriteItem: 500 B and 3.5 KB are 5 units",
        ),
        pytest.param(
            "transact_get_items",
            {"TransactItems": [{"Get": {"TableName": "T", "Key": key(name)}} for name in ("a", "b")]},
            {"CapacityUnits": 2.0 + 6.0, "ReadCapacityUnits": 2.0 + 6.0},
            id="TransactGetItems: twice",
        ),
        pytest.param(
            "transact_write_items",
            {"TransactItems": [{"Put": {"TableName": "T", "Item": item(name, 500)}} for name in "cde"]},
            {"CapacityUnits": 6.0, "WriteCapacityUnits": 6.0},
            id="TransactWriteItems: three puts of 500 B are 6 units",
        ),
        pytest.param(
            "transact_write_items",
            {
                "TransactItems": [
                    {
                        "ConditionCheck": {
                            "TableName": "T",
                            "Key": key("a"),
                            "ConditionExpression": "attribute_exists(p)",
                        }
                    }
                ]
            },
            {"CapacityUnits": 4.0, "WriteCapacityUnits": 4.0},
            id="ConditionCheck: a transactional write of its item",
        ),
        pytest.param(
            "batch_execute_statement",
            {"Statements": [{"Statement": f"SELECT * FROM T WHERE p = '{name}'"} for name in ("a", "b")]},  # noqa: S608
            {"CapacityUnits": 2.0},
            id="BatchExecuteStatement",
        ),
        pytest.param(
            "execute_transaction",
            {"TransactStatements": [{"Statement": "INSERT INTO T VALUE {'p': 'new'}"}]},
            {"CapacityUnits": 2.0, "WriteCapacityUnits": 2.0},
            id="ExecuteTransaction",
        ),
    ],
)
def test_batches_and_transactions_list_their_tables(
    table: Any, operation: str, request_: dict[str, Any], consumed: dict[str, float]
) -> None:
    answer = getattr(table, operation)(request_ | {"ReturnConsumedCapacity": "TOTAL"})

    assert answer["ConsumedCapacity"] == [{"TableName": "T", **consumed}]


def test_indexes_are_told_apart_from_the_table(table: Any) -> None:
    request = {"TableName": "T", "Item": item("b", 9 * KB, g="2"), "ReturnConsumedCapacity": "INDEXES"}

    answer = table.put_item(request)  # moves b's entry: a delete and a put in the index

    assert answer["ConsumedCapacity"] == {
        "TableName": "T",
        "CapacityUnits": 27.0,
        "Table": {"CapacityUnits": 9.0},
        "GlobalSecondaryIndexes": {"g": {"CapacityUnits": 18.0}},
    }


def test_a_page_of_an_index_is_the_indexs(table: Any) -> None:
    answer = table.scan({"TableName": "T", "IndexName": "g", "ReturnConsumedCapacity": "INDEXES"})

    assert answer["ConsumedCapacity"] == {
        "TableName": "T",
        "CapacityUnits": 1.5,
        "Table": {"CapacityUnits": 0.0},
        "GlobalSecondaryIndexes": {"g": {"CapacityUnits": 1.5}},
    }


def test_a_local_index_is_part_of_the_tables_units(table: Any) -> None:
    request = {"TableName": "T", "Item": item("c", 500, l="1"), "ReturnConsumedCapacity": "INDEXES"}

    answer = table.put_item(request)

    assert answer["ConsumedCapacity"] == {
        "TableName": "T",
        "CapacityUnits": 2.0,
        "Table": {"CapacityUnits": 1.0},
        "LocalSecondaryIndexes": {"l": {"CapacityUnits": 1.0}},
    }


def test_a_table_named_by_its_arn_is_answered_by_its_arn(table: Any) -> None:
    one = table.get_item(ONE_KEY | {"TableName": ARN, "ReturnConsumedCapacity": "TOTAL"})
    several = table.batch_get_item({"RequestItems": {ARN: {"Keys": [key("a")]}}, "ReturnConsumedCapacity": "TOTAL"})

    assert one["ConsumedCapacity"]["TableName"] == ARN
    assert several["ConsumedCapacity"][0]["TableName"] == ARN


@pytest.mark.parametrize("detail", ["NONE", None])
def test_nothing_is_told_unless_it_is_asked(table: Any, detail: str | None) -> None:
    assert "ConsumedCapacity" not in table.get_item(ONE_KEY | {"ReturnConsumedCapacity": detail})


def test_sizes_follow_the_settings_of_the_model(make_front: Any) -> None:
    front = make_front(set_overhead_bytes=2000)
    front.backend.settings = front.settings  # as backend.install(settings) makes it
    front.create()
    request = {"TableName": "T", "Item": key("a") | {"set": {"SS": ["x"]}}, "ReturnConsumedCapacity": "TOTAL"}

    assert front.operations.put_item(request)["ConsumedCapacity"]["CapacityUnits"] == 2
