"""One kind of capacity, read or write, of one table or global index: where a request is admitted or refused."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rydelab.capacity.bucket import ROUNDING, ROW, STATE, Bucket, Number, Undo
from rydelab.capacity.partitions import Partitions
from rydelab.capacity.rows import PAIR_BYTES, ROW_OF, pair_offset
from rydelab.capacity.settings import Settings
from rydelab.capacity.throttling import ADMITTED, Access, BillingMode, Decision, Limit, Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

read_row = ROW.unpack_from
write_state = STATE.pack_into
ONE_PARTITION = 2 * PAIR_BYTES


class Limiter(Bucket):
    """The table-wide bucket of one access, the ceiling of on-demand if there is one, and the partitions below.

    ``consumed_units``, ``admitted_requests`` and ``throttle_events`` count from the beginning and never fall.
    When ``now`` reaches ``wake_at``, ``wake(now)`` is called before the request is looked at.
    """

    __slots__ = (
        "_hot_units",
        "_partitions",
        "_settings",
        "access",
        "ceiling",
        "index",
        "limit",
        "mode",
        "table",
        "throttle_events",
        "wake",
        "wake_at",
    )

    consumed_units = Number(2)
    _admitted = Number(3)

    def __init__(
        self,
        access: Access,
        partitions: Partitions,
        settings: Settings,
        *,
        table: str,
        index: str | None,
    ) -> None:
        self._settings = settings
        self._partitions = partitions
        self._hot_units = partitions.hot_units(access)
        super().__init__(partitions.memory, ROW_OF[access])
        self.access = access
        self.table = table
        self.index = index
        self.mode = BillingMode.PROVISIONED
        self.limit = Limit.PROVISIONED
        self.ceiling: Bucket | None = None
        self.throttle_events = dict.fromkeys(Limit, 0)
        self.wake_at = math.inf
        self.wake: Callable[[float], None] = _sleep

    @property
    def admitted_requests(self) -> int:
        """How many requests were admitted."""
        return int(self._admitted)

    def admit(self, units: float, position: int, now: float) -> Decision:  # noqa: C901 (in one piece, without calls)
        """Admit or refuse one request of *units* for the key at *position*, at *now* (seconds, any epoch).

        Returns the singleton ADMITTED, or a refusal; a refused request takes nothing from any bucket.
        """
        # The way of nearly every request to a table without indexes: two rows are read, worked and written in place.
        # What is not plainly affordable goes to reserve(), which knows debt, ceilings and reasons.
        if now >= self.wake_at:
            self.wake(now)
        memory, own_row = self.memory, self.offset
        tokens, last, consumed_units, admitted, rate, size = read_row(memory, own_row)
        elapsed = now - last
        if elapsed > 0.0:
            last = now
            tokens += elapsed * rate
            if tokens > size:  # noqa: PLR1730 -- min() is a call, and this is done for each request
                tokens = size
        if len(memory) == ONE_PARTITION:
            row = PAIR_BYTES + own_row
        else:
            partitions = self._partitions
            pair = partitions.directory[position >> partitions.shift] or pair_offset(partitions.at(position))
            row = pair + own_row
        side_tokens, side_last, window_units, window_end, rate, size = read_row(memory, row)
        elapsed = now - side_last
        if elapsed > 0.0:
            side_last = now
            side_tokens += elapsed * rate
            if side_tokens > size:  # noqa: PLR1730 -- as above
                side_tokens = size
        if units > tokens or units > side_tokens or self.ceiling is not None:
            return self._admit_closely(units, position, now)
        if now < window_end:
            window_units += units
        elif window_units < self._hot_units:  # a cold window ends: as Partitions.close_window, which is a call
            window_units = units
            window_end = now + self._settings.heat_window_s
        write_state(memory, own_row, tokens - units, last, consumed_units + units, admitted + 1.0)
        write_state(memory, row, side_tokens - units, side_last, window_units, window_end)
        if now >= window_end:
            self._partitions.warm(self.access, self._partitions.at(position), position, units, now)
        return ADMITTED

    def reserve(self, units: float, position: int | None, now: float, undo: Undo) -> Throttle | None:
        """Take *units* from every bucket that they concern and return None, or take nothing and return why not.

        What was taken is noted in *undo*. The caller then calls :meth:`count`, or rolls back. *position* None
        is a page of no single key: no partition is charged.
        """
        if now >= self.wake_at:
            self.wake(now)
        settings = self._settings
        buckets = []
        for limit, bucket in self._concerned(position):
            if not bucket.affords(units, now, settings):
                return self._throttle(limit)
            buckets.append(bucket)
        for bucket in buckets:
            bucket.note(undo)
            bucket.take(units, now)
        return None

    def count(self, units: float, position: int | None, now: float) -> None:
        """Count *units* that were taken as consumed, and as heat of their partition."""
        tokens, last, consumed_units, admitted = STATE.unpack_from(self.memory, self.offset)
        write_state(self.memory, self.offset, tokens, last, consumed_units + units, admitted + 1.0)
        if position is not None:
            self._partitions.warm(self.access, self._partitions.at(position), position, units, now)

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
        wide = list(self._concerned(None))
        places = list(range(len(self._partitions))) if position is None else [self._partitions.at(position)]
        share, extra = divmod(count, len(places))
        fitting = [
            min(share + (number < extra), _fitting(self._partitions.side(self.access, place), units, now))
            for number, place in enumerate(places)
        ]
        room = [_fitting(bucket, units, now) for _, bucket in wide]
        admitted = min(sum(fitting), *room)
        limit = wide[room.index(admitted)][0] if admitted in room else Limit.KEY_RANGE
        self.throttle_events[limit] += count - admitted
        if not admitted:
            return 0
        self.consumed_units += units * admitted
        self._admitted += admitted
        for _, bucket in wide:
            bucket.take(units * admitted, now)
        each = units * admitted / sum(fitting)
        for place, part in reversed(list(zip(places, fitting, strict=True))):  # a split moves only what is behind it
            self._partitions.side(self.access, place).take(each * part, now)
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

    def _concerned(self, position: int | None) -> Iterator[tuple[Limit, Bucket]]:
        yield self.limit, self
        if self.ceiling is not None:
            yield Limit.ON_DEMAND_MAXIMUM, self.ceiling
        if position is not None:
            yield Limit.KEY_RANGE, self._partitions.side(self.access, self._partitions.at(position))

    def _throttle(self, limit: Limit) -> Throttle:
        return Throttle(limit, self.access, self.mode, self.table, self.index)


def _fitting(bucket: Bucket, units: float, now: float) -> int:
    return max(0, math.floor((bucket.level(now) + ROUNDING) / units))


def _sleep(_now: float) -> None:
    """Do nothing: nobody waits for this limiter."""
