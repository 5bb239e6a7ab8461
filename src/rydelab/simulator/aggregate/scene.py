"""What all flows of one simulation share: what is simulated, how long things take, and the step under way."""

from dataclasses import dataclass, field

from rydelab.simulator.aggregate.delay_line import DelayLine
from rydelab.simulator.aggregate.function_flow import FunctionFlow
from rydelab.simulator.aggregate.mixture import Spread
from rydelab.simulator.aggregate.steps import Steps
from rydelab.simulator.aggregate.tally import Tally
from rydelab.simulator.cell import Cell, Conditions, Templates
from rydelab.simulator.exact.world import OWN_TIMES, WARM_AT_ONCE
from rydelab.simulator.profile import Profile, ServiceTime


@dataclass(slots=True)
class Scene:
    """Times are seconds from the begin of the load."""

    cell: Cell
    templates: Templates
    conditions: Conditions
    profile: Profile
    steps: Steps
    tally: Tally
    functions: dict[str, FunctionFlow] = field(default_factory=dict)
    start_s: float = 0.0
    """The step under way."""
    end_s: float = 0.0

    @property
    def step_s(self) -> float:
        """The length of the step."""
        return self.end_s - self.start_s

    def time(self, name: str) -> ServiceTime:
        """Return a service time in this cell."""
        return self.profile.time(name, memory_mb=self.cell.memory_mb if name in OWN_TIMES else None)

    def mean_s(self, *names: str) -> float:
        """Return how long some things take together."""
        return sum(self.time(name).mean_s for name in names)

    def spread(self, *names: str) -> Spread:
        """Return the distribution of some times together."""
        return Spread.of(self.time(name) for name in names)

    def function(self, name: str, *, reserved: int | None = None, takes_s: float = 0.0) -> FunctionFlow:
        """Return a function, made when first asked for; *takes_s* is how long an invocation takes at least."""
        if name not in self.functions:
            limits = self.profile.limits
            self.functions[name] = FunctionFlow(
                name,
                memory_mb=self.cell.memory_mb,
                reserved=reserved,
                init_s=self.mean_s("init"),
                new_per_10_s=limits["new_environments_per_10_s"],
                idle_s=limits["environment_idle_s"],
                takes_s=takes_s,
                running=DelayLine(takes_s, self.steps),
                environments=float(min(WARM_AT_ONCE, self.conditions.warm_up_rides)),
            )
        return self.functions[name]
