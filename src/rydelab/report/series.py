"""What happened in a cell over time: the content of ``series.json`` and of the charts. Pure."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from statistics import fmean
from typing import Any

from rydelab.report.latency import percentile
from rydelab.report.summary import CellId

type Column = tuple[float | None, ...]
"""One value per interval, the first from the start of the load; None where there is none. Empty: not measured."""

NICE_FACTORS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One arrival, as far as time is concerned. Seconds, from the start of the load."""

    due_s: float
    latency_s: float
    accepted: bool
    recorded_s: float | None = None
    """When its record was first written; None if never, or if that was not measured."""


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time to be marked in every chart, such as an injected fault."""

    label: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class CapacitySeries:
    """The reads or the writes of one table or index."""

    name: str
    """Such as ``RideRecordTable writes``."""
    consumed: Column
    """Units consumed per second."""
    provisioned: Column = ()
    """Units per second that are set; None or empty where nothing is set, as with on-demand."""
    burst_left: Column = ()
    """Unused units of the last 300 s that may still be spent, at the end of the interval."""
    throttles: Column = ()
    """Requests that were throttled in the interval."""


@dataclass(frozen=True, slots=True)
class CellSeries:
    """The columns of one cell. They may differ in length: what comes after a column's end was not measured."""

    cell: CellId
    interval_s: float = 1.0
    load_s: float | None = None
    """When the last arrival was due."""
    arrivals: Column = ()
    """Arrivals that were due in the interval."""
    accepted: Column = ()
    """Acceptances that were answered in the interval."""
    recorded: Column = ()
    """Records that were first written in the interval."""
    p50_ms: Column = ()
    """With `p95_ms` and `p99_ms`: percentiles of the latency of accepted rides that were due in the interval."""
    p95_ms: Column = ()
    p99_ms: Column = ()
    backlog: Column = ()
    """Events and messages that wait or are being worked on, at the end of the interval; empty in a design without."""
    retries: Column = ()
    """Events that were tried again in the interval."""
    dead_letters: Column = ()
    """Events that reached a dead-letter queue in the interval."""
    capacity: tuple[CapacitySeries, ...] = ()
    bands: tuple[Band, ...] = ()

    @property
    def intervals(self) -> int:
        """The length of the longest column."""
        columns = [getattr(self, field.name) for field in fields(self) if field.name in _COMBINE]
        columns += [getattr(part, field.name) for part in self.capacity for field in fields(part)[1:]]
        return max(map(len, columns), default=0)

    @property
    def end_s(self) -> float:
        """When the last interval ends."""
        return self.intervals * self.interval_s


def of_outcomes(cell: CellId, outcomes: Iterable[Outcome], *, interval_s: float = 1.0) -> CellSeries:
    """Count *outcomes* by interval: the columns `arrivals`, `accepted`, `recorded` and the percentiles of latency.

    `recorded` stays empty if no outcome says when it was recorded.
    """
    rows = list(outcomes)
    if not rows:
        return CellSeries(cell, interval_s=interval_s)
    latencies_s: list[list[float]] = []
    for row in rows:
        if row.accepted:
            at = int(row.due_s / interval_s)
            latencies_s.extend([] for _ in range(at + 1 - len(latencies_s)))
            latencies_s[at].append(row.latency_s)
    for values in latencies_s:
        values.sort()

    def quantile(percent: float) -> Column:
        return tuple(round(percentile(values, percent) * 1000, 3) if values else None for values in latencies_s)

    return CellSeries(
        cell,
        interval_s=interval_s,
        load_s=max(row.due_s for row in rows),
        arrivals=_counts((row.due_s for row in rows), interval_s),
        accepted=_counts((row.due_s + row.latency_s for row in rows if row.accepted), interval_s),
        recorded=_counts((row.recorded_s for row in rows if row.recorded_s is not None), interval_s),
        p50_ms=quantile(50),
        p95_ms=quantile(95),
        p99_ms=quantile(99),
    )


def times_to_record_s(outcomes: Iterable[Outcome]) -> list[float]:
    """Return, for each accepted outcome that was recorded, how long after its answer; 0 if before it."""
    return [
        max(0.0, row.recorded_s - (row.due_s + row.latency_s))
        for row in outcomes
        if row.accepted and row.recorded_s is not None
    ]


def coarsen(series: CellSeries, *, most_intervals: int) -> CellSeries:
    """Combine intervals until there are at most *most_intervals* of them.

    Counts add up, rates are averaged, and of percentiles and levels the worst is kept: the longest latency, the highest
    backlog, the least burst left.
    """
    if series.intervals <= most_intervals:
        return series
    least = math.ceil(series.intervals / most_intervals)
    factor = next((factor for factor in NICE_FACTORS if factor >= least), least)
    columns: dict[str, Any] = {
        name: _combined(getattr(series, name), factor, combine) for name, combine in _COMBINE.items()
    }
    capacity = tuple(_coarse_capacity(part, factor) for part in series.capacity)
    return replace(series, interval_s=series.interval_s * factor, capacity=capacity, **columns)


def _coarse_capacity(part: CapacitySeries, factor: int) -> CapacitySeries:
    columns: dict[str, Any] = {
        name: _combined(getattr(part, name), factor, combine) for name, combine in _COMBINE_UNITS.items()
    }
    return replace(part, **columns)


def _counts(times_s: Iterable[float], interval_s: float) -> Column:
    counts: list[int] = []
    for time_s in times_s:
        # A record may be older than the load by the difference of two clocks.
        at = max(0, int(time_s / interval_s))
        if at >= len(counts):
            counts.extend([0] * (at + 1 - len(counts)))
        counts[at] += 1
    return tuple(counts)


def _combined(column: Column, factor: int, combine: Callable[[Sequence[float]], float]) -> Column:
    parts = ([value for value in column[at : at + factor] if value is not None] for at in range(0, len(column), factor))
    return tuple(combine(part) if part else None for part in parts)


def _last(values: Sequence[float]) -> float:
    return values[-1]


_COMBINE: dict[str, Callable[[Sequence[float]], float]] = {
    "arrivals": sum,
    "accepted": sum,
    "recorded": sum,
    "p50_ms": max,
    "p95_ms": max,
    "p99_ms": max,
    "backlog": max,
    "retries": sum,
    "dead_letters": sum,
}
_COMBINE_UNITS: dict[str, Callable[[Sequence[float]], float]] = {
    "consumed": fmean,
    "provisioned": _last,
    "burst_left": min,
    "throttles": sum,
}
