"""When each arrival is due. Pure arithmetic: seconds from the start of the load, no clock.

A load is a row of stretches. Within a stretch the rate of arrivals changes evenly, so that summed over time it gives
how many arrivals are due by then. An arrival is due when that sum reaches its mark: the marks are 0, 1, 2 … for even
arrivals, and those of a Poisson process for random ones.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import sqrt
from typing import Literal

# Rounding in duration * rate must neither add an arrival nor take one away.
_ROUNDING = 1e-9

type Process = Literal["even", "poisson"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the load. The rate goes in a straight line from its first to its last value, in arrivals per second."""

    duration_s: float
    from_per_s: float
    to_per_s: float

    @property
    def arrivals(self) -> float:
        """The rate, summed over the stretch."""
        return self.duration_s * (self.from_per_s + self.to_per_s) / 2

    def when(self, arrivals: float) -> float:
        """Return when the rate, summed from the begin of the stretch, reaches *arrivals*; in seconds from there."""
        # The rate after t seconds is a + b*t, its sum a*t + b*t*t/2. Solved for t without a difference of nearly equal
        # numbers, and without dividing by a b that may be 0.
        growth = (self.to_per_s - self.from_per_s) / self.duration_s
        root = sqrt(max(0.0, self.from_per_s**2 + 2 * growth * arrivals))
        whole = self.from_per_s + root
        return min(self.duration_s, 2 * arrivals / whole) if whole > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One arrival: its number in the schedule from 0, when it is due, and what it asks for."""

    number: int
    due_s: float
    kind: str


def constant(duration_s: float, per_s: float) -> tuple[Stretch, ...]:
    """Make a load of one rate."""
    return (Stretch(duration_s, per_s, per_s),)


def ramp(duration_s: float, from_per_s: float, to_per_s: float) -> tuple[Stretch, ...]:
    """Make a load whose rate changes evenly."""
    return (Stretch(duration_s, from_per_s, to_per_s),)


def spike(
    duration_s: float, per_s: float, *, peak_per_s: float, peak_after_s: float, peak_s: float
) -> tuple[Stretch, ...]:
    """Make a load of one rate that jumps to *peak_per_s* for a while, and back."""
    after_s = duration_s - peak_after_s - peak_s
    parts = ((peak_after_s, per_s), (peak_s, peak_per_s), (after_s, per_s))
    return tuple(Stretch(part_s, rate, rate) for part_s, rate in parts if part_s > 0)


def steps(duration_s: float, from_per_s: float, to_per_s: float, *, number: int) -> tuple[Stretch, ...]:
    """Make a load of *number* rates, each for the same time, from the first to the last in equal steps."""
    step_per_s = (to_per_s - from_per_s) / max(1, number - 1)
    rates = [from_per_s + step * step_per_s for step in range(number)]
    return tuple(Stretch(duration_s / number, rate, rate) for rate in rates)


def series(arrivals: Sequence[float], *, interval_s: float) -> tuple[Stretch, ...]:
    """Make a load of recorded arrivals, counted per interval."""
    return tuple(Stretch(interval_s, number / interval_s, number / interval_s) for number in arrivals)


def duration_s(stretches: Iterable[Stretch]) -> float:
    """Sum up how long the stretches take, one after another."""
    return sum(stretch.duration_s for stretch in stretches)


def due_times_s(stretches: Iterable[Stretch], *, process: Process = "even", seed: int = 0) -> Iterator[float]:
    """Yield when each arrival is due, in seconds from the start.

    Even: the first at once, and spaced by the rate; a stretch that ends between two arrivals hands its remainder to the
    next one, so the total depends on neither the stretches' number nor rounding. Poisson: by chance, on average as the
    rate says; the same *seed* gives the same times, on every machine.
    """
    begins_s = 0.0
    before = 0.0
    marks = _marks(process, seed)
    mark = next(marks)
    for stretch in stretches:
        after = before + stretch.arrivals
        while mark < after - _ROUNDING:
            yield begins_s + stretch.when(max(0.0, mark - before))
            mark = next(marks)
        before = after
        begins_s += stretch.duration_s


def kinds(mix: Mapping[str, float]) -> Iterator[str]:
    """Yield what each arrival asks for, without end: at every moment as near to the shares of *mix* as can be.

    No chance is involved: each arrival takes the kind that is most behind its share.
    """
    whole = sum(mix.values())
    owed = dict.fromkeys(mix, 0.0)
    while True:
        for kind, share in mix.items():
            owed[kind] += share / whole
        # The first of equals, so that the order in the scenario decides and not the rounding.
        most = max(owed.values())
        chosen = next(kind for kind, value in owed.items() if value >= most - _ROUNDING)
        owed[chosen] -= 1
        yield chosen


def _marks(process: Process, seed: int) -> Iterator[float]:
    if process == "even":
        yield from count()
        return
    chance = random.Random(seed)  # noqa: S311 (a schedule that can be repeated, nothing secret)
    mark = 0.0
    while True:
        mark += chance.expovariate(1.0)
        yield mark
