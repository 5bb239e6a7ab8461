"""Target tracking policies and their alarms."""

from typing import Any

import pytest

from rydelab.plugins.autoscaling.errors import ApiError

NAMESPACE = {"ServiceNamespace": "dynamodb"}


def test_a_policy_is_described_with_its_alarms(world: Any) -> None:
    world.register()
    answer = world.put_policy(ScaleInCooldown=60)

    (policy,) = world.api.describe_scaling_policies(NAMESPACE)["ScalingPolicies"]

    assert policy["PolicyARN"] == answer["PolicyARN"]
    assert policy["PolicyARN"].startswith("arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:")
    assert policy["PolicyARN"].endswith(":resource/dynamodb/table/Rides:policyName/rides")
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"},
        "ScaleInCooldown": 60,
    }
    kinds = [alarm["AlarmName"].split("-")[2] for alarm in policy["Alarms"]]
    assert kinds == ["AlarmHigh", "AlarmLow", "ProvisionedCapacityHigh", "ProvisionedCapacityLow"]
    assert policy["Alarms"] == answer["Alarms"]
    first = policy["Alarms"][0]
    assert first["AlarmARN"] == f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{first['AlarmName']}"


@pytest.mark.parametrize(
    ("units", "target_value", "high", "low"), [(1, 70.0, 42.0, 30.0), (10, 50.0, 300.0, 180.0), (3, 90.0, 162.0, 126.0)]
)
def test_thresholds_follow_from_provisioned_units_and_target(
    world: Any, units: int, target_value: float, high: float, low: float
) -> None:
    world.tables.units["table/Rides Write"] = units
    world.register()
    world.put_policy(target_value)

    shown = {
        alarm.kind: (alarm.metric, alarm.statistic, alarm.period_s, alarm.evaluation_periods, alarm.threshold)
        for alarm in world.board.alarms.values()
    }
    assert shown == {
        "AlarmHigh": ("ConsumedWriteCapacityUnits", "Sum", 60, 2, pytest.approx(high)),
        "AlarmLow": ("ConsumedWriteCapacityUnits", "Sum", 60, 15, pytest.approx(low)),
        "ProvisionedCapacityHigh": ("ProvisionedWriteCapacityUnits", "Average", 300, 2, units),
        "ProvisionedCapacityLow": ("ProvisionedWriteCapacityUnits", "Average", 300, 3, units),
    }


def test_alarms_of_reads_and_of_indexes_have_their_own_metric_and_dimensions(world: Any) -> None:
    reads = {"ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
    index = {"ResourceId": "table/Rides/index/ByDay", "ScalableDimension": "dynamodb:index:WriteCapacityUnits"}
    world.register(**reads)
    world.register(3, **index)
    world.api.put_scaling_policy(world.policy_request(metric="Read") | reads)
    world.api.put_scaling_policy(world.policy_request() | index)

    by_metric = {alarm.metric: name for name, alarm in world.board.alarms.items()}
    read_alarm, index_alarm = by_metric["ConsumedReadCapacityUnits"], by_metric["ConsumedWriteCapacityUnits"]
    assert len(world.board.alarms) == 8
    assert read_alarm.startswith("TargetTracking-table/Rides-AlarmLow-")
    assert index_alarm.startswith("TargetTracking-table/Rides/index/ByDay-AlarmLow-")
    assert world.board.dimensions[read_alarm] == {"TableName": "Rides"}
    assert world.board.dimensions[index_alarm] == {"TableName": "Rides", "GlobalSecondaryIndexName": "ByDay"}


def test_changing_a_policy_keeps_its_arn_and_alarms_and_moves_thresholds(world: Any) -> None:
    world.register()
    before = world.put_policy(70.0)
    again = world.put_policy(50.0)

    assert again == before
    assert sorted(alarm.threshold for alarm in world.board.alarms.values()) == [1.0, 1.0, 18.0, 30.0]


def test_nothing_is_told_to_cloudwatch_that_it_knows(world: Any) -> None:
    world.register()
    world.put_policy()
    world.minutes(20, units=36.0)
    world.board.calls.clear()

    world.minutes(5, units=36.0)

    assert world.board.calls == []


def test_deleting_a_policy_deletes_its_alarms_and_ends_scaling(world: Any) -> None:
    world.register()
    world.put_policy()
    world.api.delete_scaling_policy(world.policy_request())

    world.minutes(4, units=600.0)

    assert world.board.alarms == {}
    assert world.tables.asked == []
    with pytest.raises(ApiError) as refusal:
        world.api.delete_scaling_policy(world.policy_request())
    assert refusal.value.code == "ObjectNotFoundException"
    assert refusal.value.message.endswith("dynamodb:table:WriteCapacityUnits, policy name: rides")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"PolicyType": None}, "Policy type StepScaling is not supported for service namespace dynamodb"),
        ({"PolicyType": "PredictiveScaling"}, "Policy type PredictiveScaling is not supported"),
        ({"TargetTrackingScalingPolicyConfiguration": None}, "TargetTrackingScalingPolicyConfiguration is required"),
        (
            {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0}},
            "PredefinedMetricType must be DynamoDBWriteCapacityUtilization for scalable dimension dynamodb:table:Write",
        ),
        (
            {
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 70.0,
                    "CustomizedMetricSpecification": {"MetricName": "Mine"},
                }
            },
            "CustomizedMetricSpecification is not supported by this lab",
        ),
    ],
)
def test_a_policy_that_dynamodb_cannot_have_is_refused(world: Any, members: dict[str, Any], message: str) -> None:
    world.register()
    with pytest.raises(ApiError) as refusal:
        world.api.put_scaling_policy(world.policy_request() | members)

    assert refusal.value.code == "ValidationException"
    assert message in refusal.value.message
    assert world.board.alarms == {}


@pytest.mark.parametrize("target_value", [19.9, 90.1])
def test_a_target_outside_20_to_90_percent_is_refused(world: Any, target_value: float) -> None:
    world.register()
    with pytest.raises(ApiError, match=f"target must be 20 to 90 percent, got {target_value}"):
        world.put_policy(target_value)

    assert world.api.describe_scaling_policies(NAMESPACE)["ScalingPolicies"] == []


def test_a_second_policy_for_the_same_metric_is_refused(world: Any) -> None:
    world.register()
    world.put_policy()
    with pytest.raises(ApiError, match="Only one TargetTrackingScaling policy for a given metric"):
        world.api.put_scaling_policy(world.policy_request() | {"PolicyName": "other"})


def test_a_policy_needs_a_registered_target(world: Any) -> None:
    with pytest.raises(ApiError) as refusal:
        world.put_policy()

    assert refusal.value.code == "ObjectNotFoundException"
    assert refusal.value.message == (
        "No scalable target registered for service namespace: dynamodb, resource ID: table/Rides, "
        "scalable dimension: dynamodb:table:WriteCapacityUnits"
    )
