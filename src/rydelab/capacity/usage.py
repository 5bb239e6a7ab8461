"""What a bill is made of: how much of each service was used."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

ALARMS_OF_AUTO_SCALING = 8
"""What Application Auto Scaling keeps in CloudWatch for a table: four for its reads, four for its writes."""
POLLERS = 5
LONG_POLL_S = 20.0
"""How many pollers Lambda begins with for a standard queue, and how long each waits for a message (docs/cost.md)."""


@dataclass(frozen=True, slots=True)
class FunctionUse:
    """What Lambda charges for one function."""

    invocations: float
    busy_s: float
    """Billed time: the handler's, and the start of environments."""
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of one deployment over some time, counted or estimated; estimates need not be whole."""

    gateway_requests: float = 0.0
    functions: Mapping[str, FunctionUse] = field(default_factory=dict)
    """By name, or by whatever tells them apart."""
    sns_publishes: float = 0.0
    sqs_requests: float = 0.0
    """Sends, and the receives and deletes of Lambda's pollers, with the receives that found nothing."""
    sqs_sends: float = 0.0
    """The part of `sqs_requests` that filled a queue: by SNS, or with dead letters."""
    sqs_empty_receives: float = 0.0
    """The part of `sqs_requests` that found nothing, where it is known apart."""
    write_units: float = 0.0
    """Consumed by RideRecordTable."""
    read_units: float = 0.0
    """Consumed by UnicornsTable, which is on-demand in every design."""
    provisioned_write_unit_s: float = 0.0
    """RideRecordTable's provisioned units, summed over the seconds; 0 on-demand."""
    provisioned_read_unit_s: float = 0.0
    stored_bytes: float = 0.0
    """What RideRecordTable holds of these rides, as DescribeTable counts it."""
    stored_items: float = 0.0
    log_bytes: float = 0.0
    """What functions wrote to CloudWatch Logs."""
    alarms: float = 0.0
    """CloudWatch alarms that auto scaling keeps, however long."""
    duration_s: float = 0.0
    """The time in which all this was used, and over which provisioned units are summed."""
    load_s: float = 0.0
    """The part of it in which arrivals came."""

    @property
    def is_provisioned(self) -> bool:
        """Whether RideRecordTable is paid for by the hour, and not by the request."""
        return self.provisioned_write_unit_s > 0


def summed(usages: Sequence[Usage]) -> Usage:
    """Return the use of several deployments, one after another; of the same functions and alarms, if any."""
    functions: dict[str, FunctionUse] = {}
    for usage in usages:
        for name, use in usage.functions.items():
            before = functions.get(name, FunctionUse(0.0, 0.0, use.memory_mb))
            functions[name] = FunctionUse(
                before.invocations + use.invocations, before.busy_s + use.busy_s, use.memory_mb
            )
    totals = {
        one.name: sum(getattr(usage, one.name) for usage in usages)
        for one in fields(Usage)
        if one.name not in {"functions", "alarms"}
    }
    return Usage(functions=functions, alarms=max((usage.alarms for usage in usages), default=0.0), **totals)


def empty_receives(receives: float, *, duration_s: float) -> float:
    """Estimate how many long polls found nothing in a time in which *receives* found something.

    Takes it that these came at random times, and that all pollers wait for them: a poll ends empty if none of its share
    comes within `LONG_POLL_S`. Without any, each poller asks once per `LONG_POLL_S`.
    """
    awaited = receives * LONG_POLL_S / (POLLERS * duration_s) if duration_s else 0.0
    if awaited == 0:
        return POLLERS * duration_s / LONG_POLL_S
    return receives / math.expm1(awaited) if awaited < _NEVER_EMPTY else 0.0


_NEVER_EMPTY = 50.0
"""So many receives expected within one poll leave no empty one: e**-50."""
