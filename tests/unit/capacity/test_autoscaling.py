from typing import Any

import pytest

from rydelab.capacity.alarms import evaluate
from rydelab.capacity.autoscaling import Activity, Bounds, Policy, Scaler
from rydelab.capacity.schedule import ScheduledAction, parse_schedule
from rydelab.capacity.settings import Settings
from rydelab.capacity.throttling import Access

DEFAULTS = Settings()


def scaler(
    *,
    capacity: int = 1,
    minimum: int = 1,
    maximum: int = 40,
    settings: Settings = DEFAULTS,
    resource_id: str = "table/Rides",
    **policy: Any,
) -> Scaler:
    return Scaler(
        resource_id=resource_id,
        access=Access.WRITE,
        policy=Policy(name="keep-70", **({"target_percent": 70.0} | policy)),
        bounds=Bounds(minimum=minimum, maximum=maximum),
        capacity=capacity,
        alarm_id="0b9f",
        settings=settings,
    )


def feed(
    subject: Scaler, sums: list[float | None], *, start_minute: int = 1, apply: bool = True
) -> list[tuple[int, int]]:
    """Feed one sum a minute, carry every activity out at once; return (minute, new capacity) of each."""
    changes = []
    for minute, consumed in enumerate(sums, start_minute):
        activity = subject.observe(consumed, subject.capacity, minute * 60.0)
        if activity is not None:
            changes.append((minute, activity.capacity))
            if apply:
                subject.fulfilled(minute * 60.0)
    return changes


def test_two_points_above_the_target_scale_out() -> None:
    assert feed(scaler(), [43]) == []
    assert feed(scaler(), [43, 42, 43]) == []
    assert feed(scaler(), [42, 43, 43]) == [(3, 2)]


@pytest.mark.parametrize(
    ("per_s", "target", "capacity"), [(150, 70, 215), (70, 70, 100), (70.1, 70, 101), (9, 90, 10), (1, 20, 5)]
)
def test_new_capacity_is_the_smallest_that_keeps_the_target(per_s: float, target: float, capacity: int) -> None:
    subject = scaler(maximum=1000, target_percent=target)
    assert feed(subject, [per_s * 60] * 2) == [(2, capacity)]


def test_fifteen_points_below_scale_in() -> None:
    assert feed(scaler(capacity=20), [60.0] * 14) == []
    assert feed(scaler(capacity=20), [60.0] * 15) == [(15, 2)]
    assert feed(scaler(capacity=20), [60.0] * 14 + [800.0] + [60.0] * 14) == []


def test_between_the_two_thresholds_nothing_happens() -> None:
    assert feed(scaler(capacity=10), [10 * 60 * 0.5] * 60) == []
    assert feed(scaler(capacity=10), [10 * 60 * 0.7] * 60) == []


def test_alarms_are_judged_anew_with_each_capacity() -> None:
    # Consumption equal to the provisioned rate, as a throttled table shows it, climbs by 1/0.7 at each step.
    subject = scaler(capacity=10)
    changes = []
    for minute in range(1, 9):
        activity = subject.observe(subject.capacity * 60.0, subject.capacity, minute * 60.0)
        if activity is not None:
            changes.append((minute, activity.capacity))
            subject.fulfilled(minute * 60.0)
    # Two points after each change, since the points before it lie below the new threshold.
    assert changes == [(2, 15), (4, 22), (6, 32), (8, 40)]


def test_minimum_and_maximum_bound_the_capacity() -> None:
    assert feed(scaler(maximum=5), [6000.0] * 3) == [(2, 5)]
    assert feed(scaler(capacity=20, minimum=7), [0.0] * 20) == [(15, 7)]


def test_missing_data_scales_nothing() -> None:
    assert feed(scaler(), [43, None, 43, None, 43]) == []
    assert feed(scaler(capacity=20), [None] * 30) == []
    assert feed(scaler(capacity=20), [0.0] * 14 + [None] + [0.0] * 14) == []


def test_whether_zero_traffic_scales_in_is_a_setting() -> None:
    assert feed(scaler(capacity=20), [0.0] * 15) == [(15, 1)]
    assert feed(scaler(capacity=20, settings=Settings(zero_traffic_scales_in=False)), [0.0] * 60) == []


def test_nothing_starts_while_an_activity_is_in_progress() -> None:
    subject = scaler()
    assert feed(subject, [60.0] * 10, apply=False) == [(2, 2)]
    subject.fulfilled(700.0)
    assert subject.capacity == 2
    assert feed(subject, [600.0] * 2, start_minute=12) == [(13, 15)]


def test_a_scale_out_cooldown_lets_only_larger_steps_through() -> None:
    subject = scaler(scale_out_cooldown_s=600, capacity=10)
    assert feed(subject, [600.0] * 2) == [(2, 15)]
    subject.capacity = 12  # someone lowered it: the same step again must wait
    assert feed(subject, [600.0] * 3, start_minute=3) == []
    assert feed(subject, [900.0] * 2, start_minute=6) == [(6, 22)]


def test_a_scale_in_cooldown_delays_the_next_scale_in_but_no_scale_out() -> None:
    subject = scaler(scale_in_cooldown_s=1200, capacity=40)
    assert feed(subject, [600.0] * 15) == [(15, 15)]
    assert feed(subject, [60.0] * 19, start_minute=16) == []
    assert feed(subject, [60.0] * 2, start_minute=35) == [(35, 2)]
    assert feed(subject, [600.0] * 2, start_minute=37) == [(38, 15)]


def test_a_scale_out_ends_the_cooldown_of_a_scale_in() -> None:
    subject = scaler(scale_in_cooldown_s=36_000, capacity=40)
    assert feed(subject, [600.0] * 15) == [(15, 15)]
    assert feed(subject, [1200.0] * 2, start_minute=16) == [(17, 29)]
    assert feed(subject, [60.0] * 15, start_minute=18) == [(32, 2)]


def test_scale_in_can_be_disabled_and_suspended() -> None:
    assert feed(scaler(capacity=20, disable_scale_in=True), [0.0] * 30) == []
    suspended = scaler(capacity=20)
    suspended.scale_in_suspended = suspended.scale_out_suspended = True
    assert feed(suspended, [0.0] * 30 + [6000.0] * 5) == []


def test_changed_bounds_move_the_capacity_at_once_whatever_the_cooldowns() -> None:
    subject = scaler(capacity=10, scale_out_cooldown_s=9999, scale_in_cooldown_s=9999)
    activity = subject.set_bounds(Bounds(minimum=20, maximum=30), 0.0)
    assert activity is not None
    assert (activity.capacity, activity.cause) == (20, "minimum capacity was set to 20")
    subject.fulfilled(1.0)
    activity = subject.set_bounds(Bounds(minimum=1, maximum=5), 2.0)
    assert activity is not None
    assert (activity.capacity, activity.cause) == (5, "maximum capacity was set to 5")
    assert subject.set_bounds(Bounds(minimum=8, maximum=9), 3.0) is None  # one is in progress
    subject.fulfilled(4.0)
    assert feed(subject, [0.0]) == [(1, 8)]


def test_a_scheduled_action_moves_the_bounds_and_the_capacity_with_them() -> None:
    subject = scaler(capacity=5, minimum=1, maximum=40, scale_out_cooldown_s=9999)
    morning = ScheduledAction("morning", parse_schedule("cron(0 8 * * ? *)"), minimum=20)
    activity = subject.run(morning, 0.0)
    assert activity is not None
    assert (activity.capacity, activity.cause) == (20, "minimum capacity was set to 20")
    assert subject.bounds == Bounds(minimum=20, maximum=40)
    assert subject.activities[0].description == "Setting min capacity to 20 and max capacity to 40"
    assert subject.activities[0].cause == "scheduled action name morning was triggered"
    subject.fulfilled(1.0)
    assert subject.run(ScheduledAction("evening", morning.schedule, minimum=1), 2.0) is None
    with pytest.raises(ValueError, match="got 1, 0"):
        subject.run(ScheduledAction("night", morning.schedule, maximum=0), 3.0)
    assert subject.bounds == Bounds(minimum=1, maximum=40)


def test_the_four_alarms_with_names_and_thresholds() -> None:
    subject = scaler(capacity=1)
    alarms = {alarm.kind: alarm for alarm in subject.alarms}
    assert [alarm.name for alarm in subject.alarms] == [
        "TargetTracking-table/Rides-AlarmHigh-0b9f",
        "TargetTracking-table/Rides-AlarmLow-0b9f",
        "TargetTracking-table/Rides-ProvisionedCapacityHigh-0b9f",
        "TargetTracking-table/Rides-ProvisionedCapacityLow-0b9f",
    ]
    high, low = alarms["AlarmHigh"], alarms["AlarmLow"]
    assert (high.threshold, high.comparison, high.evaluation_periods) == (42.0, "GreaterThanThreshold", 2)
    assert (low.threshold, low.comparison, low.evaluation_periods) == (30.0, "LessThanThreshold", 15)
    for alarm in (high, low):
        assert (alarm.metric, alarm.statistic, alarm.period_s) == ("ConsumedWriteCapacityUnits", "Sum", 60)
    capacity_high, capacity_low = alarms["ProvisionedCapacityHigh"], alarms["ProvisionedCapacityLow"]
    assert (capacity_high.evaluation_periods, capacity_low.evaluation_periods) == (2, 3)
    for alarm in (capacity_high, capacity_low):
        assert (alarm.metric, alarm.statistic, alarm.period_s) == ("ProvisionedWriteCapacityUnits", "Average", 300)
        assert alarm.threshold == 1.0
    assert {alarm.state for alarm in subject.alarms} == {"INSUFFICIENT_DATA"}


def test_the_scale_in_margin_is_a_setting() -> None:
    low = scaler(capacity=10, settings=Settings(scale_in_margin_percent=10)).alarms[1]
    assert low.threshold == 360.0
    assert scaler(capacity=10, target_percent=20).alarms[1].threshold == 0.0


def test_alarm_states_follow_the_points() -> None:
    subject = scaler(capacity=10)
    feed(subject, [420.0])
    assert [alarm.state for alarm in subject.alarms[:2]] == ["OK", "OK"]
    feed(subject, [600.0, 600.0], apply=False)
    assert subject.alarms[0].state == "ALARM"
    subject.fulfilled(999.0)
    assert subject.alarms[0].state == "OK"


def test_a_manual_change_is_noticed_by_the_provisioned_capacity_alarms() -> None:
    raised = scaler(capacity=10)
    for minute in range(1, 11):
        assert raised.capacity == 10
        raised.observe(300.0, 20, minute * 60.0)
    assert raised.capacity == 20
    lowered = scaler(capacity=10)
    for minute in range(1, 16):
        assert lowered.capacity == 10
        lowered.observe(300.0, 5, minute * 60.0)
    assert lowered.capacity == 5


def test_a_change_of_its_own_is_no_manual_change() -> None:
    subject = scaler(capacity=10)
    feed(subject, [400.0] * 15)
    feed(subject, [600.0] * 2, start_minute=16)
    assert subject.capacity == 15
    assert [alarm.state for alarm in subject.alarms[2:]] == ["INSUFFICIENT_DATA", "INSUFFICIENT_DATA"]


def test_the_texts_of_an_activity() -> None:
    subject = scaler(capacity=7)
    feed(subject, [420.0] * 2, apply=False)
    cause = "monitor alarm TargetTracking-table/Rides-AlarmHigh-0b9f in state ALARM triggered policy keep-70"
    assert subject.in_progress is not None
    assert subject.in_progress.description == "Setting write capacity units to 10."
    assert subject.in_progress.cause == cause
    assert subject.fulfilled(156.7) == Activity(
        10,
        "Setting write capacity units to 10.",
        cause,
        120.0,
        "Successful",
        "Successfully set write capacity units to 10. Change successfully fulfilled by dynamodb.",
        156.7,
    )


def test_a_refused_decrease_fails_its_activity_and_is_tried_again() -> None:
    subject = scaler(capacity=20)
    assert feed(subject, [0.0] * 15, apply=False) == [(15, 1)]
    failed = subject.failed("Subscriber limit exceeded: Provisioned throughput decreases are limited", 901.0)
    assert failed.status == "Failed"
    assert failed.status_message.startswith("Failed to set write capacity units to 1. Reason: Subscriber limit")
    assert subject.capacity == 20
    assert feed(subject, [0.0], start_minute=16) == [(16, 1)]
    assert [activity.status for activity in subject.activities] == ["Failed", "Successful"]


def test_reporting_without_an_activity_is_an_error() -> None:
    with pytest.raises(ValueError, match="table/Rides"):
        scaler().fulfilled(0.0)


def test_activities_are_bounded() -> None:
    subject = scaler(settings=Settings(scaling_activities=3))
    for number in range(10):
        subject.set_bounds(Bounds(minimum=number % 2 + 1, maximum=number % 2 + 1), float(number))
        if subject.in_progress:
            subject.fulfilled(float(number))
    assert len(subject.activities) == 3


def test_alarm_delay_is_a_setting() -> None:
    assert feed(scaler(settings=Settings(alarm_lag_points=2)), [43.0] * 4) == [(4, 2)]


def test_a_faster_lab_clock_judges_shorter_points_alike() -> None:
    assert feed(scaler(settings=Settings().at_clock_speed(10)), [4.3, 4.3]) == [(2, 2)]
    assert feed(scaler(settings=Settings().at_clock_speed(10)), [4.2, 4.2]) == []


def test_index_targets_have_names_of_their_own() -> None:
    subject = scaler(resource_id="table/Rides/index/byCity")
    assert subject.alarms[0].name == "TargetTracking-table/Rides/index/byCity-AlarmHigh-0b9f"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Policy(name="p", target_percent=19), "policy p: target must be 20 to 90 percent, got 19"),
        (lambda: Policy(name="p", target_percent=91), "got 91"),
        (
            lambda: Policy(name="p", target_percent=70, scale_in_cooldown_s=-1),
            "scale_in_cooldown_s must be >= 0, got -1",
        ),
        (lambda: Bounds(minimum=5, maximum=4), "got 5, 4"),
        (lambda: Bounds(minimum=0, maximum=4), "got 0, 4"),
    ],
)
def test_wrong_values_are_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("points", "state"),
    [
        ([], "INSUFFICIENT_DATA"),
        ([9.0], "INSUFFICIENT_DATA"),
        ([9.0, 9.0], "ALARM"),
        ([1.0, 9.0, 9.0], "ALARM"),
        ([9.0, 5.0], "OK"),
        ([None, 9.0], "INSUFFICIENT_DATA"),
        ([None, 1.0], "OK"),
    ],
)
def test_an_alarm_over_points(points: list[float | None], state: str) -> None:
    assert evaluate(points, 2, 5.0, above=True) == state
