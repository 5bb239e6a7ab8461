"""Whether two sets of repeats differ by more than their own noise. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

# Student's t, two-sided 99 %, by degrees of freedom from 1. NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
_T_99 = (
    *(63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169),
    *(3.106, 3.055, 3.012, 2.977, 2.947, 2.921, 2.898, 2.878, 2.861, 2.845),
    *(2.831, 2.819, 2.807, 2.797, 2.787, 2.779, 2.771, 2.763, 2.756, 2.750),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """Two means, and how far apart they may be by chance."""

    before: float
    after: float
    noise: float | None
    """A difference of the means up to this is what chance makes of one and the same thing in 99 of 100 comparisons.

    None if neither side was repeated: then nothing is known of it.
    """

    @property
    def change(self) -> float:
        """How much *after* is more than *before*."""
        return self.after - self.before


def difference(before: Sequence[float], after: Sequence[float]) -> Difference:
    """Compare the values of the repeats on both sides, at least one on each.

    The noise is the 99 % confidence interval of the difference of two means with one common variance (pooled t test).
    """
    freedom = len(before) + len(after) - 2
    noise = None
    if freedom:
        squares = sum((len(values) - 1) * variance(values) for values in (before, after) if len(values) > 1)
        spread = math.sqrt(squares / freedom * (1 / len(before) + 1 / len(after)))
        noise = _T_99[min(freedom, len(_T_99)) - 1] * spread
    return Difference(fmean(before), fmean(after), noise)
