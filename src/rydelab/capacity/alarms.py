"""A CloudWatch alarm of target tracking: its description, and its state over a row of points (B)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

type AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
type AlarmKind = Literal["AlarmHigh", "AlarmLow", "ProvisionedCapacityHigh", "ProvisionedCapacityLow"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """One of a policy's four alarms, in CloudWatch's terms. A threshold in units is compared with *statistic*."""

    name: str
    kind: AlarmKind
    metric: str
    statistic: Literal["Sum", "Average"]
    period_s: int
    comparison: Literal["GreaterThanThreshold", "LessThanThreshold"]
    threshold: float
    evaluation_periods: int
    state: AlarmState


def evaluate(points: Sequence[float | None], periods: int, threshold: float, *, above: bool) -> AlarmState:
    """Return the state of an alarm that needs *periods* consecutive points beyond *threshold*.

    None is a missing point. Too few points, or a missing one among the last *periods*, is INSUFFICIENT_DATA, unless
    a point that is there says that the alarm cannot be in ALARM.
    """
    latest = points[-periods:]
    known = [point for point in latest if point is not None]
    if any((point <= threshold) if above else (point >= threshold) for point in known):
        return "OK"
    return "ALARM" if len(known) == periods else "INSUFFICIENT_DATA"
