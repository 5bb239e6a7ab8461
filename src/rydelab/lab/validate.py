"""The sub-command ``validate``: runs small scenarios on a lab and in the simulator, and says how far apart they are."""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from rydelab.cli import Command
from rydelab.lab.compare import EXIT_FAILED, Wishes, begin, run_in_lab
from rydelab.lab.comparison import Comparison
from rydelab.lab.progress import TerminalProgress
from rydelab.lab.run_report import write_report
from rydelab.lab.simulate import read_profile
from rydelab.lab.simulation import cell_result, conditions_of, simulated_cell, traffic_of
from rydelab.lab.validation import Validated, compare_cells, render
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

exit status: 0 if every prediction is within its bound, 1 if not or if a cell could not be run, 2 for bad input."""


def validate(wishes: Wishes, settings: Settings, profile: Profile) -> int:
    """Run the cells both ways, print the table, and return the exit status. Raises RydelabError."""
    begun = begin(wishes)
    progress = TerminalProgress()
    try:
        comparison = run_in_lab(begun, settings, progress)
    finally:
        progress.done()
    write_report(comparison.folder.path)
    validated = list(predict(comparison, profile))
    comparison.folder.save_text("validation.txt", render(validated))
    sys.stdout.write("\n" + render(validated, color=Console().is_terminal))
    for failure in comparison.failures:
        sys.stdout.write(f"FAILED: {failure}\n")
    sys.stdout.write(f"Saved in {comparison.folder.path}\n")
    holds = bool(validated) and all(cell.holds for cell in validated)
    return 0 if holds and not comparison.failures else EXIT_FAILED


def predict(comparison: Comparison, profile: Profile) -> Iterator[Validated]:
    """Simulate each cell that was run, under the conditions that it was run in, and hold one against the other."""
    scenario = comparison.scenario
    traffic = traffic_of(scenario, "exact")
    for cell_id, cell in comparison.planned():
        measured = comparison.cells.get(cell_id)
        if measured is None or measured.began_at is None:
            continue
        conditions = replace(
            conditions_of(scenario),
            begins_at_s=measured.began_at,
            clock_speed=comparison.clock_speed,
            warm_up_before_s=measured.durations_s["warm_up"] + measured.durations_s["rest_before_load"],
        )
        outcome = simulate(simulated_cell(cell), traffic, profile, engine="exact", conditions=conditions)
        predicted = cell_result(cell_id, cell, outcome)
        yield compare_cells((measured, comparison.series[cell_id]), (predicted.summary, predicted.series))


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", nargs="?", default=DEFAULT_SCENARIO, help=f"default {DEFAULT_SCENARIO}")
    parser.add_argument("--cells", metavar="CELLS", help="run these cells instead of the scenario's")
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
    wishes = Wishes(scenario=arguments.scenario, cells=arguments.cells, results_dir=arguments.results)
    return validate(wishes, settings, read_profile(arguments.profile))


VALIDATE = Command(description=DESCRIPTION, add_arguments=_add_arguments, run=_run)
