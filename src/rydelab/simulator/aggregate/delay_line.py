"""What is due later: masses, each spread evenly between two moments."""

from collections import deque

from rydelab.simulator.aggregate.steps import SHORTEST_S, Steps

_START, _END, _MASS = range(3)
_SAME_RATE = 1e-3


class DelayLine:
    """Masses in the order in which they were put in; neither their begins nor their ends may fall."""

    __slots__ = ("_delay_s", "_last_per_s", "_segments", "_steps", "held")

    def __init__(self, delay_s: float, steps: Steps) -> None:
        """*delay_s* is how far ahead masses are put: the edges of waves matter to lines that are longer than a step."""
        self._segments: deque[list[float]] = deque()
        self._steps = steps if delay_s >= SHORTEST_S else None
        self._delay_s = delay_s
        self._last_per_s = 0.0
        self.held = 0.0
        """The mass in the line."""

    def push(self, start_s: float, end_s: float, mass: float) -> None:
        """Have *mass* due between *start_s* and *end_s*. Call it for every step, also with nothing."""
        per_s = mass / (end_s - start_s)
        last_per_s = self._last_per_s
        if mass or last_per_s:
            if self._steps is not None:
                self._steps.note(start_s, last_per_s, per_s)
            self._last_per_s = per_s
        if not mass:
            return
        self.held += mass
        segments = self._segments
        if segments:
            last = segments[-1]
            # Equal rates, one after the other, are one segment: a steady state costs no memory.
            if abs(last[_END] - start_s) < _SAME_RATE and abs(per_s - last_per_s) <= _SAME_RATE * per_s:
                last[_END] = end_s
                last[_MASS] += mass
                return
        segments.append([start_s, end_s, mass])

    def take(self, until_s: float) -> float:
        """Take out what is due by *until_s*."""
        segments = self._segments
        taken = 0.0
        for segment in segments:
            start_s, end_s, mass = segment
            if start_s >= until_s:
                break
            if end_s <= until_s:
                taken += mass
                segment[_MASS] = 0.0
                segment[_START] = end_s
            else:
                part = mass * (until_s - start_s) / (end_s - start_s)
                taken += part
                segment[_MASS] = mass - part
                segment[_START] = until_s
        while segments and segments[0][_END] <= until_s:
            segments.popleft()
        self.held = self.held - taken if segments else 0.0
        return taken


class VectorLine:
    """As a delay line, for masses that are known apart: lists, of which shorter ones have nothing further on."""

    __slots__ = ("_last_per_s", "_segments", "_steps", "held")

    def __init__(self, steps: Steps) -> None:
        self._segments: deque[tuple[float, float, list[float]]] = deque()
        self._steps = steps
        self._last_per_s = 0.0
        self.held = 0.0
        """The mass in the line."""

    def push(self, start_s: float, end_s: float, masses: list[float]) -> None:
        """Have *masses* due between two moments. Call it for every step, also with nothing."""
        whole = sum(masses)
        per_s = whole / (end_s - start_s)
        if whole or self._last_per_s:
            self._steps.note(start_s, self._last_per_s, per_s)
            self._last_per_s = per_s
        if whole:
            self._segments.append((start_s, end_s, masses))
            self.held += whole

    def take(self, until_s: float) -> list[float] | None:
        """Take out what is due by *until_s*; None if nothing is."""
        segments = self._segments
        taken: list[float] | None = None
        while segments and segments[0][0] < until_s:
            start_s, end_s, masses = segments.popleft()
            if end_s > until_s:
                part = (until_s - start_s) / (end_s - start_s)
                segments.appendleft((until_s, end_s, [mass * (1.0 - part) for mass in masses]))
                masses = [mass * part for mass in masses]
            taken = masses if taken is None else summed(taken, masses)
        if taken is not None:
            self.held = self.held - sum(taken) if segments else 0.0
        return taken


def summed(one: list[float], other: list[float]) -> list[float]:
    """Add two lists, which may differ in length, element by element."""
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return [mass + more for mass, more in zip(longer, shorter, strict=False)] + longer[len(shorter) :]
