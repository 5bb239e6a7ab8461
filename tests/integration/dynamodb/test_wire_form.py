"""Throttling as it goes over the wire, by hand and through botocore (A11 of the fact sheet)."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.dynamodb.tables import Tables, item

ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/"
PROVISIONED = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
THROTTLING = "com.amazon.coral.availability#ThrottlingException"
LIMIT_EXCEEDED = "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded"
TABLE_MESSAGE = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)


def put(table: str, key: str, **attributes: str) -> dict[str, Any]:
    return {"TableName": table, "Item": item(key, **attributes)}


def refused(dynamodb: Tables, request: dict[str, Any], operation: str = "PutItem") -> dict[str, Any]:
    """Return the body of a request that is refused; repeat it until it is, but not for long."""
    for _ in range(60):
        status, headers, body = dynamodb.raw(operation, request)
        if status != 200:
            assert status == 400
            assert headers["content-type"] == "application/x-amz-json-1.0"
            assert headers["x-amzn-requestid"]
            return body
    raise AssertionError(f"{operation} was never refused")


def test_a_table_over_its_provisioned_rate(dynamodb: Tables) -> None:
    table = dynamodb.create()
    dynamodb.exhaust_writes(table)

    assert refused(dynamodb, put(table, "a")) == {
        "__type": PROVISIONED,
        "message": TABLE_MESSAGE,
        "ThrottlingReasons": [{"reason": "TableWriteProvisionedThroughputExceeded", "resource": ARN + table}],
    }


def test_an_index_over_its_provisioned_rate_throttles_the_tables_writes(dynamodb: Tables) -> None:
    table = dynamodb.create(units=1000, indexes={"gsi": 1})
    dynamodb.exhaust_writes(table, gsi="1")

    body = refused(dynamodb, put(table, "a", gsi="2"))

    assert body["__type"] == PROVISIONED
    assert body["message"].startswith(
        "The level of configured provisioned throughput for one or more global secondary indexes of the table"
    )
    assert body["ThrottlingReasons"] == [
        {"reason": "IndexWriteProvisionedThroughputExceeded", "resource": f"{ARN}{table}/index/gsi"}
    ]
    dynamodb.put(table, "not in the index")


def test_a_hot_key_of_an_on_demand_table(small: Tables) -> None:
    table = small.create(units=None)

    body = refused(small, put(table, "hot"))

    assert body["__type"] == THROTTLING
    assert "check if you have a hot key" in body["message"]
    assert body["throttlingReasons"] == [{"reason": "TableWriteKeyRangeThroughputExceeded", "resource": ARN + table}]


def test_a_hot_key_of_a_provisioned_table_with_capacity_to_spare(small: Tables) -> None:
    table = small.create(units=30)

    body = refused(small, put(table, "hot"))

    assert body["__type"] == PROVISIONED
    assert body["ThrottlingReasons"][0]["reason"] == "TableWriteKeyRangeThroughputExceeded"
    assert small.observe(table)["resources"][0]["write"]["burst_left"] > 8000


def test_an_on_demand_table_over_its_maximum(dynamodb: Tables) -> None:
    limits = {"MaxReadRequestUnits": 1, "MaxWriteRequestUnits": 1}
    table = dynamodb.create(units=None, OnDemandThroughput=limits)
    dynamodb.exhaust_writes(table)

    assert refused(dynamodb, put(table, "a")) == {
        "__type": THROTTLING,
        "message": "Throughput exceeds the maximum OnDemandThroughput configured on table or index",
        "throttlingReasons": [{"reason": "TableWriteMaxOnDemandThroughputExceeded", "resource": ARN + table}],
    }


def test_an_on_demand_table_at_the_table_quota(small: Tables) -> None:
    table = small.create(units=None)
    # Ten units each, so that also a slow machine passes 40 a second.
    big = {"S": "x" * 9_500}
    requests = [{"TableName": table, "Item": {"p": {"S": f"{number}"}, "big": big}} for number in range(120)]
    bodies = [small.raw("PutItem", request)[2] for request in requests]

    body = next(body for body in bodies if body.get("__type") == LIMIT_EXCEEDED)

    assert body["message"].startswith("Throughput exceeds the current throughput limit for your account.")
    assert body["ThrottlingReasons"] == [{"reason": "TableWriteAccountLimitExceeded", "resource": ARN + table}]


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("GetItem", {"Key": {"p": {"S": "a"}}}),
        ("Query", {"KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": {"S": "a"}}}),
        ("Scan", {}),
        ("ExecuteStatement", {"Statement": "SELECT * FROM \"{}\" WHERE p = 'a'"}),
        ("BatchGetItem", {"RequestItems": {"{}": {"Keys": [{"p": {"S": "a"}}]}}}),
    ],
)
def test_reads_are_throttled_in_one_form(small_reads: tuple[Tables, str], operation: str, request_: Any) -> None:
    tables, table = small_reads
    if "Statement" in request_:
        request = {"Statement": request_["Statement"].format(table)}
    elif "RequestItems" in request_:
        request = {"RequestItems": {table: request_["RequestItems"]["{}"]}}
    else:
        request = {"TableName": table, **request_}

    assert refused(tables, request, operation) == {
        "__type": PROVISIONED,
        "message": TABLE_MESSAGE,
        "ThrottlingReasons": [{"reason": "TableReadProvisionedThroughputExceeded", "resource": ARN + table}],
    }


@pytest.fixture(scope="module")
def small_reads(dynamodb: Tables) -> tuple[Tables, str]:
    """Return a table with no read units left for many seconds."""
    table = dynamodb.client.create_table(
        TableName="reads-are-used-up",
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1000},
    )["TableDescription"]["TableName"]
    dynamodb.exhaust_reads(table)
    return dynamodb, table


@pytest.mark.parametrize(("name", "member"), [(None, "ThrottlingReasons"), ("maximum", "throttlingReasons")])
def test_botocore_reads_the_reasons_of_either_spelling(dynamodb: Tables, name: str | None, member: str) -> None:
    options = {"OnDemandThroughput": {"MaxReadRequestUnits": 1, "MaxWriteRequestUnits": 1}} if name else {}
    table = dynamodb.create(units=None if name else 1, **options)
    dynamodb.exhaust_writes(table)

    with pytest.raises(ClientError) as error:
        dynamodb.put(table, "a")

    response: Any = error.value.response
    assert response[member][0]["resource"] == ARN + table
    assert type(error.value).__name__ == response["Error"]["Code"]
    assert response["Error"]["Message"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_transactions_cancellation(dynamodb: Tables) -> None:
    full, empty = dynamodb.create(), dynamodb.create()
    dynamodb.exhaust_writes(empty)
    actions = [{"Put": put(full, "a")}, {"Put": put(empty, "a")}]

    assert refused(dynamodb, {"TransactItems": actions}, "TransactWriteItems") == {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[None, ProvisionedThroughputExceeded]",
        "CancellationReasons": [
            {"Code": "None"},
            {"Code": "ProvisionedThroughputExceeded", "Message": TABLE_MESSAGE},
        ],
    }
    assert dynamodb.observe(full)["items"] == 0


def test_errors_that_are_not_about_capacity_have_their_types_too(dynamodb: Tables) -> None:
    table = dynamodb.create()
    dynamodb.put(table, "a")
    conditional = put(table, "a") | {
        "ConditionExpression": "attribute_not_exists(p)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }

    assert refused(dynamodb, conditional) == {
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "The conditional request failed",
        "Item": {"p": {"S": "a"}},
    }
    assert refused(dynamodb, put("no-such-table", "a"))["__type"] == (
        "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
    )
    assert refused(dynamodb, {"TableName": table, "Item": {"q": {"S": "a"}}})["__type"] == (
        "com.amazon.coral.validate#ValidationException"
    )
