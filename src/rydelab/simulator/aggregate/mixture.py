"""Distributions of times, from the masses of a few classes: a common base, and what each class takes longer."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from statistics import NormalDist
from typing import Self

from rydelab.simulator.distribution import in_ms
from rydelab.simulator.profile import ServiceTime
from rydelab.simulator.result import Latency

_POINTS = 400
_MOST_SIGMAS = 3.3
"""The longest of some thousand times; what the exact engine draws goes no further."""
_NORMAL = NormalDist()

type Classes = Mapping[tuple["Spread", float], float]
"""The mass of each class: a base, and the seconds that are added to it."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A sum of independent log-normal times, taken for log-normal itself (Fenton and Wilkinson)."""

    median_s: float
    sigma: float

    @classmethod
    def of(cls, times: Iterable[ServiceTime]) -> Self:
        """Return the distribution of the sum of *times*."""
        mean_s = variance = 0.0
        for time in times:
            mean_s += time.mean_s
            variance += time.mean_s**2 * math.expm1(time.sigma**2)
        if not mean_s:
            return cls(0.0, 0.0)
        squared = math.log1p(variance / mean_s**2)
        return cls(mean_s * math.exp(-squared / 2), math.sqrt(squared))

    def quantile_s(self, share: float) -> float:
        """Return the time that *share* of all do not exceed."""
        normal = _NORMAL.inv_cdf(min(max(share, 1e-12), 1 - 1e-12))
        return self.median_s * math.exp(self.sigma * max(-_MOST_SIGMAS, min(_MOST_SIGMAS, normal)))

    def share_above(self, time_s: float) -> float:
        """Return the share that takes longer than *time_s*."""
        if time_s < 0.0 or (not time_s and self.median_s):
            return 1.0
        if not self.sigma or not self.median_s:
            return float(time_s < self.median_s)
        normal = math.log(time_s / self.median_s) / self.sigma
        return 0.0 if normal > _MOST_SIGMAS else 1.0 - _NORMAL.cdf(normal)


def latency(classes: Classes, count: int, *, at_most_s: float = math.inf) -> Latency:
    """Summarise the times of *count* requests in *classes*; none takes longer than *at_most_s*."""
    present = {name: mass for name, mass in classes.items() if mass > 0}
    if not count or not present:
        return Latency(count=count)
    number = max(20, _POINTS // len(present))
    points = sorted(
        (min(at_most_s, max(0.0, offset_s + spread.median_s * math.exp(spread.sigma * normal))), mass / number)
        for (spread, offset_s), mass in present.items()
        for normal in _normals(number)
    )
    sums = list(accumulate(mass for _, mass in points))

    def percentile(percent: float) -> float:
        return points[min(bisect_left(sums, sums[-1] * percent / 100 * (1 - 1e-12)), len(points) - 1)][0]

    longest = max(
        spread.quantile_s(1 - 0.5 / max(1.0, mass)) + offset_s for (spread, offset_s), mass in present.items()
    )
    return Latency(
        count=count,
        p50_ms=in_ms(percentile(50)),
        p95_ms=in_ms(percentile(95)),
        p99_ms=in_ms(percentile(99)),
        max_ms=in_ms(max(min(at_most_s, longest), percentile(99))),
    )


def percentiles_ms(
    classes: Sequence[tuple[Spread, float]], masses: Sequence[float]
) -> tuple[float, float, float] | None:
    """Return p50, p95 and p99 of *masses* of *classes*, which are in the order of their times and hardly overlap."""
    total = sum(masses)
    if total <= 0.0:
        return None
    found: list[float] = []
    for percent in (50, 95, 99):
        wanted = total * percent / 100
        for (spread, offset_s), mass in zip(classes, masses, strict=True):
            if mass >= wanted > 0.0:
                found.append(in_ms(offset_s + spread.quantile_s(wanted / mass)))
                break
            wanted -= mass
        else:
            spread, offset_s = classes[-1]
            found.append(in_ms(offset_s + spread.quantile_s(1.0)))
    return found[0], found[1], found[2]


def rounded(time_s: float) -> float:
    """Round to three digits, so that there are few different times."""
    return float(f"{time_s:.3g}")


@cache
def _normals(number: int) -> tuple[float, ...]:
    return tuple(_NORMAL.inv_cdf((at + 0.5) / number) for at in range(number))
