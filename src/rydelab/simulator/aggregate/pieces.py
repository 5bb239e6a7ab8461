"""The load as pieces of constant rate."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, groupby

from rydelab.simulator.traffic import Rate, Traffic

_COUNTED_S = 1.0
_MOST_MOVED_S = 0.25
_MOST_MOVED_ARRIVALS = 0.75
"""Steps are taken together as long as this moves no arrival further, in time or in number."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Arrivals from `start_s` to `end_s`, evenly."""

    start_s: float
    end_s: float
    per_s: float


def pieces_of(traffic: Traffic) -> list[Piece]:
    """Return the load of *traffic*; rates that differ by no more than the counting of whole arrivals are one piece."""
    if isinstance(traffic, Rate):
        step_s, counts = traffic.step_s, traffic.arrivals
    else:
        step_s, counts = _COUNTED_S, traffic.per_step(_COUNTED_S)
    runs = [(count, sum(1 for _ in same)) for count, same in groupby(counts)]
    return list(_merged(runs, step_s))


def _merged(runs: list[tuple[float, int]], step_s: float) -> Iterator[Piece]:
    """Yield the longest pieces whose summed arrivals stay close to those of *runs*, of equal counts per step."""
    ends = list(accumulate(length for _, length in runs))
    first = 0
    while first < len(runs):
        begin = ends[first - 1] if first else 0
        last, total = first, runs[first][0] * runs[first][1]
        low, high = _corridor(0.0, float("inf"), total, ends[first] - begin, runs[first][0])
        while last + 1 < len(runs):
            count, length = runs[last + 1]
            after, steps = total + count * length, ends[last + 1] - begin
            if not low <= after / steps <= high:
                break
            last, total = last + 1, after
            low, high = _corridor(low, high, total, steps, count)
            if low > high:
                break
        yield Piece(begin * step_s, ends[last] * step_s, total / ((ends[last] - begin) * step_s))
        first = last + 1


def _corridor(low: float, high: float, total: float, steps: int, count: float) -> tuple[float, float]:
    """Narrow the mean counts per step that a piece may have, given the *total* of its first *steps*."""
    allowed = max(_MOST_MOVED_ARRIVALS, _MOST_MOVED_S * count)
    return max(low, (total - allowed) / steps), min(high, (total + allowed) / steps)
