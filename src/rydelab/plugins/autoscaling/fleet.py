"""All scalable targets of one account and region."""

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from rydelab.capacity.autoscaling import Activity, Bounds
from rydelab.capacity.settings import Settings
from rydelab.plugins.autoscaling.errors import not_found
from rydelab.plugins.autoscaling.names import Place, ScalableId
from rydelab.plugins.autoscaling.policy_alarms import PolicyAlarms
from rydelab.plugins.autoscaling.ports import AlarmBoard, Tables
from rydelab.plugins.autoscaling.records import PolicyRecord
from rydelab.plugins.autoscaling.target import Target

LOG = logging.getLogger(__name__)

REMEMBERED_TARGETS = 100
"""Deregistered targets whose activities are still shown."""


class Fleet:
    """The targets, and what moves them. Whoever calls a method holds ``lock``; ``now`` is Unix time in seconds."""

    def __init__(
        self, place: Place, *, tables: Tables, alarms: AlarmBoard, settings: Settings, clock_speed: float
    ) -> None:
        """Begin without targets; *settings* are those of the lab's clock speed."""
        self.place = place
        self.tables = tables
        self.clock_speed = clock_speed
        self.lock = threading.RLock()
        self.targets: dict[ScalableId, Target] = {}
        self._gone: dict[ScalableId, Target] = {}  # deregistered: their activities are still shown
        self._alarms = PolicyAlarms(alarms)
        self._settings = settings

    def target(self, scalable: ScalableId, *, verb: str = "found") -> Target:
        """Return the target, or raise ApiError if it is not registered."""
        try:
            return self.targets[scalable]
        except KeyError:
            raise not_found(f"No scalable target {verb} for {scalable}") from None

    def add(self, scalable: ScalableId, bounds: Bounds, *, capacity: int, now: float) -> Target:
        """Register a new target."""
        # AWS's identifiers have 34 digits, of which the first two are 0a.
        uid = f"0a{uuid.uuid4().hex}"
        target = Target(
            scalable,
            bounds=bounds,
            capacity=capacity,
            arn=self.place.target_arn(uid),
            role_arn=self.place.role_arn,
            settings=self._settings,
            clock_speed=self.clock_speed,
            now=now,
        )
        if (gone := self._gone.pop(scalable, None)) is not None:
            target.activities.extend(gone.activities)
        self.targets[scalable] = target
        return target

    def remove(self, scalable: ScalableId) -> None:
        """Deregister a target with its policy, alarms and scheduled actions."""
        target = self.target(scalable)
        self._alarms.remove(scalable)
        del self.targets[scalable]
        self._gone[scalable] = target
        if len(self._gone) > REMEMBERED_TARGETS:
            del self._gone[next(iter(self._gone))]

    def put_policy(self, target: Target, record: PolicyRecord) -> None:
        """Make or change the policy of *target*, and its alarms."""
        target.put_policy(record, self.tables.read(target.id))
        self._alarms.show(target)

    def delete_policy(self, target: Target) -> None:
        """Delete the policy of *target*, and its alarms."""
        target.delete_policy()
        self._alarms.show(target)

    def activities(self) -> Iterator[tuple[Target, str, Activity]]:
        """Yield every activity that is remembered, with its target and its id."""
        for target in (*self.targets.values(), *self._gone.values()):
            for uid, activity in target.activities:
                yield target, uid, activity

    # The loop

    def observe(self, *, periods: int, now: float) -> None:
        """Take a point of each target, at the end of a scaling period; *periods* is how many have ended."""
        for target in list(self.targets.values()):
            with _by_itself(target):
                target.observe(self.tables.read(target.id), periods=periods, now=now)

    def carry_on(self, now: float) -> None:
        """Do what is due: scheduled actions, updates, alarms."""
        for target in list(self.targets.values()):
            with _by_itself(target):
                target.carry_on(self.tables, now)
                self._alarms.show(target)

    @property
    def is_scaling(self) -> bool:
        """Whether some activity is in progress."""
        return any(target.is_scaling for target in self.targets.values())

    @property
    def due(self) -> float | None:
        """When the next scheduled action is due."""
        return min((target.due for target in self.targets.values() if target.due is not None), default=None)


@contextmanager
def _by_itself(target: Target) -> Iterator[None]:
    """Keep what goes wrong with one target from the others: the loop goes on, and the log says what happened."""
    try:
        yield
    except Exception:
        LOG.exception("auto scaling of %s (%s) failed", target.id.resource_id, target.id.dimension)
