"""A world of auto scaling without LocalStack: tables and alarms are dictionaries, and time is what a test says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from rydelab.capacity.alarms import Alarm
from rydelab.capacity.settings import Settings
from rydelab.plugins.autoscaling.api import Api
from rydelab.plugins.autoscaling.fleet import Fleet
from rydelab.plugins.autoscaling.names import Place, ScalableId
from rydelab.plugins.autoscaling.ports import Reading, TableBusyError, UpdateRefusedError

MIDNIGHT = 1_767_225_600.0  # 2026-01-01T00:00:00Z
WRITES = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/Rides",
    "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
}


@dataclass
class FakeTables:
    """Tables whose updates are accepted at once and done when a test says so."""

    units: dict[str, int] = field(default_factory=dict)
    """Provisioned units by resource id and access, such as ``table/Rides Write``."""
    consumed: dict[str, float] = field(default_factory=dict)
    pending: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)
    on_demand: bool = False
    refusal: str | None = None

    def read(self, scalable: ScalableId) -> Reading | None:
        """Return what the test has set."""
        name = f"{scalable.resource_id} {scalable.access}"
        if name not in self.units:
            return None
        provisioned = None if self.on_demand else self.units[name]
        return Reading(provisioned, self.consumed.get(name, 0.0), bool(self.pending))

    def set_capacity(self, scalable: ScalableId, units: int) -> None:
        """Begin an update."""
        if self.pending:
            raise TableBusyError
        if self.refusal:
            raise UpdateRefusedError(self.refusal)
        name = f"{scalable.resource_id} {scalable.access}"
        self.asked.append((name, units))
        self.pending[name] = units

    def finish_updates(self) -> None:
        """Let updates take effect."""
        self.units |= self.pending
        self.pending.clear()


@dataclass
class FakeBoard:
    """CloudWatch's alarms by name, and the ARN of the policy that each is for."""

    alarms: dict[str, Alarm] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    dimensions: dict[str, Any] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def put(self, alarm: Alarm, scalable: ScalableId, policy_arn: str) -> None:
        """Keep an alarm."""
        self.calls.append(f"put {alarm.kind}")
        self.alarms[alarm.name] = alarm
        self.policies[alarm.name] = policy_arn
        self.dimensions[alarm.name] = dict(scalable.metric_dimensions)
        self.states[alarm.name] = "INSUFFICIENT_DATA"

    def set_state(self, alarm: Alarm) -> None:
        """Keep its state."""
        self.calls.append(f"{alarm.kind} {alarm.state}")
        self.states[alarm.name] = alarm.state

    def delete(self, names: list[str]) -> None:
        """Forget alarms."""
        for name in names:
            del self.alarms[name], self.states[name]


class World:
    """One account and region."""

    def __init__(self, *, clock_speed: float = 1.0) -> None:
        self.now = MIDNIGHT
        self.tables = FakeTables({"table/Rides Read": 1, "table/Rides Write": 1, "table/Rides/index/ByDay Write": 3})
        self.board = FakeBoard()
        self.settings = Settings().at_clock_speed(clock_speed)
        self.fleet = Fleet(
            Place("000000000000", "us-east-1"),
            tables=self.tables,
            alarms=self.board,
            settings=self.settings,
            clock_speed=clock_speed,
        )
        self.api = Api(self.fleet, unix_time=lambda: self.now)

    def register(self, minimum: int = 1, maximum: int = 40, **members: Any) -> dict[str, Any]:
        """Register the writes of the table, or what *members* say."""
        request = {**WRITES, "MinCapacity": minimum, "MaxCapacity": maximum, **members}
        return self.api.register_scalable_target(request)

    def put_policy(self, target_value: float = 70.0, metric: str = "Write", **configuration: Any) -> dict[str, Any]:
        """Put the policy ``rides`` on the writes of the table."""
        return self.api.put_scaling_policy(self.policy_request(target_value, metric, **configuration))

    @staticmethod
    def policy_request(target_value: float = 70.0, metric: str = "Write", **configuration: Any) -> dict[str, Any]:
        """Return a PutScalingPolicy."""
        return {
            **WRITES,
            "PolicyName": "rides",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": target_value,
                "PredefinedMetricSpecification": {"PredefinedMetricType": f"DynamoDB{metric}CapacityUtilization"},
                **configuration,
            },
        }

    def minutes(self, count: int, *, units: float, name: str = "table/Rides Write") -> None:
        """Let *count* scaling periods pass in which *units* are consumed each; updates are done by their ends."""
        for _ in range(count):
            self.tables.consumed[name] = self.tables.consumed.get(name, 0.0) + units
            self.now += self.settings.scaling_period_s
            self.tables.finish_updates()
            self.fleet.carry_on(self.now)
            self.fleet.observe(periods=1, now=self.now)
            self.fleet.carry_on(self.now)

    def activities(self) -> list[dict[str, Any]]:
        """Return all activities, the latest first."""
        answer = self.api.describe_scaling_activities({"ServiceNamespace": "dynamodb"})
        activities: list[dict[str, Any]] = answer["ScalingActivities"]
        return activities


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def make_world() -> Callable[..., World]:
    return World
