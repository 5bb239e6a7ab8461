"""Service times by chance: the quantiles of a distribution in random order, again and again.

That costs a third of a drawn number, and any run of a few thousand rides has the distribution's own mean and tail.
"""

import math
import random
from collections.abc import Callable
from functools import cache
from itertools import cycle
from statistics import NormalDist

from rydelab.simulator.profile import ServiceTime

_SIZES = (1009, 1013, 1019, 1021, 1031, 1033, 1039, 1049, 1051, 1061, 1063, 1069, 1087, 1091, 1093, 1097)
"""Primes, so that two times that are drawn in step do not meet again in the same pairs."""

_POSITIONS = 1 << 16


class Chance:
    """All that is random in one simulation; the same seed gives the same."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 (a simulation that can be repeated, nothing secret)
        self._sizes = cycle(_SIZES)

    def times(self, time: ServiceTime) -> Callable[[], float]:
        """Return what gives one service time after the other, in seconds."""
        if not time.sigma:
            return cycle([time.median_s]).__next__
        median_s, sigma = time.median_s, time.sigma
        values = [median_s * math.exp(sigma * normal) for normal in _normals(next(self._sizes))]
        self.random.shuffle(values)
        return cycle(values).__next__

    def positions(self) -> list[int]:
        """Return positions of partition keys; as many as a power of two, so that a mask chooses one."""
        return [self.random.getrandbits(32) for _ in range(_POSITIONS)]


@cache
def _normals(number: int) -> tuple[float, ...]:
    """Return *number* quantiles of the standard normal distribution, evenly."""
    quantile = NormalDist().inv_cdf
    return tuple(quantile((at + 0.5) / number) for at in range(number))
