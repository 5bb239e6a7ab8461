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
        self._ends_s: list[float] = []
        self._all_busy_since_s: float | None = None
        self._last_end_s = -math.inf

    def one_is_free(self, now_s: float) -> bool:
        """Say whether one more batch may be taken."""
        all_busy_until_s = now_s
        while self._ends_s and self._ends_s[0] <= now_s:
            self._last_end_s = heappop(self._ends_s)
            all_busy_until_s = min(all_busy_until_s, self._last_end_s)
            self._busy -= 1
        if self._all_busy_since_s is not None:
            grown = max(0.0, all_busy_until_s - self._all_busy_since_s) * self._growth_per_s
            self._level = min(self._most, self._level + grown)
            self._all_busy_since_s = now_s
        if not self._busy and now_s - self._last_end_s > _IDLE_S:
            self._level = self._start
        if self._busy < int(self._level):
            self._all_busy_since_s = None
            return True
        return False

    def next_free_s(self, now_s: float) -> float:
        """Return when one may be free, while all are busy: when the next ends, or there is one more."""
        missing = self._busy + 1 - self._level
        grown_s = now_s + max(missing / self._growth_per_s, 0.001) if self._growth_per_s else math.inf
        if self._level >= self._most:
            grown_s = math.inf
        ends_s = self._ends_s[0] if self._ends_s else math.inf
        return max(now_s, min(grown_s, ends_s))

    def begin(self, now_s: float) -> None:
        """Take one."""
        self._busy += 1
        if self._busy >= int(self._level):
            self._all_busy_since_s = now_s

    def end(self, at_s: float) -> None:
        """Have one free at *at_s*."""
        heappush(self._ends_s, at_s)

    def went_badly(self) -> None:
        """Note that Lambda refused a batch: half as many from now on."""
        self._level = max(self._level / 2, min(_FEWEST, self._start))
