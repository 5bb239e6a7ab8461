"""The store's tables with their capacity: what is asked of both under one lock."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock, RLock
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from rydelab.capacity.charges import ReadCharge, WriteCharge
from rydelab.capacity.errors import CapacityError
from rydelab.capacity.positions import position_of
from rydelab.capacity.quotas import Account
from rydelab.capacity.table import Charge, Status, Table
from rydelab.capacity.throttling import BillingMode, Decision
from rydelab.plugins.dynamodb.clock import Clock
from rydelab.plugins.dynamodb.series import TableSeries
from rydelab.plugins.dynamodb.settings import DynamoDbSettings
from rydelab.plugins.dynamodb.store.errors import DynamoError
from rydelab.plugins.dynamodb.store.pages import PageRequest
from rydelab.plugins.dynamodb.store.table import OrderedTable
from rydelab.plugins.dynamodb.terms import Description, index_throughput_of, mode_of, schema_of, throughput_of
from rydelab.plugins.metric_writer import Statistics

type Place = tuple[str, str]
"""Account and region."""


class MeteredTable:
    """A table of the store and its capacity.

    ``lock`` is the table's own, which the store's sessions hold too. The caller holds it for every method that does
    not say otherwise.
    """

    def __init__(self, table: OrderedTable, capacity: Table, clock: Clock, *, series_length: int) -> None:
        self.table = table
        self.capacity = capacity
        self.lock = table.lock
        self.place: Place = (table.account_id, table.region_name)
        self.series = TableSeries(capacity, length=series_length, now=clock.now())
        self.index_changes: dict[str, float] = {}
        """Global indexes being created or deleted: when that is complete."""
        self._clock = clock
        self._counts_lock = Lock()
        self._counts: dict[tuple[str | None, str], Statistics] = {}

    def now(self) -> float:
        """Return the time for the capacity model, and close the second before it."""
        now = self._clock.now()
        if now >= self.series.ends_at:
            self.series.close(now)
        return now

    def admit(self, charge: Charge) -> Decision:
        """Admit *charge*, or refuse it and take nothing."""
        if isinstance(charge, WriteCharge):
            return self.capacity.admit_write(charge, self.now())
        return self.capacity.admit_read(charge, self.now())

    def open_page(self, request: PageRequest) -> Decision:
        """Say whether a page may be read. It is charged by :meth:`close_page`."""
        index = request.index.name if request.index is not None and request.index.is_global else None
        position = None if request.partition_key is None else position_of(request.partition_key)
        return self.capacity.open_page(self.now(), position=position, index=index)

    def close_page(self, charge: ReadCharge) -> Decision:
        """Charge a page that was read; refused, it must not be returned."""
        return self.capacity.close_page(charge, self.now())

    def status(self) -> Status:
        """Return TableStatus."""
        now = self.now()
        self.index_changes = {name: ready_at for name, ready_at in self.index_changes.items() if now < ready_at}
        return "UPDATING" if self.index_changes else self.capacity.status(now)

    def note(self, operation: str | None, metric: str, value: float) -> None:
        """Add a value to a CloudWatch metric of this table, or of one operation on it. Needs no lock."""
        with self._counts_lock:
            statistics = self._counts.get((operation, metric))
            if statistics is None:
                statistics = self._counts[operation, metric] = Statistics()
            statistics.add(value)

    def take_notes(self) -> dict[tuple[str | None, str], Statistics]:
        """Return what was noted since the last call, by operation and metric. Needs no lock."""
        with self._counts_lock:
            counts, self._counts = self._counts, {}
        return counts


class MeteredTables:
    """All metered tables of the emulator, and the quotas of its accounts. Safe to use from many threads.

    ``control`` is held by what creates, changes or deletes tables; it is taken before a table's lock, never after.
    """

    def __init__(self, settings: DynamoDbSettings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.control = RLock()
        self._metered: dict[OrderedTable, MeteredTable] = {}
        self._accounts: dict[Place, Account] = {}

    def of(self, table: OrderedTable) -> MeteredTable:
        """Return a table with its capacity. The caller does not hold the table's lock.

        A table that did not come by CreateTable (a restored or imported one) gets its capacity here.
        """
        metered = self._metered.get(table)
        return self.adopt(table) if metered is None else metered

    def adopt(self, table: OrderedTable) -> MeteredTable:
        """Give a table its capacity, by what moto knows of its throughput. Raises DynamoError."""
        with self.control:
            metered = self._metered.get(table)
            return self.add(table, _description(table)) if metered is None else metered

    def add(self, table: OrderedTable, description: Description) -> MeteredTable:
        """Give a table the capacity that CreateTable described. Raises DynamoError; then nothing has changed."""
        with self.control, capacity_errors():
            now = self.clock.now()
            capacity = Table(
                schema_of(table),
                mode=mode_of(description),
                throughput=throughput_of(description),
                index_throughput=index_throughput_of(description.get("GlobalSecondaryIndexes")),
                size_bytes=table.collection.size_bytes,
                settings=self.settings.capacity,
                account=self.account((table.account_id, table.region_name)),
                now=now,
            )
            metered = MeteredTable(table, capacity, self.clock, series_length=self.settings.series_s)
            self._metered[table] = metered
            return metered

    def find(self, place: Place, name: str) -> MeteredTable | None:
        """Return a table by its name, None if there is none."""
        account, region = place
        table = dynamodb_backends[account][region].tables.get(name)
        return None if table is None else self.of(table)

    def remove(self, metered: MeteredTable) -> None:
        """Forget a deleted table and give its units back to the account."""
        with self.control:
            if self._metered.pop(metered.table, None) is not None:
                metered.capacity.delete()

    def account(self, place: Place) -> Account:
        """Return the quotas of one account and region."""
        with self.control:
            return self._accounts.setdefault(place, Account(self.settings.capacity))

    def all(self) -> list[MeteredTable]:
        """Return every metered table that is still there; those deleted behind our back are forgotten."""
        with self.control:
            for metered in list(self._metered.values()):
                account, region = metered.place
                if dynamodb_backends[account][region].tables.get(metered.table.name) is not metered.table:
                    self.remove(metered)
            return list(self._metered.values())


@contextmanager
def locked(tables: Iterable[MeteredTable]) -> Iterator[None]:
    """Hold the locks of several tables, taken in the order in which the store takes them."""
    with ExitStack() as stack:
        for metered in sorted(set(tables), key=lambda metered: str(metered.table.table_arn)):
            stack.enter_context(metered.lock)
        yield


@contextmanager
def capacity_errors() -> Iterator[None]:
    """Translate the capacity model's refusals inside the block into what the API answers."""
    try:
        yield
    except CapacityError as error:
        raise DynamoError(error.code, str(error)) from error


def _description(table: OrderedTable) -> Description:
    """Describe a table's throughput as CreateTable would have."""
    mode = table.billing_mode or BillingMode.PROVISIONED

    def units(one: Any) -> dict[str, Any]:
        return {"ProvisionedThroughput": one.throughput} if mode == BillingMode.PROVISIONED else {}

    indexes = [{"IndexName": index.name, **units(index)} for index in table.global_indexes]
    return {"BillingMode": mode, **units(table), "GlobalSecondaryIndexes": indexes}
