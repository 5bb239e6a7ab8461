"""How capacity moves."""

from collections.abc import Callable
from typing import Any

ABOVE, BELOW = 600.0, 0.0  # units in a minute, for a table of 1 unit a second


def test_two_minutes_above_the_target_scale_out_and_the_activity_says_so(world: Any) -> None:
    world.register()
    world.put_policy()
    world.minutes(1, units=ABOVE)
    assert world.tables.asked == []

    world.minutes(1, units=ABOVE)

    (activity,) = world.activities()
    alarm = next(name for name, shown in world.board.alarms.items() if shown.kind == "AlarmHigh")
    assert world.tables.asked == [("table/Rides Write", 15)]  # 10 a second are at most 70 % of 15
    assert activity["Description"] == "Setting write capacity units to 15."
    assert activity["Cause"] == f"monitor alarm {alarm} in state ALARM triggered policy rides"
    assert activity["StatusCode"] == "InProgress"
    assert world.board.states[alarm] == "ALARM"
    assert "EndTime" not in activity


def test_a_finished_update_ends_the_activity_and_moves_the_thresholds(world: Any) -> None:
    world.register()
    world.put_policy()
    world.minutes(2, units=ABOVE)
    world.now += 36.7
    world.tables.finish_updates()
    world.fleet.carry_on(world.now)

    (activity,) = world.activities()
    assert activity["StatusCode"] == "Successful"
    assert activity["StatusMessage"] == (
        "Successfully set write capacity units to 15. Change successfully fulfilled by dynamodb."
    )
    assert activity["EndTime"].timestamp() == world.now
    thresholds = {alarm.kind: alarm.threshold for alarm in world.board.alarms.values()}
    assert thresholds == {
        "AlarmHigh": 630.0,
        "AlarmLow": 450.0,
        "ProvisionedCapacityHigh": 15,
        "ProvisionedCapacityLow": 15,
    }


def test_fifteen_minutes_below_scale_in_to_the_minimum(world: Any) -> None:
    world.tables.units["table/Rides Write"] = 10
    world.register(2)
    world.put_policy()
    world.minutes(14, units=BELOW)
    assert world.tables.asked == []

    world.minutes(1, units=BELOW)

    assert world.tables.asked == [("table/Rides Write", 2)]


def test_a_scale_out_stops_at_the_maximum(world: Any) -> None:
    world.register(1, 8)
    world.put_policy()
    world.minutes(10, units=ABOVE)

    assert world.tables.asked == [("table/Rides Write", 8)]


def test_cooldowns_pass_with_the_labs_clock(make_world: Callable[..., Any]) -> None:
    asked = {}
    for cooldown in (0, 1800):
        world = make_world(clock_speed=60.0)
        world.tables.units["table/Rides Write"] = 10
        world.register()
        world.put_policy(ScaleInCooldown=cooldown)
        # Below while 10 units, and below while 4, each a second long.
        world.minutes(17, units=2.5)
        world.minutes(15, units=0.0)
        asked[cooldown] = [units for _name, units in world.tables.asked]

    assert asked == {0: [4, 1], 1800: [4]}


def test_suspended_scaling_waits(world: Any) -> None:
    world.register(SuspendedState={"DynamicScalingOutSuspended": True})
    world.put_policy()
    world.minutes(5, units=ABOVE)
    assert world.tables.asked == []

    world.register(SuspendedState={"DynamicScalingOutSuspended": False})
    world.minutes(1, units=ABOVE)

    assert world.tables.asked == [("table/Rides Write", 15)]


def test_two_targets_of_one_table_take_turns(world: Any) -> None:
    reads = {"ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
    world.register(5)
    world.register(6, **reads)
    world.fleet.carry_on(world.now)
    assert world.tables.asked == [("table/Rides Write", 5)]

    world.tables.finish_updates()
    world.fleet.carry_on(world.now)
    world.tables.finish_updates()
    world.fleet.carry_on(world.now)

    assert world.tables.asked == [("table/Rides Write", 5), ("table/Rides Read", 6)]
    assert [activity["StatusCode"] for activity in world.activities()] == ["Successful", "Successful"]


def test_a_refused_update_fails_its_activity_and_is_tried_again(world: Any) -> None:
    world.tables.units["table/Rides Write"] = 10
    world.tables.refusal = "Subscriber limit exceeded: Provisioned throughput decreases are limited"
    world.register()
    world.put_policy()
    world.minutes(15, units=BELOW)

    (activity,) = world.activities()
    assert activity["StatusCode"] == "Failed"
    assert activity["StatusMessage"] == (
        "Failed to set write capacity units to 1. "
        "Reason: Subscriber limit exceeded: Provisioned throughput decreases are limited"
    )

    world.tables.refusal = None
    world.minutes(1, units=BELOW)
    assert world.tables.asked == [("table/Rides Write", 1)]


def test_a_deleted_table_and_an_on_demand_table_scale_nothing(world: Any) -> None:
    world.register()
    world.put_policy()
    world.tables.on_demand = True
    world.minutes(5, units=ABOVE)
    del world.tables.units["table/Rides Write"]
    world.minutes(5, units=ABOVE)

    assert world.tables.asked == []
    states = {alarm.kind: world.board.states[name] for name, alarm in world.board.alarms.items()}
    assert (states["AlarmHigh"], states["AlarmLow"]) == ("INSUFFICIENT_DATA", "INSUFFICIENT_DATA")


def test_a_table_made_anew_counts_from_zero(world: Any) -> None:
    world.register()
    world.put_policy()
    world.minutes(2, units=36.0)
    world.tables.consumed["table/Rides Write"] = 0.0

    world.minutes(3, units=36.0)  # 36 in a minute are under the threshold of 42

    assert world.tables.asked == []


def test_a_manual_change_is_noticed_after_ten_minutes_and_the_thresholds_follow(world: Any) -> None:
    world.register()
    world.put_policy()
    world.minutes(1, units=0.0)
    world.tables.units["table/Rides Write"] = 20

    def high() -> float:
        return float(next(alarm.threshold for alarm in world.board.alarms.values() if alarm.kind == "AlarmHigh"))

    world.minutes(8, units=36.0)
    assert high() == 42.0

    world.minutes(3, units=36.0)
    assert high() == 840.0


def test_a_sleep_of_days_is_no_work(world: Any) -> None:
    world.register()
    world.put_policy()
    world.minutes(1, units=0.0)
    world.now += 1e9
    world.fleet.observe(periods=10**12, now=world.now)
    world.fleet.carry_on(world.now)

    assert world.tables.asked == []


def test_missed_periods_count_as_many_points_as_they_were(world: Any) -> None:
    world.register()
    world.put_policy()
    world.minutes(1, units=0.0)
    world.tables.consumed["table/Rides Write"] += 2 * 36.0
    world.now += 120.0
    world.fleet.observe(periods=2, now=world.now)
    assert world.tables.asked == []

    world.tables.consumed["table/Rides Write"] += 2 * ABOVE
    world.now += 120.0
    world.fleet.observe(periods=2, now=world.now)
    world.fleet.carry_on(world.now)

    assert world.tables.asked == [("table/Rides Write", 15)]


def test_what_goes_wrong_with_one_target_does_not_stop_the_others(world: Any, caplog: Any) -> None:
    world.register(ScalableDimension="dynamodb:table:ReadCapacityUnits")
    world.register()
    world.put_policy()
    read = world.tables.read

    def fails_for_reads(scalable: Any) -> Any:
        if scalable.access == "Read":
            raise RuntimeError("the store is gone")
        return read(scalable)

    world.tables.read = fails_for_reads
    world.minutes(3, units=ABOVE)

    assert world.tables.asked == [("table/Rides Write", 15)]
    assert "auto scaling of table/Rides (dynamodb:table:ReadCapacityUnits) failed" in caplog.text
