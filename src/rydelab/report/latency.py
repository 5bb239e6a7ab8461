"""Percentiles of measured times. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    """The distribution of some times, in milliseconds; None where there was nothing to measure."""

    count: int
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None


def latency(times_s: Iterable[float]) -> Latency:
    """Summarise *times_s*, in seconds. Each percentile is a time that was measured (nearest rank)."""
    ordered = sorted(times_s)
    if not ordered:
        return Latency(count=0)
    return Latency(
        count=len(ordered),
        p50_ms=_ms(percentile(ordered, 50)),
        p95_ms=_ms(percentile(ordered, 95)),
        p99_ms=_ms(percentile(ordered, 99)),
        max_ms=_ms(ordered[-1]),
    )


def percentile(ordered: list[float], percent: float) -> float:
    """Return the smallest of the values *ordered*, ascending and at least one, that *percent* of them do not exceed."""
    rank = math.ceil(len(ordered) * percent / 100)
    return ordered[max(rank, 1) - 1]


def _ms(time_s: float) -> float:
    # Clocks are read to the microsecond; further digits would only be noise of the conversion.
    return round(time_s * 1000, 3)
