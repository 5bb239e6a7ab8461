"""Lambda's concurrency: which invocations are let in, and which of them wait for a new execution environment."""

import math
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from rydelab.simulator.exact.sdk import Quota, new_quota

REFUSED = -1.0
LOOKS_PER_IDLE_TIME = 10
_NEW_PER_S = 10
"""The limit of new environments is per this many seconds."""


class Pool:
    """The concurrency that the functions without a reserved one share.

    As long as each of them keeps to an equal share, all of them fit. When one goes beyond, the pool is tight, and every
    invocation of any of them is counted against the whole.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.functions: list[Function] = []
        self.is_tight = False

    @property
    def share(self) -> float:
        """What a function may have whatever the others do, while the pool is not tight."""
        return self.limit // len(self.functions)

    def has_room(self, now_s: float) -> bool:
        """Say whether one more invocation fits; notice when the pool is tight no more."""
        for function in self.functions:
            function.settle(now_s)
        busy = [function.busy for function in self.functions]
        self.tighten(is_tight=max(busy) >= self.share)
        return sum(busy) < self.limit

    def tighten(self, *, is_tight: bool) -> None:
        """Note whether the pool is tight."""
        if is_tight != self.is_tight:
            self.is_tight = is_tight
            for function in self.functions:
                function.find_calm()


class Function:
    """One function. `begin` lets an invocation in; `end` tells when it will be over, which may be later than now.

    Times of `begin` should not fall. Those that do, by a few milliseconds, count as if they had come in this order.
    """

    __slots__ = (
        "busy",
        "calm",
        "ends_s",
        "environments",
        "init_s",
        "invocations",
        "is_reserved",
        "limit",
        "memory_mb",
        "name",
        "new_rate",
        "new_tokens",
        "new_tokens_s",
        "peak",
        "peaks",
        "pool",
        "quota",
        "total_init_s",
        "total_s",
    )

    def __init__(
        self,
        name: str,
        pool: Pool,
        *,
        reserved: int | None,
        init_s: Callable[[], float],
        new_per_10_s: float,
        warm: int,
        memory_mb: int,
    ) -> None:
        self.name = name
        self.pool = pool
        self.is_reserved = reserved is not None
        self.limit = math.inf if reserved is None else reserved
        if reserved is None:
            pool.functions.append(self)
        self.init_s = init_s
        self.memory_mb = memory_mb
        self.environments = warm
        """Of them, `busy` are busy."""
        self.busy = 0
        self.ends_s: list[float] = []
        """When invocations end whose end is known: a heap."""
        self.calm = 0
        """With fewer than this busy, an invocation is let in at once and finds an environment."""
        self.new_rate = new_per_10_s / _NEW_PER_S
        self.new_tokens = new_per_10_s
        self.new_tokens_s = -math.inf
        self.quota: Quota | None = None
        """The retries that the SDK client of the environment found by `begin` has left; None if it needs none."""
        self.peak = 0
        self.peaks: list[int] = [warm] * LOOKS_PER_IDLE_TIME
        self.invocations = 0
        self.total_s = 0.0
        self.total_init_s = 0.0

    def find_calm(self) -> None:
        """Find out below which number of invocations there is nothing to look at."""
        if self.is_reserved:
            self.calm = int(min(self.environments, self.limit))
        else:
            self.calm = 0 if self.pool.is_tight else int(min(self.environments, self.pool.share))

    def settle(self, now_s: float) -> None:
        """Count out the invocations that have ended."""
        ends_s = self.ends_s
        while ends_s and ends_s[0] <= now_s:
            heappop(ends_s)
            self.busy -= 1

    def begin(self, now_s: float) -> float:
        """Let an invocation in: return how long it waits for its environment, mostly 0; or `REFUSED`."""
        ends_s = self.ends_s
        while ends_s and ends_s[0] <= now_s:
            heappop(ends_s)
            self.busy -= 1
        busy = self.busy
        if busy >= self.calm:
            return self._begin_closely(now_s)
        self.busy = busy = busy + 1
        if busy > self.peak:  # noqa: PLR1730 (max() is a call)
            self.peak = busy
        self.invocations += 1
        return 0.0

    def end(self, begun_s: float, at_s: float, _quota: Quota | None = None) -> None:
        """Have the invocation that began to run at *begun_s* end at *at_s*, in the environment that has the quota."""
        heappush(self.ends_s, at_s)
        self.total_s += at_s - begun_s

    def lose_environment(self) -> None:
        """Note that an invocation was cut off, and its environment ended with it."""
        self.environments -= 1
        self.find_calm()

    def look(self) -> None:
        """End the environments that have been idle too long. Call it ten times in the time that they may be idle."""
        self.peaks.append(max(self.peak, self.busy))
        del self.peaks[0]
        self.peak = self.busy
        if max(self.peaks) < self.environments:
            self.environments = max(self.peaks)
            self.find_calm()

    def _begin_closely(self, now_s: float) -> float:
        if self.busy >= self.limit:
            return REFUSED
        if not self.is_reserved and (self.pool.is_tight or self.busy >= self.pool.share):
            self.pool.tighten(is_tight=True)
            if not self.pool.has_room(now_s):
                return REFUSED
        wait_s = 0.0
        if self.busy >= self.environments:
            if self.new_rate and not self._take_new(now_s):
                return REFUSED
            self.environments += 1
            self.find_calm()
            wait_s = self.init_s()
            self.total_init_s += wait_s
        self.busy += 1
        self.peak = max(self.peak, self.busy)
        self.invocations += 1
        return wait_s

    def _take_new(self, now_s: float) -> bool:
        """Take one from the new environments that the function may have now."""
        size = self.new_rate * _NEW_PER_S
        self.new_tokens = min(size, self.new_tokens + (now_s - self.new_tokens_s) * self.new_rate)
        self.new_tokens_s = now_s
        if self.new_tokens < 1:
            return False
        self.new_tokens -= 1
        return True


class QuotaFunction(Function):
    """A function whose environments each have an SDK client with a quota; the one used last is used first."""

    __slots__ = ("_busy_quotas", "_idle_quotas")

    def __init__(self, name: str, pool: Pool, **settings: Any) -> None:
        super().__init__(name, pool, **settings)
        self._idle_quotas = [new_quota() for _ in range(self.environments)]
        self._busy_quotas: list[tuple[float, Quota]] = []

    def begin(self, now_s: float) -> float:
        """As the base class."""
        busy = self._busy_quotas
        while busy and busy[0][0] <= now_s:
            self._idle_quotas.append(heappop(busy)[1])
        wait_s = super().begin(now_s)
        if wait_s != REFUSED:
            self.quota = self._idle_quotas.pop() if self._idle_quotas and not wait_s else new_quota()
        return wait_s

    def end(self, begun_s: float, at_s: float, quota: Quota | None = None) -> None:
        """As the base class."""
        super().end(begun_s, at_s)
        if quota is not None:
            heappush(self._busy_quotas, (at_s, quota))
