"""A table under its throughput: what it admits, and how UpdateTable changes it."""

from collections.abc import Mapping, Sequence
from typing import Literal

from rydelab.capacity.bucket import Undo, roll_back
from rydelab.capacity.charges import ReadCharge, WriteCharge
from rydelab.capacity.errors import InvalidThroughputError, ResourceInUseError
from rydelab.capacity.limiter import Limiter
from rydelab.capacity.quotas import Account, SwitchQuota
from rydelab.capacity.resource import Resource
from rydelab.capacity.schema import Index, IndexScope, TableSchema
from rydelab.capacity.settings import Settings
from rydelab.capacity.throttling import ADMITTED, BillingMode, Decision, Throttle
from rydelab.capacity.throughput import NO_SETTINGS, UNCHANGED, ThroughputSettings
from rydelab.capacity.update import PendingUpdate, Update, check_switch, check_throughput, decreased_by, label

type Charge = ReadCharge | WriteCharge
type Status = Literal["ACTIVE", "UPDATING"]

DEFAULT_SETTINGS = Settings()


class Table:
    """Admits or refuses the requests to one table and its global indexes.

    Not thread-safe: the caller holds one lock per table (for a transaction, those of all its tables). ``now`` is in
    seconds; it must be Unix time for the decreases of a UTC day to fall on that day. Memory depends on the number
    of indexes and partitions, never on the number of requests or keys.
    """

    __slots__ = ("_account", "_pending", "_read", "_resources", "_switches", "_write", "mode", "schema", "settings")

    def __init__(
        self,
        schema: TableSchema,
        *,
        mode: BillingMode = BillingMode.PROVISIONED,
        throughput: ThroughputSettings = NO_SETTINGS,
        index_throughput: Mapping[str, ThroughputSettings] | None = None,
        size_bytes: int = 0,
        settings: Settings = DEFAULT_SETTINGS,
        account: Account | None = None,
        now: float,
    ) -> None:
        """Create the table; raise CapacityError for throughput that AWS would refuse. Burst buckets start full."""
        wanted = Update(mode, throughput, index_throughput or {})
        names = [None, *(index.name for index in schema.global_indexes)]
        check_throughput(schema.name, names, wanted, mode, settings, must_provision=True)
        self.schema = schema
        self.settings = settings
        self.mode = mode
        self._account = account
        self._switches = SwitchQuota(settings)
        self._pending: PendingUpdate | None = None
        self._resources: dict[str | None, Resource] = {}
        self._provision(names, wanted, mode)
        for name in names:
            self._add_resource(name, wanted.of(name), now, size_bytes if name is None else 0)
        self._read, self._write = self._resources[None].read, self._resources[None].write

    # Requests

    def admit_write(self, charge: WriteCharge, now: float) -> Decision:
        """Admit *charge* on the base table and every affected global index, or refuse it and take nothing."""
        if charge.global_writes:
            return self._admit_parts(charge, now)
        return self._write.admit(charge.units, charge.position, now)

    def admit_read(self, charge: ReadCharge, now: float) -> Decision:
        """Admit a read whose units are known, or refuse it and take nothing."""
        if charge.position is None:
            return self._admit_parts(charge, now)
        limiter = self._read if charge.index is None else self.resource(charge.index).read
        return limiter.admit(charge.units, charge.position, now)

    def open_page(self, now: float, *, position: int | None = None, index: str | None = None) -> Decision:
        """Say whether a Query or Scan page may be read at all; it is charged afterwards, by :meth:`close_page`.

        *position* is that of a Query's partition key, *index* names a global index. With the setting
        ``page_admission="after"`` every page may be read.
        """
        limiter = self.resource(index).read
        throttle = limiter.open_page(position, now) if self.settings.page_admission == "before" else None
        if throttle is None:
            return ADMITTED
        limiter.refuse(throttle)
        return Decision((throttle,))

    def close_page(self, charge: ReadCharge, now: float) -> Decision:
        """Charge a page that was read. Its units may leave the bucket in debt.

        With ``page_admission="after"`` the page may still be refused: it must then not be returned.
        """
        if self.settings.page_admission == "after":
            return self.admit_read(charge, now)
        self.resource(charge.index).read.charge(charge.units, charge.position, now)
        return ADMITTED

    def reserve(self, charge: Charge, now: float, undo: Undo) -> tuple[Throttle, ...]:
        """Take *charge* from every bucket, or take nothing and return every throttle.

        A step of :func:`rydelab.capacity.admission.admit_transaction`: then :meth:`count`, or roll *undo* back.
        """
        done = len(undo)
        throttles = [
            throttle
            for limiter, units, position in self._parts(charge)
            if (throttle := limiter.reserve(units, position, now, undo)) is not None
        ]
        if throttles:
            roll_back(undo, to=done)
        return tuple(throttles)

    def count(self, charge: Charge, now: float) -> None:
        """Count *charge*, which was reserved, as consumed."""
        for limiter, units, position in self._parts(charge):
            limiter.count(units, position, now)

    def refuse(self, throttles: Sequence[Throttle]) -> None:
        """Count throttle events of this table and its indexes."""
        for throttle in throttles:
            self.resource(throttle.index).limiters[throttle.access].refuse(throttle)

    # State

    @property
    def name(self) -> str:
        """The table's name."""
        return self.schema.name

    @property
    def resources(self) -> Mapping[str | None, Resource]:
        """The base table under None, and each global index under its name."""
        return self._resources

    def resource(self, index: str | None = None) -> Resource:
        """Return the base table, or the global index of that name."""
        try:
            return self._resources[index]
        except KeyError:
            raise ValueError(f"table {self.name} has no global index {index!r}") from None

    def status(self, now: float) -> Status:
        """Return TableStatus, which is also the IndexStatus of its indexes."""
        self.advance(now)
        return "ACTIVE" if self._pending is None else "UPDATING"

    def warm_status(self, now: float, index: str | None = None) -> Status:
        """Return the Status of WarmThroughput of the base table or a global index."""
        self.advance(now)
        return "ACTIVE" if self._pending is None or self._pending.update.of(index).warm == UNCHANGED else "UPDATING"

    @property
    def pending(self) -> PendingUpdate | None:
        """The update under way."""
        return self._pending

    @property
    def last_switch_to_on_demand(self) -> float | None:
        """LastUpdateToPayPerRequestDateTime: when the last switch was asked for."""
        return self._switches.last

    def advance(self, now: float) -> None:
        """Let everything happen that was due by *now*. Requests do this by themselves."""
        pending = self._pending
        if pending is not None and now >= pending.ready_at:
            self._pending = None
            self.mode = pending.mode
            for name, resource in self._resources.items():
                resource.configure(pending.mode, pending.update.of(name), pending.ready_at)
        for resource in self._resources.values():
            resource.follow_traffic(now)
        self._schedule()

    def store_size(self, size_bytes: int, now: float, *, index: str | None = None) -> None:
        """Tell how many bytes the table or index stores; partitions are added as it grows, never merged."""
        resource = self.resource(index)
        if size_bytes > len(resource.partitions) * self.settings.partition_bytes:
            resource.grow(now, size_bytes)

    # CreateTable, UpdateTable, DeleteTable

    def update(self, update: Update, now: float) -> float:
        """Accept an UpdateTable and return when it takes effect, or raise CapacityError and change nothing.

        Until then requests meet the old throughput, and a second update is refused.
        """
        self.advance(now)
        self._refuse_while_updating()
        mode = update.mode or self.mode
        switches = mode is not self.mode
        check_throughput(self.name, self._resources.keys(), update, mode, self.settings, must_provision=switches)
        decreased = [] if switches else decreased_by(update, self.name, self._resources, now)
        if switches and mode is BillingMode.ON_DEMAND:
            check_switch(self.name, self._switches, self.settings, now)
        self._provision(self._resources, update, mode)
        for resource in decreased:
            resource.decreases.spend(now)
        if switches and mode is BillingMode.ON_DEMAND:
            self._switches.spend(now)
        ready_at = now + (self.settings.mode_switch_delay_s if switches else self.settings.update_delay_s)
        self._pending = PendingUpdate(ready_at, mode, update)
        self._schedule()
        return ready_at

    def add_index(self, index: Index, now: float, throughput: ThroughputSettings = NO_SETTINGS) -> None:
        """Add a global index. From now on its capacity bounds the base table's writes, also while it is backfilled.

        Backfill itself is charged by ``resource(name).backfill``.
        """
        self.advance(now)
        self._refuse_while_updating()
        if index.scope is not IndexScope.GLOBAL:
            raise InvalidThroughputError(
                f"{label(self.name, index.name)} is local: local indexes come with the table only"
            )
        schema = self.schema.with_index(index)
        wanted = Update(index_throughput={index.name: throughput})
        check_throughput(self.name, [index.name], wanted, self.mode, self.settings, must_provision=True)
        self._provision([*self._resources, index.name], wanted, self.mode)
        self.schema = schema
        self._add_resource(index.name, throughput, now, 0)

    def remove_index(self, name: str, now: float) -> None:
        """Remove a global index and its throughput."""
        self.advance(now)
        self._refuse_while_updating()
        self.resource(name)
        del self._resources[name]
        self.schema = self.schema.without_index(name)
        self._provision(self._resources, Update(), self.mode)
        self._schedule()

    def delete(self) -> None:
        """Give the account its units back."""
        if self._account is not None:
            self._account.release(self.name)

    # Inside

    def _admit_parts(self, charge: Charge, now: float) -> Decision:
        throttles = self.reserve(charge, now, [])
        if throttles:
            self.refuse(throttles)
            return Decision(throttles)
        self.count(charge, now)
        return ADMITTED

    def _parts(self, charge: Charge) -> list[tuple[Limiter, float, int | None]]:
        if isinstance(charge, ReadCharge):
            return [(self.resource(charge.index).read, charge.units, charge.position)]
        parts: list[tuple[Limiter, float, int | None]] = [(self._write, charge.units, charge.position)]
        parts.extend((self.resource(part.index).write, part.units, part.position) for part in charge.global_writes)
        return parts

    def _add_resource(self, name: str | None, throughput: ThroughputSettings, now: float, size_bytes: int) -> None:
        resource = Resource(
            self.name,
            name,
            mode=self.mode,
            throughput=throughput,
            size_bytes=size_bytes,
            settings=self.settings,
            now=now,
        )
        for limiter in resource.limiters.values():
            limiter.wake = self.advance
        self._resources[name] = resource
        self._schedule()

    def _schedule(self) -> None:
        """Have the limiters call :meth:`advance` when something is due."""
        due = min(resource.due_at() for resource in self._resources.values())
        if self._pending is not None:
            due = min(due, self._pending.ready_at)
        for resource in self._resources.values():
            for limiter in resource.limiters.values():
                limiter.wake_at = due

    def _refuse_while_updating(self) -> None:
        if self._pending is not None:
            raise ResourceInUseError(
                f"Attempt to change a resource which is still in use: Table is being updated: {self.name}"
            )

    def _provision(
        self, names: Sequence[str | None] | Mapping[str | None, Resource], update: Update, mode: BillingMode
    ) -> None:
        """Ask the account for what the table and its indexes have together after *update*."""
        if self._account is None:
            return
        read = write = 0.0
        for name in names if mode is BillingMode.PROVISIONED else ():
            provisioned = update.of(name).provisioned or self._resources[name].provisioned
            read += provisioned.read
            write += provisioned.write
        self._account.provision(self.name, read, write)
