"""What has throughput of its own: a base table, or one of its global secondary indexes."""

import math

from rydelab.capacity.bucket import Bucket
from rydelab.capacity.limiter import Limiter
from rydelab.capacity.on_demand import PeakTracker
from rydelab.capacity.partitions import Partitions, partitions_by_size, partitions_by_throughput
from rydelab.capacity.quotas import DecreaseQuota
from rydelab.capacity.settings import Settings
from rydelab.capacity.throttling import Access, BillingMode, Limit
from rydelab.capacity.throughput import NO_MAXIMUM, Throughput, ThroughputSettings


class Resource:
    """A read and a write limiter over shared partitions, and the throughput settings that shape them.

    ``provisioned`` is what provisioned mode last had; ``maximum`` holds OnDemandThroughput by access and ``warm``
    the WarmThroughput by access, which is never lowered.
    """

    __slots__ = (
        "_burst_left",
        "_peaks",
        "_settings",
        "backfill_throttles",
        "backfill_units",
        "decreases",
        "index",
        "last_decrease",
        "last_increase",
        "limiters",
        "maximum",
        "mode",
        "partitions",
        "provisioned",
        "read",
        "size_bytes",
        "warm",
        "write",
    )

    def __init__(
        self,
        table: str,
        index: str | None,
        *,
        mode: BillingMode,
        throughput: ThroughputSettings,
        size_bytes: int,
        settings: Settings,
        now: float,
    ) -> None:
        self.index = index
        self.mode = mode
        self.size_bytes = size_bytes
        self.partitions = Partitions(settings, now)
        self.limiters = {
            access: Limiter(access, self.partitions, settings, table=table, index=index) for access in Access
        }
        self.read, self.write = self.limiters[Access.READ], self.limiters[Access.WRITE]
        self.provisioned = Throughput(0.0, 0.0)
        self.maximum: dict[Access, float] = {}
        self.warm = dict.fromkeys(Access, 0.0)
        self.decreases = DecreaseQuota(settings, now)
        self.last_increase: float | None = None
        self.last_decrease: float | None = None
        self.backfill_units = 0.0
        self.backfill_throttles = 0
        self._settings = settings
        self._peaks: dict[Access, PeakTracker] = {}  # in on-demand mode only
        self._burst_left = dict.fromkeys(Access, 0.0)  # in provisioned mode, when the table left it
        self.configure(mode, throughput, now)
        self.last_increase = None  # creation is not an increase
        self.partitions.fill()
        for limiter in self.limiters.values():  # a fresh table has its burst; nothing is given later
            limiter.tokens = limiter.size
            if mode is BillingMode.PROVISIONED:
                limiter.tokens = min(limiter.size, limiter.rate * settings.fresh_burst_s)
            if limiter.ceiling is not None:
                limiter.ceiling.tokens = limiter.ceiling.size

    def configure(self, mode: BillingMode, wanted: ThroughputSettings, now: float) -> None:
        """Make *mode* and *wanted* effective at *now*. What the buckets hold stays, up to their new sizes."""
        came_from, self.mode = self.mode, mode
        if wanted.provisioned is not None:
            self._note_change(wanted.provisioned, now)
            self.provisioned = wanted.provisioned
        for access, limiter in self.limiters.items():
            maximum = wanted.on_demand_maximum.of(access)
            if maximum == NO_MAXIMUM:
                self.maximum.pop(access, None)
            elif maximum is not None:
                self.maximum[access] = maximum
            lowest = self._initial_rate(access) if mode is BillingMode.ON_DEMAND else self.provisioned.of(access)
            self.warm[access] = max(self.warm[access], wanted.warm.of(access) or 0.0, lowest)
            if came_from is BillingMode.PROVISIONED and mode is BillingMode.ON_DEMAND:
                self._burst_left[access] = max(0.0, limiter.level(now))
            self._shape(access, now)
            if came_from is BillingMode.ON_DEMAND and mode is BillingMode.PROVISIONED:
                limiter.tokens = min(limiter.tokens, self._burst_left[access])
        self.grow(now)

    @property
    def shown_provisioned(self) -> Throughput:
        """ProvisionedThroughput as DescribeTable shows it: 0 and 0 in on-demand mode."""
        return self.provisioned if self.mode is BillingMode.PROVISIONED else Throughput(0.0, 0.0)

    def backfill(self, units: float, position: int, now: float) -> bool:
        """Admit one write of an index under construction, which shares its capacity with the table's writes."""
        admitted = self.write.admit(units, position, now).admitted
        if admitted:
            self.backfill_units += units
        else:
            self.backfill_throttles += 1
        return admitted

    def grow(self, now: float, size_bytes: int | None = None) -> None:
        """Add the partitions that throughput and size need by now; *size_bytes* is the size of what is stored."""
        settings = self._settings
        if size_bytes is not None:
            self.size_bytes = size_bytes
        warm = self.warm[Access.READ], self.warm[Access.WRITE]
        count = max(
            partitions_by_throughput(*warm, settings.on_demand_partitions_by_throughput, settings),
            partitions_by_size(self.size_bytes, settings),
        )
        if self.mode is BillingMode.PROVISIONED:
            rates = self.provisioned.read, self.provisioned.write
            count = max(count, partitions_by_throughput(*rates, settings.partitions_by_throughput, settings))
        self.partitions.grow(count, now)
        for access, limiter in self.limiters.items():
            self.partitions.share(access, limiter.rate, now)

    def follow_traffic(self, now: float) -> None:
        """Raise the on-demand throughput where traffic had a new peak, as far as that is due by *now*."""
        for access, tracker in self._peaks.items():
            if now < tracker.due_at:
                continue
            tracker.advance(self.limiters[access].consumed_units, now)
            instant = min(self._settings.on_demand_growth * tracker.peak, self._quota(access))
            if instant > self.warm[access]:
                self.warm[access] = instant
                self._shape(access, now)
                self.grow(now)

    def due_at(self) -> float:
        """Return when :meth:`follow_traffic` has something to do; infinity in provisioned mode."""
        return min((tracker.due_at for tracker in self._peaks.values()), default=math.inf)

    def _shape(self, access: Access, now: float) -> None:
        """Give the limiter of *access* the rate, size and reason that mode and settings ask for."""
        settings, limiter = self._settings, self.limiters[access]
        limiter.mode = self.mode
        if self.mode is BillingMode.PROVISIONED:
            self._peaks.pop(access, None)
            limiter.ceiling = None
            limiter.limit = Limit.PROVISIONED
            rate = self.provisioned.of(access)
            limiter.reshape(rate=rate, size=rate * settings.burst_s, now=now)
            return
        if access not in self._peaks:
            self._peaks[access] = PeakTracker(
                settings,
                peak=self.warm[access] / settings.on_demand_growth,
                consumed_units=limiter.consumed_units,
                now=now,
            )
        # Growth is limited by partitions that are not there yet, so its reason is the key range's.
        quota = self._quota(access)
        limiter.limit = Limit.ACCOUNT if self.warm[access] >= quota else Limit.KEY_RANGE
        rate = min(self.warm[access], quota)
        limiter.reshape(rate=rate, size=rate * settings.on_demand_burst_s, now=now)
        maximum = self.maximum.get(access)
        if maximum is None:
            limiter.ceiling = None
        elif limiter.ceiling is None:
            size = maximum * settings.on_demand_maximum_burst_s
            limiter.ceiling = Bucket.alone(rate=maximum, size=size, tokens=0.0, now=now)
        else:
            limiter.ceiling.reshape(rate=maximum, size=maximum * settings.on_demand_maximum_burst_s, now=now)

    def _note_change(self, wanted: Throughput, now: float) -> None:
        if wanted.read > self.provisioned.read or wanted.write > self.provisioned.write:
            self.last_increase = now
        if wanted.read < self.provisioned.read or wanted.write < self.provisioned.write:
            self.last_decrease = now

    def _initial_rate(self, access: Access) -> float:
        settings = self._settings
        return settings.on_demand_read_rate if access is Access.READ else settings.on_demand_write_rate

    def _quota(self, access: Access) -> float:
        return self._settings.table_read_quota if access is Access.READ else self._settings.table_write_quota
