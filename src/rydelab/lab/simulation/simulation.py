"""Between the lab and the simulator: a scenario's cell and load as the simulator has them, its outcome as a result."""

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from rydelab.lab.cells.cell_result import LATE_START_S, Arrived, CellResult
from rydelab.lab.loading.requests_file import Request
from rydelab.lab.scenarios.cell import Cell, variant
from rydelab.lab.scenarios.scenario import LEDGER_KINDS, Phase, Scenario
from rydelab.lab.scenarios.schedule import Stretch
from rydelab.lab.scenarios.thresholds import Threshold, judge
from rydelab.report.latency import Latency
from rydelab.report.series import NICE_FACTORS, CapacitySeries, CellSeries
from rydelab.report.summary import CellId, CellSummary
from rydelab.simulator import cell as simulated
from rydelab.simulator.engine import MOST_EXACT_ARRIVALS, EngineName, simulate
from rydelab.simulator.profile import Profile
from rydelab.simulator.result import FATES, CellOutcome, Rides
from rydelab.simulator.traffic import KINDS, Arrivals, Rate, Traffic

MOST_INTERVALS = 7_200
"""Of the series of a cell, so that the files of a simulated month stay small."""
MOST_ROWS = 100_000
"""Arrivals of a cell that get a row in ``requests.csv``."""
STEP_S = 1.0
"""The step of the rate that a scenario becomes for the aggregate engine."""


@dataclass(frozen=True, slots=True)
class Place:
    """How a scenario is simulated."""

    engine: EngineName
    profile: Profile
    seed: int = 0


def engine_for(scenario: Scenario) -> EngineName:
    """Return the engine that suits the number of arrivals in *scenario*."""
    return "exact" if arrivals_of(scenario) <= MOST_EXACT_ARRIVALS else "aggregate"


def arrivals_of(scenario: Scenario) -> int:
    """Count the arrivals of *scenario* without going through them."""
    return math.ceil(sum(stretch.arrivals for stretch in scenario.stretches))


def scaled(scenario: Scenario, scale: float) -> Scenario:
    """Return *scenario* with *scale* times as many arrivals."""
    return replace(scenario, phases=tuple(_scaled(phase, scale) for phase in scenario.phases))


def traffic_of(scenario: Scenario, engine: EngineName) -> Traffic:
    """Return the load of *scenario*: each arrival for the exact engine, a rate for the aggregate one."""
    if engine == "aggregate":
        return Rate(tuple(_per_step(scenario.stretches, STEP_S)), STEP_S, scenario.mix)
    due_s, kinds = array("d"), bytearray()
    for arrival in scenario.arrivals():
        due_s.append(arrival.due_s)
        kinds.append(KINDS.index(arrival.kind))
    return Arrivals(due_s, scenario.duration_s, bytes(kinds) if any(kinds) else b"")


def conditions_of(scenario: Scenario) -> simulated.Conditions:
    """Return the conditions that *scenario* names."""
    return simulated.Conditions(
        timeout_s=scenario.timeout_s,
        drain_s=scenario.drain_s,
        warm_up_rides=scenario.warm_up_rides,
        interval_s=_interval_s(scenario.duration_s),
    )


def simulated_cell(cell: Cell) -> simulated.Cell:
    """Return *cell* as the simulator has it."""
    values: dict[str, Any] = dict(cell.options)
    return simulated.Cell(design=cell.design, table_mode=cell.table_mode, **values)  # type: ignore[arg-type]


def simulate_cells(
    scenario: Scenario, cells: Sequence[Cell], place: Place
) -> Iterator[tuple[CellId, Cell, CellOutcome]]:
    """Simulate each of *cells* under the load of *scenario*."""
    traffic, conditions = traffic_of(scenario, place.engine), conditions_of(scenario)
    for cell in cells:
        outcome = simulate(
            simulated_cell(cell),
            traffic,
            place.profile,
            engine=place.engine,
            seed=place.seed,
            conditions=conditions,
        )
        yield CellId(cell.design, cell.table_mode, variant(cell, cells)), cell, outcome


def cell_result(cell_id: CellId, cell: Cell, outcome: CellOutcome, thresholds: Iterable[Threshold] = ()) -> CellResult:
    """Return *outcome* as a measured cell's result, of which the report makes the same pages."""
    summary = CellSummary(
        design=cell_id.design,
        table_mode=cell_id.table_mode,
        variant=cell_id.variant,
        arrivals=outcome.arrivals,
        rows=dict(outcome.rows),
        rewrites=outcome.rewrites,
        mismatches=tuple(_mismatches(outcome)),
        latency=_latency(outcome.latency),
        error_latency=_latency(outcome.error_latency),
        time_to_record=_latency(outcome.time_to_record),
        late_starts=0,
        late_start_s=LATE_START_S,
        errors=dict(outcome.errors),
        durations_s={"drain": round(outcome.drain_s, 3)},
        throttles=dict(outcome.throttles),
        retries=outcome.retries,
        settings=cell.settings,
        usage=outcome.usage,
    )
    arrived = tuple(_arrived(outcome.rides)) if outcome.rides and len(outcome.rides.due_s) <= MOST_ROWS else ()
    return CellResult(replace(summary, thresholds=judge(thresholds, summary)), _series(cell_id, outcome), arrived)


def _scaled(phase: Phase, scale: float) -> Phase:
    stretches = tuple(
        Stretch(stretch.duration_s, stretch.from_per_s * scale, stretch.to_per_s * scale) for stretch in phase.stretches
    )
    return Phase({**phase.settings, "times": scale}, stretches)


def _per_step(stretches: Iterable[Stretch], step_s: float) -> list[float]:
    """Sum up the rate over each step of *step_s* seconds."""
    sums: list[float] = []
    begin_s = 0.0
    for stretch in stretches:
        at_s, end_s = begin_s, begin_s + stretch.duration_s
        while at_s < end_s:
            step = int(at_s / step_s + 1e-9)
            until_s = min(end_s, (step + 1) * step_s)
            sums.extend([0.0] * (step + 1 - len(sums)))
            sums[step] += _rate_between(stretch, at_s - begin_s, until_s - begin_s) * (until_s - at_s)
            at_s = until_s
        begin_s = end_s
    return sums


def _rate_between(stretch: Stretch, from_s: float, until_s: float) -> float:
    growth = (stretch.to_per_s - stretch.from_per_s) / stretch.duration_s
    return stretch.from_per_s + growth * (from_s + until_s) / 2


def _interval_s(duration_s: float) -> float:
    least = duration_s / MOST_INTERVALS
    return float(next((factor for factor in NICE_FACTORS if factor >= least), math.ceil(least)))


def _mismatches(outcome: CellOutcome) -> Iterator[str]:
    if sum(outcome.rows.values()) != outcome.arrivals:
        yield f"the rows add up to {sum(outcome.rows.values())}, but there are {outcome.arrivals} arrivals"


def _latency(latency: Any) -> Latency:
    return Latency(**asdict(latency))


def _series(cell_id: CellId, outcome: CellOutcome) -> CellSeries:
    columns = {field.name: getattr(outcome.series, field.name) for field in fields(outcome.series)}
    columns["capacity"] = tuple(CapacitySeries(**asdict(part)) for part in outcome.series.capacity)
    return CellSeries(cell_id, **columns)


def _arrived(rides: Rides) -> Iterator[Arrived]:
    for number, (due_s, latency_s, fate, recorded_s) in enumerate(
        zip(rides.due_s, rides.latency_s, rides.fates, rides.recorded_s, strict=True)
    ):
        error = rides.errors[rides.error_of[number]] if rides.error_of[number] >= 0 else ""
        status = error.partition(" ")[0]
        request = Request(
            arrival=number,
            due_s=due_s,
            late_s=0.0,
            latency_s=latency_s,
            status=201 if not error else int(status) if status.isdecimal() else None,
            ride_id=None,
            error=error,
            kind=KINDS[rides.kinds[number]] if rides.kinds else LEDGER_KINDS[0],
        )
        yield Arrived(request, FATES[fate], recorded_s if math.isfinite(recorded_s) else None)
