"""Application Auto Scaling's target tracking of one kind of capacity of one table or index, as a pure loop (B)."""

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

from rydelab.capacity.alarms import Alarm, AlarmKind, evaluate
from rydelab.capacity.schedule import ScheduledAction
from rydelab.capacity.settings import Settings
from rydelab.capacity.throttling import Access

ALARM_PERIOD_S = 60
CAPACITY_ALARM_PERIOD_S = 300
LOWEST_TARGET_PERCENT, HIGHEST_TARGET_PERCENT = 20.0, 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A TargetTrackingScaling policy on DynamoDB{Read,Write}CapacityUtilization.

    Cooldowns are seconds of the ``now`` that the scaler is given.
    """

    name: str
    target_percent: float
    scale_out_cooldown_s: float = 0.0
    scale_in_cooldown_s: float = 0.0
    disable_scale_in: bool = False

    def __post_init__(self) -> None:
        if not LOWEST_TARGET_PERCENT <= self.target_percent <= HIGHEST_TARGET_PERCENT:
            raise ValueError(f"policy {self.name}: target must be 20 to 90 percent, got {self.target_percent:g}")
        for name in ("scale_out_cooldown_s", "scale_in_cooldown_s"):
            if getattr(self, name) < 0:
                raise ValueError(f"policy {self.name}: {name} must be >= 0, got {getattr(self, name):g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """MinCapacity and MaxCapacity of a scalable target, in units per second."""

    minimum: int
    maximum: int

    def __post_init__(self) -> None:
        if not 1 <= self.minimum <= self.maximum:
            raise ValueError(
                f"capacity bounds must satisfy 1 <= minimum <= maximum, got {self.minimum}, {self.maximum}"
            )

    def clamp(self, capacity: int) -> int:
        """Return the capacity within the bounds that is nearest to *capacity*."""
        return min(max(capacity, self.minimum), self.maximum)


@dataclass(frozen=True, slots=True)
class Activity:
    """A scaling activity, with the texts that DescribeScalingActivities shows."""

    capacity: int
    description: str
    cause: str
    started: float
    status: Literal["InProgress", "Successful", "Failed"]
    status_message: str
    ended: float | None = None


class Scaler:
    """One policy on one scalable target: is fed a point a minute, says when to scale and to what.

    The caller does what an activity says (UpdateTable) and reports back by :meth:`fulfilled` or :meth:`failed`;
    in between nothing else is started. Memory is bounded: 15 points, a few averages, the last activities.
    """

    def __init__(
        self,
        *,
        resource_id: str,
        access: Access,
        policy: Policy,
        bounds: Bounds,
        capacity: int,
        alarm_id: str,
        settings: Settings,
    ) -> None:
        """*resource_id* is ``table/T`` or ``table/T/index/I``, *alarm_id* the random part of the alarms' names."""
        self.resource_id = resource_id
        self.access = access
        self.policy = policy
        self.bounds = bounds
        self.capacity = capacity
        self.alarm_id = alarm_id
        self.scale_in_suspended = False
        self.scale_out_suspended = False
        self.in_progress: Activity | None = None
        self.activities: deque[Activity] = deque(maxlen=settings.scaling_activities)
        self._settings = settings
        points = max(settings.scale_out_points, settings.scale_in_points) + settings.alarm_lag_points
        self._points: deque[float | None] = deque(maxlen=points)
        self._minutes: list[float] = []  # provisioned capacity in the present five minutes
        self._averages: deque[float] = deque(maxlen=max(settings.capacity_high_points, settings.capacity_low_points))
        self._last_out: tuple[float, int] = (-math.inf, 0)  # when, and to what capacity
        self._last_in = -math.inf

    def observe(self, consumed_sum: float | None, provisioned: float, now: float) -> Activity | None:
        """Take one period's consumed units (None: no data) and the provisioned rate; return an activity to carry out.

        Call it at the end of each ``scaling_period_s``.
        """
        if consumed_sum == 0 and not self._settings.zero_traffic_scales_in:
            consumed_sum = None
        self._points.append(consumed_sum)
        self._notice_manual_change(provisioned)
        if self.in_progress is not None:
            return None
        if self.bounds.clamp(self.capacity) != self.capacity:
            return self._return_to_bounds(now)
        visible = self._visible_points()
        latest = visible[-1] if visible else None
        if latest is None:
            return None
        per_s = latest / self._settings.scaling_period_s
        wanted = self.bounds.clamp(max(1, math.ceil(per_s * 100.0 / self.policy.target_percent - 1e-9)))
        if wanted > self.capacity and self._state("AlarmHigh") == "ALARM" and self._may_scale_out(wanted, now):
            return self._start(wanted, self._alarm_cause("AlarmHigh"), now)
        if wanted < self.capacity and self._state("AlarmLow") == "ALARM" and self._may_scale_in(now):
            return self._start(wanted, self._alarm_cause("AlarmLow"), now)
        return None

    def set_bounds(self, bounds: Bounds, now: float) -> Activity | None:
        """Change the bounds; return an activity if the capacity is now outside them. Cooldowns do not matter.

        If an activity is in progress the capacity is put right after it, at the next point.
        """
        self.bounds = bounds
        if self.in_progress is not None or bounds.clamp(self.capacity) == self.capacity:
            return None
        return self._return_to_bounds(now)

    def run(self, action: ScheduledAction, now: float) -> Activity | None:
        """Carry out a scheduled action that is due: note it and move the bounds as :meth:`set_bounds` does."""
        minimum = self.bounds.minimum if action.minimum is None else action.minimum
        maximum = self.bounds.maximum if action.maximum is None else action.maximum
        bounds = Bounds(minimum=minimum, maximum=maximum)
        text = f"min capacity to {minimum} and max capacity to {maximum}"
        cause = f"scheduled action name {action.name} was triggered"
        message = f"Successfully set {text}"
        self.activities.append(Activity(self.capacity, f"Setting {text}", cause, now, "Successful", message, now))
        return self.set_bounds(bounds, now)

    def fulfilled(self, now: float) -> Activity:
        """Report that the activity in progress took effect; the alarms' thresholds follow."""
        done = self._end(
            "Successful", f"Successfully set {self._what()}. Change successfully fulfilled by dynamodb.", now
        )
        if done.capacity > self.capacity:
            self._last_out = (now, done.capacity)
            self._last_in = -math.inf  # a scale-out ends the cooldown of a scale-in
        else:
            self._last_in = now
        self.capacity = done.capacity
        self._minutes.clear()
        self._averages.clear()
        return done

    def failed(self, reason: str, now: float) -> Activity:
        """Report that the activity in progress was refused; a later point may start it again."""
        return self._end("Failed", f"Failed to set {self._what()}. Reason: {reason}", now)

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """The four alarms as CloudWatch shows them now."""
        settings = self._settings
        tracked = self.capacity * ALARM_PERIOD_S / 100.0
        consumed, provisioned = f"Consumed{self.access}CapacityUnits", f"Provisioned{self.access}CapacityUnits"
        high = tracked * self.policy.target_percent
        low = tracked * max(0.0, self.policy.target_percent - settings.scale_in_margin_percent)
        return (
            self._alarm("AlarmHigh", consumed, high, settings.scale_out_points),
            self._alarm("AlarmLow", consumed, low, settings.scale_in_points),
            self._alarm("ProvisionedCapacityHigh", provisioned, float(self.capacity), settings.capacity_high_points),
            self._alarm("ProvisionedCapacityLow", provisioned, float(self.capacity), settings.capacity_low_points),
        )

    def _alarm(self, kind: AlarmKind, metric: str, threshold: float, periods: int) -> Alarm:
        is_consumed = kind in ("AlarmHigh", "AlarmLow")
        return Alarm(
            name=self._alarm_name(kind),
            kind=kind,
            metric=metric,
            statistic="Sum" if is_consumed else "Average",
            period_s=ALARM_PERIOD_S if is_consumed else CAPACITY_ALARM_PERIOD_S,
            comparison="GreaterThanThreshold" if kind.endswith("High") else "LessThanThreshold",
            threshold=threshold,
            evaluation_periods=periods,
            state=self._state(kind),
        )

    def _state(self, kind: AlarmKind) -> Literal["OK", "ALARM", "INSUFFICIENT_DATA"]:
        settings = self._settings
        full = self.capacity * settings.scaling_period_s / 100.0
        target = self.policy.target_percent
        match kind:
            case "AlarmHigh":
                return evaluate(self._visible_points(), settings.scale_out_points, full * target, above=True)
            case "AlarmLow":
                low = full * max(0.0, target - settings.scale_in_margin_percent)
                return evaluate(self._visible_points(), settings.scale_in_points, low, above=False)
            case "ProvisionedCapacityHigh":
                return evaluate([*self._averages], settings.capacity_high_points, self.capacity, above=True)
            case "ProvisionedCapacityLow":
                return evaluate([*self._averages], settings.capacity_low_points, self.capacity, above=False)

    def _visible_points(self) -> list[float | None]:
        points = list(self._points)
        return points[: len(points) - self._settings.alarm_lag_points]

    def _may_scale_out(self, wanted: int, now: float) -> bool:
        when, reached = self._last_out
        cooling = now - when < self.policy.scale_out_cooldown_s
        return not self.scale_out_suspended and (not cooling or wanted > reached)

    def _may_scale_in(self, now: float) -> bool:
        if self.policy.disable_scale_in or self.scale_in_suspended:
            return False
        return now - self._last_in >= self.policy.scale_in_cooldown_s

    def _notice_manual_change(self, provisioned: float) -> None:
        """Follow a capacity that someone else set, once the ProvisionedCapacity alarms have seen it."""
        if self.in_progress is not None:
            return
        self._minutes.append(provisioned)
        if len(self._minutes) < CAPACITY_ALARM_PERIOD_S // ALARM_PERIOD_S:
            return
        self._averages.append(sum(self._minutes) / len(self._minutes))
        self._minutes.clear()
        if "ALARM" in (self._state("ProvisionedCapacityHigh"), self._state("ProvisionedCapacityLow")):
            self.capacity = int(provisioned)

    def _return_to_bounds(self, now: float) -> Activity:
        wanted = self.bounds.clamp(self.capacity)
        bound = "minimum" if wanted > self.capacity else "maximum"
        return self._start(wanted, f"{bound} capacity was set to {wanted}", now)

    def _start(self, capacity: int, cause: str, now: float) -> Activity:
        text = f"{self.access.lower()} capacity units to {capacity}"
        message = f"Successfully set {text}. Waiting for change to be fulfilled by dynamodb."
        self.in_progress = Activity(capacity, f"Setting {text}.", cause, now, "InProgress", message)
        return self.in_progress

    def _end(self, status: Literal["Successful", "Failed"], message: str, now: float) -> Activity:
        if self.in_progress is None:
            raise ValueError(f"no scaling activity is in progress for {self.resource_id}")
        done = replace(self.in_progress, status=status, status_message=message, ended=now)
        self.in_progress = None
        self.activities.append(done)
        return done

    def _what(self) -> str:
        capacity = self.in_progress.capacity if self.in_progress else self.capacity
        return f"{self.access.lower()} capacity units to {capacity}"

    def _alarm_cause(self, kind: AlarmKind) -> str:
        return f"monitor alarm {self._alarm_name(kind)} in state ALARM triggered policy {self.policy.name}"

    def _alarm_name(self, kind: AlarmKind) -> str:
        return f"TargetTracking-{self.resource_id}-{kind}-{self.alarm_id}"
