"""Condition and filter expressions on one item, as DynamoDB evaluates them."""

from typing import Any

import pytest

from rydelab.plugins.dynamodb.store.conditions import Predicate
from rydelab.plugins.dynamodb.store.direct import DirectOperations
from rydelab.plugins.dynamodb.store.errors import DynamoError
from rydelab.plugins.dynamodb.store.expressions import Expressions

ITEM: dict[str, Any] = {
    "zero": {"N": "0"},
    "tenth": {"N": "0.1"},
    "big": {"N": "12345678901234567890123456789012345678"},
    "text": {"S": "héllo"},
    "bytes": {"B": b"\x01\x02\x03"},
    "flag": {"BOOL": True},
    "nil": {"NULL": True},
    "tags": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "list": {"L": [{"S": "x"}, {"N": "2"}, {"M": {"deep": {"S": "y"}}}, *({"N": str(n)} for n in range(10))]},
    "map": {"M": {"k": {"N": "1"}, "dotted.name": {"S": "d"}}},
}
VALUES: dict[str, Any] = {
    ":zero": {"N": "0"},
    ":one": {"N": "1"},
    ":onetext": {"S": "1"},
    ":minus": {"N": "-1"},
    ":two": {"N": "2"},
    ":true": {"BOOL": True},
    ":long": {"N": "12345678901234567890123456789012345679"},
    ":h": {"S": "hé"},
    ":x": {"S": "x"},
    ":y": {"S": "y"},
    ":a": {"S": "a"},
    ":ab": {"SS": ["b", "a"]},
    ":b12": {"B": b"\x01\x02"},
    ":b3": {"B": b"\x03"},
    ":L": {"S": "L"},
    ":three": {"N": "3"},
    ":five": {"N": "5"},
    ":seven": {"N": "7"},
    ":mapk": {"M": {"dotted.name": {"S": "d"}, "k": {"N": "1.0"}}},
}
NUMBERS = {":a": {"N": "1"}, ":b": {"N": "2"}}
NAMES = {"#list": "list", "#dotted": "dotted.name", "#map": "map", "#bytes": "bytes", "#text": "text"}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("zero = :zero", True),
        ("zero BETWEEN :minus AND :one", True),
        ("zero < :one AND zero > :minus", True),
        ("tenth < :one", True),
        ("big = :long", False),
        ("big < :long", True),
        ("flag = :one", False),
        ("flag = :true", True),
        ("zero < :onetext", False),
        ("zero = :onetext", False),
        ("zero <> :onetext", True),
        ("nowhere = :zero", False),
        ("nowhere <> :zero", True),
        ("nowhere < :zero", False),
        ("nowhere = absent", False),
        ("NOT nowhere = :zero", True),
        ("tags = :ab", True),
        ("#map = :mapk", True),
        ("begins_with(#text, :h)", True),
        ("begins_with(#bytes, :b12)", True),
        ("begins_with(zero, :h)", False),
        ("contains(#bytes, :b3)", True),
        ("contains(tags, :a)", True),
        ("contains(numbers, :one)", True),
        ("contains(numbers, :onetext)", False),
        ("contains(#list, :two)", True),
        ("contains(#list, :y)", False),
        ("contains(nowhere, :a)", False),
        ("attribute_type(#list, :L)", True),
        ("attribute_type(nowhere, :L)", False),
        ("attribute_exists(nil)", True),
        ("attribute_exists(#list[2].deep)", True),
        ("#list[12] = :nine", None),
        ("#list[10] = :seven", True),
        ("#list[99] = :seven", False),
        ("#map.k = :one", True),
        ("#map.#dotted = :x", False),
        ("attribute_exists(#map.#dotted)", True),
        ("size(#text) = :five", True),
        ("size(#bytes) = :three", True),
        ("size(tags) = :two", True),
        ("size(zero) = :zero", False),
        ("zero IN (:one, :zero)", True),
        ("zero IN (:one, :two)", False),
        ("zero = :one OR\n\tflag = :true", True),
        ("zero = :one OR zero = :two AND flag = :true", False),
        ("(zero = :zero OR zero = :two) AND NOT (flag = :true)", False),
        ("not attribute_exists(nowhere) and (zero = :zero)", True),
    ],
)
def test_a_condition_holds_as_dynamodb_says(expression: str, *, holds: bool | None) -> None:
    if holds is None:
        with pytest.raises(DynamoError, match="attribute value: :nine"):
            evaluate(expression)
    else:
        assert evaluate(expression) is holds


def evaluate(expression: str) -> bool:
    request = {
        "FilterExpression": expression,
        "ExpressionAttributeNames": NAMES,
        "ExpressionAttributeValues": VALUES,
    }
    expressions = Expressions(request, parameters=("FilterExpression",))
    return Predicate(expressions.condition("FilterExpression"), expressions.values).holds(ITEM)


@pytest.mark.parametrize(
    ("paths", "shown"),
    [
        ("zero, flag", {"zero": {"N": "0"}, "flag": {"BOOL": True}}),
        ("nowhere", {}),
        ("#map.k", {"map": {"M": {"k": {"N": "1"}}}}),
        ("#map.#dotted", {"map": {"M": {"dotted.name": {"S": "d"}}}}),
        ("#map.nowhere", {}),
        ("#list[2].deep, #list[0]", {"list": {"L": [{"S": "x"}, {"M": {"deep": {"S": "y"}}}]}}),
        ("#list[50]", {}),
        ("zero.deeper", {}),
    ],
)
def test_a_projection_shows_what_is_at_its_paths(new_table: Any, paths: str, shown: dict[str, Any]) -> None:
    table: DirectOperations = new_table({"key": "S"})
    table.put_item({"TableName": "T", "Item": {"key": {"S": "k"}, **ITEM}})
    used = {name: NAMES[name] for name in NAMES if name in paths}
    request: dict[str, Any] = {"TableName": "T", "Key": {"key": {"S": "k"}}, "ProjectionExpression": paths}
    answer = table.get_item(request | ({"ExpressionAttributeNames": used} if used else {}))
    assert answer["Item"] == shown


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"FilterExpression": ""}, "Invalid FilterExpression: The expression can not be empty;"),
        (
            {"FilterExpression": "#a = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}},
            (
                "Invalid FilterExpression: An expression attribute name used in the document path is not defined; "
                "attribute name: #a"
            ),
        ),
        (
            {"FilterExpression": "a = :v"},
            (
                "Invalid FilterExpression: An expression attribute value used in expression is not defined; "
                "attribute value: :v"
            ),
        ),
        (
            {"FilterExpression": "size = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}},
            None,
        ),
        (
            {"FilterExpression": "name = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}},
            "Invalid FilterExpression: Attribute name is a reserved keyword; reserved keyword: name",
        ),
        (
            {"FilterExpression": "a = :v", "ExpressionAttributeValues": {":v": {"N": "1"}, ":w": {"N": "1"}}},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}",
        ),
        (
            {"ProjectionExpression": "a", "ExpressionAttributeNames": {"#b": "b"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}",
        ),
        (
            {"ExpressionAttributeNames": {"#b": "b"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"ExpressionAttributeValues": {":b": {"S": "b"}}},
            "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null",
        ),
        (
            {"FilterExpression": "a = b", "ExpressionAttributeValues": {}},
            "ExpressionAttributeValues must not be empty",
        ),
        (
            {"FilterExpression": "a = :v", "ExpressionAttributeValues": {":v": {"N": "one"}}},
            (
                "ExpressionAttributeValues contains invalid value: "
                "The parameter cannot be converted to a numeric value: one for key :v"
            ),
        ),
        (
            {
                "FilterExpression": "a BETWEEN :b AND :a",
                "ExpressionAttributeValues": {":a": {"N": "1"}, ":b": {"N": "2"}},
            },
            (
                "Invalid FilterExpression: The BETWEEN operator requires upper bound to be greater "
                "than or equal to lower "
                "bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}"
            ),
        ),
        (
            {"ProjectionExpression": "a, a.b"},
            (
                "Invalid ProjectionExpression: Two document paths overlap with each other; must "
                "remove or rewrite one of "
                "these paths; path one: [a], path two: [a, b]"
            ),
        ),
        ({"ProjectionExpression": ""}, "Invalid ProjectionExpression: The expression can not be empty;"),
        (
            {"ProjectionExpression": "a, comment"},
            "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: comment",
        ),
        (
            {"ScanFilter": {}, "FilterExpression": "attribute_exists(a)"},
            (
                "Can not use both expression and non-expression parameters in the same request: "
                "Non-expression parameters: {ScanFilter} Expression parameters: {FilterExpression}"
            ),
        ),
        ({"FilterExpression": "a = = b"}, None),
        ({"FilterExpression": "(a = b"}, None),
        ({"FilterExpression": "attribute_exists(a) b"}, None),
        ({"FilterExpression": "unknown(a)"}, None),
        ({"FilterExpression": "a ! b"}, None),
        ({"ProjectionExpression": "a,,b"}, None),
        ({"ProjectionExpression": "a..b"}, None),
        ({"ProjectionExpression": "a[x]"}, None),
    ],
)
def test_a_wrong_expression_is_refused(table: DirectOperations, request_: dict[str, Any], message: str | None) -> None:
    with pytest.raises(DynamoError) as refused:
        table.scan({"TableName": "T", **request_})
    assert refused.value.code == "ValidationException"
    if message is None:
        assert refused.value.message.startswith("Invalid ")
    else:
        assert refused.value.message == message
