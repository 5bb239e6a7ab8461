"""Runs an engine: one function for all who simulate."""

from importlib import import_module
from typing import Literal, Protocol, cast

from rydelab.simulator.cell import Cell, Conditions
from rydelab.simulator.profile import Profile
from rydelab.simulator.result import CellOutcome
from rydelab.simulator.traffic import Traffic

type EngineName = Literal["exact", "aggregate"]

MOST_EXACT_ARRIVALS = 2_000_000
"""From more arrivals than this on, `engine_for` takes the aggregate engine: the exact one would take over 10 s."""

_MODULES: dict[EngineName, str] = {
    "exact": "rydelab.simulator.exact.engine",
    "aggregate": "rydelab.simulator.aggregate.engine",
}


class Engine(Protocol):
    """What an engine's module has under the name ``simulate``."""

    def __call__(
        self, cell: Cell, traffic: Traffic, profile: Profile, *, conditions: Conditions, seed: int
    ) -> CellOutcome:
        """Play *traffic* on *cell*; the same arguments give the same outcome."""


def engine_for(traffic: Traffic) -> EngineName:
    """Return the engine that suits the number of arrivals."""
    return "exact" if traffic.count <= MOST_EXACT_ARRIVALS else "aggregate"


def simulate(
    cell: Cell,
    traffic: Traffic,
    profile: Profile,
    *,
    engine: EngineName,
    seed: int = 0,
    conditions: Conditions | None = None,
) -> CellOutcome:
    """Play *traffic* on *cell* in the place that *profile* describes."""
    run = cast("Engine", import_module(_MODULES[engine]).simulate)
    return run(cell, traffic, profile, conditions=conditions or Conditions(), seed=seed)
