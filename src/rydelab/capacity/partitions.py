"""Partitions: how many, their ceilings, and splitting them for heat (A7, A8)."""

import math
from bisect import bisect_right
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Literal

from rydelab.capacity.bucket import Bucket
from rydelab.capacity.heat import KeyHeat
from rydelab.capacity.positions import POSITIONS
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


class PartitionSide(Bucket):
    """One partition's reads or its writes: the bucket of its ceiling, and how hot it is."""

    __slots__ = ("heat", "hot_since", "window_end", "window_units")

    def __init__(self, *, rate: float, size: float, tokens: float, now: float) -> None:
        super().__init__(rate=rate, size=size, tokens=tokens, now=now)
        self.window_end = -math.inf
        self.window_units = 0.0
        self.hot_since: float | None = None
        self.heat: KeyHeat | None = None


class Partitions:
    """The partitions of one table or global index, in order of position. They are split and never merged.

    ``starts[i]`` is the first position of partition i + 1; ``sides[access][i]`` is partition i. These lists
    are changed in place and never replaced, so that a limiter may keep them.
    """

    __slots__ = ("_settings", "sides", "starts")

    def __init__(self, settings: Settings, now: float) -> None:
        self._settings = settings
        self.starts: list[int] = []
        self.sides: dict[Access, list[PartitionSide]] = {}
        for access in Access:
            ceiling = self.ceiling(access)
            size = ceiling * settings.partition_burst_s
            self.sides[access] = [PartitionSide(rate=ceiling, size=size, tokens=size, now=now)]

    def __len__(self) -> int:
        return len(self.starts) + 1

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
        for sides in self.sides.values():
            for side in sides:
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
            self.split(self.at(start), middle, now)
            heappush(widest, (start - middle, start))
            heappush(widest, (width + middle - start, middle))

    def split(self, place: int, position: int, now: float) -> None:
        """Divide partition *place* at *position*, which becomes the first of the new partition behind it.

        Each half starts with half of what the parent could still serve at once, and cold.
        """
        self.starts.insert(place, position)
        for sides in self.sides.values():
            parent = sides[place]
            halves = [
                PartitionSide(
                    rate=parent.rate, size=parent.size, tokens=parent.level(now) / 2, now=max(now, parent.last)
                )
                for _ in range(2)
            ]
            sides[place : place + 1] = halves

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
        for side in self.sides[access]:
            side.reshape(rate=ceiling, size=size, now=now)

    def warm(self, access: Access, place: int, position: int | None, units: float, now: float) -> None:
        """Count *units* as heat of partition *place*: of the key at *position*, or of all its keys alike if None."""
        side = self.sides[access][place]
        if now >= side.window_end:
            first = self._range(place)[0] if position is None else position
            self.close_window(access, place, now)
            side = self.sides[access][self.at(first)]
        side.window_units += units
        if side.heat is not None:
            side.heat.record(position, units)

    def close_window(self, access: Access, place: int, now: float) -> None:
        """Judge partition *place* by the units of the heat window that has ended, and begin the next at *now*.

        A partition that stays hot for ``split_after_s`` is split where its keys divide the units best. If one
        key has nearly all of them, no split helps, and its requests go on being throttled.
        """
        settings = self._settings
        side = self.sides[access][place]
        is_hot = side.window_units >= self.hot_units(access)
        idle = now - side.window_end > settings.heat_window_s
        ended = side.window_end
        side.window_units = 0.0
        side.window_end = now + settings.heat_window_s
        if not is_hot or idle:
            side.hot_since = side.heat = None
            return
        if side.hot_since is None:
            side.hot_since = ended - settings.heat_window_s
        elif side.heat is not None and ended - side.hot_since >= settings.split_after_s:
            position = side.heat.split_point(settings.split_min_share)
            side.heat = None
            if position is not None and len(self) < settings.max_partitions:
                self.split(place, position, now)
                return
        if side.heat is None:
            first, end = self._range(place)
            side.heat = KeyHeat(first, end, bins=settings.heat_bins, keys=settings.heat_keys)

    def _range(self, place: int) -> tuple[int, int]:
        first = self.starts[place - 1] if place else 0
        end = self.starts[place] if place < len(self.starts) else POSITIONS
        return first, end
