"""Partitions: how many, their ceilings, and splitting them for heat (A7, A8)."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Literal

from rydelab.capacity.bucket import ROW, STATE
from rydelab.capacity.heat import KeyHeat
from rydelab.capacity.positions import POSITIONS
from rydelab.capacity.rows import PAIR_BYTES, ROW_OF, PartitionSide, cold_row, make_directory, pair_offset
from rydelab.capacity.settings import Settings
from rydelab.capacity.throttling import Access


def partitions_by_throughput(
    read_rate: float, write_rate: float, rule: Literal["sum", "larger"], settings: Settings
) -> int:
    """Return how many partitions these units per second need."""
    reads, writes = read_rate / settings.partition_read_rate, write_rate / settings.partition_write_rate
    return max(1, math.ceil(reads + writes if rule == "sum" else max(reads, writes)))


def partitions_by_size(size_bytes: int, settings: Settings) -> int:
    """Return how many partitions this many bytes need."""
    return max(1, -(-size_bytes // settings.partition_bytes))


@dataclass(slots=True)
class HotPartition:
    """A partition that was hot in its last heat window: the window that is open now, and what each key consumed."""

    since: float
    heat: KeyHeat
    window_units: float = 0.0
    window_end: float = 0.0


class Partitions:
    """The partitions of one table or global index, in order of position. They are split and never merged.

    ``starts[i]`` is the first position of partition i + 1. ``memory`` holds their buckets, and before them those of
    the limiters (:mod:`rydelab.capacity.rows`); it is changed in place and never replaced. A limiter finds the row
    of a key in ``directory``, at the key's position shifted by ``shift``.
    """

    __slots__ = ("_hot", "_settings", "directory", "memory", "shift", "starts")

    def __init__(self, settings: Settings, now: float) -> None:
        self._settings = settings
        self._hot: dict[tuple[Access, int], HotPartition] = {}  # by the first position of the partition
        self.starts: list[int] = []
        self.directory, self.shift = make_directory(self.starts)
        self.memory = bytearray()
        for _ in Access:
            self.memory += ROW.pack(0.0, now, 0.0, 0.0, 0.0, 0.0)
        for access in Access:
            rate = self.ceiling(access)
            size = rate * settings.partition_burst_s
            self.memory += cold_row(rate=rate, size=size, tokens=size, last=now)

    def __len__(self) -> int:
        return len(self.starts) + 1

    def side(self, access: Access, place: int) -> PartitionSide:
        """Return the reads or the writes of partition *place*, until the next split."""
        return PartitionSide(self.memory, pair_offset(place) + ROW_OF[access])

    def sides(self, access: Access) -> list[PartitionSide]:
        """Return the reads or the writes of every partition, until the next split."""
        return [self.side(access, place) for place in range(len(self))]

    def ceiling(self, access: Access) -> float:
        """Return the most units per second that one partition serves."""
        is_read = access is Access.READ
        return self._settings.partition_read_rate if is_read else self._settings.partition_write_rate

    def hot_units(self, access: Access) -> float:
        """Return from how many units in a heat window on a partition is hot; infinity without adaptive capacity."""
        settings = self._settings
        if not settings.adaptive_capacity:
            return math.inf
        return settings.heat_threshold * self.ceiling(access) * settings.heat_window_s

    def at(self, position: int) -> int:
        """Return the number of the partition that holds *position*."""
        return bisect_right(self.starts, position)

    def fill(self) -> None:
        """Give every partition of a fresh table what it may serve at once."""
        for access in Access:
            for side in self.sides(access):
                side.tokens = side.size

    def grow(self, count: int, now: float) -> None:
        """Split the widest partitions in the middle until there are *count*, as far as the settings allow."""
        count = min(count, self._settings.max_partitions)
        missing = count - len(self)
        if missing <= 0:
            return
        edges = [0, *self.starts, POSITIONS]
        widest = [(start - end, start) for start, end in pairwise(edges)]  # negative width first
        heapify(widest)
        for _ in range(missing):
            width, start = heappop(widest)
            middle = start - width // 2
            self._divide(self.at(start), middle, now)
            heappush(widest, (start - middle, start))
            heappush(widest, (width + middle - start, middle))
        self.directory, self.shift = make_directory(self.starts)

    def split(self, place: int, position: int, now: float) -> None:
        """Divide partition *place* at *position*, which becomes the first of the new partition behind it.

        Each half starts with half of what the parent could still serve at once, and cold.
        """
        self._divide(place, position, now)
        self.directory, self.shift = make_directory(self.starts)

    def share(self, access: Access, rate: float, now: float) -> None:
        """Tell each partition what it may serve of a table's *rate*.

        With adaptive capacity, which acts at once, that is its ceiling: only the table's own bucket limits the
        sum. Without it each partition has an equal share, with its own burst, and no loan from idle ones.
        """
        ceiling = self.ceiling(access)
        size = ceiling * self._settings.partition_burst_s
        if not self._settings.adaptive_capacity:
            part = rate / len(self)
            size = min(size, part * self._settings.burst_s)
            ceiling = min(ceiling, part)
        for side in self.sides(access):
            side.reshape(rate=ceiling, size=size, now=now)

    def warm(self, access: Access, place: int, position: int | None, units: float, now: float) -> None:
        """Count *units* as heat of partition *place*: of the key at *position*, or of all its keys alike if None."""
        row = pair_offset(place) + ROW_OF[access]
        tokens, last, window_units, window_end = STATE.unpack_from(self.memory, row)
        if now < window_end:  # and cold: the row of a hot partition has no end of a window
            STATE.pack_into(self.memory, row, tokens, last, window_units + units, window_end)
            return
        window = self._window(access, place)
        if now >= window.window_end:
            first = self._range(place)[0] if position is None else position
            self.close_window(access, place, now)
            window = self._window(access, self.at(first))
        window.window_units += units
        if isinstance(window, HotPartition):
            window.heat.record(position, units)

    def close_window(self, access: Access, place: int, now: float) -> None:
        """Judge partition *place* by the units of the heat window that has ended, and begin the next at *now*.

        A partition that stays hot for ``split_after_s`` is split where its keys divide the units best. If one
        key has nearly all of them, no split helps, and its requests go on being throttled.
        """
        settings = self._settings
        first, end = self._range(place)
        side, hot = self.side(access, place), self._hot.pop((access, first), None)
        window = hot or side
        ended, next_end = window.window_end, now + settings.heat_window_s
        if window.window_units < self.hot_units(access) or now - ended > settings.heat_window_s:
            side.window_units, side.window_end = 0.0, next_end
            return
        if hot is None:
            hot = HotPartition(since=ended - settings.heat_window_s, heat=self._heat(first, end))
        elif ended - hot.since >= settings.split_after_s:
            position = hot.heat.split_point(settings.split_min_share)
            if position is not None and len(self) < settings.max_partitions:
                self.split(place, position, now)
                return
            hot.heat = self._heat(first, end)
        hot.window_units, hot.window_end = 0.0, next_end
        self._hot[access, first] = hot
        side.window_units, side.window_end = math.inf, -math.inf  # so that the limiter brings each request to warm()

    def _window(self, access: Access, place: int) -> PartitionSide | HotPartition:
        """Return what counts the heat window of partition *place*: its row or, while it is hot, more than that."""
        return self._hot.get((access, self._range(place)[0])) or self.side(access, place)

    def _heat(self, first: int, end: int) -> KeyHeat:
        return KeyHeat(first, end, bins=self._settings.heat_bins, keys=self._settings.heat_keys)

    def _divide(self, place: int, position: int, now: float) -> None:
        halves = b""
        for access in Access:
            self._hot.pop((access, self._range(place)[0]), None)
            side = self.side(access, place)
            halves += cold_row(rate=side.rate, size=side.size, tokens=side.level(now) / 2, last=max(now, side.last))
        offset = pair_offset(place)
        self.memory[offset : offset + PAIR_BYTES] = halves + halves
        self.starts.insert(place, position)

    def _range(self, place: int) -> tuple[int, int]:
        first = self.starts[place - 1] if place else 0
        end = self.starts[place] if place < len(self.starts) else POSITIONS
        return first, end
