"""The sub-command ``validate``: runs small scenarios on a lab and in the simulator, and says how far apart they are."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from rydelab.cli import Command
from rydelab.lab.commands.compare import EXIT_FAILED, Wishes, begin, run_in_lab
from rydelab.lab.commands.report import write_report
from rydelab.lab.commands.simulate import read_profile
from rydelab.lab.progress import TerminalProgress
from rydelab.lab.results import RunFolder
from rydelab.lab.scenarios.cell import Cell
from rydelab.lab.scenarios.scenario import Scenario, load
from rydelab.lab.simulation.simulation import cell_result, conditions_of, simulated_cell, traffic_of
from rydelab.lab.simulation.validation import Validated, compare_cells, render
from rydelab.report.series import CellSeries
from rydelab.report.summary import CellId, CellSummary
from rydelab.settings import Settings, add_flags
from rydelab.simulator.engine import simulate
from rydelab.simulator.profile import Profile

DEFAULT_SCENARIO = "validate"
DEFAULT_PROFILE = "local"
DEFAULT_CLOCK_SPEED = 20.0

DESCRIPTION = f"""\
Run a family of small scenarios twice, on a lab and in the simulator with profile {DEFAULT_PROFILE}, and print what was
measured beside what was predicted. AWS's loops of minutes run {DEFAULT_CLOCK_SPEED:g} times as fast in both, unless
--clock-speed says otherwise. It takes about half an hour; docs/simulator.md has the table of a real run.

examples:
  rydelab validate
  rydelab validate --cells 'event-driven:provisioned:record_concurrency=3'
  rydelab validate --run results/20261121-024721-quick       against a run of `rydelab compare`

exit status: 0 if every prediction is within its bound, 1 if not or if a cell could not be run, 2 for bad input."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A run on a lab."""

    folder: RunFolder
    scenario: Scenario
    clock_speed: float
    planned: Sequence[tuple[CellId, Cell]]
    cells: Mapping[CellId, CellSummary]
    series: Mapping[CellId, CellSeries]
    failures: Sequence[str]


def validate(measured: Measured, profile: Profile) -> int:
    """Hold the simulator against *measured*, print the table, and return the exit status."""
    validated = list(predict(measured, profile))
    measured.folder.save_text("validation.txt", render(validated))
    sys.stdout.write("\n" + render(validated, color=Console().is_terminal))
    for failure in measured.failures:
        sys.stdout.write(f"FAILED: {failure}\n")
    sys.stdout.write(f"Saved in {measured.folder.path}\n")
    holds = bool(validated) and all(cell.holds for cell in validated)
    return 0 if holds and not measured.failures else EXIT_FAILED


def measure(wishes: Wishes, settings: Settings) -> Measured:
    """Run the cells on a lab. Raises RydelabError."""
    begun = begin(wishes)
    progress = TerminalProgress()
    try:
        comparison = run_in_lab(begun, settings, progress)
    finally:
        progress.done()
    write_report(comparison.folder.path)
    return read(comparison.folder.path)


def read(path: Path) -> Measured:
    """Read a run that was measured before. Raises RydelabError."""
    folder = RunFolder(path)
    plan = folder.read_plan()
    summary, series = folder.read_back()
    return Measured(
        folder,
        load(folder.scenario_file),
        folder.read_clock_speed(),
        list(plan.planned()),
        {cell.id: cell for cell in summary.cells} if summary else {},
        series,
        summary.failures if summary else (),
    )


def predict(measured: Measured, profile: Profile) -> Iterator[Validated]:
    """Simulate each cell that was run, under the conditions that it was run in, and hold one against the other."""
    scenario = measured.scenario
    traffic = traffic_of(scenario, "exact")
    for cell_id, cell in measured.planned:
        summary = measured.cells.get(cell_id)
        if summary is None or summary.began_at is None or summary.interrupted:
            continue
        steps = summary.durations_s
        conditions = replace(
            conditions_of(scenario),
            begins_at_s=summary.began_at,
            clock_speed=measured.clock_speed,
            warm_up_before_s=steps.get("warm_up", 0.0) + steps.get("rest_before_load", 0.0),
        )
        outcome = simulate(simulated_cell(cell), traffic, profile, engine="exact", conditions=conditions)
        predicted = cell_result(cell_id, cell, outcome)
        yield compare_cells((summary, measured.series[cell_id]), (predicted.summary, predicted.series))


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", nargs="?", default=DEFAULT_SCENARIO, help=f"default {DEFAULT_SCENARIO}")
    parser.add_argument("--cells", metavar="CELLS", help="run these cells instead of the scenario's")
    parser.add_argument(
        "--run", metavar="DIR", type=Path, help="measure nothing: take what `rydelab compare` or validate saved there"
    )
    parser.add_argument(
        "--profile", metavar="PROFILE", default=DEFAULT_PROFILE, help=f"service times (default {DEFAULT_PROFILE})"
    )
    add_flags(parser, "port", "endpoint", "data_dir", "clock_speed", "allow_remote")
    parser.add_argument(
        "--results", metavar="DIR", type=Path, default=Path("results"), help="where runs are saved (default results)"
    )


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.clock_speed is None and "RYDELAB_CLOCK_SPEED" not in os.environ:
        settings = replace(settings, clock_speed=DEFAULT_CLOCK_SPEED)
    profile = read_profile(arguments.profile)
    if arguments.run is not None:
        return validate(read(arguments.run), profile)
    wishes = Wishes(scenario=arguments.scenario, cells=arguments.cells, results_dir=arguments.results)
    return validate(measure(wishes, settings), profile)


VALIDATE = Command(description=DESCRIPTION, add_arguments=_add_arguments, run=_run)
