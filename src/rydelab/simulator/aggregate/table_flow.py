"""A flow of equal requests, with keys spread evenly, through a limiter of the capacity model.

The limiter's table decides on rates as ever: its updates, its growth on demand, its partitions. Only the buckets are
worked here, since a bucket is asked for an amount over a time and not for one request.
"""

import math

from rydelab.capacity.table import Table
from rydelab.capacity.throttling import Access, Limit, Throttle
from rydelab.simulator.aggregate.gate import Gate

_ROUNDING_S = 1e-6


class TableFlow:
    """The writes or the reads of a table. *now* is the simulation's time, as in the capacity model."""

    def __init__(self, table: Table, access: Access, units_per_request: float, *, now: float) -> None:
        resource = table.resource()
        self.table = table
        self.limiter = resource.limiters[access]
        self.units = units_per_request
        self._partitions = resource.partitions
        self._ceiling = resource.partitions.ceiling(access)
        self._gate = Gate(per_s=self._ceiling, size=self._ceiling * table.settings.partition_burst_s)
        self._hot_since: float | None = None
        self._now = now
        self._follow_partitions()
        self._gate.level = self._gate.size
        self._limit = self.limiter.limit

    @property
    def level(self) -> float:
        """The units of burst that are left."""
        return max(0.0, self.limiter.level(self._now))

    @property
    def reason(self) -> str:
        """Why the requests of the present step are refused, if they are."""
        return Throttle(self._limit, self.limiter.access, self.limiter.mode, self.limiter.table).reason

    @property
    def is_final(self) -> bool:
        """Whether the refusal is one that the SDK's mode ``legacy`` does not try again."""
        return self._limit is Limit.ACCOUNT

    def begin(self, now: float) -> None:
        """Let everything take effect that is due by *now*."""
        self.table.advance(now + _ROUNDING_S)
        self._now = now
        self.limiter.take(0.0, now)

    def changes_at(self) -> float:
        """Return when the table changes by itself: an update takes effect, or traffic makes it grow."""
        pending = self.table.pending
        due = self.table.resource().due_at()
        return min(due, pending.ready_at) if pending is not None else due

    def holds_out_s(self, requests_per_s: float) -> float:
        """Return how long the flow will go through, once a burst is being spent; infinity if for ever."""
        units_per_s = requests_per_s * self.units
        ends = [self._gate.empty_after_s(units_per_s)]
        if self.limiter.tokens > 0.0 and units_per_s > self.limiter.rate:
            ends.append(self.limiter.tokens / (units_per_s - self.limiter.rate))
        return min((end for end in ends if end is not None), default=math.inf)

    def room(self, step_s: float) -> float:
        """Return how many requests are admitted in a step at most."""
        table_wide = self.limiter.tokens + self.limiter.rate * step_s
        by_partitions = self._gate.room(step_s)
        self._limit = self.limiter.limit if table_wide <= by_partitions else Limit.KEY_RANGE
        return max(0.0, min(table_wide, by_partitions) / self.units)

    def admit(self, admitted: float, refused: float, step_s: float) -> None:
        """Take what was admitted in the step that begins now, and count what was refused."""
        limiter, units = self.limiter, admitted * self.units
        limiter.tokens = min(limiter.size, limiter.tokens + limiter.rate * step_s - units)
        limiter.last = self._now + step_s
        limiter.consumed_units += units
        self._gate.take(units, step_s)
        self._heat(units / step_s, step_s)
        if refused:
            limiter.throttle_events[self._limit] += round(refused)

    def _heat(self, units_per_s: float, step_s: float) -> None:
        """Divide every partition, once they have been hot for long enough: with even keys they all are, or none is."""
        settings = self.table.settings
        if not settings.adaptive_capacity or units_per_s < settings.heat_threshold * self._gate.per_s:
            self._hot_since = None
        elif self._hot_since is None:
            self._hot_since = self._now
        elif self._now + step_s - self._hot_since >= settings.split_after_s + settings.heat_window_s:
            self._partitions.grow(2 * len(self._partitions), self._now + step_s)
            self._hot_since = None
        self._follow_partitions()

    def _follow_partitions(self) -> None:
        per_s = self._ceiling * len(self._partitions)
        if per_s != self._gate.per_s:
            self._gate.per_s = per_s
            self._gate.size = per_s * self.table.settings.partition_burst_s
