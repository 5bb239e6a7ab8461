"""CreateTable, UpdateTable, DeleteTable and what DescribeTable says meanwhile."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.dynamodb.tables import Tables, provisioned


def describe(tables: Tables, table: str) -> dict[str, Any]:
    found: dict[str, Any] = tables.client.describe_table(TableName=table)["Table"]
    return found


def code_of(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.fixture
def active(small: Tables, until: Callable[..., Any]) -> Callable[[str], dict[str, Any]]:
    """Return a function that waits until a table is ACTIVE and returns its description."""

    def wait(table: str) -> dict[str, Any]:
        until(lambda: describe(small, table)["TableStatus"] == "ACTIVE")
        return describe(small, table)

    return wait


def test_a_new_provisioned_table_tells_its_throughput_and_no_mode(small: Tables) -> None:
    table = small.create(units=3, indexes={"gsi": 2})

    found = describe(small, table)

    assert found["TableStatus"] == "ACTIVE"
    assert "BillingModeSummary" not in found
    assert found["ProvisionedThroughput"] == {
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": 3,
        "WriteCapacityUnits": 3,
    }
    assert found["WarmThroughput"] == {"ReadUnitsPerSecond": 3, "WriteUnitsPerSecond": 3, "Status": "ACTIVE"}
    (index,) = found["GlobalSecondaryIndexes"]
    assert index["IndexStatus"] == "ACTIVE"
    assert index["IndexArn"] == f"{found['TableArn']}/index/gsi"
    assert index["ProvisionedThroughput"]["WriteCapacityUnits"] == 2
    assert index["WarmThroughput"]["WriteUnitsPerSecond"] == 2
    assert "LocalSecondaryIndexes" not in found


def test_a_new_on_demand_table_tells_its_mode_maximum_and_warm_throughput(small: Tables) -> None:
    maximum = {"MaxReadRequestUnits": 7, "MaxWriteRequestUnits": 8}

    found = describe(small, small.create(units=None, OnDemandThroughput=maximum))

    assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert isinstance(found["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"], datetime)
    assert found["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
    assert found["OnDemandThroughput"] == maximum
    assert found["WarmThroughput"] == {"ReadUnitsPerSecond": 40, "WriteUnitsPerSecond": 40, "Status": "ACTIVE"}


def test_create_answers_creating_and_delete_answers_deleting(small: Tables) -> None:
    created = small.client.create_table(
        TableName="statuses",
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    assert created["TableStatus"] == "CREATING"
    assert created["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    small.put("statuses", "a")

    assert small.client.delete_table(TableName="statuses")["TableDescription"]["TableStatus"] == "DELETING"
    assert code_of(small.client.describe_table, TableName="statuses")[0] == "ResourceNotFoundException"


def test_an_update_takes_effect_after_a_delay_and_refuses_others_meanwhile(
    small: Tables, active: Callable[[str], dict[str, Any]]
) -> None:
    table = small.create(units=1, indexes={"gsi": 1})
    begin_s = time.time()

    answer = small.client.update_table(TableName=table, **provisioned(5))["TableDescription"]
    assert answer["TableStatus"] == "UPDATING"
    assert answer["ProvisionedThroughput"]["WriteCapacityUnits"] == 1
    assert describe(small, table)["GlobalSecondaryIndexes"][0]["IndexStatus"] == "UPDATING"
    assert small.observe(table)["resources"][0]["write"]["rate"] == 1
    refusal = code_of(small.client.update_table, TableName=table, **provisioned(6))
    assert refusal == (
        "ResourceInUseException",
        f"Attempt to change a resource which is still in use: Table is being updated: {table}",
    )
    assert code_of(small.client.delete_table, TableName=table)[0] == "ResourceInUseException"

    found = active(table)
    increased_at = found["ProvisionedThroughput"]["LastIncreaseDateTime"]
    assert found["ProvisionedThroughput"]["WriteCapacityUnits"] == 5
    assert begin_s <= increased_at.astimezone(UTC).timestamp() <= time.time()
    assert small.observe(table)["resources"][0]["write"]["rate"] == 5


def test_decreases_are_counted_and_limited(small: Tables, active: Callable[[str], dict[str, Any]]) -> None:
    table = small.create(units=9)
    for units in (8, 7):
        small.client.update_table(TableName=table, **provisioned(units))
        found = active(table)
    assert found["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 2
    assert "LastDecreaseDateTime" in found["ProvisionedThroughput"]

    code, message = code_of(small.client.update_table, TableName=table, **provisioned(6))

    assert code == "LimitExceededException"
    assert message.startswith("Subscriber limit exceeded: Provisioned throughput decreases are limited")
    assert describe(small, table)["ProvisionedThroughput"]["WriteCapacityUnits"] == 7


def test_a_table_changes_to_on_demand_and_its_maximum_with_it(
    small: Tables, active: Callable[[str], dict[str, Any]]
) -> None:
    table = small.create(units=1)
    maximum = {"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": -1}

    small.client.update_table(TableName=table, BillingMode="PAY_PER_REQUEST", OnDemandThroughput=maximum)
    assert describe(small, table)["BillingModeSummary"]["BillingMode"] == "PROVISIONED"  # as it still is

    found = active(table)
    assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert found["OnDemandThroughput"] == maximum
    assert found["ProvisionedThroughput"]["WriteCapacityUnits"] == 0
    assert small.observe(table)["billing_mode"] == "PAY_PER_REQUEST"


def test_an_index_is_added_changed_and_removed(small: Tables, active: Callable[[str], dict[str, Any]]) -> None:
    table = small.create(units=10)
    small.put(table, "a", gsi="1")
    create = {
        "IndexName": "gsi",
        "KeySchema": [{"AttributeName": "gsi", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        **provisioned(1),
    }
    definitions = [{"AttributeName": "gsi", "AttributeType": "S"}]

    def update(**index_update: Any) -> dict[str, Any]:
        answer: dict[str, Any] = small.client.update_table(
            TableName=table, AttributeDefinitions=definitions, GlobalSecondaryIndexUpdates=[index_update]
        )
        return answer["TableDescription"]

    (index,) = update(Create=create)["GlobalSecondaryIndexes"]
    assert (index["IndexStatus"], index["Backfilling"]) == ("CREATING", True)
    assert code_of(small.client.scan, TableName=table, IndexName="gsi")[0] == "ValidationException"
    (index,) = active(table)["GlobalSecondaryIndexes"]
    assert index["IndexStatus"] == "ACTIVE"
    assert small.client.scan(TableName=table, IndexName="gsi")["Count"] == 1
    assert "an index which already exists" in code_of(update, Create=create)[1]

    update(Update={"IndexName": "gsi", **provisioned(4)})
    assert active(table)["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["ReadCapacityUnits"] == 4
    assert small.observe(table)["resources"][1]["write"]["rate"] == 4

    update(Delete={"IndexName": "gsi"})
    assert "GlobalSecondaryIndexes" not in active(table)
    assert [resource["index"] for resource in small.observe(table)["resources"]] == [None]
    assert code_of(update, Delete={"IndexName": "gsi"})[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("update", "code", "words"),
    [
        ({}, "ValidationException", "At least one of ProvisionedThroughput"),
        (provisioned(1), "ValidationException", "will not change"),
        (provisioned(41), "LimitExceededException", "40 at most"),
        ({"BillingMode": "PAY_PER_REQUEST", **provisioned(2)}, "ValidationException", "Neither ReadCapacityUnits"),
        (
            {"GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": "none", **provisioned(2)}}]},
            "ResourceNotFoundException",
            "none",
        ),
        (
            {
                "GlobalSecondaryIndexUpdates": [
                    {
                        "Create": {
                            "IndexName": "other",
                            "KeySchema": [{"AttributeName": "other", "KeyType": "HASH"}],
                            "Projection": {"ProjectionType": "ALL"},
                            **provisioned(2),
                        }
                    }
                ]
            },
            "ValidationException",
            "not defined in AttributeDefinitions",
        ),
    ],
)
def test_an_update_that_cannot_be_done_is_refused_and_changes_nothing(
    small: Tables, update: dict[str, Any], code: str, words: str
) -> None:
    table = small.create(units=1)
    before = describe(small, table)

    refusal = code_of(small.client.update_table, TableName=table, **update)

    assert refusal[0] == code
    assert words in refusal[1]
    assert describe(small, table) == before


def test_a_table_that_cannot_have_its_throughput_is_not_created(small: Tables) -> None:
    before = small.client.list_tables()["TableNames"]

    assert code_of(small.create, units=41)[0] == "LimitExceededException"
    assert code_of(small.create, units=None, indexes={"gsi": 1})[0] == "ValidationException"
    assert small.client.list_tables()["TableNames"] == before


def test_limits_are_those_of_the_model(small: Tables, dynamodb: Tables) -> None:
    assert small.client.describe_limits()["TableMaxWriteCapacityUnits"] == 40
    limits = dynamodb.client.describe_limits()
    assert (limits["AccountMaxReadCapacityUnits"], limits["TableMaxReadCapacityUnits"]) == (80_000, 40_000)


def test_a_restored_table_has_a_capacity(small: Tables) -> None:
    table = small.create(units=6, indexes={"gsi": 5})
    small.put(table, "a", gsi="1")
    backup = small.client.create_backup(TableName=table, BackupName="backup")["BackupDetails"]["BackupArn"]
    small.client.restore_table_from_backup(TargetTableName=f"{table}-r", BackupArn=backup)

    found = describe(small, f"{table}-r")

    assert found["ProvisionedThroughput"]["WriteCapacityUnits"] == 6
    assert found["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["WriteCapacityUnits"] == 5
    assert small.client.scan(TableName=f"{table}-r", ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
