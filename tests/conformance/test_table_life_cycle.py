"""What a table says of its throughput, and how that changes."""

import time
from collections.abc import Callable
from typing import Any

import pytest

type CreateTable = Callable[..., str]

PATIENCE_S = 900  # AWS takes minutes


def active(dynamodb: Any, table: str) -> dict[str, Any]:
    """Wait until *table* and its indexes are ACTIVE and return its description."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found: dict[str, Any] = dynamodb.describe_table(TableName=table)["Table"]
        indexes = [index["IndexStatus"] for index in found.get("GlobalSecondaryIndexes", [])]
        if {found["TableStatus"], *indexes} == {"ACTIVE"}:
            return found
        assert time.monotonic() < deadline, f"{table} is {found['TableStatus']}"
        time.sleep(0.2)


def test_a_provisioned_table(dynamodb: Any, create_table: CreateTable) -> None:
    found = active(dynamodb, create_table(units=(2, 3), indexes={"rider": (4, 5)}))

    throughput = found["ProvisionedThroughput"]
    assert (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]) == (2, 3)
    assert throughput["NumberOfDecreasesToday"] == 0
    assert found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED") == "PROVISIONED"
    (index,) = found["GlobalSecondaryIndexes"]
    assert index["ProvisionedThroughput"]["WriteCapacityUnits"] == 5
    assert index["IndexArn"] == f"{found['TableArn']}/index/rider"


def test_an_on_demand_table(dynamodb: Any, create_table: CreateTable) -> None:
    limits = {"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 20}
    found = active(dynamodb, create_table(units=None, OnDemandThroughput=limits))

    assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    throughput = found["ProvisionedThroughput"]
    assert (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]) == (0, 0)
    assert found["OnDemandThroughput"] == limits


def test_new_on_demand_tables_are_warm_for_4000_writes_and_12000_reads(
    dynamodb: Any, create_table: CreateTable
) -> None:
    warm = active(dynamodb, create_table(units=None))["WarmThroughput"]

    assert (warm["ReadUnitsPerSecond"], warm["WriteUnitsPerSecond"]) == (12_000, 4_000)


def test_an_update_takes_its_time_and_a_second_one_is_refused(dynamodb: Any, create_table: CreateTable) -> None:
    table = create_table(units=(1, 1))
    more = {"ReadCapacityUnits": 2, "WriteCapacityUnits": 2}

    answer = dynamodb.update_table(TableName=table, ProvisionedThroughput=more)
    with pytest.raises(dynamodb.exceptions.ResourceInUseException):
        dynamodb.update_table(TableName=table, ProvisionedThroughput={**more, "ReadCapacityUnits": 3})
    found = active(dynamodb, table)["ProvisionedThroughput"]

    assert answer["TableDescription"]["TableStatus"] == "UPDATING"
    assert found["WriteCapacityUnits"] == 2
    assert "LastIncreaseDateTime" in found

    dynamodb.update_table(TableName=table, ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1})
    found = active(dynamodb, table)["ProvisionedThroughput"]
    assert found["NumberOfDecreasesToday"] == 1
    assert "LastDecreaseDateTime" in found


def test_an_update_to_what_is_there_already_is_refused(dynamodb: Any, create_table: CreateTable) -> None:
    table = create_table(units=(1, 1))

    with pytest.raises(dynamodb.exceptions.ClientError, match="will not change") as error:
        dynamodb.update_table(TableName=table, ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1})

    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_a_table_switches_to_on_demand(dynamodb: Any, create_table: CreateTable) -> None:
    table = create_table(units=(1, 1))

    dynamodb.update_table(TableName=table, BillingMode="PAY_PER_REQUEST")
    found = active(dynamodb, table)

    assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert found["ProvisionedThroughput"]["WriteCapacityUnits"] == 0


def test_a_secondary_index_is_added_and_removed(dynamodb: Any, create_table: CreateTable) -> None:
    table = create_table(units=(5, 5))
    dynamodb.put_item(TableName=table, Item={"id": {"S": "a"}, "rider": {"S": "b"}})
    index = {
        "IndexName": "rider",
        "KeySchema": [{"AttributeName": "rider", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    }

    answer = dynamodb.update_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "rider", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[{"Create": index}],
    )
    assert answer["TableDescription"]["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    active(dynamodb, table)
    assert dynamodb.scan(TableName=table, IndexName="rider")["Count"] == 1

    dynamodb.update_table(TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "rider"}}])
    assert "GlobalSecondaryIndexes" not in active(dynamodb, table)
