"""The sub-command ``simulate``: plays a scenario or recorded traffic in virtual time, and reports as of a real run."""

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rich.console import Console

from rydelab.capacity.price_file import packaged_prices
from rydelab.cli import Command
from rydelab.errors import RydelabError
from rydelab.lab.commands.compare import EXIT_FAILED, with_cells
from rydelab.lab.commands.report import write_report
from rydelab.lab.loading.load import LOADTESTS
from rydelab.lab.results import RunFolder, check_writable
from rydelab.lab.scenarios import schedule
from rydelab.lab.scenarios.cell import Cell, parse_cells
from rydelab.lab.scenarios.scenario import Phase, Scenario, find, load
from rydelab.lab.scenarios.trace import read_trace
from rydelab.lab.simulation.plays import Plays
from rydelab.lab.simulation.simulation import (
    MOST_ROWS,
    Place,
    arrivals_of,
    cell_result,
    engine_for,
    scaled,
    simulate_cells,
)
from rydelab.lab.simulation.sweep import heaviest, parse_axes, sweep_load, swept
from rydelab.lab.simulation.sweep_results import PAGE, save_sweep
from rydelab.report.summary import RunSummary, Simulated
from rydelab.report.sweep import Sweep
from rydelab.report.sweep_text import render_sweep
from rydelab.report.terminal import render
from rydelab.settings import Settings
from rydelab.simulator.engine import MOST_EXACT_ARRIVALS, EngineName
from rydelab.simulator.profile import PROFILES, Profile, ProfileError, load_profile, parse_profile

ENGINES: tuple[EngineName, ...] = ("exact", "aggregate")
TRACES = (".csv", ".json")
TRACE_DRAIN_S = 3600.0
MOST_ARRIVALS = 20_000_000
"""In each cell, of the exact engine: more would not fit into memory."""

DESCRIPTION = f"""\
Play a scenario, or recorded traffic, in virtual time: the cells, the ledger and the report are those of
`rydelab compare`, but nothing is deployed and nothing is sent. A model says what would become of each ride; its table
is the one that the lab enforces. The report says on every page that it was simulated.

TRACE is recorded traffic: a CSV file of arrivals per minute, or what CloudWatch exports of a metric such as
ConsumedWriteCapacityUnits (JSON or CSV). docs/simulator.md has the shapes, and says how far to trust the numbers.

examples:
  rydelab simulate workshop                              loadtests/scenarios/workshop.toml, every cell, in seconds
  rydelab simulate workshop --scale 100 --profile aws    a hundred times the load, with typical times of AWS
  rydelab simulate last-month.csv --cells '*:on-demand,*:autoscaled:write_units=5'
  rydelab simulate quick --profile mine.toml             with service times of your own
  rydelab simulate day --sweep wcu=5,10,20,40 --sweep arrivals=5,10,20     what each is recorded of, and costs

Two engines: exact looks at each arrival, aggregate at many equal ones together. Without --engine it is exact up to
{MOST_EXACT_ARRIVALS:,} arrivals in a cell.

exit status: 0 if every threshold is met, 1 if not, 2 for bad input."""


class SimulateError(RydelabError):
    """Something that cannot be simulated. The message is for people."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person asks for."""

    source: str
    """A scenario's name or file, or a trace's file."""
    cells: str | None = None
    scale: float = 1.0
    engine: EngineName | None = None
    """None: as the number of arrivals suggests."""
    profile: str = PROFILES[0]
    seed: int = 0
    thresholds: Sequence[str] = field(default_factory=tuple)
    results_dir: Path = Path("results")
    sweeps: Sequence[str] = field(default_factory=tuple)
    """What is to be varied; nothing if it is empty."""


def simulate(wishes: Wishes) -> int:
    """Do what *wishes* say and return the exit status. Raises RydelabError."""
    path, scenario = read_source(wishes.source)
    cells = parse_cells(wishes.cells) if wishes.cells is not None else scenario.cells
    scenario = scaled(with_cells(scenario, cells, wishes.thresholds), wishes.scale)
    if wishes.sweeps:
        return _sweep(wishes, scenario, cells)
    place = place_of(wishes, scenario)
    check_writable(wishes.results_dir)
    sys.stderr.write(f"{_engine_in_words(wishes, scenario, place)}\n")
    started = datetime.now().astimezone()
    results = [
        cell_result(cell_id, cell, outcome, scenario.thresholds)
        for cell_id, cell, outcome in simulate_cells(scenario, cells, place)
    ]
    summary = RunSummary(
        name=scenario.name,
        started_at=started.isoformat(timespec="seconds"),
        cells=tuple(result.summary for result in results),
        notes=tuple(_notes(scenario, place.engine)),
        simulated=Simulated(place.engine, place.profile.name, place.seed, wishes.scale),
    )
    folder = RunFolder.create(wishes.results_dir, name=f"{scenario.name}-simulated", started=started)
    settings = {"engine": place.engine, "profile": place.profile.name, "seed": place.seed, "scale": wishes.scale}
    folder.save_simulation(scenario, source=path, settings=settings)
    for result in results:
        folder.add_requests(result)
    folder.save(summary, [result.series for result in results], table=render(summary))
    write_report(folder.path)
    sys.stdout.write(render(summary, color=Console().is_terminal))
    sys.stdout.write(f"Saved in {folder.path}\n")
    passed = all(result.passed for cell in summary.cells for result in cell.thresholds)
    return 0 if passed and summary.succeeded else EXIT_FAILED


def _sweep(wishes: Wishes, scenario: Scenario, cells: Sequence[Cell]) -> int:
    """Simulate the scenario with settings varied, save and show what that comes to."""
    axes = parse_axes(wishes.sweeps, cells)
    place = place_of(wishes, heaviest(scenario, axes))
    check_writable(wishes.results_dir)
    started = datetime.now().astimezone()
    sweep = Sweep(
        name=scenario.name,
        started_at=started.isoformat(timespec="seconds"),
        axes=axes,
        cells=tuple(swept(Plays(scenario, place), cells, axes)),
        simulated=Simulated(place.engine, place.profile.name, place.seed, wishes.scale),
        load=sweep_load(scenario, axes),
    )
    prices = packaged_prices()
    folder = save_sweep(sweep, prices, results_dir=wishes.results_dir, started=started)
    sys.stdout.write(render_sweep(sweep, prices, color=Console().is_terminal))
    sys.stdout.write(f"Saved in {folder}; the picture is {PAGE}\n")
    return 0


def read_source(source: str) -> tuple[Path, Scenario]:
    """Read the scenario or trace that *source* names; return its file, too. Raises RydelabError."""
    if source.endswith(TRACES):
        path = Path(source)
        return path, _of_trace(path)
    path = find(source, folder=LOADTESTS / "scenarios")
    return path, load(path)


def place_of(wishes: Wishes, scenario: Scenario) -> Place:
    """Return the engine and the profile that *wishes* mean. Raises SimulateError."""
    arrivals = arrivals_of(scenario)
    if not arrivals:
        raise SimulateError(f"{wishes.source}: nobody comes: there are no arrivals")
    engine = wishes.engine or engine_for(scenario)
    if engine == "exact" and arrivals > MOST_ARRIVALS:
        raise SimulateError(
            f"--engine exact: {arrivals:,} arrivals in a cell are more than {MOST_ARRIVALS:,}; use --engine aggregate"
        )
    return Place(engine, read_profile(wishes.profile), wishes.seed)


def read_profile(name_or_file: str) -> Profile:
    """Return the profile of that name, or in that TOML file. Raises SimulateError."""
    try:
        if not name_or_file.endswith(".toml"):
            return load_profile(name_or_file)
        path = Path(name_or_file)
        return parse_profile(path.read_text(encoding="utf-8"), source=name_or_file, name=path.stem)
    except OSError as error:
        raise SimulateError(f"--profile {name_or_file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SimulateError(f"--profile {name_or_file}: not UTF-8: {error}") from None
    except ProfileError as error:
        raise SimulateError(f"--profile: {error}") from None


def _of_trace(path: Path) -> Scenario:
    """Return the scenario that sends what was recorded, to every design in every table mode."""
    trace = read_trace(path)
    settings = {"kind": "series", "interval_s": trace.period_s, "column": trace.metric, "rows": len(trace.counts)}
    return Scenario(
        name=path.stem,
        description=f"Recorded traffic: {trace.metric} in {path.name}, {len(trace.counts)} x {trace.period_s:g} s.",
        phases=(Phase(settings, schedule.series(trace.counts, interval_s=trace.period_s)),),
        cells=parse_cells("*:*"),
        drain_s=TRACE_DRAIN_S,
    )


def _engine_in_words(wishes: Wishes, scenario: Scenario, place: Place) -> str:
    arrivals = arrivals_of(scenario)
    why = (
        "as asked for"
        if wishes.engine
        else f"{'up to' if place.engine == 'exact' else 'above'} {MOST_EXACT_ARRIVALS:,}"
    )
    return f"Simulating {arrivals:,} arrivals in each cell; engine {place.engine} ({why}), profile {place.profile.name}"


def _notes(scenario: Scenario, engine: EngineName) -> Iterator[str]:
    if scenario.faults:
        yield f"The scenario's faults ({len(scenario.faults)}) are left out: the simulator plays a lab without any."
    if engine == "aggregate" and scenario.process == "poisson":
        yield "Arrivals are spread evenly within each second: the aggregate engine knows no random ones."
    if engine == "exact" and arrivals_of(scenario) > MOST_ROWS:
        yield f"requests.csv has no rows: there are more than {MOST_ROWS:,} arrivals in each cell."


def add_play_flags(parser: argparse.ArgumentParser) -> None:
    """Let a command be told what is simulated, and how."""
    parser.add_argument(
        "source",
        metavar="SCENARIO|TRACE",
        help="a scenario's TOML file, a name in loadtests/scenarios, or a trace that ends in .csv or .json",
    )
    parser.add_argument("--cells", metavar="CELLS", help="simulate these cells instead of the scenario's")
    parser.add_argument(
        "--scale", metavar="K", type=_scale, default=1.0, help="K times as many arrivals (default 1; may be below)"
    )
    parser.add_argument("--engine", choices=ENGINES, help="default: by the number of arrivals")
    parser.add_argument(
        "--profile",
        metavar="PROFILE",
        default=PROFILES[0],
        help=f"service times and limits: {', '.join(PROFILES)} or a TOML file (default {PROFILES[0]})",
    )
    parser.add_argument("--seed", metavar="N", type=_seed, default=0, help="the same seed gives the same (default 0)")
    parser.add_argument(
        "--threshold",
        metavar="CONDITION",
        action="append",
        default=[],
        help="a condition that the cells must meet, besides the scenario's; may be given more than once",
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_play_flags(parser)
    parser.add_argument(
        "--sweep",
        metavar="NAME=VALUE,…",
        action="append",
        default=[],
        help="vary a setting, such as wcu=1,2,5 or arrivals=1,10,100 (a second); a second --sweep varies another",
    )
    parser.add_argument(
        "--results", metavar="DIR", type=Path, default=Path("results"), help="where runs are saved (default results)"
    )


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not (scale > 0 and math.isfinite(scale)):
        raise argparse.ArgumentTypeError(f"{text!r} must be a number above 0")
    return scale


def _seed(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:  # noqa: PLR2004 (what fits into 64 bits)
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 0")
    return int(text)


def _run(arguments: argparse.Namespace, _settings: Settings) -> int:
    return simulate(
        Wishes(
            source=arguments.source,
            cells=arguments.cells,
            scale=arguments.scale,
            engine=arguments.engine,
            profile=arguments.profile,
            seed=arguments.seed,
            thresholds=arguments.threshold,
            results_dir=arguments.results,
            sweeps=arguments.sweep,
        )
    )


SIMULATE = Command(description=DESCRIPTION, add_arguments=_add_arguments, run=_run)
