"""How the AWS SDK in the functions retries: botocore 1.42.54, the lab's and the functions' version, run to see it.

A client of DynamoDB makes 10 attempts in mode ``legacy``, with pauses of 0.05, 0.1 … 12.8 s and no chance in them, and
does not retry a RequestLimitExceeded. In mode ``standard`` every client makes 3, with pauses of chance up to 1 and 2 s,
as long as it has quota: 500 tokens, 5 for a retry. A client lives as long as its execution environment. Source:
botocore's data/_retry.json, retries/standard.py, retries/quota.py.
"""

import math
import random

from rydelab.capacity.throttling import Limit
from rydelab.simulator.cell import RetryMode

QUOTA = 500.0
_RETRY_COST = 5.0
_UNRETRIED_GAIN = 1.0
_LONGEST_PAUSE_S = 20.0
_STANDARD_ATTEMPTS = 3
LEGACY_DYNAMODB_PAUSES_S: tuple[float, ...] = tuple(0.05 * 2**number for number in range(9))
_LEGACY_ATTEMPTS = 5
"""Of clients of other services than DynamoDB."""

type Quota = list[float]
"""The tokens of one environment's client, in a list of one so that they can be changed in place."""


def new_quota() -> Quota:
    """Return a full quota."""
    return [QUOTA]


class SdkRetries:
    """The retries of one mode."""

    def __init__(self, mode: RetryMode, chance: random.Random) -> None:
        self.is_standard = mode == "standard"
        self._random = chance.random

    def dynamodb_pause_s(self, attempts: int, limit: Limit, quota: Quota | None) -> float | None:
        """Return the pause after *attempts* (1 is the first) that *limit* refused; None if there is no further one."""
        if not self.is_standard:
            if limit is Limit.ACCOUNT or attempts > len(LEGACY_DYNAMODB_PAUSES_S):
                return None
            return LEGACY_DYNAMODB_PAUSES_S[attempts - 1]
        if quota is not None and attempts < _STANDARD_ATTEMPTS:
            if quota[0] < _RETRY_COST:
                return None
            quota[0] -= _RETRY_COST
        return self._standard_pause_s(attempts)

    def lambda_pause_s(self, attempts: int) -> float | None:
        """Return the pause after *attempts* of an Invoke that found no concurrency; None if there is no further one."""
        if self.is_standard:
            return self._standard_pause_s(attempts)
        return None if attempts >= _LEGACY_ATTEMPTS else self._random() * math.pow(2, attempts - 1)

    def succeeded(self, attempts: int, quota: Quota | None) -> None:
        """Give *quota* back what a request gives that succeeded at its *attempts*-th attempt."""
        if quota is not None:
            quota[0] = min(QUOTA, quota[0] + (_UNRETRIED_GAIN if attempts == 1 else _RETRY_COST))

    def _standard_pause_s(self, attempts: int) -> float | None:
        if attempts >= _STANDARD_ATTEMPTS:
            return None
        return self._random() * min(math.pow(2, attempts - 1), _LONGEST_PAUSE_S)
