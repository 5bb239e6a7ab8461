"""What operations say that they have consumed."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.items import KB, item, key

type CreateTable = Callable[..., str]


@pytest.fixture(scope="module")
def table(dynamodb: Any, create_table: CreateTable) -> str:
    """Return an on-demand table with a global index, and items of 1.5, 6.5 and 9 KB; only the last is in the index."""
    name = create_table(units=None, indexes={"rider": None})
    dynamodb.put_item(TableName=name, Item=item("small", 1536))
    dynamodb.put_item(TableName=name, Item=item("middle", 6656))
    dynamodb.put_item(TableName=name, Item=item("large", 9 * KB, rider="a"))
    return name


def units(answer: dict[str, Any]) -> float:
    consumed: float = answer["ConsumedCapacity"]["CapacityUnits"]
    return consumed


@pytest.mark.parametrize(("name", "eventual"), [("small", 0.5), ("large", 1.5), ("absent", 0.5)])
def test_get_item(dynamodb: Any, table: str, name: str, eventual: float) -> None:
    get = {"TableName": table, "Key": key(name), "ReturnConsumedCapacity": "TOTAL"}

    assert units(dynamodb.get_item(**get)) == eventual
    assert units(dynamodb.get_item(**get, ConsistentRead=True)) == 2 * eventual


def test_total_and_indexes_have_these_members(dynamodb: Any, table: str) -> None:
    get = {"TableName": table, "Key": key("small")}

    assert dynamodb.get_item(**get, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"] == {
        "TableName": table,
        "CapacityUnits": 0.5,
    }
    assert dynamodb.get_item(**get, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"] == {
        "TableName": table,
        "CapacityUnits": 0.5,
        "Table": {"CapacityUnits": 0.5},
    }
    assert "ConsumedCapacity" not in dynamodb.get_item(**get)


def test_a_page_is_charged_by_what_it_evaluated_and_rounded_once(dynamodb: Any, table: str) -> None:
    # 1.5 + 6.5 + 9 KB are 17 KB, which is 5 steps of 4 KB.
    scan = {"TableName": table, "ConsistentRead": True, "ReturnConsumedCapacity": "TOTAL"}

    assert units(dynamodb.scan(**scan)) == 5
    assert units(dynamodb.scan(**scan, Select="COUNT")) == 5
    filtered = {"FilterExpression": "id = :none", "ExpressionAttributeValues": {":none": {"S": "none"}}}
    assert units(dynamodb.scan(**scan, **filtered)) == 5


def test_an_index_has_reads_of_its_own(dynamodb: Any, table: str) -> None:
    consumed = dynamodb.query(
        TableName=table,
        IndexName="rider",
        KeyConditionExpression="rider = :rider",
        ExpressionAttributeValues={":rider": {"S": "a"}},
        ReturnConsumedCapacity="INDEXES",
    )["ConsumedCapacity"]

    assert consumed["CapacityUnits"] == 1.5
    assert consumed["GlobalSecondaryIndexes"] == {"rider": {"CapacityUnits": 1.5}}


def test_a_batch_get_rounds_each_item(dynamodb: Any, table: str) -> None:
    wanted = {"Keys": [key("small"), key("middle")], "ConsistentRead": True}
    answer = dynamodb.batch_get_item(RequestItems={table: wanted}, ReturnConsumedCapacity="TOTAL")

    assert answer["ConsumedCapacity"] == [{"TableName": table, "CapacityUnits": 3.0}]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(0, 1500, 2), (1500, 3000, 3), (3000, 10, 3)],
    ids=["a new item", "a larger item", "a smaller item"],
)
def test_put_item_is_charged_by_the_larger_image(
    dynamodb: Any, table: str, before: int, after: int, expected: int
) -> None:
    name = f"put-{before}-{after}"
    if before:
        dynamodb.put_item(TableName=table, Item=item(name, before))

    answer = dynamodb.put_item(TableName=table, Item=item(name, max(after, 40)), ReturnConsumedCapacity="TOTAL")
    dynamodb.delete_item(TableName=table, Key=key(name))

    assert units(answer) == expected


def test_update_and_delete_are_charged_by_the_whole_item(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item=item("changing", 2500))

    updated = dynamodb.update_item(
        TableName=table,
        Key=key("changing"),
        UpdateExpression="SET colour = :c",
        ExpressionAttributeValues={":c": {"S": "red"}},
        ReturnConsumedCapacity="TOTAL",
    )
    deleted = dynamodb.delete_item(TableName=table, Key=key("changing"), ReturnConsumedCapacity="TOTAL")
    absent = dynamodb.delete_item(TableName=table, Key=key("changing"), ReturnConsumedCapacity="TOTAL")

    assert (units(updated), units(deleted), units(absent)) == (3, 3, 1)


@pytest.mark.parametrize(
    ("first", "second", "index_units"),
    [
        ({"rider": "a"}, {"rider": "b"}, 2),
        ({"rider": "a"}, {"rider": "a", "colour": "red"}, 1),
        ({"rider": "a"}, {}, 1),
        ({}, {"rider": "a"}, 1),
        ({}, {"colour": "red"}, None),
    ],
    ids=["moved", "changed", "removed", "added", "not in the index"],
)
def test_index_writes_by_what_changes(
    dynamodb: Any, table: str, first: dict[str, str], second: dict[str, str], index_units: int | None
) -> None:
    dynamodb.put_item(TableName=table, Item=item("indexed", **first))

    answer = dynamodb.put_item(TableName=table, Item=item("indexed", **second), ReturnConsumedCapacity="INDEXES")
    dynamodb.delete_item(TableName=table, Key=key("indexed"))

    consumed = answer["ConsumedCapacity"]
    indexes = {} if index_units is None else {"rider": {"CapacityUnits": index_units}}
    assert consumed["Table"] == {"CapacityUnits": 1}
    assert consumed.get("GlobalSecondaryIndexes", {}) == indexes
    assert consumed["CapacityUnits"] == 1 + (index_units or 0)


def test_a_batch_write_rounds_each_item(dynamodb: Any, table: str) -> None:
    puts = [{"PutRequest": {"Item": item(f"batch-{size}", size)}} for size in (500, 3584)]

    answer = dynamodb.batch_write_item(RequestItems={table: puts}, ReturnConsumedCapacity="TOTAL")
    dynamodb.batch_write_item(
        RequestItems={table: [{"DeleteRequest": {"Key": key(f"batch-{size}")}} for size in (500, 3584)]}
    )

    assert answer["ConsumedCapacity"] == [{"TableName": table, "CapacityUnits": 5.0}]


def test_transactions_cost_twice(dynamodb: Any, table: str) -> None:
    names = [f"transaction-{number}" for number in range(3)]
    puts = [{"Put": {"TableName": table, "Item": item(name, 500)}} for name in names]
    gets = [{"Get": {"TableName": table, "Key": key(name)}} for name in ("small", "middle")]

    written = dynamodb.transact_write_items(TransactItems=puts, ReturnConsumedCapacity="TOTAL")
    read = dynamodb.transact_get_items(TransactItems=gets, ReturnConsumedCapacity="TOTAL")
    for name in names:
        dynamodb.delete_item(TableName=table, Key=key(name))

    assert written["ConsumedCapacity"][0]["CapacityUnits"] == 6
    assert read["ConsumedCapacity"][0]["CapacityUnits"] == 2 + 4


def test_a_local_index_is_charged_to_its_table(dynamodb: Any, create_table: CreateTable) -> None:
    table = create_table(units=None, local_index="colour")

    consumed = dynamodb.put_item(
        TableName=table, Item=item("a", at="1", colour="red"), ReturnConsumedCapacity="INDEXES"
    )["ConsumedCapacity"]

    assert consumed["CapacityUnits"] == 2
    assert consumed["Table"] == {"CapacityUnits": 1}
    assert consumed["LocalSecondaryIndexes"] == {"colour": {"CapacityUnits": 1}}
