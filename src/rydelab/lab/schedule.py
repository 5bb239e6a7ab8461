"""When each arrival is due. Pure arithmetic: seconds from the start of the load, no clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Rounding in duration * rate must neither add an arrival nor take one away.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the load with one rate of arrivals."""

    duration_s: float
    arrivals_per_s: float


def duration_s(phases: Iterable[Phase]) -> float:
    """Sum up how long the phases take, one after another."""
    return sum(phase.duration_s for phase in phases)


def due_times_s(phases: Iterable[Phase]) -> Iterator[float]:
    """Yield when each arrival is due, in seconds from the start, evenly spaced within a phase.

    Arrival number k is due when the rate, summed over time, reaches k: the first at once. So a phase that ends between
    two arrivals hands its remainder to the next one, and the total depends on neither the phases' number nor rounding.
    """
    phase_starts_s = 0.0
    arrivals_before = 0.0
    number = 0
    for phase in phases:
        arrivals_after = arrivals_before + phase.duration_s * phase.arrivals_per_s
        while number < arrivals_after - _ROUNDING:
            yield phase_starts_s + max(0.0, number - arrivals_before) / phase.arrivals_per_s
            number += 1
        arrivals_before = arrivals_after
        phase_starts_s += phase.duration_s
