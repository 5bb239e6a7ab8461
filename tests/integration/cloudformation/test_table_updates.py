"""Tables follow their template: CreateTable with all of it, UpdateTable for what changes."""

from typing import Any

import pytest

from tests.integration.cloudformation.conftest import Stack

BY_OWNER = {
    "IndexName": "by-owner",
    "KeySchema": [{"AttributeName": "Owner", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}


def units(read: Any, write: Any) -> dict[str, Any]:
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


def table(*attributes: str, **properties: Any) -> dict[str, Any]:
    return {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "Name", "KeyType": "HASH"}],
                "AttributeDefinitions": [
                    {"AttributeName": name, "AttributeType": "S"} for name in ("Name", *attributes)
                ],
                **properties,
            },
        }
    }


def described(stack: Stack) -> dict[str, Any]:
    """Return what DescribeTable says of the stack's table."""
    table: dict[str, Any] = stack.lab.client("dynamodb").describe_table(TableName=stack.id_of("Table"))["Table"]
    return table


def throughput(described: dict[str, Any]) -> tuple[int, int]:
    shown = described["ProvisionedThroughput"]
    return shown["ReadCapacityUnits"], shown["WriteCapacityUnits"]


def mode(stack: Stack) -> str:
    summary = described(stack).get("BillingModeSummary", {"BillingMode": "PROVISIONED"})
    billing_mode: str = summary["BillingMode"]
    return billing_mode


def test_new_units_are_the_tables_when_the_stack_says_complete(quick: Stack) -> None:
    quick.deploy(table(**units(1, 1)))
    name = quick.id_of("Table")

    assert quick.deploy(table(**units("3", "2"))) == "UPDATE_COMPLETE"

    assert throughput(described(quick)) == (3, 2)
    assert described(quick)["TableStatus"] == "ACTIVE"
    assert quick.id_of("Table") == name


def test_a_table_goes_on_demand_and_back_and_keeps_its_items(quick: Stack) -> None:
    quick.deploy(table(**units(1, 1)))
    dynamodb = quick.lab.client("dynamodb")
    dynamodb.put_item(TableName=quick.id_of("Table"), Item={"Name": {"S": "Shadowfax"}})

    assert quick.deploy(table(BillingMode="PAY_PER_REQUEST")) == "UPDATE_COMPLETE"
    assert mode(quick) == "PAY_PER_REQUEST"

    assert quick.deploy(table(BillingMode="PROVISIONED", **units(4, 4))) == "UPDATE_COMPLETE"
    assert mode(quick) == "PROVISIONED"
    assert throughput(described(quick)) == (4, 4)
    assert dynamodb.scan(TableName=quick.id_of("Table"))["Count"] == 1


def test_units_that_something_else_has_set_stay_when_another_property_changes(quick: Stack) -> None:
    quick.deploy(table(**units(1, 1)))
    dynamodb = quick.lab.client("dynamodb")
    # As auto scaling does it.
    dynamodb.update_table(
        TableName=quick.id_of("Table"), ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 9}
    )

    assert quick.deploy(table(DeletionProtectionEnabled=True, **units(1, 1))) == "UPDATE_COMPLETE"

    assert throughput(described(quick)) == (7, 9)
    assert described(quick)["DeletionProtectionEnabled"] is True
    assert quick.deploy(table(**units(1, 1))) == "UPDATE_COMPLETE"
    assert described(quick)["DeletionProtectionEnabled"] is False


def test_an_index_is_added_changed_and_removed(quick: Stack) -> None:
    quick.deploy(table(**units(2, 2)))

    added = table("Owner", **units(2, 2), GlobalSecondaryIndexes=[{**BY_OWNER, **units(2, 2)}])
    assert quick.deploy(added) == "UPDATE_COMPLETE"
    [index] = described(quick)["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["IndexStatus"], throughput(index)) == ("by-owner", "ACTIVE", (2, 2))

    changed = table("Owner", **units(2, 2), GlobalSecondaryIndexes=[{**BY_OWNER, **units(5, 2)}])
    assert quick.deploy(changed) == "UPDATE_COMPLETE"
    [index] = described(quick)["GlobalSecondaryIndexes"]
    assert throughput(index) == (5, 2)
    assert throughput(described(quick)) == (2, 2)

    assert quick.deploy(table(**units(2, 2))) == "UPDATE_COMPLETE"
    assert "GlobalSecondaryIndexes" not in described(quick)


def test_a_table_with_an_index_changes_its_billing_mode_with_it(quick: Stack) -> None:
    quick.deploy(table("Owner", BillingMode="PAY_PER_REQUEST", GlobalSecondaryIndexes=[BY_OWNER]))

    provisioned = table("Owner", **units(3, 3), GlobalSecondaryIndexes=[{**BY_OWNER, **units(4, 4)}])
    assert quick.deploy(provisioned) == "UPDATE_COMPLETE"

    assert throughput(described(quick)) == (3, 3)
    assert throughput(described(quick)["GlobalSecondaryIndexes"][0]) == (4, 4)


def test_on_demand_maximum_and_warm_throughput_are_there_from_the_start_and_can_be_changed(quick: Stack) -> None:
    maximum = {"MaxReadRequestUnits": 50, "MaxWriteRequestUnits": 20}
    warm = {"ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 5000}
    on_demand = {"BillingMode": "PAY_PER_REQUEST"}

    quick.deploy(table(**on_demand, OnDemandThroughput=maximum, WarmThroughput=warm))
    assert described(quick)["OnDemandThroughput"] == maximum
    assert described(quick)["WarmThroughput"].items() >= warm.items()
    assert quick.events("Table") == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]

    less = {"MaxReadRequestUnits": 30}
    assert quick.deploy(table(**on_demand, OnDemandThroughput=less, WarmThroughput=warm)) == "UPDATE_COMPLETE"
    assert described(quick)["OnDemandThroughput"] == {"MaxReadRequestUnits": 30, "MaxWriteRequestUnits": -1}


def test_time_to_live_tags_and_recovery_follow_the_template(quick: Stack) -> None:
    dynamodb = quick.lab.client("dynamodb")
    quick.deploy(table(**units(1, 1), Tags=[{"Key": "stable", "Value": "north"}, {"Key": "old", "Value": "1"}]))

    changed = table(
        **units(1, 1),
        Tags=[{"Key": "stable", "Value": "south"}],
        TimeToLiveSpecification={"AttributeName": "Until", "Enabled": "true"},
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    assert quick.deploy(changed) == "UPDATE_COMPLETE"

    name = quick.id_of("Table")
    now = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert now == {"TimeToLiveStatus": "ENABLED", "AttributeName": "Until"}
    assert dynamodb.list_tags_of_resource(ResourceArn=described(quick)["TableArn"])["Tags"] == [
        {"Key": "stable", "Value": "south"}
    ]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"

    assert quick.deploy(table(**units(1, 1))) == "UPDATE_COMPLETE"
    now = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert now["TimeToLiveStatus"] == "DISABLED"


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        pytest.param(
            {"TableClass": "STANDARD_INFREQUENT_ACCESS"}, "cannot change TableClass", id="what the lab does not have"
        ),
        pytest.param(
            {
                "GlobalSecondaryIndexes": [
                    {**BY_OWNER, **units(1, 1)},
                    {**BY_OWNER, **units(1, 1), "IndexName": "second"},
                ]
            },
            "Cannot perform more than one GSI creation or deletion in a single update",
            id="two new indexes",
        ),
        pytest.param(units(0, 1), "ReadCapacityUnits", id="what DynamoDB refuses"),
    ],
)
def test_a_change_that_cannot_be_made_fails_and_says_why(quick: Stack, properties: dict[str, Any], reason: str) -> None:
    quick.deploy(table(**units(1, 1)))

    assert quick.deploy(table("Owner", **{**units(1, 1), **properties})) == "UPDATE_ROLLBACK_COMPLETE"

    assert reason in quick.reason("Table")
    assert throughput(described(quick)) == (1, 1)


def test_a_table_that_somebody_deleted_is_not_reported_as_updated(quick: Stack) -> None:
    quick.deploy(table(**units(1, 1)))
    quick.lab.client("dynamodb").delete_table(TableName=quick.id_of("Table"))

    assert quick.deploy(table(**units(2, 2))).startswith("UPDATE_ROLLBACK")

    assert "not found" in quick.reason("Table")
