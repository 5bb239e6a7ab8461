"""The API's parameters from before expressions."""

from typing import Any

import pytest

from rydelab.plugins.dynamodb.store.direct import DirectOperations
from rydelab.plugins.dynamodb.store.errors import DynamoError

ITEM: dict[str, Any] = {
    "p": {"S": "a"},
    "s": {"N": "1"},
    "n": {"N": "5"},
    "text": {"S": "hello"},
    "set": {"SS": ["x", "y"]},
}
KEY = {name: ITEM[name] for name in ("p", "s")}


def values(*operands: Any) -> dict[str, Any]:
    return {"AttributeValueList": list(operands)} if operands else {}


@pytest.mark.parametrize(
    ("name", "operator", "operands", "holds"),
    [
        ("n", "EQ", [{"N": "5.0"}], True),
        ("n", "NE", [{"N": "5"}], False),
        ("gone", "NE", [{"N": "5"}], True),
        ("n", "LT", [{"N": "6"}], True),
        ("n", "LE", [{"N": "5"}], True),
        ("n", "GT", [{"N": "10"}], False),
        ("n", "GE", [{"S": "1"}], False),
        ("gone", "NULL", [], True),
        ("n", "NOT_NULL", [], True),
        ("text", "CONTAINS", [{"S": "ell"}], True),
        ("set", "CONTAINS", [{"S": "x"}], True),
        ("set", "NOT_CONTAINS", [{"S": "z"}], True),
        ("gone", "NOT_CONTAINS", [{"S": "z"}], False),
        ("text", "BEGINS_WITH", [{"S": "he"}], True),
        ("n", "IN", [{"N": "4"}, {"N": "5"}], True),
        ("n", "BETWEEN", [{"N": "1"}, {"N": "9"}], True),
    ],
)
def test_filters_and_expectations_hold_as_dynamodb_says(
    table: DirectOperations, name: str, operator: str, operands: list[Any], *, holds: bool
) -> None:
    table.put_item({"TableName": "T", "Item": ITEM})
    condition = {name: {"ComparisonOperator": operator, **values(*operands)}}
    by_key = {"KeyConditions": {"p": {"ComparisonOperator": "EQ", **values(KEY["p"])}}}

    assert table.scan({"TableName": "T", "ScanFilter": condition})["Count"] == int(holds)
    assert table.query({"TableName": "T", **by_key, "QueryFilter": condition})["Count"] == int(holds)
    delete = {"TableName": "T", "Key": KEY, "Expected": condition}
    if holds:
        table.delete_item(delete)
    else:
        with pytest.raises(DynamoError, match="The conditional request failed"):
            table.delete_item(delete)


def test_conditions_join_with_the_operator_given(table: DirectOperations) -> None:
    table.put_item({"TableName": "T", "Item": ITEM})
    both = {
        "n": {"ComparisonOperator": "EQ", **values({"N": "5"})},
        "text": {"ComparisonOperator": "EQ", **values({"S": "other"})},
    }
    assert table.scan({"TableName": "T", "ScanFilter": both})["Count"] == 0
    assert table.scan({"TableName": "T", "ScanFilter": both, "ConditionalOperator": "OR"})["Count"] == 1


def test_key_conditions_read_a_range(table: DirectOperations) -> None:
    for number in range(5):
        table.put_item({"TableName": "T", "Item": {"p": {"S": "a"}, "s": {"N": str(number)}}})
    between = {
        "p": {"ComparisonOperator": "EQ", **values({"S": "a"})},
        "s": {"ComparisonOperator": "BETWEEN", **values({"N": "1"}, {"N": "3"})},
    }
    found = table.query({"TableName": "T", "KeyConditions": between, "AttributesToGet": ["s"]})["Items"]
    assert found == [{"s": {"N": "1"}}, {"s": {"N": "2"}}, {"s": {"N": "3"}}]


def test_expectations_of_value_and_existence(table: DirectOperations) -> None:
    put = {"TableName": "T", "Item": ITEM}
    table.put_item(put | {"Expected": {"p": {"Exists": False}}})
    table.put_item(put | {"Expected": {"n": {"Value": {"N": "5"}}}})
    with pytest.raises(DynamoError, match="The conditional request failed"):
        table.put_item(put | {"Expected": {"p": {"Exists": False}}})
    with pytest.raises(DynamoError, match="Value must be provided when Exists is true for Attribute: n"):
        table.put_item(put | {"Expected": {"n": {"Exists": True}}})


def test_attribute_updates_put_add_and_delete(table: DirectOperations) -> None:
    table.put_item({"TableName": "T", "Item": ITEM})
    answer = table.update_item(
        {
            "TableName": "T",
            "Key": KEY,
            "ReturnValues": "ALL_NEW",
            "AttributeUpdates": {
                "text": {"Action": "DELETE"},
                "n": {"Action": "ADD", "Value": {"N": "0.5"}},
                "set": {"Action": "DELETE", "Value": {"SS": ["x"]}},
                "flag": {"Value": {"BOOL": True}},
                "b": {"Action": "PUT", "Value": {"B": b"\x00"}},
                "new": {"Action": "ADD", "Value": {"SS": ["z"]}},
            },
        }
    )
    assert answer["Attributes"] == {
        **KEY,
        "n": {"N": "5.5"},
        "set": {"SS": ["y"]},
        "flag": {"BOOL": True},
        "b": {"B": b"\x00"},
        "new": {"SS": ["z"]},
    }


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"n": {"Action": "ADD", "Value": {"SS": ["z"]}}}, "Type mismatch for attribute to update"),
        ({"s": {"Value": {"N": "2"}}}, "Cannot update attribute s. This attribute is part of the key"),
        ({"n": {"Action": "PUT"}}, "Only DELETE action is allowed when no attribute value is specified"),
    ],
)
def test_a_wrong_attribute_update_is_refused(table: DirectOperations, update: Any, message: str) -> None:
    table.put_item({"TableName": "T", "Item": ITEM})
    with pytest.raises(DynamoError, match=message):
        table.update_item({"TableName": "T", "Key": KEY, "AttributeUpdates": update})
    assert table.get_item({"TableName": "T", "Key": KEY})["Item"] == ITEM
