"""One kind of capacity, read or write, of one table or global index: where a request is admitted or refused."""

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

from rydelab.capacity.bucket import ROUNDING, Bucket, Undo
from rydelab.capacity.partitions import Partitions
from rydelab.capacity.settings import Settings
from rydelab.capacity.throttling import ADMITTED, Access, BillingMode, Decision, Limit, Throttle

if TYPE_CHECKING:
    from collections.abc import Callable


class Limiter(Bucket):
    """The table-wide bucket of one access, the ceiling of on-demand if there is one, and the partitions below.

    ``consumed_units``, ``admitted_requests`` and ``throttle_events`` count from the beginning and never fall.
    When ``now`` reaches ``wake_at``, ``wake(now)`` is called before the request is looked at.
    """

    __slots__ = (
        "_hot_units",
        "_partitions",
        "_settings",
        "_sides",
        "_starts",
        "access",
        "admitted_requests",
        "ceiling",
        "consumed_units",
        "index",
        "limit",
        "mode",
        "table",
        "throttle_events",
        "wake",
        "wake_at",
    )

    def __init__(
        self,
        access: Access,
        partitions: Partitions,
        settings: Settings,
        *,
        table: str,
        index: str | None,
        now: float,
    ) -> None:
        super().__init__(rate=0.0, size=0.0, tokens=0.0, now=now)
        self.access = access
        self.table = table
        self.index = index
        self.mode = BillingMode.PROVISIONED
        self.limit = Limit.PROVISIONED
        self.ceiling: Bucket | None = None
        self.consumed_units = 0.0
        self.admitted_requests = 0
        self.throttle_events = dict.fromkeys(Limit, 0)
        self.wake_at = math.inf
        self.wake: Callable[[float], None] = _sleep
        self._settings = settings
        self._partitions = partitions
        self._starts = partitions.starts
        self._sides = partitions.sides[access]
        self._hot_units = partitions.hot_units(access)

    def admit(self, units: float, position: int, now: float) -> Decision:  # noqa: C901 (the hot path, without calls)
        """Admit or refuse one request of *units* for the key at *position*, at *now* (seconds, any epoch).

        Returns the singleton ADMITTED, or a refusal; a refused request takes nothing from any bucket.
        """
        # The hot path of every table without indexes: buckets are worked in place, no object is made. Whatever is not
        # plainly affordable goes to reserve(), which knows debt, ceilings and reasons.
        if now >= self.wake_at:
            self.wake(now)
        elapsed = now - self.last
        tokens = self.tokens
        if elapsed > 0.0:
            tokens += elapsed * self.rate
            if tokens > self.size:  # noqa: PLR1730 -- min() is a call, and this is the hot path
                tokens = self.size
        side = self._sides[bisect_right(self._starts, position)]
        side_elapsed = now - side.last
        side_tokens = side.tokens
        if side_elapsed > 0.0:
            side_tokens += side_elapsed * side.rate
            if side_tokens > side.size:  # noqa: PLR1730 -- as above
                side_tokens = side.size
        if units > tokens or units > side_tokens or self.ceiling is not None:
            return self._admit_closely(units, position, now)
        self.tokens = tokens - units
        side.tokens = side_tokens - units
        if elapsed > 0.0:
            self.last = now
        if side_elapsed > 0.0:
            side.last = now
        if side.heat is not None:
            self.count(units, position, now)
            return ADMITTED
        if now < side.window_end:
            side.window_units += units
        elif side.window_units < self._hot_units:  # a cold window ends: as Partitions.close_window, which is a call
            side.window_end = now + self._settings.heat_window_s
            side.window_units = units
        else:
            self.count(units, position, now)
            return ADMITTED
        self.consumed_units += units
        self.admitted_requests += 1
        return ADMITTED

    def reserve(self, units: float, position: int | None, now: float, undo: Undo) -> Throttle | None:
        """Take *units* from every bucket that they concern and return None, or take nothing and return why not.

        What was taken is noted in *undo*. The caller then calls :meth:`count`, or rolls back. *position* None
        is a page of no single key: no partition is charged.
        """
        if now >= self.wake_at:
            self.wake(now)
        settings = self._settings
        buckets = self._concerned(position)
        for limit, bucket in buckets:
            if not bucket.affords(units, now, settings):
                return self._throttle(limit)
        for _, bucket in buckets:
            undo.append((bucket, bucket.tokens, bucket.last))
            bucket.take(units, now)
        return None

    def count(self, units: float, position: int | None, now: float) -> None:
        """Count *units* that were taken as consumed, and as heat of their partition."""
        self.consumed_units += units
        self.admitted_requests += 1
        if position is not None:
            self._partitions.warm(self.access, bisect_right(self._starts, position), position, units, now)

    def open_page(self, position: int | None, now: float) -> Throttle | None:
        """Tell why a page of unknown size may not be read at *now*; None if it may. Takes nothing."""
        if now >= self.wake_at:
            self.wake(now)
        for limit, bucket in self._concerned(position):
            if not bucket.affords(self._settings.debt_threshold_units, now, self._settings):
                return self._throttle(limit)
        return None

    def charge(self, units: float, position: int | None, now: float) -> None:
        """Take and count *units* that were used already, whatever the buckets hold: they may go into debt."""
        if now >= self.wake_at:
            self.wake(now)
        for _, bucket in self._concerned(position):
            bucket.take(units, now)
        self.count(units, position, now)

    def admit_many(self, units: float, count: int, now: float, position: int | None = None) -> int:
        """Admit as many as possible of *count* equal requests; return how many.

        They are for the key at *position*, or for keys spread evenly over the partitions if it is None. For
        simulations of more requests than one can look at singly: the cost does not depend on *count*. No request
        goes into debt.
        """
        if now >= self.wake_at:
            self.wake(now)
        wide = self._concerned(None)
        places = list(range(len(self._sides))) if position is None else [bisect_right(self._starts, position)]
        share, extra = divmod(count, len(places))
        fitting = [
            min(share + (number < extra), _fitting(self._sides[place], units, now))
            for number, place in enumerate(places)
        ]
        room = [_fitting(bucket, units, now) for _, bucket in wide]
        admitted = min(sum(fitting), *room)
        limit = wide[room.index(admitted)][0] if admitted in room else Limit.KEY_RANGE
        self.throttle_events[limit] += count - admitted
        if not admitted:
            return 0
        self.consumed_units += units * admitted
        self.admitted_requests += admitted
        for _, bucket in wide:
            bucket.take(units * admitted, now)
        each = units * admitted / sum(fitting)
        for place, part in reversed(list(zip(places, fitting, strict=True))):  # a split moves only what is behind it
            self._sides[place].take(each * part, now)
            self._partitions.warm(self.access, place, position, each * part, now)
        return admitted

    def refuse(self, throttle: Throttle) -> None:
        """Count a throttle event."""
        self.throttle_events[throttle.limit] += 1

    def _admit_closely(self, units: float, position: int, now: float) -> Decision:
        throttle = self.reserve(units, position, now, [])
        if throttle is not None:
            self.refuse(throttle)
            return Decision((throttle,))
        self.count(units, position, now)
        return ADMITTED

    def _concerned(self, position: int | None) -> list[tuple[Limit, Bucket]]:
        concerned: list[tuple[Limit, Bucket]] = [(self.limit, self)]
        if self.ceiling is not None:
            concerned.append((Limit.ON_DEMAND_MAXIMUM, self.ceiling))
        if position is not None:
            concerned.append((Limit.KEY_RANGE, self._sides[bisect_right(self._starts, position)]))
        return concerned

    def _throttle(self, limit: Limit) -> Throttle:
        return Throttle(limit, self.access, self.mode, self.table, self.index)


def _fitting(bucket: Bucket, units: float, now: float) -> int:
    return max(0, math.floor((bucket.level(now) + ROUNDING) / units))


def _sleep(_now: float) -> None:
    """Do nothing: nobody waits for this limiter."""
