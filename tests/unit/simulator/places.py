"""Profiles and loads whose outcome one can work out by hand."""

from array import array
from typing import Any

from rydelab.simulator.cell import Cell, Conditions
from rydelab.simulator.engine import simulate
from rydelab.simulator.profile import LIMITS, TIMES, Profile, ServiceTime
from rydelab.simulator.result import FATES, CellOutcome
from rydelab.simulator.traffic import Arrivals, Traffic

NO_LIMITS = dict.fromkeys(LIMITS, 0.0) | {
    "account_concurrency": 1e9,
    "environment_idle_s": 600.0,
    "sqs_pollers": 5.0,
    "sqs_most_pollers": 1250.0,
    "sqs_growth_per_min": 300.0,
}


def instant(*, limits: dict[str, float] | None = None, **times_s: float) -> Profile:
    """Return a place where every step takes no time but those of *times_s*, which are constant."""
    return Profile(
        name="instant",
        description="Everything at once.",
        times={name: ServiceTime(times_s.get(name, 0.0), times_s.get(name, 0.0)) for name in TIMES},
        limits=NO_LIMITS | (limits or {}),
    )


def at(*due_s: float, kinds: bytes = b"") -> Arrivals:
    """Return arrivals at these times."""
    return Arrivals(array("d", due_s), max(due_s, default=0.0) + 1, kinds)


def every(interval_s: float, number: int) -> Arrivals:
    """Return *number* arrivals, one each *interval_s* seconds."""
    return at(*(at_ * interval_s for at_ in range(number)))


def play(
    traffic: Traffic,
    design: str = "direct-invoke",
    table_mode: str = "provisioned",
    *,
    profile: Profile | None = None,
    conditions: Conditions | None = None,
    seed: int = 0,
    **options: Any,
) -> CellOutcome:
    """Play *traffic* exactly."""
    cell = Cell(design=design, table_mode=table_mode, **options)  # type: ignore[arg-type]  # a test may name any
    return simulate(cell, traffic, profile or instant(), engine="exact", seed=seed, conditions=conditions)


def fates(outcome: CellOutcome) -> list[str]:
    """Return what became of each arrival."""
    assert outcome.rides is not None
    return [FATES[fate] for fate in outcome.rides.fates]


def recorded_s(outcome: CellOutcome) -> list[float]:
    """Return when each arrival was recorded."""
    assert outcome.rides is not None
    return [round(time_s, 6) for time_s in outcome.rides.recorded_s]


def latency_s(outcome: CellOutcome) -> list[float]:
    """Return how long each client waited."""
    assert outcome.rides is not None
    return [round(time_s, 6) for time_s in outcome.rides.latency_s]
