"""What is asked of DynamoDB for a change of a table's template."""

from typing import Any

import pytest

from rydelab.plugins.cloudformation.changes import NotUpdatableError
from rydelab.plugins.cloudformation.table_requests import check_change, create_request, is_settled, next_update

type Json = dict[str, Any]


def units(read: Any, write: Any) -> Json:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def index(name: str, **more: Any) -> Json:
    return {"IndexName": name, "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}], **more}


PROVISIONED = {"ProvisionedThroughput": units(1, 1)}
ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST"}
A_PROVISIONED_TABLE = {"TableStatus": "ACTIVE", "ProvisionedThroughput": {**units(1, 1), "NumberOfDecreasesToday": 0}}
AN_ON_DEMAND_TABLE = {
    "TableStatus": "ACTIVE",
    "BillingModeSummary": ON_DEMAND,
    "ProvisionedThroughput": {**units(0, 0), "NumberOfDecreasesToday": 0},
}


@pytest.mark.parametrize(
    ("previous", "desired", "table", "request_"),
    [
        pytest.param(PROVISIONED, PROVISIONED, A_PROVISIONED_TABLE, None, id="nothing has changed"),
        pytest.param(
            PROVISIONED,
            {"ProvisionedThroughput": units("2", "1")},
            A_PROVISIONED_TABLE,
            {"ProvisionedThroughput": units(2, 1)},
            id="other units, as text",
        ),
        pytest.param(
            PROVISIONED,
            {"ProvisionedThroughput": units(2, 1)},
            {**A_PROVISIONED_TABLE, "ProvisionedThroughput": units(2, 1)},
            None,
            id="units that it has already",
        ),
        pytest.param(
            PROVISIONED,
            PROVISIONED,
            {**A_PROVISIONED_TABLE, "ProvisionedThroughput": units(7, 7)},
            None,
            id="units that auto scaling set stay",
        ),
        pytest.param(PROVISIONED, ON_DEMAND, A_PROVISIONED_TABLE, ON_DEMAND, id="to on-demand"),
        pytest.param(
            ON_DEMAND,
            {"BillingMode": "PROVISIONED", **PROVISIONED},
            AN_ON_DEMAND_TABLE,
            {"BillingMode": "PROVISIONED", **PROVISIONED},
            id="to provisioned",
        ),
        pytest.param(
            ON_DEMAND,
            PROVISIONED,
            AN_ON_DEMAND_TABLE,
            {"BillingMode": "PROVISIONED", **PROVISIONED},
            id="to provisioned, the default",
        ),
        pytest.param(
            {**ON_DEMAND, "OnDemandThroughput": {"MaxReadRequestUnits": 9}},
            ON_DEMAND,
            {**AN_ON_DEMAND_TABLE, "OnDemandThroughput": {"MaxReadRequestUnits": 9, "MaxWriteRequestUnits": -1}},
            {"OnDemandThroughput": {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}},
            id="no maximum any more",
        ),
        pytest.param(
            {**ON_DEMAND, "OnDemandThroughput": {"MaxReadRequestUnits": 9}},
            PROVISIONED,
            {**AN_ON_DEMAND_TABLE, "OnDemandThroughput": {"MaxReadRequestUnits": 9, "MaxWriteRequestUnits": -1}},
            {"BillingMode": "PROVISIONED", **PROVISIONED},
            id="a maximum goes with on-demand",
        ),
        pytest.param(
            ON_DEMAND,
            {**ON_DEMAND, "WarmThroughput": {"ReadUnitsPerSecond": "13000"}},
            {**AN_ON_DEMAND_TABLE, "WarmThroughput": {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000}},
            {"WarmThroughput": {"ReadUnitsPerSecond": 13000}},
            id="warm throughput",
        ),
        pytest.param(
            {**ON_DEMAND, "StreamSpecification": {"StreamViewType": "KEYS_ONLY"}},
            {**ON_DEMAND, "StreamSpecification": {"StreamViewType": "NEW_IMAGE"}},
            {**AN_ON_DEMAND_TABLE, "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}},
            {"StreamSpecification": {"StreamEnabled": False}},
            id="another view: first without a stream",
        ),
        pytest.param(
            {**ON_DEMAND, "StreamSpecification": {"StreamViewType": "KEYS_ONLY"}},
            {**ON_DEMAND, "StreamSpecification": {"StreamViewType": "NEW_IMAGE"}},
            AN_ON_DEMAND_TABLE,
            {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}},
            id="another view: then with the new one",
        ),
        pytest.param(
            ON_DEMAND,
            {**ON_DEMAND, "DeletionProtectionEnabled": "true"},
            AN_ON_DEMAND_TABLE,
            {"DeletionProtectionEnabled": True},
            id="deletion protection",
        ),
    ],
)
def test_one_change_is_one_request(previous: Json, desired: Json, table: Json, request_: Json | None) -> None:
    assert next_update({**previous, "TableName": "t", "Arn": "arn:t"}, desired, table) == request_


def test_indexes_come_and_go_one_by_one_and_throughput_changes_in_between() -> None:
    old, kept, new = index("old"), index("kept"), index("new", ContributorInsightsSpecification={"Enabled": True})
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name in ("Id", "kept", "new")]
    previous = {**ON_DEMAND, "GlobalSecondaryIndexes": [old, kept]}
    desired = {
        **PROVISIONED,
        "AttributeDefinitions": attributes,
        "GlobalSecondaryIndexes": [
            {**kept, "ProvisionedThroughput": units(3, 3)},
            {**new, "ProvisionedThroughput": units(4, 4)},
        ],
    }
    zero = {"ProvisionedThroughput": units(0, 0)}

    first = next_update(previous, desired, {**AN_ON_DEMAND_TABLE, "GlobalSecondaryIndexes": [old | zero, kept | zero]})
    second = next_update(previous, desired, {**AN_ON_DEMAND_TABLE, "GlobalSecondaryIndexes": [kept | zero]})
    provisioned = kept | {"ProvisionedThroughput": units(3, 3)}
    third = next_update(previous, desired, {**A_PROVISIONED_TABLE, "GlobalSecondaryIndexes": [provisioned]})
    created = index("new", ProvisionedThroughput=units(4, 4))
    last = next_update(previous, desired, {**A_PROVISIONED_TABLE, "GlobalSecondaryIndexes": [provisioned, created]})

    assert first == {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "old"}}]}
    assert second == {
        "BillingMode": "PROVISIONED",
        **PROVISIONED,
        "GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": "kept", "ProvisionedThroughput": units(3, 3)}}],
    }
    assert third == {"AttributeDefinitions": attributes, "GlobalSecondaryIndexUpdates": [{"Create": created}]}
    assert last is None


@pytest.mark.parametrize(
    ("previous", "desired", "message"),
    [
        pytest.param({"KeySchema": 1}, {"KeySchema": 2}, "cannot change KeySchema of", id="other keys"),
        pytest.param(
            {"GlobalSecondaryIndexes": [index("a", Projection="ALL")]},
            {"GlobalSecondaryIndexes": [index("a", Projection="KEYS_ONLY")]},
            "Projection of index a cannot be changed",
            id="another index by the same name",
        ),
        pytest.param(
            {"GlobalSecondaryIndexes": [index("a")]},
            {"GlobalSecondaryIndexes": [index("b")]},
            "Cannot perform more than one GSI creation or deletion in a single update",
            id="one index for another",
        ),
    ],
)
def test_what_cannot_be_changed_is_refused_by_name(previous: Json, desired: Json, message: str) -> None:
    with pytest.raises(NotUpdatableError, match=message):
        check_change(previous, desired)


def test_the_throughput_of_an_index_can_be_changed() -> None:
    old, new = (index("a", ProvisionedThroughput=units(n, n)) for n in (1, 2))

    check_change({"GlobalSecondaryIndexes": [old]}, {"GlobalSecondaryIndexes": [new]})


def test_a_table_is_created_with_all_that_createtable_takes() -> None:
    properties = {
        "TableName": "given otherwise",
        "KeySchema": [],
        "AttributeDefinitions": [],
        **ON_DEMAND,
        "OnDemandThroughput": {"MaxReadRequestUnits": 5},
        "WarmThroughput": {"ReadUnitsPerSecond": 13000},
        "DeletionProtectionEnabled": True,
        "GlobalSecondaryIndexes": [index("a", ContributorInsightsSpecification={"Enabled": True})],
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
        "TimeToLiveSpecification": {"AttributeName": "has an operation of its own"},
    }

    assert create_request(properties) == {
        "KeySchema": [],
        "AttributeDefinitions": [],
        **ON_DEMAND,
        "OnDemandThroughput": {"MaxReadRequestUnits": 5},
        "WarmThroughput": {"ReadUnitsPerSecond": 13000},
        "DeletionProtectionEnabled": True,
        "GlobalSecondaryIndexes": [index("a")],
        "SSESpecification": {"Enabled": True, "SSEType": "KMS"},
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    }
    with pytest.raises(NotUpdatableError, match="cannot import from S3"):
        create_request({"ImportSourceSpecification": {}})


def test_a_table_is_settled_when_its_indexes_are() -> None:
    assert is_settled({"TableStatus": "ACTIVE"})
    assert not is_settled({"TableStatus": "UPDATING"})
    assert not is_settled({"TableStatus": "ACTIVE", "GlobalSecondaryIndexes": [{"IndexStatus": "CREATING"}]})
