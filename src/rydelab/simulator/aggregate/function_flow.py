"""One Lambda function: the environments that its invocations need, what it may have of them, and what it uses."""

import math
from collections import deque
from dataclasses import dataclass, field

from rydelab.simulator.aggregate.delay_line import DelayLine
from rydelab.simulator.aggregate.part import Part

_LOOKS_PER_IDLE_TIME = 10
_NEW_PER_S = 10.0
"""The limit of new environments is per this many seconds."""


@dataclass(slots=True)
class FunctionFlow:
    """Environments are what was busy at the same time, and are kept until they have been idle for a while."""

    name: str
    memory_mb: int
    reserved: int | None
    init_s: float
    """How long a new environment takes, on average."""
    new_per_10_s: float
    """Environments that it may gain; 0: no limit."""
    idle_s: float
    takes_s: float
    """How long an invocation takes at least, without what it waits for."""
    running: DelayLine
    """Invocations until that time is over."""
    environments: float = 0.0
    invocations: float = 0.0
    refused: float = 0.0
    busy_s: float = 0.0
    accepted: Part = field(default_factory=Part)
    """The part of the invocations that its own limits let in, in the present step."""
    _tokens: float = field(default=0.0, init=False)
    _peaks: deque[float] = field(default_factory=deque, init=False)
    _looked_s: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._tokens = self.new_per_10_s
        self._peaks = deque([self.environments] * _LOOKS_PER_IDLE_TIME, maxlen=_LOOKS_PER_IDLE_TIME)

    def begin(self, end_s: float) -> None:
        """Begin a step: count out what ends in it."""
        if self.running.held:
            self.running.take(end_s)

    def adds(self, begun: float, step_s: float) -> float:
        """Return how many of those that begin in a step are under way at its end."""
        return begun * min(1.0, self.takes_s / step_s)

    @property
    def shares_pool(self) -> bool:
        """Whether its concurrency is that of the account."""
        return self.reserved is None

    def most_busy(self, step_s: float) -> float:
        """Return how many invocations can be under way at the end of a step, whatever other functions do."""
        limit = math.inf if self.reserved is None else float(self.reserved)
        if self.new_per_10_s:
            limit = min(limit, self.environments + self._tokens + step_s * self.new_per_10_s / _NEW_PER_S)
        return limit

    def settle(self, *, begun: float, refused: float, busy: float, now_s: float, step_s: float) -> float:
        """Note a step: *busy* invocations under way at its end. Return how many began in a new environment."""
        self.invocations += begun
        self.refused += refused
        if self.takes_s:
            self.running.push(now_s - step_s + self.takes_s, now_s + self.takes_s, begun)
            self.running.take(now_s)
        cold = 0.0
        if busy > self.environments:
            # While the new ones start, further invocations find none either.
            cold = min(begun, busy - self.environments + begun / step_s * self.init_s)
            if self.new_per_10_s:
                cold = min(cold, max(self._tokens + step_s * self.new_per_10_s / _NEW_PER_S, busy - self.environments))
            self.environments = max(self.environments + cold, busy)
            self.busy_s += cold * self.init_s
        if self.new_per_10_s:
            gained = self._tokens + step_s * self.new_per_10_s / _NEW_PER_S - cold
            self._tokens = min(self.new_per_10_s, max(0.0, gained))
        self._peaks[-1] = max(self._peaks[-1], busy, cold)
        while now_s - self._looked_s >= self.idle_s / _LOOKS_PER_IDLE_TIME:
            self._looked_s += max(self.idle_s / _LOOKS_PER_IDLE_TIME, 1.0)
            self._peaks.append(busy)
            self.environments = min(self.environments, max(self._peaks))
        return cold
