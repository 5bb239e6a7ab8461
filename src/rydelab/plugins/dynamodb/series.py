"""What happened to a table second by second, for the observation. Bounded in memory."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rydelab.capacity.limiter import Limiter
from rydelab.capacity.resource import Resource
from rydelab.capacity.table import Table
from rydelab.capacity.throttling import Limit, Throttle


@dataclass(frozen=True, slots=True)
class Second:
    """One second of one table or global index in which something happened.

    *second* is in Unix time; units are those of the second, rates, burst and partitions those at its end. *refused*
    counts throttle events by their reason.
    """

    second: int
    read_units: float
    write_units: float
    read_rate: float
    write_rate: float
    read_burst_left: float
    write_burst_left: float
    partitions: int
    refused: tuple[tuple[str, int], ...]


class _ResourceSeries:
    """The seconds of one table or index, from counters that only grow."""

    def __init__(self, resource: Resource, length: int) -> None:
        self.resource = resource
        self.seconds: deque[Second] = deque(maxlen=length)
        self._limiters = (resource.read, resource.write)
        self._units = (resource.read.consumed_units, resource.write.consumed_units)
        self._events = [dict(limiter.throttle_events) for limiter in self._limiters]
        self._rates: tuple[float, float, int] | None = None  # reads, writes, partitions

    def close(self, second: int) -> None:
        """Write down *second*, which has ended, if something was consumed, refused or changed in it."""
        read, write = self._limiters
        read_before, write_before = self._units
        self._units = (read.consumed_units, write.consumed_units)
        rates = (read.rate, write.rate, len(self.resource.partitions))
        rates_before, self._rates = self._rates, rates
        refused = tuple(self._refused())
        if self._units == (read_before, write_before) and rates == rates_before and not refused:
            return
        self.seconds.append(
            Second(
                second=second,
                read_units=read.consumed_units - read_before,
                write_units=write.consumed_units - write_before,
                read_rate=read.rate,
                write_rate=write.rate,
                read_burst_left=read.level(second + 1.0),
                write_burst_left=write.level(second + 1.0),
                partitions=len(self.resource.partitions),
                refused=refused,
            )
        )

    def _refused(self) -> Iterable[tuple[str, int]]:
        for position, limiter in enumerate(self._limiters):
            before = self._events[position]
            if limiter.throttle_events == before:
                continue
            self._events[position] = dict(limiter.throttle_events)
            for limit, count in limiter.throttle_events.items():
                if count > before[limit]:
                    yield reason(limiter, limit), count - before[limit]


class TableSeries:
    """The seconds of a table and its global indexes.

    The caller holds the table's lock, and calls :meth:`close` with every ``now`` that it gives the table, before it
    does: then nothing is done in a second that was closed. A request costs one comparison.
    """

    def __init__(self, capacity: Table, *, length: int, now: float) -> None:
        self._capacity = capacity
        self._length = length
        self._series: dict[str | None, _ResourceSeries] = {}
        self._second = int(now)
        self.ends_at = self._second + 1.0
        self.follow_indexes()

    def close(self, now: float) -> None:
        """Close the second before *now*'s, if it is not closed yet."""
        if now < self.ends_at:
            return
        for series in self._series.values():
            series.close(self._second)
        self._second = int(now)
        self.ends_at = self._second + 1.0

    def reset(self, now: float) -> None:
        """Forget everything that was before *now*."""
        self.close(now)
        for series in self._series.values():
            series.seconds.clear()

    def of(self, index: str | None, *, since: float) -> list[Second]:
        """Return the seconds of the table or index from *since* on."""
        series = self._series.get(index)
        return [] if series is None else [second for second in series.seconds if second.second >= since]

    def follow_indexes(self) -> None:
        """Begin a series for each new index, and forget those that are gone."""
        resources = self._capacity.resources
        known = {name: series for name, series in self._series.items() if resources.get(name) is series.resource}
        self._series = {
            name: known.get(name) or _ResourceSeries(resource, self._length) for name, resource in resources.items()
        }


def reason(limiter: Limiter, limit: Limit) -> str:
    """Return the API's reason for what *limit* refused at *limiter*."""
    return Throttle(limit, limiter.access, limiter.mode, limiter.table, limiter.index).reason


def columns(seconds: Iterable[Second]) -> dict[str, list[Any]]:
    """Return seconds as one list for each of their fields, which is how a chart wants them."""
    rows = list(seconds)
    names = tuple(Second.__dataclass_fields__)
    return {name: [dict(row.refused) if name == "refused" else getattr(row, name) for row in rows] for name in names}


def totals(limiter: Limiter, now: float) -> dict[str, Any]:
    """Return one access of a table or index as it is now, with what it has counted since it was made."""
    return {
        "rate": limiter.rate,
        "burst_left": limiter.level(now),
        "burst_size": limiter.size,
        "consumed_units": limiter.consumed_units,
        "admitted_requests": limiter.admitted_requests,
        "refused": {reason(limiter, limit): count for limit, count in limiter.throttle_events.items() if count},
    }
