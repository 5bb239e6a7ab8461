"""What CreateTable and UpdateTable say about throughput, and the rules that values must keep (A10)."""

from dataclasses import dataclass

from rydelab.capacity.errors import InvalidThroughputError, LimitExceededError
from rydelab.capacity.settings import Settings
from rydelab.capacity.throttling import Access, BillingMode

NO_MAXIMUM = -1.0
"""In a request: remove the maximum of on-demand throughput."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Read and write units per second."""

    read: float
    write: float

    def of(self, access: Access) -> float:
        """Return the units of one access."""
        return self.read if access is Access.READ else self.write


@dataclass(frozen=True, slots=True)
class Change:
    """New units per second for reads, for writes, or both; None leaves a value as it is."""

    read: float | None = None
    write: float | None = None

    def of(self, access: Access) -> float | None:
        """Return the new value of one access."""
        return self.read if access is Access.READ else self.write


UNCHANGED = Change()


@dataclass(frozen=True, slots=True)
class ThroughputSettings:
    """The throughput of one table or global index in a request.

    ``provisioned`` is needed in provisioned mode and forbidden in on-demand. ``on_demand_maximum`` is
    OnDemandThroughput (NO_MAXIMUM removes one), ``warm`` is WarmThroughput.
    """

    provisioned: Throughput | None = None
    on_demand_maximum: Change = UNCHANGED
    warm: Change = UNCHANGED


NO_SETTINGS = ThroughputSettings()


def check_values(name: str, wanted: ThroughputSettings, mode: BillingMode, settings: Settings) -> None:
    """Raise CapacityError if *wanted* cannot be the throughput of table or index *name* in *mode*."""
    if wanted.provisioned is not None and mode is BillingMode.ON_DEMAND:
        raise InvalidThroughputError(
            "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be "
            f"specified when BillingMode is PAY_PER_REQUEST ({name})"
        )
    quotas = {Access.READ: settings.table_read_quota, Access.WRITE: settings.table_write_quota}
    for access, quota in quotas.items():
        for field, value in (
            (f"{access}CapacityUnits", wanted.provisioned.of(access) if wanted.provisioned else None),
            (f"Max{access}RequestUnits", wanted.on_demand_maximum.of(access)),
            (f"WarmThroughput.{access}UnitsPerSecond", wanted.warm.of(access)),
        ):
            if value is None or (value == NO_MAXIMUM and field.startswith("Max")):
                continue
            if not value >= 1:
                raise InvalidThroughputError(f"{field} of {name} must be at least 1, got {value:g}")
            if value > quota:
                raise LimitExceededError(
                    f"Subscriber limit exceeded: {field} of {name} may be {quota:g} at most, got {value:g}"
                )
