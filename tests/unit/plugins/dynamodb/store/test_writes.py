"""PutItem, UpdateItem, DeleteItem: what they leave, what they return, and what a plan tells before it is done."""

from typing import Any

import pytest

from rydelab.plugins.dynamodb.store.direct import DirectOperations
from rydelab.plugins.dynamodb.store.errors import DynamoError

KEY = {"p": {"S": "a"}, "s": {"N": "1"}}


def put(table: DirectOperations, **attributes: Any) -> None:
    table.put_item({"TableName": "T", "Item": {**KEY, **attributes}})


def got(table: DirectOperations) -> Any:
    return table.get_item({"TableName": "T", "Key": KEY}).get("Item")


def update(table: DirectOperations, expression: str, returns: str = "NONE", **values: Any) -> Any:
    request: dict[str, Any] = {"TableName": "T", "Key": KEY, "UpdateExpression": expression, "ReturnValues": returns}
    if values:
        request["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    return table.update_item(request).get("Attributes")


def test_equal_numbers_are_one_key(table: DirectOperations) -> None:
    table.put_item({"TableName": "T", "Item": {"p": {"S": "a"}, "s": {"N": "1.00"}, "v": {"S": "old"}}})
    put(table, v={"S": "new"})
    assert table.scan({"TableName": "T"})["Items"] == [{**KEY, "v": {"S": "new"}}]


def test_what_was_given_or_returned_is_not_what_is_stored(table: DirectOperations) -> None:
    item: dict[str, Any] = {**KEY, "list": {"L": [{"S": "x"}]}, "set": {"SS": ["x"]}}
    table.put_item({"TableName": "T", "Item": item})
    item["list"]["L"].append({"S": "y"})
    got(table)["set"]["SS"].append("y")
    assert got(table) == {**KEY, "list": {"L": [{"S": "x"}]}, "set": {"SS": ["x"]}}


@pytest.mark.parametrize(
    ("before", "expression", "values", "after"),
    [
        ("0.3", "SET n = n - :v", "0.1", "0.2"),
        ("0.1", "SET n = n + :v", "0.2", "0.3"),
        ("12345678901234567890123456789012345677", "SET n = n + :v", "1", "12345678901234567890123456789012345678"),
        ("0.1", "ADD n :v", "0.2", "0.3"),
        ("12345678901234567890123456789012345677.5", "ADD n :v", "0.5", None),
        ("5", "ADD n :v", "-7", "-2"),
    ],
)
def test_arithmetic_is_decimal(
    table: DirectOperations, before: str, expression: str, values: str, after: str | None
) -> None:
    if after is None:
        with pytest.raises(DynamoError, match="more than 38 significant digits"):
            put(table, n={"N": before})
        return
    put(table, n={"N": before})
    update(table, expression, v={"N": values})
    assert got(table)["n"] == {"N": after}


def test_a_sum_beyond_38_digits_is_refused_and_changes_nothing(table: DirectOperations) -> None:
    put(table, n={"N": "99999999999999999999999999999999999999"})
    with pytest.raises(DynamoError, match="more than 38 significant digits"):
        update(table, "SET n = n + :v", v={"N": "0.5"})
    assert got(table)["n"] == {"N": "99999999999999999999999999999999999999"}


@pytest.mark.parametrize(
    ("returns", "attributes"),
    [
        ("NONE", None),
        ("ALL_OLD", {**KEY, "m": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}, "same": {"S": "s"}}),
        ("UPDATED_OLD", {"m": {"M": {"x": {"N": "1"}}}, "same": {"S": "s"}}),
        ("UPDATED_NEW", {"m": {"M": {"x": {"N": "5"}}}, "same": {"S": "s"}, "created": {"S": "s"}}),
        (
            "ALL_NEW",
            {**KEY, "m": {"M": {"x": {"N": "5"}, "y": {"N": "2"}}}, "same": {"S": "s"}, "created": {"S": "s"}},
        ),
    ],
)
def test_update_returns_what_was_asked_for(table: DirectOperations, returns: str, attributes: Any) -> None:
    put(table, m={"M": {"x": {"N": "1"}, "y": {"N": "2"}}}, same={"S": "s"})
    answer = update(table, "SET m.x = :x, same = :s, created = same", returns, x={"N": "5"}, s={"S": "s"})
    assert answer == attributes


def test_put_and_delete_return_the_old_item(table: DirectOperations) -> None:
    request = {"TableName": "T", "Item": KEY, "ReturnValues": "ALL_OLD"}
    assert table.put_item(request) == {}
    assert table.put_item(request) == {"Attributes": KEY}
    delete = {"TableName": "T", "Key": KEY, "ReturnValues": "ALL_OLD"}
    assert table.delete_item(delete) == {"Attributes": KEY}
    assert table.delete_item(delete) == {}


def test_a_failed_condition_changes_nothing_and_shows_the_old_item_if_asked(table: DirectOperations) -> None:
    put(table, v={"S": "old"})
    request = {
        "TableName": "T",
        "Item": {**KEY, "v": {"S": "new"}},
        "ConditionExpression": "attribute_not_exists(p)",
    }
    with pytest.raises(DynamoError) as refused:
        table.put_item(request)
    with pytest.raises(DynamoError) as shown:
        table.put_item(request | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"})

    assert (refused.value.code, refused.value.message) == (
        "ConditionalCheckFailedException",
        "The conditional request failed",
    )
    assert refused.value.members == {}
    assert shown.value.members == {"Item": {**KEY, "v": {"S": "old"}}}
    assert got(table)["v"] == {"S": "old"}


def test_an_update_makes_the_item_that_is_not_there(table: DirectOperations) -> None:
    table.update_item({"TableName": "T", "Key": KEY})
    assert got(table) == KEY
    update(table, "ADD n :one, tags :set", one={"N": "1"}, set={"SS": ["a"]})
    update(table, "ADD n :one, tags :set", one={"N": "1"}, set={"SS": ["b", "a"]})
    update(table, "DELETE tags :set", set={"SS": ["a"]})
    assert got(table) == {**KEY, "n": {"N": "2"}, "tags": {"SS": ["b"]}}


def test_an_update_may_read_the_key(table: DirectOperations) -> None:
    put(table)
    update(table, "SET n = s + s, copied = p")
    assert got(table) == {**KEY, "n": {"N": "2"}, "copied": {"S": "a"}}


def test_a_failed_update_leaves_no_new_item(table: DirectOperations) -> None:
    with pytest.raises(DynamoError, match="refers to an attribute that does not exist"):
        update(table, "SET a = b")
    assert got(table) is None


def test_binary_content_survives_updates(table: DirectOperations) -> None:
    put(table, b={"B": b"\x00\xff"}, bs={"BS": [b"\x01"]}, deep={"L": [{"B": b"\x02"}]})
    update(table, "SET c = :c ADD bs :more", c={"B": b"\x03"}, more={"BS": [b"\x01", b"\x04"]})
    item = got(table)
    assert (item["b"], item["c"], item["deep"]) == ({"B": b"\x00\xff"}, {"B": b"\x03"}, {"L": [{"B": b"\x02"}]})
    assert sorted(item["bs"]["BS"]) == [b"\x01", b"\x04"]


def test_a_plan_tells_the_images_and_changes_nothing(table: DirectOperations) -> None:
    put(table, v={"S": "old"})
    store = table._store
    put_write = store.prepare_put({"TableName": "T", "Item": {**KEY, "v": {"S": "newer"}}})
    update_write = store.prepare_update(
        {
            "TableName": "T",
            "Key": KEY,
            "UpdateExpression": "SET v = :v",
            "ConditionExpression": "v = :v",
            "ExpressionAttributeValues": {":v": {"S": "x"}},
        }
    )
    delete_write = store.prepare_delete({"TableName": "T", "Key": KEY})

    with store.lock([put_write, update_write, delete_write]) as session:
        planned, failed, deleted = session.plan(put_write), session.plan(update_write), session.plan(delete_write)

    old = {**KEY, "v": {"S": "old"}}
    assert (planned.before, planned.after, planned.after_bytes) == (old, {**KEY, "v": {"S": "newer"}}, 11)
    assert (failed.before, failed.after) == (old, old)
    assert failed.failure is not None
    assert (deleted.before, deleted.after, deleted.key) == (old, None, KEY)
    assert got(table) == old
    with pytest.raises(RuntimeError, match="table T is not locked by this session"):
        session.commit(planned)
    with store.lock([update_write]) as session, pytest.raises(ValueError, match="cannot be committed"):
        session.commit(failed)


def test_a_table_deleted_after_preparing_is_not_found(table: DirectOperations) -> None:
    store = table._store
    write = store.prepare_put({"TableName": "T", "Item": KEY})
    store._backend.delete_table("T")
    with pytest.raises(DynamoError, match="Requested resource not found"), store.lock([write]):
        pass
    assert write.table.lock.acquire(blocking=False)


BAD_KEY = "The provided key element does not match the schema"
LONG = "x" * 2049


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        (
            "put_item",
            {"Item": {"p": {"S": "a"}}},
            "One or more parameter values were invalid: Missing the key s in the item",
        ),
        (
            "put_item",
            {"Item": {"p": {"N": "1"}, "s": {"N": "1"}}},
            "One or more parameter values were invalid: Type mismatch for key p expected: S actual: N",
        ),
        (
            "put_item",
            {"Item": {"p": {"S": ""}, "s": {"N": "1"}}},
            (
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
                "empty string value. Key: p"
            ),
        ),
        (
            "put_item",
            {"Item": {"p": {"S": LONG}, "s": {"N": "1"}}},
            (
                "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit "
                "of2048 bytes"
            ),
        ),
        ("put_item", {"Item": {**KEY, "x": {"S": "x" * 410_000}}}, "Item size has exceeded the maximum allowed size"),
        (
            "put_item",
            {"Item": {**KEY, "g": {"N": "1"}}},
            (
                "One or more parameter values were invalid: "
                "Type mismatch for Index Key g Expected: S Actual: N IndexName: G"
            ),
        ),
        (
            "put_item",
            {"Item": {**KEY, "g": {"S": ""}}},
            (
                "One or more parameter values are not valid. A value specified for a secondary "
                "index key is not supported. "
                "The AttributeValue for a key attribute cannot contain an empty string value. IndexName: G, IndexKey: g"
            ),
        ),
        (
            "put_item",
            {"Item": {**KEY, "x": {"SS": []}}},
            "One or more parameter values were invalid: An string set  may not be empty",
        ),
        (
            "put_item",
            {"Item": {**KEY, "x": {"NS": ["1", "1.0"]}}},
            "One or more parameter values were invalid: Input collection [1, 1.0] contains duplicates.",
        ),
        (
            "put_item",
            {"Item": {**KEY, "x": {"NULL": False}}},
            "One or more parameter values were invalid: Null attribute value types must have the value of true",
        ),
        (
            "put_item",
            {"Item": {**KEY, "x": {}}},
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
        (
            "put_item",
            {"Item": {**KEY, "x": {"S": "a", "N": "1"}}},
            (
                "Supplied AttributeValue has more than one datatypes set, "
                "must contain exactly one of the supported datatypes"
            ),
        ),
        ("put_item", {"Item": {**KEY, "x": {"N": "one"}}}, "The parameter cannot be converted to a numeric value: one"),
        ("put_item", {"Item": {**KEY, "x": {"N": " 1"}}}, "The parameter cannot be converted to a numeric value:  1"),
        ("put_item", {"Item": {**KEY, "x": {"N": "NaN"}}}, "The parameter cannot be converted to a numeric value: NaN"),
        (
            "put_item",
            {"Item": {**KEY, "x": {"N": "1E126"}}},
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ),
        (
            "put_item",
            {"Item": {**KEY, "x": {"N": "1e-131"}}},
            "Number underflow. Attempting to store a number with magnitude smaller than supported range",
        ),
        (
            "put_item",
            {"Item": {**KEY, "x": {"N": "1E99999999999999999999"}}},
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ),
        (
            "put_item",
            {"Item": {**KEY, "x": {"N": "1" * 39}}},
            "Attempting to store more than 38 significant digits in a Number",
        ),
        ("put_item", {"Item": KEY, "ReturnValues": "ALL_NEW"}, "ReturnValues can only be ALL_OLD or NONE"),
        ("get_item", {"Key": {"p": {"S": "a"}}}, BAD_KEY),
        ("get_item", {"Key": {**KEY, "x": {"S": "a"}}}, BAD_KEY),
        ("get_item", {"Key": {"p": {"N": "1"}, "s": {"N": "1"}}}, BAD_KEY),
        ("delete_item", {"Key": {"p": {"S": "a"}, "other": {"N": "1"}}}, BAD_KEY),
        (
            "update_item",
            {"Key": KEY, "UpdateExpression": "SET s = s"},
            "One or more parameter values were invalid: Cannot update attribute s. This attribute is part of the key",
        ),
        (
            "update_item",
            {"Key": KEY, "UpdateExpression": ""},
            "Invalid UpdateExpression: The expression can not be empty;",
        ),
        (
            "update_item",
            {"Key": KEY, "UpdateExpression": "SET a = :v", "ExpressionAttributeValues": {":v": {"S": "x" * 410_000}}},
            "Item size to update has exceeded the maximum allowed size",
        ),
        (
            "update_item",
            {"Key": KEY, "UpdateExpression": "SET a = :x"},
            (
                "Invalid UpdateExpression: An expression attribute value used in expression is not defined; "
                "attribute value: :x"
            ),
        ),
        (
            "update_item",
            {"Key": KEY, "UpdateExpression": "SET name = p"},
            "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: name",
        ),
        (
            "update_item",
            {"Key": KEY, "UpdateExpression": "SET g = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}},
            "One or more parameter values were invalid: Type mismatch for key g expected: S actual: N",
        ),
        (
            "update_item",
            {"Key": KEY, "UpdateExpression": "REMOVE a", "AttributeUpdates": {"a": {"Action": "DELETE"}}},
            (
                "Can not use both expression and non-expression parameters in the same request: "
                "Non-expression parameters: {AttributeUpdates} Expression parameters: {UpdateExpression}"
            ),
        ),
        (
            "query",
            {"KeyConditionExpression": "s = :s", "ExpressionAttributeValues": {":s": {"N": "1"}}},
            "Query condition missed key schema element: p",
        ),
        (
            "query",
            {"KeyConditionExpression": "p > :p", "ExpressionAttributeValues": {":p": {"S": "1"}}},
            "Query key condition not supported",
        ),
        (
            "query",
            {"KeyConditionExpression": "p = :p AND x = :p", "ExpressionAttributeValues": {":p": {"S": "1"}}},
            "Query condition missed key schema element: s",
        ),
        (
            "query",
            {"KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": {"N": "1"}}},
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
        (
            "query",
            {"KeyConditionExpression": "p = :p OR p = :p", "ExpressionAttributeValues": {":p": {"S": "1"}}},
            "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: OR",
        ),
        (
            "query",
            {
                "KeyConditionExpression": "p = :p",
                "FilterExpression": "s = :p",
                "ExpressionAttributeValues": {":p": {"S": "1"}},
            },
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: s",
        ),
        (
            "query",
            {
                "IndexName": "G",
                "ConsistentRead": True,
                "KeyConditionExpression": "g = :p",
                "ExpressionAttributeValues": {":p": {"S": "1"}},
            },
            "Consistent reads are not supported on global secondary indexes",
        ),
        ("query", {}, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."),
        ("scan", {"IndexName": "none"}, "The table does not have the specified index: none"),
        (
            "scan",
            {"IndexName": "G", "ProjectionExpression": "x"},
            "One or more parameter values were invalid: Global secondary index G does not project [x]",
        ),
        (
            "scan",
            {"IndexName": "G", "Select": "ALL_ATTRIBUTES"},
            (
                "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global "
                "secondary index G because its projection type is not ALL"
            ),
        ),
        (
            "scan",
            {"Limit": 0},
            (
                "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: "
                "Member must have value "
                "greater than or equal to 1"
            ),
        ),
        (
            "scan",
            {"Segment": 2, "TotalSegments": 2},
            (
                "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
                "Segment: 2 is not less "
                "than TotalSegments: 2"
            ),
        ),
        ("scan", {"ExclusiveStartKey": {"p": {"S": "a"}}}, "The provided starting key is invalid"),
        (
            "query",
            {
                "KeyConditionExpression": "p = :p",
                "ExpressionAttributeValues": {":p": {"S": "b"}},
                "ExclusiveStartKey": KEY,
            },
            "The provided starting key is outside query boundaries based on provided conditions",
        ),
    ],
)
def test_a_wrong_request_is_refused_with_the_message_of_aws(
    new_table: Any, operation: str, request_: dict[str, Any], message: str
) -> None:
    table: DirectOperations = new_table({"p": "S", "s": "N"}, globals_={"G": ({"g": "S"}, "KEYS_ONLY")})
    with pytest.raises(DynamoError) as refused:
        getattr(table, operation)({"TableName": "T", **request_})
    assert (refused.value.code, refused.value.message) == ("ValidationException", message)
    assert table.scan({"TableName": "T"})["Items"] == []


def test_a_missing_table_is_not_found(table: DirectOperations) -> None:
    with pytest.raises(DynamoError) as refused:
        table.get_item({"TableName": "none", "Key": KEY})
    assert (refused.value.code, refused.value.message) == ("ResourceNotFoundException", "Requested resource not found")
