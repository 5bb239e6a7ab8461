"""How long the next step is: short where something changes, growing where nothing does."""

from collections.abc import Sequence
from heapq import heappop, heappush

SHORTEST_S = 1.0
LONGEST_S = 300.0
_RESOLUTION = 0.01
"""Waves of retries come back for hours. They are looked at more and more coarsely: with steps of this part of the time
since the load or the table last changed."""
_GROWTH = 1.5
_STEADY, _UNSTEADY = 0.02, 0.15
"""Relative changes of a rate from one step to the next: below the first steps grow, above the second they shrink."""
_FLOOR = 0.01
"""Rates below this part of the load's own count as this."""
_JUMP, _JUMP_OF_SCALE = 0.15, 0.03
"""A delayed rate that changes by more than this, of itself and of the load's, begins a step of its own."""
_SAME_S = 1e-6


class Steps:
    """Chooses steps. `scale_per_s` is the load's typical rate, against which changes are judged."""

    def __init__(self, scale_per_s: float) -> None:
        self._scale_per_s = scale_per_s
        self._step_s = SHORTEST_S
        self._unchanged_since_s = 0.0
        self._breaks_s: list[float] = []
        self._rates: Sequence[float] = ()

    def note(self, at_s: float, before_per_s: float, after_per_s: float) -> None:
        """Note that a rate changes at *at_s*; a large change will begin a step."""
        change = abs(after_per_s - before_per_s)
        if change > _JUMP * max(before_per_s, after_per_s) and change > _JUMP_OF_SCALE * self._scale_per_s:
            heappush(self._breaks_s, at_s)

    def change(self, now_s: float, before_per_s: float, after_per_s: float) -> None:
        """Begin with shorter steps again: the load or the table has changed, from one rate to another."""
        larger = max(before_per_s, after_per_s)
        if larger > 0.0:
            part = abs(after_per_s - before_per_s) / larger
            self._unchanged_since_s += min(1.0, part) * (now_s - self._unchanged_since_s)
        self.restart(now_s)

    def restart(self, now_s: float) -> None:
        """Begin with the shortest steps of the time."""
        self._step_s = self.shortest_s(now_s)

    def end_s(self, now_s: float, until_s: float) -> float:
        """Return when the step that begins at *now_s* ends, at most at *until_s*."""
        breaks_s, shortest_s = self._breaks_s, self.shortest_s(now_s)
        while breaks_s and breaks_s[0] <= now_s + _SAME_S:
            heappop(breaks_s)
            self._step_s = shortest_s
        end_s = min(now_s + max(self._step_s, shortest_s), until_s)
        # A break soon after the step's begin is left to the next step: waves have many edges close together.
        if breaks_s and breaks_s[0] < end_s:
            end_s = min(end_s, max(breaks_s[0], now_s + shortest_s / 2))
        return end_s

    def judge(self, now_s: float, rates: Sequence[float]) -> None:
        """Compare the *rates* of the step that ends now with those of the one before."""
        before, self._rates = self._rates, rates
        if len(before) != len(rates):
            return
        floor = _FLOOR * self._scale_per_s
        change = max(abs(new - old) / max(new, old, floor, _SAME_S) for new, old in zip(rates, before, strict=True))
        if change < _STEADY:
            self._step_s = min(LONGEST_S, self._step_s * _GROWTH)
        elif change > _UNSTEADY:
            self._step_s = max(self.shortest_s(now_s), self._step_s / 2)

    def shortest_s(self, now_s: float) -> float:
        """Return how short steps are at least where something changes: what is shorter is not looked at."""
        return min(LONGEST_S, max(SHORTEST_S, _RESOLUTION * (now_s - self._unchanged_since_s)))
