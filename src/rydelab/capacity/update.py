"""What an UpdateTable asks, and whether it is allowed (A10)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rydelab.capacity.errors import InvalidThroughputError, LimitExceededError
from rydelab.capacity.quotas import SwitchQuota
from rydelab.capacity.resource import Resource
from rydelab.capacity.settings import Settings
from rydelab.capacity.throttling import Access, BillingMode
from rydelab.capacity.throughput import NO_SETTINGS, Throughput, ThroughputSettings, check_values


@dataclass(frozen=True, slots=True)
class Update:
    """The throughput part of an UpdateTable. What is None, or not named, stays as it is."""

    mode: BillingMode | None = None
    throughput: ThroughputSettings = NO_SETTINGS
    index_throughput: Mapping[str, ThroughputSettings] = field(default_factory=dict)

    def of(self, index: str | None) -> ThroughputSettings:
        """Return what is asked for the base table (None) or a global index."""
        return self.throughput if index is None else self.index_throughput.get(index, NO_SETTINGS)


@dataclass(frozen=True, slots=True)
class PendingUpdate:
    """An update that was accepted and takes effect at ``ready_at``."""

    ready_at: float
    mode: BillingMode
    update: Update


def label(table: str, index: str | None) -> str:
    """Name a table or index for people."""
    return f"table {table}" if index is None else f"index {index} of table {table}"


def check_throughput(
    table: str,
    indexes: Collection[str | None],
    update: Update,
    mode: BillingMode,
    settings: Settings,
    *,
    must_provision: bool,
) -> None:
    """Raise CapacityError if *update* names an unknown index, or a value that *mode* or a table quota forbids."""
    for name in update.index_throughput:
        if name not in indexes:
            raise InvalidThroughputError(f"table {table} has no global index {name!r}")
    for index in indexes:
        wanted = update.of(index)
        if must_provision and mode is BillingMode.PROVISIONED and wanted.provisioned is None:
            raise InvalidThroughputError(
                "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be "
                f"specified when BillingMode is PROVISIONED ({label(table, index)})"
            )
        check_values(label(table, index), wanted, mode, settings)


def decreased_by(update: Update, table: str, resources: Mapping[str | None, Resource], now: float) -> list[Resource]:
    """Return the tables and indexes whose provisioned throughput *update* lowers.

    Raise CapacityError if one of them has no decrease left, or if new values equal the present ones: a combined
    request is refused whole.
    """
    decreased: list[Resource] = []
    for index, resource in resources.items():
        wanted = update.of(index).provisioned
        if wanted is None:
            continue
        present = resource.provisioned
        if wanted == present:
            raise InvalidThroughputError(_no_change(index, present))
        if any(wanted.of(access) < present.of(access) for access in Access):
            if not resource.decreases.allows(now):
                raise LimitExceededError(
                    "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "
                    f"The {label(table, index)} has had {resource.decreases.today(now)} decreases today. "
                    "Another is possible after the next full hour, or on the next UTC day."
                )
            decreased.append(resource)
    return decreased


def check_switch(table: str, switches: SwitchQuota, settings: Settings, now: float) -> None:
    """Raise LimitExceededError if *table* has no switch to on-demand left."""
    if not switches.allows(now):
        raise LimitExceededError(
            f"Subscriber limit exceeded: Update to PayPerRequest mode is limited to {settings.mode_switches} times in "
            f"{settings.mode_switch_window_s / 3600:g} hours. Last update of table {table} at {switches.last}"
        )


def _no_change(index: str | None, present: Throughput) -> str:
    what = "table" if index is None else f"index {index}"
    return (
        f"The provisioned throughput for the {what} will not change. The requested value equals the current value. "
        f"Current ReadCapacityUnits provisioned for the {what}: {present.read:g}. "
        f"Requested ReadCapacityUnits: {present.read:g}. "
        f"Current WriteCapacityUnits provisioned for the {what}: {present.write:g}. "
        f"Requested WriteCapacityUnits: {present.write:g}. "
        f"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
    )
