"""Tables for the timelines."""

from collections.abc import Callable

import pytest

from rydelab.capacity.charges import WriteCharge
from rydelab.capacity.schema import Index, TableSchema
from rydelab.capacity.settings import Settings
from rydelab.capacity.table import Table
from rydelab.capacity.throttling import BillingMode
from rydelab.capacity.throughput import UNCHANGED, Change, Throughput, ThroughputSettings

MakeTable = Callable[..., Table]
DEFAULTS = Settings()


@pytest.fixture
def make_table() -> MakeTable:
    """Return a maker of tables ``Rides`` (key ``RideId``) with throughput given as plain numbers."""

    def make(
        *,
        read: float = 1,
        write: float = 1,
        on_demand: bool = False,
        maximum: Change = UNCHANGED,
        warm: Change = UNCHANGED,
        indexes: dict[str, Throughput | None] | None = None,
        settings: Settings = DEFAULTS,
        size_bytes: int = 0,
        now: float = 0.0,
    ) -> Table:
        indexes = indexes or {}
        schema = TableSchema("Rides", "RideId", indexes=tuple(Index(name, name + "Key") for name in indexes))
        return Table(
            schema,
            mode=BillingMode.ON_DEMAND if on_demand else BillingMode.PROVISIONED,
            throughput=ThroughputSettings(None if on_demand else Throughput(read, write), maximum, warm),
            index_throughput={name: ThroughputSettings(provisioned) for name, provisioned in indexes.items()},
            settings=settings,
            size_bytes=size_bytes,
            now=now,
        )

    return make


@pytest.fixture
def flood() -> Callable[..., int]:
    """Return a function that writes 1-unit items to spread keys as fast as it can and counts what is admitted."""

    def flood(
        table: Table, *, start: float, seconds: float, per_second: int, position: int | None = None, units: float = 1.0
    ) -> int:
        admitted = 0
        for number in range(round(seconds * per_second)):
            where = (number * 2654435761) % 2**32 if position is None else position
            charge = WriteCharge(units, where)
            admitted += table.admit_write(charge, start + number / per_second).admitted
        return admitted

    return flood
