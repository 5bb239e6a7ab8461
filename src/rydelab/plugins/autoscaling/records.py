"""What clients have asked for, and is shown to them again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rydelab.capacity.schedule import ScheduledAction


@dataclass(frozen=True, slots=True)
class Suspended:
    """Which kinds of scaling of a target are suspended."""

    scale_in: bool = False
    scale_out: bool = False
    scheduled: bool = False

    def changed(self, state: Mapping[str, bool]) -> "Suspended":
        """Return it with what a request's SuspendedState says."""
        return Suspended(
            scale_in=state.get("DynamicScalingInSuspended", self.scale_in),
            scale_out=state.get("DynamicScalingOutSuspended", self.scale_out),
            scheduled=state.get("ScheduledScalingSuspended", self.scheduled),
        )

    def as_member(self) -> dict[str, bool]:
        """Return SuspendedState."""
        return {
            "DynamicScalingInSuspended": self.scale_in,
            "DynamicScalingOutSuspended": self.scale_out,
            "ScheduledScalingSuspended": self.scheduled,
        }


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """A target tracking policy."""

    name: str
    arn: str
    created: datetime
    configuration: Mapping[str, Any]
    """TargetTrackingScalingPolicyConfiguration as it was given."""

    def with_configuration(self, configuration: Mapping[str, Any]) -> "PolicyRecord":
        """Return it with another configuration."""
        return replace(self, configuration=configuration)


@dataclass(slots=True)
class ActionRecord:
    """A scheduled action, and when it is due next."""

    name: str
    arn: str
    created: datetime
    request: dict[str, Any]
    """Schedule, Timezone, StartTime, EndTime and ScalableTargetAction as they were given."""
    action: ScheduledAction
    due: float | None
    """Unix seconds; None if never again."""
