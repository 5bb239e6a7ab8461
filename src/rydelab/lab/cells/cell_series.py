"""What happened in a cell over time, from its outcomes and what the watch saw. Pure.

Intervals are seconds from the begin of the load, which is a whole second of the generator's Unix time. A table's
seconds are whole seconds of the lab's: the same on one machine. With clocks that differ, each is put into the interval
in which it ends, so that none that saw part of the load is left out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import ceil
from typing import Any

from rydelab.lab.cells.watch import Sample
from rydelab.lab.emulation.observation import TableActivity
from rydelab.report.series import CapacitySeries, CellSeries, Column, Outcome, of_outcomes
from rydelab.report.summary import CellId

type Seconds = Mapping[int, Mapping[str, Any]]
"""What the lab says of a table, by interval; intervals in which nothing happened are missing."""

MOST_UNSEEN = 2
CLOCK_ERROR_S = 0.05
"""Two clocks that differ by no more than this are taken for one; what compares them is no better."""


def cell_series(
    cell: CellId,
    outcomes: Iterable[Outcome],
    *,
    samples: Sequence[Sample],
    tables: Sequence[TableActivity],
    began_at: float,
    clock_difference_s: float,
    has_backlog: bool,
) -> CellSeries:
    """Put together the series of *cell*.

    *began_at* is when its load began by this machine's clock; the lab's is *clock_difference_s* ahead. *has_backlog*:
    whether rides wait anywhere on the way.
    """
    series = of_outcomes(cell, outcomes)
    during = [sample for sample in samples if sample.at >= began_at]
    if has_backlog and during:
        before = [sample for sample in samples if sample.at < began_at]
        first = (before or during)[-1 if before else 0]
        series = replace(
            series,
            backlog=_levels(during, began_at, lambda sample: sample.backlog),
            retries=_growth([first, *during], began_at, lambda sample: sample.activity.retried),
            dead_letters=_growth([first, *during], began_at, lambda sample: sample.dead_letters),
        )
    return replace(series, capacity=capacity(tables, began_at=began_at + clock_difference_s))


def capacity(tables: Sequence[TableActivity], *, began_at: float) -> tuple[CapacitySeries, ...]:
    """Return the record table's writes and reads; *began_at* is by the lab's clock. Reads only if there were any."""
    if not tables:
        return ()
    seconds = by_interval(tables, began_at=began_at)
    last = tables[-1]
    writes = _capacity("write", seconds, is_on_demand=last.is_on_demand, burst_size=last.write_burst_size)
    reads = _capacity("read", seconds, is_on_demand=last.is_on_demand, burst_size=last.read_burst_size)
    return (writes, reads) if any(reads.consumed) or any(reads.throttles) else (writes,)


def by_interval(tables: Sequence[TableActivity], *, began_at: float) -> Seconds:
    """Order what is known of a table by interval. Of a second that was looked at twice, the later look counts."""
    seconds: dict[int, Mapping[str, Any]] = {}
    for table in tables:
        for row in table.seconds:
            interval = ceil(row["second"] - began_at - CLOCK_ERROR_S)
            if interval >= 0:
                seconds[interval] = row
    return seconds


def throttled(tables: Sequence[TableActivity], *, began_at: float) -> dict[str, int]:
    """Count the refused requests of a table from the begin of the load on, by the API's reason."""
    counts: dict[str, int] = {}
    for row in by_interval(tables, began_at=began_at).values():
        for reason, number in row["refused"].items():
            counts[reason] = counts.get(reason, 0) + number
    return counts


def _capacity(access: str, seconds: Seconds, *, is_on_demand: bool, burst_size: float) -> CapacitySeries:
    consumed: list[float] = []
    provisioned: list[float | None] = []
    burst_left: list[float | None] = []
    throttles: list[float] = []
    rate: float | None = None
    left: float | None = None
    for interval in range(max(seconds, default=-1) + 1):
        row = seconds.get(interval)
        if row is not None:
            rate, left = row[f"{access}_rate"], row[f"{access}_burst_left"]
        elif rate is not None and left is not None:
            left = min(burst_size, left + rate)  # a second in which nothing was asked for
        consumed.append(0.0 if row is None else row[f"{access}_units"])
        throttles.append(0 if row is None else _refused(row, access))
        provisioned.append(rate)
        burst_left.append(None if left is None else round(left, 3))
    return CapacitySeries(
        name=f"RideRecordTable {access}s",
        consumed=tuple(consumed),
        provisioned=() if is_on_demand else tuple(provisioned),
        burst_left=() if is_on_demand else tuple(burst_left),
        throttles=tuple(throttles),
    )


def _refused(row: Mapping[str, Any], access: str) -> int:
    return sum(number for reason, number in row["refused"].items() if access.title() in reason)


def _levels(samples: Sequence[Sample], began_at: float, level: Callable[[Sample], int]) -> Column:
    """Return the last level that was seen in each interval.

    Looks come once a second, but not on the second: an interval without one has the level of the one before. After
    `MOST_UNSEEN` intervals without a look the level is unknown, None.
    """
    seen: dict[int, int] = {int(sample.at - began_at): level(sample) for sample in samples}
    values: list[int | None] = []
    unseen = MOST_UNSEEN
    for interval in range(max(seen) + 1):
        unseen = 0 if interval in seen else unseen + 1
        values.append(seen[interval] if not unseen else values[-1] if values and unseen <= MOST_UNSEEN else None)
    return tuple(values)


def _growth(samples: Sequence[Sample], began_at: float, counter: Callable[[Sample], int]) -> Column:
    """Return by how much a counter grew from sample to sample, in the interval of the later one."""
    grown: dict[int, int] = {}
    for before, after in pairwise(samples):
        interval = max(0, int(after.at - began_at))
        grown[interval] = grown.get(interval, 0) + max(0, counter(after) - counter(before))
    return tuple(grown.get(interval, 0) for interval in range(max(grown, default=-1) + 1))
