"""Looks at the world once an interval, as the watch of a measured run does."""

from rydelab.simulator.exact.functions import LOOKS_PER_IDLE_TIME
from rydelab.simulator.exact.world import World


class Samples:
    """Levels at the end of each interval."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._number = 0
        self.provisioned: list[float | None] = []
        self.burst_left: list[float | None] = []
        self.backlog: list[float] = []
        begin_s = world.tally.begin_s
        self._idle_look_s = max(world.profile.limits["environment_idle_s"] / LOOKS_PER_IDLE_TIME, 1.0)
        world.agenda.at(begin_s + world.conditions.interval_s, self._look)
        world.agenda.at(begin_s + self._idle_look_s, self._look_at_functions)

    def _look(self, now_s: float, _about: object) -> None:
        world = self._world
        provisioned, burst_left = world.table.look(now_s)
        self.provisioned.append(provisioned)
        self.burst_left.append(None if burst_left is None else round(burst_left, 3))
        self.backlog.append(world.tally.open)
        self._number += 1
        interval_s = world.conditions.interval_s
        world.agenda.at(world.tally.begin_s + (self._number + 1) * interval_s, self._look)

    def _look_at_functions(self, now_s: float, _about: object) -> None:
        for function in self._world.functions.values():
            function.settle(now_s)
            function.look()
        self._world.agenda.at(now_s + self._idle_look_s, self._look_at_functions)
