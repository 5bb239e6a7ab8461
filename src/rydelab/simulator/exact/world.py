"""Everything that the paths of one simulation share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rydelab.simulator.cell import Cell, Conditions, Templates
from rydelab.simulator.exact.agenda import Agenda
from rydelab.simulator.exact.chance import Chance
from rydelab.simulator.exact.functions import Function, Pool, QuotaFunction
from rydelab.simulator.exact.record_table import RecordTable
from rydelab.simulator.exact.sdk import SdkRetries
from rydelab.simulator.exact.tally import Tally
from rydelab.simulator.profile import Profile

WARM_AT_ONCE = 4
"""How many warm-up rides are sent at the same time, as in a lab."""
OWN_TIMES = ("request_ride", "request_unicorn", "put_ride_record")
"""The service times that memory changes."""


class Gateway:
    """API Gateway's limit of requests a second: a bucket of *burst* that gains *per_s*."""

    __slots__ = ("_burst", "_last_s", "_per_s", "_tokens")

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = max(burst, 1.0)
        self._tokens = self._burst
        self._last_s = 0.0

    def admits(self, now_s: float) -> bool:
        """Let one request through, or not."""
        if now_s > self._last_s:
            self._tokens = min(self._burst, self._tokens + (now_s - self._last_s) * self._per_s)
            self._last_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass(frozen=True, slots=True)
class World:
    """One simulation: what is simulated, its clockwork, and what is counted."""

    cell: Cell
    templates: Templates
    conditions: Conditions
    profile: Profile
    agenda: Agenda
    chance: Chance
    tally: Tally
    table: RecordTable
    retries: SdkRetries
    pool: Pool
    gateway: Gateway | None
    """None without a limit."""
    positions: Sequence[int]
    """Of partition keys, for rides by their number modulo the length, which is a power of two."""
    functions: dict[str, Function] = field(default_factory=dict)

    def times(self, name: str) -> Callable[[], float]:
        """Return what gives one service time after the other."""
        memory_mb = self.cell.memory_mb if name in OWN_TIMES else None
        return self.chance.times(self.profile.time(name, memory_mb=memory_mb))

    def function(self, name: str, *, reserved: int | None = None, writes: bool = False) -> Function:
        """Make a function; *writes*: whether it writes to a table that may throttle it."""
        make = QuotaFunction if writes and self.retries.is_standard else Function
        made = make(
            name,
            self.pool,
            reserved=reserved,
            init_s=self.times("init"),
            new_per_10_s=self.profile.limits["new_environments_per_10_s"],
            warm=min(WARM_AT_ONCE, self.conditions.warm_up_rides),
            memory_mb=self.cell.memory_mb,
        )
        self.functions[name] = made
        return made

    def pool_is_complete(self) -> None:
        """Note that every function is there, so that each may know how much it can have whatever the others do."""
        for function in self.functions.values():
            function.find_calm()
