"""The part of a flow that a limit lets in, found by trying."""

import math

_LEAST = 1e-9
_NOTHING = 1e-12
_LEAST_ELASTICITY, _MOST_ELASTICITY = 0.3, 8.0
_LARGEST_STEP = 2.0
"""Of the logarithm."""
_SAME = 1e-6


class Part:
    """A number from 0 to 1, as large as a limit allows.

    What comes of it grows with it, but not always in proportion: a ride that is let in asks for more, and makes others
    wait. How steeply is seen from the last two tries, and remembered for the next step.
    """

    __slots__ = ("_elasticity", "_last", "value")

    def __init__(self) -> None:
        self.value = 1.0
        self._elasticity = 1.0
        self._last: tuple[float, float] | None = None

    def begin(self) -> None:
        """Begin a step: what was tried in the last one says nothing any more."""
        self._last = None

    def adjust(self, come: float, base: float, limit: float) -> float:
        """Note that the present value leads to *come*, of which *base* comes anyway; return how far off it was.

        The value is changed to what probably leads to *limit*.
        """
        own = come - base
        if own <= _NOTHING or (come <= limit and self.value >= 1.0):
            missed, self.value = 1.0 - self.value, 1.0
            self._last = None
            return missed
        error = math.log(own / max(limit - base, _LEAST * own))
        at = math.log(self.value)
        if self._last is not None and abs(at - self._last[0]) > _SAME:
            slope = (error - self._last[1]) / (at - self._last[0])
            self._elasticity = min(_MOST_ELASTICITY, max(_LEAST_ELASTICITY, slope))
        self._last = at, error
        step = max(-_LARGEST_STEP, min(_LARGEST_STEP, -error / self._elasticity))
        wanted = min(1.0, max(_LEAST, self.value * math.exp(step)))
        missed = 0.0 if wanted >= 1.0 and self.value >= 1.0 else abs(wanted - self.value) / max(wanted, self.value)
        self.value = wanted
        return min(missed, abs(error))
