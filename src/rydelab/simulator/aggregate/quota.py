"""The SDK's quota of retries, as one number for all environments of a function."""

import math

from rydelab.simulator.exact.sdk import QUOTA

_RETRY_COST = 5.0
_UNRETRIED_GAIN = 1.0


class QuotaFlow:
    """Mode ``standard``: a client has 500 tokens; a retry costs 5, a success gives back 5, or 1 at the first attempt.

    The environments' quotas are taken together, which is exact as long as they are alike.
    """

    __slots__ = ("_environments", "_spent_per_s", "_tokens", "persistence")

    def __init__(self) -> None:
        self._environments = 0.0
        self._tokens = 0.0
        self._spent_per_s = 0.0
        self.persistence = 1.0
        """The part of the failures that may try again, in the next step."""

    @property
    def holds_out_s(self) -> float:
        """How long the tokens will last if they are spent as in the last step."""
        return self._tokens / self._spent_per_s if self._spent_per_s > 0.0 and self._tokens > 1.0 else math.inf

    def settle(
        self, *, environments: float, wanted: float, made: float, first: float, later: float, step_s: float
    ) -> None:
        """Note a step: retries *wanted* and *made*, successes at the first and at a later attempt."""
        if environments > self._environments:
            self._tokens += (environments - self._environments) * QUOTA
        self._environments = environments
        gained = first * _UNRETRIED_GAIN + later * _RETRY_COST
        spent = made * _RETRY_COST - gained
        self._tokens = max(0.0, min(environments * QUOTA, self._tokens - spent))
        self._spent_per_s = (wanted * _RETRY_COST - gained) / step_s
        affordable = (self._tokens + gained) / _RETRY_COST
        self.persistence = 1.0 if wanted <= affordable else affordable / wanted
