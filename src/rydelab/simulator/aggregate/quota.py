"""The SDK's quota of retries, as one number for all environments of a function."""

import math
from collections.abc import Callable

from rydelab.simulator.exact.sdk import QUOTA

_RETRY_COST = 5.0
_UNRETRIED_GAIN = 1.0
_USED = 0.83 * QUOTA
"""What environments have used on average when those used most have nothing left; seen in the exact engine."""
_ROUNDS = 4


class QuotaFlow:
    """Mode ``standard``: a client has 500 tokens; a retry costs 5, a success gives back 5, or 1 at the first attempt.

    The environments' quotas are taken together, which is exact as long as they are alike.
    """

    __slots__ = (
        "_environments",
        "_gained_per_s",
        "_is_spent",
        "_spent_per_s",
        "_tokens",
        "_wanted_part",
        "persistence",
    )

    def __init__(self) -> None:
        self._environments = 1.0
        self._tokens = _USED
        self._is_spent = False
        self._gained_per_s = 0.0
        self._spent_per_s = 0.0
        self._wanted_part = 1.0
        """The part of the refused attempts that would be tried again, if there were tokens."""
        self.persistence = 1.0
        """The part of them that is, in the present step."""

    @property
    def holds_out_s(self) -> float:
        """How long the tokens will last if they are spent as in the last step."""
        return self._tokens / self._spent_per_s if self._spent_per_s > 0.0 and self._tokens > 0.0 else math.inf

    def attempts(
        self, attempts: Callable[[float], float], busy: Callable[[float], float], share: float, step_s: float
    ) -> float:
        """Return how many attempts there are in a step, and note the persistence that the tokens allow.

        *attempts* says how many for a persistence, of which *share* is admitted; *busy* how many environments are
        between two attempts at the end of the step.
        """
        affordable = (self._tokens + self._gained_per_s * step_s) / _RETRY_COST
        self.persistence = 1.0
        for number_of_round in range(_ROUNDS):
            number = attempts(self.persistence)
            wanted = number * (1.0 - share) * self._wanted_part
            if self.persistence >= 1.0 and wanted <= affordable:
                return number
            if not number_of_round and not self._is_spent:
                affordable += max(0.0, busy(1.0) - self._environments) * _USED / _RETRY_COST
            self.persistence = min(1.0, affordable / wanted)
        return attempts(self.persistence)

    def settle(self, *, busy: float, refused: float, made: float, first: float, later: float, step_s: float) -> None:
        """Note a step: attempts *refused*, retries *made*, successes at the first and at a later attempt.

        *busy* is how many environments were between two attempts. Once quotas are spent no others come into use: an
        environment that cannot retry is free again at once, and the one used last is used first.
        """
        if busy > self._environments and not self._is_spent:
            self._tokens += (busy - self._environments) * _USED
            self._environments = busy
        gained = first * _UNRETRIED_GAIN + later * _RETRY_COST
        spent = made * _RETRY_COST - gained
        self._tokens = max(0.0, min(self._environments * _USED, self._tokens - spent))
        if self.persistence < 1.0:
            self._is_spent = True
        elif self._tokens > self._environments * _USED / 2:
            self._is_spent = False
        self._gained_per_s = gained / step_s
        self._spent_per_s = spent / step_s
        if refused > 0.0 and self.persistence > 0.0:
            self._wanted_part = made / self.persistence / refused
