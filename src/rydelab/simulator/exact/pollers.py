"""How many batches of one queue Lambda handles at once.

Source: AWS Lambda developer guide, "Configuring scaling behavior for SQS event source mappings"; that a refusal halves
the number, down to 2, is the lab's assumption (docs/fidelity.md).
"""

import math
from heapq import heappop, heappush

from rydelab.simulator.profile import Profile

_FEWEST = 2
_IDLE_S = 1.0
"""A queue that has had no batch for this long takes the number back to its start."""


class Pollers:
    """Begins with 5, and gains 300 a minute while all are busy."""

    def __init__(self, profile: Profile) -> None:
        self._most = profile.limits["sqs_most_pollers"]
        self._start = min(profile.limits["sqs_pollers"], self._most)
        self._growth_per_s = profile.limits["sqs_growth_per_min"] / 60
        self._level = self._start
        self._busy = 0
        self.ends_s: list[float] = []
        """When batches end whose end is known: a heap."""
        self._all_busy_since_s: float | None = None
        self._last_end_s = -math.inf

    def take(self, now_s: float) -> bool:
        """Take one if one is free."""
        ends_s, all_busy_until_s = self.ends_s, now_s
        if ends_s and ends_s[0] <= now_s:
            all_busy_until_s = ends_s[0]
            while ends_s and ends_s[0] <= now_s:
                self._last_end_s = heappop(ends_s)
                self._busy -= 1
        if self._all_busy_since_s is not None:
            grown = max(0.0, all_busy_until_s - self._all_busy_since_s) * self._growth_per_s
            self._level = min(self._most, self._level + grown)
            self._all_busy_since_s = now_s
        if not self._busy and now_s - self._last_end_s > _IDLE_S:
            self._level = self._start
        limit = int(self._level)
        if self._busy >= limit:
            return False
        self._busy += 1
        self._all_busy_since_s = now_s if self._busy == limit else None
        return True

    def next_free_s(self, now_s: float) -> float:
        """Return when one may be free, while all are busy: when the next ends, or there is one more."""
        missing = self._busy + 1 - self._level
        grown_s = now_s + max(missing / self._growth_per_s, 0.001) if self._growth_per_s else math.inf
        if self._level >= self._most:
            grown_s = math.inf
        ends_s = self.ends_s[0] if self.ends_s else math.inf
        return max(now_s, min(grown_s, ends_s))

    def end(self, at_s: float) -> None:
        """Have one free at *at_s*."""
        heappush(self.ends_s, at_s)

    def went_badly(self) -> None:
        """Note that Lambda refused a batch: half as many from now on."""
        self._level = max(self._level / 2, min(_FEWEST, self._start))
