"""Scheduled actions."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rydelab.plugins.autoscaling.errors import ApiError

NAMESPACE = {"ServiceNamespace": "dynamodb"}


def request(world: Any, **members: Any) -> dict[str, Any]:
    named = {name: world.policy_request()[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
    return {**named, "ScheduledActionName": "morning", **members}


def test_an_action_moves_the_bounds_and_the_capacity_when_it_is_due(world: Any) -> None:
    world.register()
    world.api.put_scheduled_action(
        request(world, Schedule="at(2026-01-01T00:05:00)", ScalableTargetAction={"MinCapacity": 9, "MaxCapacity": 90})
    )
    world.now += 299.0
    world.fleet.carry_on(world.now)
    assert world.activities() == []

    world.now += 1.0
    assert world.fleet.due == world.now
    world.fleet.carry_on(world.now)

    moved, ran = world.activities()
    assert ran["Description"] == "Setting min capacity to 9 and max capacity to 90"
    assert ran["Cause"] == "scheduled action name morning was triggered"
    assert ran["StatusMessage"] == "Successfully set min capacity to 9 and max capacity to 90"
    assert (moved["Description"], moved["Cause"]) == (
        "Setting write capacity units to 9.",
        "minimum capacity was set to 9",
    )
    assert world.tables.asked == [("table/Rides Write", 9)]
    (target,) = world.api.describe_scalable_targets(NAMESPACE)["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (9, 90)
    assert world.fleet.due is None


def test_a_rate_passes_with_the_labs_clock_and_dates_do_not(make_world: Callable[..., Any]) -> None:
    world = make_world(clock_speed=60.0)
    world.register()
    for name, schedule in {"often": "rate(5 minutes)", "morning": "cron(0 6 * * ? *)"}.items():
        world.api.put_scheduled_action(
            request(world, ScheduledActionName=name, Schedule=schedule, ScalableTargetAction={"MaxCapacity": 50})
        )

    actions = {
        record.name: record.due - world.now
        for target in world.fleet.targets.values()
        for record in target.actions.values()
    }
    assert actions == {"often": 5.0, "morning": 6 * 3600.0}


def test_an_action_is_described_changed_and_deleted(world: Any) -> None:
    world.register()
    end = datetime(2027, 1, 1, tzinfo=UTC)
    put = world.api.put_scheduled_action
    put(request(world, Schedule="cron(0 6 * * ? *)", ScalableTargetAction={"MinCapacity": 9}, EndTime=end))
    put(request(world, Timezone="Europe/Berlin"))

    (action,) = world.api.describe_scheduled_actions(NAMESPACE)["ScheduledActions"]
    assert (action["Schedule"], action["Timezone"], action["EndTime"]) == ("cron(0 6 * * ? *)", "Europe/Berlin", end)
    assert action["ScalableTargetAction"] == {"MinCapacity": 9}
    assert action["ScheduledActionARN"].endswith(":resource/dynamodb/table/Rides:scheduledActionName/morning")
    assert datetime.fromtimestamp(world.fleet.due, UTC).hour == 5  # six o'clock in Berlin

    world.api.delete_scheduled_action(request(world))
    assert world.api.describe_scheduled_actions(NAMESPACE)["ScheduledActions"] == []
    with pytest.raises(ApiError) as refusal:
        world.api.delete_scheduled_action(request(world))
    assert refusal.value.code == "ObjectNotFoundException"
    assert refusal.value.message.endswith("WriteCapacityUnits, scheduled action name: morning")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ScalableTargetAction": {"MinCapacity": 1}}, "Schedule is required"),
        ({"Schedule": "rate(1 minute)"}, "ScalableTargetAction must have MinCapacity, MaxCapacity or both"),
        ({"Schedule": "daily", "ScalableTargetAction": {"MinCapacity": 1}}, "schedule must be at(...), rate(...) or"),
        (
            {"Schedule": "rate(1 minute)", "ScalableTargetAction": {"MinCapacity": 4, "MaxCapacity": 3}},
            "Maximum capacity cannot be less than minimum capacity",
        ),
        ({"Schedule": "rate(1 minute)", "ScalableTargetAction": {"MinCapacity": 0}}, "1 <= minimum <= maximum, got 0"),
    ],
)
def test_a_wrong_action_is_refused(world: Any, members: dict[str, Any], message: str) -> None:
    world.register()
    with pytest.raises(ApiError) as refusal:
        world.api.put_scheduled_action(request(world, **members))

    assert refusal.value.code == "ValidationException"
    assert message in refusal.value.message


def test_an_action_whose_minimum_passes_the_present_maximum_fails_and_says_why(world: Any) -> None:
    world.register(1, 40)
    world.api.put_scheduled_action(
        request(world, Schedule="at(2026-01-01T00:01:00)", ScalableTargetAction={"MinCapacity": 41})
    )
    world.now += 60.0
    world.fleet.carry_on(world.now)

    (activity,) = world.activities()
    assert activity["StatusCode"] == "Failed"
    assert "minimum <= maximum, got 41, 40" in activity["StatusMessage"]
    assert world.tables.asked == []


def test_suspended_actions_are_passed_over(world: Any) -> None:
    world.register(SuspendedState={"ScheduledScalingSuspended": True})
    world.api.put_scheduled_action(request(world, Schedule="rate(1 minute)", ScalableTargetAction={"MinCapacity": 9}))
    world.now += 60.0
    world.fleet.carry_on(world.now)

    assert world.activities() == []
    assert world.fleet.due == world.now + 60.0
