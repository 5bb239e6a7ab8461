"""Percentiles, by the report's rule: each is a time that occurred (nearest rank)."""

import math
from collections.abc import Iterable, Sequence

from rydelab.simulator.result import Latency


def latency(times_s: Iterable[float]) -> Latency:
    """Summarise *times_s*, in seconds."""
    ordered = sorted(times_s)
    if not ordered:
        return Latency(count=0)
    return Latency(
        count=len(ordered),
        p50_ms=in_ms(percentile(ordered, 50)),
        p95_ms=in_ms(percentile(ordered, 95)),
        p99_ms=in_ms(percentile(ordered, 99)),
        max_ms=in_ms(ordered[-1]),
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the smallest of the values *ordered*, ascending and at least one, that *percent* of them do not exceed."""
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def in_ms(time_s: float) -> float:
    """Return milliseconds, to the microsecond."""
    return round(time_s * 1000, 3)
