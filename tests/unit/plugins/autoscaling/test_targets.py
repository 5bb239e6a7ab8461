"""Registering what scales."""

from typing import Any

import pytest

from rydelab.plugins.autoscaling.errors import ApiError

INDEX_WRITES = {"ResourceId": "table/Rides/index/ByDay", "ScalableDimension": "dynamodb:index:WriteCapacityUnits"}
NAMESPACE = {"ServiceNamespace": "dynamodb"}


def test_a_registered_target_is_described(world: Any) -> None:
    arn = world.register(2, 20, SuspendedState={"DynamicScalingInSuspended": True})["ScalableTargetARN"]

    (target,) = world.api.describe_scalable_targets(NAMESPACE)["ScalableTargets"]

    assert arn.startswith("arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/0a")
    assert target["ScalableTargetARN"] == arn
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == ("table/Rides", 2, 20)
    assert target["RoleARN"].endswith("/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable")
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }


def test_registering_again_changes_what_is_named_and_keeps_the_rest(world: Any) -> None:
    first = world.register(1, 20, SuspendedState={"ScheduledScalingSuspended": True})

    again = world.api.register_scalable_target(
        {**NAMESPACE, "ResourceId": "table/Rides", "ScalableDimension": "dynamodb:table:WriteCapacityUnits"}
        | {"MaxCapacity": 30}
    )

    (target,) = world.api.describe_scalable_targets(NAMESPACE)["ScalableTargets"]
    assert again == first
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 30)
    assert target["SuspendedState"]["ScheduledScalingSuspended"] is True


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ResourceId": "table/Absent"}, "DynamoDB table does not exist: table/Absent"),
        (INDEX_WRITES | {"ResourceId": "table/Rides/index/No"}, "DynamoDB index does not exist: table/Rides/index/No"),
        ({"ServiceNamespace": "ecs"}, "Unsupported service namespace, resource type or scalable dimension"),
        ({"ResourceId": "table/Rides/index/ByDay"}, "Unsupported service namespace, resource type"),
        ({"ScalableDimension": "dynamodb:index:WriteCapacityUnits"}, "Unsupported service namespace, resource type"),
        ({"MinCapacity": 5, "MaxCapacity": 4}, "Maximum capacity cannot be less than minimum capacity"),
        ({"MinCapacity": 0}, "1 <= minimum <= maximum, got 0, 40"),
        ({"MinCapacity": None}, "MinCapacity is required for a new scalable target"),
    ],
)
def test_a_wrong_target_is_refused(world: Any, members: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError) as refusal:
        world.register(**members)

    assert refusal.value.code == "ValidationException"
    assert message in refusal.value.message
    assert world.api.describe_scalable_targets(NAMESPACE)["ScalableTargets"] == []


def test_a_capacity_outside_new_bounds_is_moved_at_once(world: Any) -> None:
    world.register(5, 40)
    world.fleet.carry_on(world.now)

    (activity,) = world.activities()
    assert world.tables.asked == [("table/Rides Write", 5)]
    assert (activity["Description"], activity["Cause"]) == (
        "Setting write capacity units to 5.",
        "minimum capacity was set to 5",
    )


def test_filters_choose_targets(world: Any) -> None:
    world.register()
    world.register(ScalableDimension="dynamodb:table:ReadCapacityUnits")
    world.register(3, **INDEX_WRITES)

    def found(**filters: Any) -> list[str]:
        targets = world.api.describe_scalable_targets(NAMESPACE | filters)["ScalableTargets"]
        return [f"{target['ResourceId']} {target['ScalableDimension']}" for target in targets]

    assert len(found()) == 3
    assert found(ResourceIds=["table/Rides/index/ByDay"]) == [
        "table/Rides/index/ByDay dynamodb:index:WriteCapacityUnits"
    ]
    assert found(ScalableDimension="dynamodb:table:ReadCapacityUnits") == [
        "table/Rides dynamodb:table:ReadCapacityUnits"
    ]
    assert found(ServiceNamespace="ecs") == []


def test_answers_come_in_pages(world: Any) -> None:
    world.register()
    world.register(3, **INDEX_WRITES)

    first = world.api.describe_scalable_targets(NAMESPACE | {"MaxResults": 1})
    second = world.api.describe_scalable_targets(NAMESPACE | {"MaxResults": 1, "NextToken": first["NextToken"]})

    assert [page["ScalableTargets"][0]["ResourceId"] for page in (first, second)] == [
        "table/Rides",
        "table/Rides/index/ByDay",
    ]
    assert "NextToken" not in second
    with pytest.raises(ApiError) as refusal:
        world.api.describe_scalable_targets(NAMESPACE | {"NextToken": "elsewhere"})
    assert refusal.value.code == "InvalidNextTokenException"


def test_deregistering_takes_policy_alarms_and_actions_with_it_and_leaves_activities(world: Any) -> None:
    world.register(5)
    world.put_policy()
    world.api.deregister_scalable_target(world.policy_request())

    assert world.board.alarms == {}
    assert world.api.describe_scaling_policies(NAMESPACE)["ScalingPolicies"] == []
    assert len(world.activities()) == 1
    with pytest.raises(ApiError) as refusal:
        world.api.deregister_scalable_target(world.policy_request())
    assert refusal.value.code == "ObjectNotFoundException"
    assert refusal.value.message == (
        "No scalable target found for service namespace: dynamodb, resource ID: table/Rides, "
        "scalable dimension: dynamodb:table:WriteCapacityUnits"
    )


def test_tags_are_kept_by_the_target(world: Any) -> None:
    arn = world.register(Tags={"team": "rides", "stage": "dev"})["ScalableTargetARN"]

    world.api.tag_resource({"ResourceARN": arn, "Tags": {"stage": "prod", "cost": "7"}})
    world.api.untag_resource({"ResourceARN": arn, "TagKeys": ["team"]})

    assert world.api.list_tags_for_resource({"ResourceARN": arn}) == {"Tags": {"stage": "prod", "cost": "7"}}
    with pytest.raises(ApiError) as refusal:
        world.api.tag_resource({"ResourceARN": arn, "Tags": {str(number): "" for number in range(51)}})
    assert refusal.value.code == "TooManyTagsException"
    with pytest.raises(ApiError) as refusal:
        world.api.list_tags_for_resource({"ResourceARN": f"{arn}0"})
    assert refusal.value.code == "ResourceNotFoundException"
    assert refusal.value.members == {"ResourceName": f"{arn}0"}
