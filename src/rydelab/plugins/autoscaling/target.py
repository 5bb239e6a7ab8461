"""A scalable target: what was registered for it, and how its capacity moves."""

import uuid
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime

from rydelab.capacity.autoscaling import Activity, Bounds, Policy, Scaler
from rydelab.capacity.schedule import ScheduledAction
from rydelab.capacity.settings import Settings
from rydelab.plugins.autoscaling.names import ScalableId
from rydelab.plugins.autoscaling.ports import Reading, TableBusyError, Tables, UpdateRefusedError
from rydelab.plugins.autoscaling.records import ActionRecord, PolicyRecord, Suspended

# A target without a policy still keeps its bounds and runs scheduled actions: its scaler tracks nothing.
_NO_POLICY = Policy(name="", target_percent=90.0)


class Target:
    """One scalable target and its scaler. Not thread-safe; ``now`` is Unix time in seconds."""

    def __init__(
        self,
        scalable: ScalableId,
        *,
        bounds: Bounds,
        capacity: int,
        arn: str,
        role_arn: str,
        settings: Settings,
        clock_speed: float,
        now: float,
    ) -> None:
        """Begin without a policy. *settings* are the lab's; *clock_speed* divides what clients give in seconds."""
        self.id = scalable
        self.arn = arn
        self.role_arn = role_arn
        self.created = datetime.fromtimestamp(now, UTC)
        self.tags: dict[str, str] = {}
        self.policy: PolicyRecord | None = None
        self.actions: dict[str, ActionRecord] = {}
        self.activities: deque[tuple[str, Activity]] = deque(maxlen=settings.scaling_activities)
        """Each with its ActivityId, oldest first."""
        self.scaler = Scaler(
            resource_id=scalable.resource_id,
            access=scalable.access,
            policy=_NO_POLICY,
            bounds=bounds,
            capacity=capacity,
            alarm_id=str(uuid.uuid4()),
            settings=settings,
        )
        self._suspended = Suspended()
        self._clock_speed = clock_speed
        self._points_seen = max(settings.scale_out_points, settings.scale_in_points) + settings.alarm_lag_points
        self._consumed_before: float | None = None
        self._applied = False  # whether DynamoDB accepted the update of the activity in progress
        self._suspend()

    # What clients ask for

    @property
    def suspended(self) -> Suspended:
        """What is suspended."""
        return self._suspended

    @suspended.setter
    def suspended(self, suspended: Suspended) -> None:
        self._suspended = suspended
        self._suspend()

    def set_bounds(self, bounds: Bounds, now: float) -> None:
        """Change MinCapacity and MaxCapacity; a capacity outside them is moved at once."""
        self._begin(self.scaler.set_bounds(bounds, now))

    def put_policy(self, record: PolicyRecord, reading: Reading | None) -> None:
        """Make or change the policy. Raise ValueError for values that AWS forbids."""
        configuration = record.configuration
        policy = Policy(
            name=record.name,
            target_percent=float(configuration["TargetValue"]),
            scale_out_cooldown_s=(configuration.get("ScaleOutCooldown") or 0) / self._clock_speed,
            scale_in_cooldown_s=(configuration.get("ScaleInCooldown") or 0) / self._clock_speed,
            disable_scale_in=bool(configuration.get("DisableScaleIn")),
        )
        if self.policy is None:
            self.scaler.alarm_id = str(uuid.uuid4())
        if self.scaler.in_progress is None and reading is not None and reading.provisioned is not None:
            self.scaler.capacity = reading.provisioned
        if self._consumed_before is None and reading is not None:
            # What is consumed from now on counts in the period that is under way: CloudWatch would have all of it.
            self._consumed_before = reading.consumed_units
        self.policy = record
        self.scaler.policy = policy
        self._suspend()

    def delete_policy(self) -> None:
        """Stop tracking; bounds and scheduled actions stay."""
        self.policy = None
        self.scaler.policy = _NO_POLICY
        self._suspend()

    # What happens by itself

    @property
    def due(self) -> float | None:
        """When the next scheduled action is due."""
        return min((record.due for record in self.actions.values() if record.due is not None), default=None)

    @property
    def is_scaling(self) -> bool:
        """Whether an activity is in progress."""
        return self.scaler.in_progress is not None

    def observe(self, reading: Reading | None, *, periods: int, now: float) -> None:
        """Take the points of *periods* scaling periods that have ended since the last call, mostly one."""
        provisioned = reading.provisioned if reading else None
        consumed = reading.consumed_units if reading else None
        before, self._consumed_before = self._consumed_before, consumed
        if provisioned is None or consumed is None:
            self._feed(None, self.scaler.capacity, periods, now)
        elif before is not None:
            # A table that was made anew counts from zero. Several periods at once: their mean, once for each.
            units = consumed - before if consumed >= before else consumed
            self._feed(units / periods, provisioned, periods, now)
        # Else the table has just come, and what it had consumed before is not known.

    def carry_on(self, tables: Tables, now: float) -> None:
        """Run the scheduled actions that are due, and move the activity in progress by one step."""
        for record in self.actions.values():
            if record.due is not None and record.due <= now:
                record.due = record.action.schedule.next_after(now)
                if not self._suspended.scheduled:
                    self._run(record.action, now)
        if self.scaler.in_progress is not None:
            self._step(self.scaler.in_progress, tables, now)

    # Inside

    def _suspend(self) -> None:
        self.scaler.scale_in_suspended = self._suspended.scale_in or self.policy is None
        self.scaler.scale_out_suspended = self._suspended.scale_out or self.policy is None

    def _feed(self, units: float | None, provisioned: int, periods: int, now: float) -> None:
        for _ in range(min(periods, self._points_seen)):  # a machine may have slept for hours
            self._begin(self.scaler.observe(units, provisioned, now))

    def _run(self, action: ScheduledAction, now: float) -> None:
        try:
            started = self.scaler.run(action, now)
        except ValueError as error:
            text = f"min capacity to {_or_same(action.minimum)} and max capacity to {_or_same(action.maximum)}"
            cause = f"scheduled action name {action.name} was triggered"
            message = f"Failed to set {text}. Reason: {error}"
            self._note(Activity(self.scaler.capacity, f"Setting {text}", cause, now, "Failed", message, now))
            return
        self._note(self.scaler.activities[-1])
        self._begin(started)

    def _begin(self, activity: Activity | None) -> None:
        if activity is not None:
            self._applied = False
            self._note(activity)

    def _step(self, activity: Activity, tables: Tables, now: float) -> None:
        reading = tables.read(self.id)
        if reading is not None and self._applied:
            if not reading.updating:
                self._end(self.scaler.fulfilled(now))
            return
        if reading is not None and reading.provisioned == activity.capacity and not reading.updating:
            self._end(self.scaler.fulfilled(now))  # somebody else has set it already
            return
        try:
            tables.set_capacity(self.id, activity.capacity)
        except TableBusyError:
            return  # a table takes one update at a time: the next step asks again
        except UpdateRefusedError as error:
            self._end(self.scaler.failed(str(error), now))
            return
        self._applied = True

    def _note(self, activity: Activity) -> None:
        self.activities.append((str(uuid.uuid4()), activity))

    def _end(self, done: Activity) -> None:
        statuses = [activity.status for _uid, activity in self.activities]
        if "InProgress" in statuses:
            place = statuses.index("InProgress")
            self.activities[place] = (self.activities[place][0], done)


def next_due(action: ScheduledAction, *, clock_speed: float, now: float) -> tuple[ScheduledAction, float | None]:
    """Return *action* as the lab's clock has it, and when it is due first after *now*.

    A rate is an interval and passes *clock_speed* times faster, counted from its start or else from *now*; ``at`` and
    ``cron`` name moments of the calendar, which stay.
    """
    schedule = action.schedule
    if schedule.every_s is not None:
        schedule = replace(schedule, every_s=schedule.every_s / clock_speed, start=schedule.start or now)
        action = replace(action, schedule=schedule)
    return action, schedule.next_after(now)


def _or_same(bound: int | None) -> str:
    return "its present value" if bound is None else str(bound)
