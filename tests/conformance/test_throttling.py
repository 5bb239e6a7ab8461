"""Requests beyond a table's capacity."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.items import KB, item, key, until_throttled, use_up_reads, use_up_writes

type CreateTable = Callable[..., str]

TABLE_MESSAGE = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)


def arn(dynamodb: Any, table: str) -> str:
    found: str = dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    return found


def reasons(error: ClientError) -> list[dict[str, str]]:
    response: Any = error.response
    found: list[dict[str, str]] = response.get("ThrottlingReasons") or response["throttlingReasons"]
    return found


def test_writes_beyond_the_provisioned_rate(dynamodb: Any, create_table: CreateTable) -> None:
    table = create_table(units=(1, 1))

    error = use_up_writes(dynamodb, table)

    assert isinstance(error, dynamodb.exceptions.ProvisionedThroughputExceededException)
    assert error.response["Error"]["Message"] == TABLE_MESSAGE
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert reasons(error) == [{"reason": "TableWriteProvisionedThroughputExceeded", "resource": arn(dynamodb, table)}]


def test_reads_beyond_the_provisioned_rate(dynamodb: Any, create_table: CreateTable) -> None:
    table = create_table(units=(1, 400))

    error = use_up_reads(dynamodb, table)

    assert isinstance(error, dynamodb.exceptions.ProvisionedThroughputExceededException)
    assert reasons(error) == [{"reason": "TableReadProvisionedThroughputExceeded", "resource": arn(dynamodb, table)}]
    query = {"KeyConditionExpression": "id = :id", "ExpressionAttributeValues": {":id": {"S": "large"}}}
    for call in (
        lambda: dynamodb.query(TableName=table, **query),
        lambda: dynamodb.scan(TableName=table),
        lambda: dynamodb.batch_get_item(RequestItems={table: {"Keys": [key("large")]}}),
        lambda: dynamodb.execute_statement(Statement=f"SELECT * FROM \"{table}\" WHERE id = 'large'"),  # noqa: S608
    ):
        assert reasons(until_throttled(call))[0]["reason"] == "TableReadProvisionedThroughputExceeded"


def test_reads_and_writes_do_not_share_capacity(dynamodb: Any, create_table: CreateTable) -> None:
    table = create_table(units=(1, 1))
    use_up_writes(dynamodb, table)

    dynamodb.get_item(TableName=table, Key=key("large"))


def test_an_index_beyond_its_rate_throttles_writes_to_its_table(dynamodb: Any, create_table: CreateTable) -> None:
    table = create_table(units=(1, 4000), indexes={"rider": (1, 1)})

    error = use_up_writes(dynamodb, table, rider="a")

    assert isinstance(error, dynamodb.exceptions.ProvisionedThroughputExceededException)
    assert "one or more global secondary indexes" in error.response["Error"]["Message"]
    assert reasons(error) == [
        {
            "reason": "IndexWriteProvisionedThroughputExceeded",
            "resource": f"{arn(dynamodb, table)}/index/rider",
        }
    ]
    dynamodb.put_item(TableName=table, Item=item("not in the index"))


def test_writes_beyond_the_maximum_of_an_on_demand_table(dynamodb: Any, create_table: CreateTable) -> None:
    limits = {"MaxReadRequestUnits": 1, "MaxWriteRequestUnits": 1}
    table = create_table(units=None, OnDemandThroughput=limits)

    error = use_up_writes(dynamodb, table)

    assert isinstance(error, dynamodb.exceptions.ThrottlingException)
    assert reasons(error) == [{"reason": "TableWriteMaxOnDemandThroughputExceeded", "resource": arn(dynamodb, table)}]


def test_what_is_refused_is_not_written(dynamodb: Any, create_table: CreateTable) -> None:
    table = create_table(units=(400, 1))
    use_up_writes(dynamodb, table)
    refused = until_throttled(lambda: dynamodb.put_item(TableName=table, Item=item("late", 10 * KB)))

    assert refused
    assert "Item" not in dynamodb.get_item(TableName=table, Key=key("late"), ConsistentRead=True)


def test_a_batch_returns_what_it_did_not_write(dynamodb: Any, create_table: CreateTable) -> None:
    full, empty = create_table(units=(1, 100)), create_table(units=(1, 1))
    use_up_writes(dynamodb, empty)
    put = {"PutRequest": {"Item": item("a", 20 * KB)}}

    answer = dynamodb.batch_write_item(RequestItems={full: [put], empty: [put]})

    assert answer["UnprocessedItems"] == {empty: [put]}
    assert "Item" in dynamodb.get_item(TableName=full, Key=key("a"), ConsistentRead=True)
    assert "Item" not in dynamodb.get_item(TableName=empty, Key=key("a"), ConsistentRead=True)


def test_a_batch_of_which_nothing_was_written_is_an_error(dynamodb: Any, create_table: CreateTable) -> None:
    table = create_table(units=(1, 1))
    use_up_writes(dynamodb, table)
    put = {"PutRequest": {"Item": item("a", 20 * KB)}}

    error = until_throttled(lambda: dynamodb.batch_write_item(RequestItems={table: [put]}))

    assert isinstance(error, dynamodb.exceptions.ProvisionedThroughputExceededException)


def test_a_batch_returns_the_keys_that_it_did_not_read(dynamodb: Any, create_table: CreateTable) -> None:
    full, empty = create_table(units=(100, 1)), create_table(units=(1, 400))
    dynamodb.put_item(TableName=full, Item=item("a"))
    use_up_reads(dynamodb, empty)
    wanted = {"Keys": [key("large")], "ConsistentRead": True}

    answer = dynamodb.batch_get_item(RequestItems={full: {"Keys": [key("a")]}, empty: wanted})

    assert answer["Responses"][full] == [item("a")]
    assert answer["Responses"].get(empty, []) == []
    assert answer["UnprocessedKeys"] == {empty: wanted}


def test_a_transaction_is_cancelled_whole(dynamodb: Any, create_table: CreateTable) -> None:
    full, empty = create_table(units=(1, 100)), create_table(units=(1, 1))
    use_up_writes(dynamodb, empty)
    puts = [{"Put": {"TableName": table, "Item": item("a", 20 * KB)}} for table in (full, empty)]

    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as cancelled:
        dynamodb.transact_write_items(TransactItems=puts)

    first, second = cancelled.value.response["CancellationReasons"]
    assert first == {"Code": "None"}
    assert second["Code"] == "ProvisionedThroughputExceeded"
    assert second["Message"] == TABLE_MESSAGE
    assert "Item" not in dynamodb.get_item(TableName=full, Key=key("a"), ConsistentRead=True)


def test_partiql_writes_are_throttled_like_others(dynamodb: Any, create_table: CreateTable) -> None:
    table = create_table(units=(1, 1))
    use_up_writes(dynamodb, table)
    insert = {
        "Statement": f"INSERT INTO \"{table}\" VALUE {{'id': ?, 'fill': ?}}",
        "Parameters": [{"S": "a"}, {"S": "x" * 20 * KB}],
    }

    error = until_throttled(lambda: dynamodb.execute_statement(**insert))
    batch = dynamodb.batch_execute_statement(Statements=[insert])["Responses"]
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as cancelled:
        dynamodb.execute_transaction(TransactStatements=[insert])

    assert isinstance(error, dynamodb.exceptions.ProvisionedThroughputExceededException)
    assert batch[0]["Error"]["Code"] == "ProvisionedThroughputExceeded"
    assert cancelled.value.response["CancellationReasons"][0]["Code"] == "ProvisionedThroughputExceeded"
