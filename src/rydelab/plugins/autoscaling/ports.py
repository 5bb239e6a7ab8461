"""What the targets need of DynamoDB and CloudWatch."""

from dataclasses import dataclass
from typing import Protocol

from rydelab.capacity.alarms import Alarm
from rydelab.plugins.autoscaling.names import ScalableId


@dataclass(frozen=True, slots=True)
class Reading:
    """The capacity of a `ScalableId` at one moment."""

    provisioned: int | None
    """Units a second; None while the table is on-demand."""
    consumed_units: float | None
    """Units consumed since it was made, a number that only grows; None if nobody counts them."""
    updating: bool
    """Whether an UpdateTable is under way, so that another would be refused."""


class TableBusyError(Exception):
    """The table is being updated; the same request may be accepted later."""


class UpdateRefusedError(Exception):
    """DynamoDB refused an update; the message is its own."""


class Tables(Protocol):
    """The tables of one account and region."""

    def read(self, scalable: ScalableId) -> Reading | None:
        """Return the present capacity, None if there is no such table or index."""

    def set_capacity(self, scalable: ScalableId, units: int) -> None:
        """Ask for *units* a second; what else the table has stays. Raise TableBusyError or UpdateRefusedError."""


class AlarmBoard(Protocol):
    """CloudWatch's alarms of one account and region."""

    def put(self, alarm: Alarm, scalable: ScalableId, policy_arn: str) -> None:
        """Make or replace the alarm of that name; its state is INSUFFICIENT_DATA."""

    def set_state(self, alarm: Alarm) -> None:
        """Give the alarm of that name the state of *alarm*; an alarm that somebody deleted is left alone."""

    def delete(self, names: list[str]) -> None:
        """Delete the alarms that are there."""
