"""The sub-command ``compare``: runs every cell of a scenario and shows what became of each arrival."""

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from rydelab.cli import EXIT_INTERRUPTED, Command
from rydelab.errors import RydelabError
from rydelab.lab.commands.report import write_report
from rydelab.lab.comparison import Comparison
from rydelab.lab.emulation import emulator
from rydelab.lab.emulation.emulator import EmulatorInfo
from rydelab.lab.junit import render_junit
from rydelab.lab.loading.load import LOADTESTS
from rydelab.lab.progress import TerminalProgress
from rydelab.lab.results import Plan, RunFolder, check_writable
from rydelab.lab.scenarios.cell import OPTIONS, Cell, parse_cells
from rydelab.lab.scenarios.scenario import Scenario, find, load
from rydelab.lab.scenarios.thresholds import METRICS, ThresholdError, judge, parse_threshold
from rydelab.report.markdown import render_markdown
from rydelab.report.summary import RunSummary
from rydelab.report.terminal import render
from rydelab.settings import Settings, add_flags, is_loopback

EXIT_FAILED = 1
EXIT_SATURATED = 3
DEFAULT_SCENARIO = "quick"
MOST_REPEATS = 100

DESCRIPTION = f"""\
Run every cell (a design with a table mode) of a scenario, one after another, each deployed under a stage of its own,
and show what became of each arrival and how long people waited. Arrivals come on schedule, whatever the answers do.

A lab that runs at the endpoint is used, and the stages are removed from it afterwards; otherwise one is started on the
port and stopped at the end. The results stay in a folder below --results; report.html in it opens in a browser.

examples:
  rydelab compare                                        loadtests/scenarios/quick.toml
  rydelab compare workshop --cells 'queued:*'            one design, in every table mode
  rydelab compare --cells event-driven:provisioned:write_units=5,event-driven:on-demand
  rydelab compare --threshold 'lost == 0' --threshold '*:on-demand p95_ms < 300'
  rydelab compare my.toml --repeat 5                     a scenario of your own, five times: how much is chance?
  rydelab compare --resume results/20261121-024721-quick

--cells DESIGN:MODE[:OPTION=VALUE]…, separated by commas; * for every design or mode; OPTION is one of
{", ".join(OPTIONS)}.
--threshold [DESIGN:MODE] METRIC COMPARISON NUMBER; METRIC is one of
{", ".join(METRICS)}.
docs/scenarios.md explains them all.

exit status: 0 if every ledger adds up and every threshold is met, 1 if not or if a cell could not be run, 2 for bad
input, 3 if the lab itself limited a cell and --strict-saturation is given, 130 after Ctrl-C (which saves and shows what
there is)."""


class CompareError(RydelabError):
    """The comparison cannot begin. The message is for people."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person asks for, besides the settings that every command shares."""

    scenario: str | None = None
    cells: str | None = None
    repeats: int = 1
    thresholds: Sequence[str] = ()
    resume: Path | None = None
    results_dir: Path = Path("results")
    junit: Path | None = None
    markdown: Path | None = None
    strict_saturation: bool = False


def compare(wishes: Wishes, settings: Settings) -> int:
    """Do what *wishes* say and return the exit status. Raises RydelabError before the first cell."""
    for path in (wishes.junit, wishes.markdown):
        if path is not None:
            _check_writable(path)
    begun = _resumed(wishes) if wishes.resume is not None else begin(wishes)
    progress = TerminalProgress()
    try:
        comparison = run_in_lab(begun, settings, progress)
    finally:
        progress.done()
    _show(comparison, wishes)
    return exit_status(
        comparison.summary, interrupted=comparison.is_interrupted, strict_saturation=wishes.strict_saturation
    )


def exit_status(run: RunSummary, *, interrupted: bool, strict_saturation: bool) -> int:
    """Say how *run* has ended, as an exit status."""
    if interrupted:
        return EXIT_INTERRUPTED
    passed = all(result.passed for cell in run.cells for result in cell.thresholds)
    if not run.succeeded or not passed:
        return EXIT_FAILED
    return EXIT_SATURATED if strict_saturation and any(cell.lab_limited for cell in run.cells) else 0


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that can begin, or go on."""

    plan: Plan
    scenario: Scenario
    folder: Path | None
    """Of a run that goes on."""
    scenario_file: Path
    results_dir: Path
    limited_again: bool = False
    """Whether cells of it that the lab itself limited are run again."""


def begin(wishes: Wishes) -> Begun:
    """Read the scenario and cells of a new run. Raises RydelabError."""
    scenario_file = find(wishes.scenario or DEFAULT_SCENARIO, folder=LOADTESTS / "scenarios")
    scenario = load(scenario_file)
    cells = parse_cells(wishes.cells) if wishes.cells is not None else scenario.cells
    check_writable(wishes.results_dir)
    plan = Plan(
        name=scenario.name,
        started_at=datetime.now().astimezone().isoformat(timespec="seconds"),
        cells=cells,
        repeats=wishes.repeats,
        thresholds=tuple(wishes.thresholds),
    )
    return Begun(plan, with_cells(scenario, cells, plan.thresholds), None, scenario_file, wishes.results_dir)


def _resumed(wishes: Wishes) -> Begun:
    for name, value in (("SCENARIO", wishes.scenario), ("--cells", wishes.cells)):
        if value is not None:
            raise CompareError(f"{name} {value}: a run that is resumed has its own; leave it out beside --resume")
    folder = RunFolder(wishes.resume or Path())
    plan = folder.read_plan()
    scenario = load(folder.scenario_file)
    plan = replace(
        plan,
        repeats=max(plan.repeats, wishes.repeats),
        thresholds=tuple(dict.fromkeys((*plan.thresholds, *wishes.thresholds))),
    )
    scenario = replace(scenario, name=plan.name)
    return Begun(
        plan,
        with_cells(scenario, plan.cells, plan.thresholds),
        folder.path,
        folder.scenario_file,
        folder.path.parent,
        limited_again=wishes.strict_saturation,
    )


def with_cells(scenario: Scenario, cells: Sequence[Cell], thresholds: Sequence[str]) -> Scenario:
    """Return the scenario with other cells and more thresholds. Those of its own that are for no cell are left out."""
    more = []
    for text in thresholds:
        try:
            more.append(parse_threshold(text, cells))
        except ThresholdError as error:
            raise CompareError(f"--threshold {text!r}: {error}") from None
    own = [one for one in scenario.thresholds if any(one.is_for(cell.design, cell.table_mode) for cell in cells)]
    return replace(scenario, cells=tuple(cells), thresholds=(*own, *more))


def run_in_lab(begun: Begun, settings: Settings, progress: TerminalProgress) -> Comparison:
    """Run what is left of the run in a lab; without one if nothing is."""
    comparison = Comparison(plan=begun.plan, scenario=begun.scenario, settings=settings, progress=progress)
    if begun.folder is not None:
        comparison.folder = RunFolder(begun.folder)
        _take_over(comparison, limited_again=begun.limited_again)
    if not comparison.left:
        comparison.save()
        return comparison
    with _lab(settings, progress) as (lab, own):
        comparison.lab_may_return = lab.in_container
        comparison.keep_last_stage = own
        if lab.clock_speed != 1:
            comparison.notes = (f"The lab's control loops ran {lab.clock_speed:g} times as fast as AWS's.",)
        if begun.folder is None:
            started = datetime.fromisoformat(begun.plan.started_at)
            comparison.folder = RunFolder.create(begun.results_dir, name=begun.plan.name, started=started)
        comparison.folder.save_plan(
            begun.plan,
            begun.scenario,
            scenario_file=begun.scenario_file,
            settings={
                "endpoint_url": settings.endpoint_url,
                "own_lab": own,
                "clock_speed": lab.clock_speed,
                "enforce_iam": lab.enforce_iam,
            },
        )
        comparison.run()
    return comparison


def _take_over(comparison: Comparison, *, limited_again: bool) -> None:
    """Take over the cells that have been run to their end, and judge them by the thresholds of now."""
    summary, series = comparison.folder.read_back()
    there = summary.cells if summary else ()
    finished = [cell for cell in there if not cell.interrupted and not (limited_again and cell.lab_limited)]
    thresholds = comparison.scenario.thresholds
    comparison.cells = {cell.id: replace(cell, thresholds=judge(thresholds, cell)) for cell in finished}
    comparison.series = {cell: series[cell] for cell in comparison.cells if cell in series}
    comparison.folder.keep_only(comparison.cells)
    planned = list(comparison.plan.planned())
    comparison.progress.say(f"{len(planned) - len(comparison.left)} of {len(planned)} cells are there already")


def _show(comparison: Comparison, wishes: Wishes) -> None:
    """Print the table, write what was asked for, and say where the rest is."""
    summary, folder = comparison.summary, comparison.folder
    sys.stdout.write("\n" + render(summary, color=Console().is_terminal))
    sys.stdout.write(f"Saved in {folder.path}\n")
    sys.stdout.flush()
    run = write_report(folder.path)
    if wishes.junit is not None:
        wishes.junit.write_text(render_junit(summary, strict_saturation=wishes.strict_saturation), encoding="utf-8")
    if wishes.markdown is not None:
        wishes.markdown.write_text(render_markdown(run), encoding="utf-8")


def _check_writable(path: Path) -> None:
    """Refuse a file that could not be written after the run; one that is there stays as it is until then."""
    try:
        with path.open("a", encoding="utf-8"):
            pass
    except OSError as error:
        raise CompareError(f"{path}: cannot be written: {error.strerror}") from None


@contextmanager
def _lab(settings: Settings, progress: TerminalProgress) -> Iterator[tuple[EmulatorInfo, bool]]:
    """Use the lab that runs at the endpoint, or run one; yields it, and whether it is our own."""
    if (running := emulator.find(settings.endpoint_url)) is not None:
        progress.say(f"Using the lab that runs at {settings.endpoint_url}")
        yield running, False
        return
    if not is_loopback(urlsplit(settings.endpoint_url).hostname or ""):
        raise CompareError(f"no lab answers at {settings.endpoint_url}, and one cannot be started on another machine")
    enforce_iam = True if settings.enforce_iam is None else settings.enforce_iam
    with emulator.start(replace(settings, enforce_iam=enforce_iam), progress=progress.say):
        started = emulator.find(settings.endpoint_url)
        if started is None:
            raise CompareError(f"the lab at {settings.endpoint_url} was started and does not answer")
        yield started, True


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "scenario",
        nargs="?",
        help=f"a TOML file, or a name in loadtests/scenarios (default {DEFAULT_SCENARIO})",
    )
    parser.add_argument("--cells", metavar="CELLS", help="run these cells instead of the scenario's")
    parser.add_argument(
        "--repeat", metavar="N", type=_repeats, default=1, help="run every cell N times; the report shows the noise"
    )
    parser.add_argument(
        "--threshold",
        metavar="CONDITION",
        action="append",
        default=[],
        help="a condition that the cells must meet, besides the scenario's; may be given more than once",
    )
    parser.add_argument(
        "--resume",
        metavar="DIR",
        type=Path,
        help="go on with the run in DIR: finished cells stay; with --strict-saturation, not those that the lab limited",
    )
    parser.add_argument("--junit", metavar="FILE", type=Path, help="also write the verdicts as JUnit XML")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="also write the report as Markdown")
    parser.add_argument(
        "--strict-saturation", action="store_true", help="exit with status 3 if the lab itself limited a cell"
    )
    add_flags(parser, "port", "endpoint", "data_dir", "clock_speed", "enforce_iam", "allow_remote")
    parser.add_argument(
        "--results", metavar="DIR", type=Path, default=Path("results"), help="where runs are saved (default results)"
    )


def _repeats(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_REPEATS:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 1 to {MOST_REPEATS}")
    return int(text)


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    # Whoever ends it kindly, such as a CI job at its time limit, gets what there is, as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    wishes = Wishes(
        scenario=arguments.scenario,
        cells=arguments.cells,
        repeats=arguments.repeat,
        thresholds=arguments.threshold,
        resume=arguments.resume,
        results_dir=arguments.results,
        junit=arguments.junit,
        markdown=arguments.markdown,
        strict_saturation=arguments.strict_saturation,
    )
    return compare(wishes, settings)


COMPARE = Command(description=DESCRIPTION, add_arguments=_add_arguments, run=_run)
