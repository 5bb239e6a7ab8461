"""A workload as data: reads a scenario's TOML file and says which file, key and value is wrong.

The format is in docs/scenarios.md.
"""

import csv
import hashlib
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from rydelab.faults import Fault
from rydelab.lab.scenarios import schedule
from rydelab.lab.scenarios.cell import DESIGNS, OPTIONS, TABLE_MODES, Cell, expand, wrong_maximum
from rydelab.lab.scenarios.own_requests import OwnRequest, read_requests
from rydelab.lab.scenarios.scenario_faults import read_fault
from rydelab.lab.scenarios.schedule import Arrival, Process, Stretch
from rydelab.lab.scenarios.thresholds import Threshold, ThresholdError, parse_threshold
from rydelab.lab.scenarios.toml_table import ScenarioError, TomlTable

MOST_ARRIVALS_PER_S = 10_000.0
LONGEST_S = 24 * 3600.0
MOST_STEPS = 1_000
MOST_SEED = 2**32 - 1

DEFAULT_TIMEOUT_S = 30.0
DEFAULT_WARM_UP_RIDES = 20
DEFAULT_DRAIN_S = 30.0

PHASES = ("constant", "ramp", "spike", "steps", "series")
PROCESSES: tuple[Process, ...] = ("even", "poisson")
KINDS = ("ride", "record", "unicorn")
"""What an arrival asks for: POST /ride, POST /record, GET /unicorn."""
LEDGER_KINDS = ("ride", "record")
"""Those that end in a record: the ledger is of them."""
RIDES_ONLY: Mapping[str, float] = {"ride": 1.0}


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the load, as the file has it, and written out."""

    settings: Mapping[str, Any]
    """`kind`, and what the file says of it."""
    stretches: tuple[Stretch, ...]

    @property
    def summary(self) -> dict[str, Any]:
        """What a report says of it: `duration_s`, the mean `arrivals_per_s`, and the file's own words."""
        length_s = schedule.duration_s(self.stretches)
        mean_per_s = sum(stretch.arrivals for stretch in self.stretches) / length_s
        return {"arrivals_per_s": mean_per_s, **self.settings, "duration_s": length_s}


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is sent to each cell, and how long is waited for what becomes of it."""

    name: str
    """The file's name without its ending."""
    description: str
    phases: tuple[Phase, ...]
    cells: tuple[Cell, ...] = ()
    """None for a scenario with requests of its own: those go to what is deployed."""
    requests: Mapping[str, OwnRequest] = field(default_factory=dict)
    """Kinds of arrivals besides `KINDS`, to services of one's own."""
    process: Process = "even"
    seed: int = 0
    mix: Mapping[str, float] = field(default_factory=lambda: RIDES_ONLY)
    """The share of each kind in the arrivals, in any unit."""
    faults: tuple[Fault, ...] = ()
    """What is done to each cell on purpose; their starts count from the load's."""
    thresholds: tuple[Threshold, ...] = ()
    timeout_s: float = DEFAULT_TIMEOUT_S
    """How long a client waits for its answer. API Gateway gives up after 29 s."""
    warm_up_rides: int = DEFAULT_WARM_UP_RIDES
    """Rides sent before the load and counted nowhere, so that no arrival meets a cold start."""
    drain_s: float = DEFAULT_DRAIN_S
    """How long to wait, after the last answer, for accepted rides to reach the table or a dead-letter queue."""

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The phases, one after another."""
        return tuple(stretch for phase in self.phases for stretch in phase.stretches)

    @property
    def duration_s(self) -> float:
        """How long arrivals come."""
        return schedule.duration_s(self.stretches)

    def arrivals(self, *, part: int = 0, of: int = 1) -> Iterator[Arrival]:
        """Yield the arrivals in order. With *of* generators, number *part* (from 0) sends every *of*-th one."""
        due_s = schedule.due_times_s(self.stretches, process=self.process, seed=self.seed)
        every = zip(due_s, schedule.kinds(self.mix), strict=False)
        numbered = (Arrival(number, due, kind) for number, (due, kind) in enumerate(every))
        yield from islice(numbered, part, None, of)

    @property
    def series_files(self) -> tuple[str, ...]:
        """The recorded series, relative to the scenario's folder."""
        return tuple(phase.settings["file"] for phase in self.phases if "file" in phase.settings)

    @property
    def digest(self) -> str:
        """Tell schedules apart: generators that share a load must have the same."""
        values = (self.stretches, self.process, self.seed, dict(self.mix), self.timeout_s, dict(self.requests))
        return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def load(path: Path, *, with_cells: bool = True) -> Scenario:
    """Read the scenario in the file *path*. Raises ScenarioError; for one without cells only if *with_cells*."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: not UTF-8: {error}") from None
    scenario = parse(text, source=str(path), name=path.stem, folder=path.parent)
    if with_cells and not scenario.cells:
        raise ScenarioError(
            f"{path}: it has requests of its own and no cells: send it to what is deployed, with `rydelab load {path}`"
        )
    return scenario


def parse(text: str, *, source: str, name: str, folder: Path | None = None) -> Scenario:
    """Read a scenario from *text*; *source* is how complaints name it, *folder* where its recorded series are.

    Raises ScenarioError.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{source}: not TOML: {error}") from None
    top = TomlTable(values, source=source)
    phases = tuple(_phase(table, folder=folder or Path()) for table in top.tables("phases"))
    arrivals = top.table("arrivals")
    workload = Scenario(
        name=name,
        description=top.text("description", default=""),
        phases=phases,
        process=arrivals.choice("process", PROCESSES, default="even"),
        seed=arrivals.integer("seed", default=0, least=0, most=MOST_SEED),
        timeout_s=top.number("timeout_s", default=DEFAULT_TIMEOUT_S, above=0, most=LONGEST_S),
    )
    scenario = _with_requests(workload, top) if top.has("requests") else _with_cells(workload, top)
    arrivals.expect_nothing_else()
    top.expect_nothing_else()
    return scenario


def _with_requests(workload: Scenario, top: TomlTable) -> Scenario:
    requests = read_requests(top.table("requests"))
    return replace(workload, requests=requests, mix=_mix(top, dict.fromkeys(requests, 1.0)))


def _with_cells(workload: Scenario, top: TomlTable) -> Scenario:
    cells = _cells(top)
    return replace(
        workload,
        cells=cells,
        mix=_mix(top, RIDES_ONLY, kinds=KINDS),
        faults=_faults(top, load_s=workload.duration_s),
        thresholds=_thresholds(top, cells),
        warm_up_rides=top.integer("warm_up_rides", default=DEFAULT_WARM_UP_RIDES, least=0, most=10_000),
        drain_s=top.number("drain_s", default=DEFAULT_DRAIN_S, least=0, most=LONGEST_S),
    )


def find(name_or_path: str, *, folder: Path) -> Path:
    """Find the file of a scenario: a path that ends in ``.toml``, or the name of a file in *folder*.

    Raises ScenarioError, which lists the scenarios that there are.
    """
    if name_or_path.endswith(".toml"):
        return Path(name_or_path)
    path = folder / f"{name_or_path}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml"))) or "none"
        raise ScenarioError(f"no scenario {name_or_path!r} in {folder} (there: {known}); a path must end in .toml")
    return path


def _phase(table: TomlTable, *, folder: Path) -> Phase:
    settings = table.left
    kind = table.choice("kind", PHASES, default="constant")
    if kind == "series":
        stretches = _series(table, folder=folder)
    else:
        stretches = {"constant": _constant, "ramp": _ramp, "spike": _spike, "steps": _steps}[kind](table)
    table.expect_nothing_else()
    return Phase({"kind": kind, **settings}, stretches)


def _duration(table: TomlTable) -> float:
    return table.number("duration_s", above=0, most=LONGEST_S)


def _rate(table: TomlTable, key: str) -> float:
    return table.number(key, least=0, most=MOST_ARRIVALS_PER_S)


def _constant(table: TomlTable) -> tuple[Stretch, ...]:
    return schedule.constant(_duration(table), _rate(table, "arrivals_per_s"))


def _ramp(table: TomlTable) -> tuple[Stretch, ...]:
    return schedule.ramp(_duration(table), _rate(table, "from_per_s"), _rate(table, "to_per_s"))


def _spike(table: TomlTable) -> tuple[Stretch, ...]:
    duration_s = _duration(table)
    peak_after_s = table.number("peak_after_s", least=0, most=duration_s)
    return schedule.spike(
        duration_s,
        _rate(table, "arrivals_per_s"),
        peak_per_s=_rate(table, "peak_per_s"),
        peak_after_s=peak_after_s,
        peak_s=table.number("peak_s", above=0, most=duration_s - peak_after_s),
    )


def _steps(table: TomlTable) -> tuple[Stretch, ...]:
    return schedule.steps(
        _duration(table),
        _rate(table, "from_per_s"),
        _rate(table, "to_per_s"),
        number=table.integer("steps", least=2, most=MOST_STEPS),
    )


def _series(table: TomlTable, *, folder: Path) -> tuple[Stretch, ...]:
    name = table.text("file")
    if not (folder / name).resolve().is_relative_to(folder.resolve()):
        # A run keeps a copy of the scenario with its series, each in its place.
        raise table.error("file", name, "must be in the scenario's folder or below it")
    column = table.text("column", default="arrivals")
    interval_s = table.number("interval_s", above=0, most=LONGEST_S)
    scale = table.number("scale", default=1.0, above=0, most=1e6)
    path = folder / name
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"not UTF-8: {error}"
        raise table.error("file", name, f"{path} cannot be read: {reason}") from None
    if not rows:
        raise table.error("file", name, f"{path} has no row below its header")
    if column not in rows[0]:
        raise table.error("column", column, f"{path} has no such column (it has {', '.join(rows[0])})")
    counts = []
    for line, row in enumerate(rows, start=2):
        try:
            number = float(row[column])
        except (TypeError, ValueError):
            number = math.nan
        if not 0 <= number * scale <= MOST_ARRIVALS_PER_S * interval_s:
            most = f"at most {MOST_ARRIVALS_PER_S:g} a second"
            raise table.error("file", name, f"{path} line {line}: {row[column]!r} is no number of arrivals, {most}")
        counts.append(number * scale)
    if len(counts) * interval_s > LONGEST_S:
        raise table.error("file", name, f"{path} has {len(counts)} rows: that is longer than {LONGEST_S:g} s")
    return schedule.series(counts, interval_s=interval_s)


def _mix(top: TomlTable, otherwise: Mapping[str, float], *, kinds: Sequence[str] = ()) -> Mapping[str, float]:
    if not top.has("mix"):
        top.table("mix")
        return otherwise
    table = top.table("mix")
    shares = {kind: table.number(kind, default=0.0, least=0, most=1e6) for kind in kinds or otherwise}
    table.expect_nothing_else()
    mix = {kind: share for kind, share in shares.items() if share > 0}
    if not mix:
        raise top.error("mix", shares, "must have a share above 0")
    return mix


def _cells(top: TomlTable) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for position, table in enumerate(top.tables("cells")):
        for cell in _cells_of(table):
            if cell in cells:
                raise top.error(f"cells[{position}]", cell, "is there already")
            cells.append(cell)
    return tuple(cells)


def _cells_of(table: TomlTable) -> list[Cell]:
    designs = table.choices("design", DESIGNS)
    table_modes = table.choices("table_mode", TABLE_MODES)
    options: dict[str, str | int] = {}
    for name, option in OPTIONS.items():
        if (value := table.optional(name)) is None:
            continue
        if complaint := option.check(value):
            raise table.error(name, value, complaint)
        if not set(option.table_modes) & set(table_modes):
            raise table.error(name, value, f"means nothing to a table that is {' or '.join(table_modes)}")
        options[name] = value
    if "autoscaled" in table_modes and (wrong := wrong_maximum(options)):
        raise table.error(wrong, options[wrong], "puts the maximum below the minimum")
    table.expect_nothing_else()
    return expand(designs, table_modes, options)


def _faults(top: TomlTable, *, load_s: float) -> tuple[Fault, ...]:
    return tuple(read_fault(table, load_s=load_s) for table in top.tables("faults", least=0))


def _thresholds(top: TomlTable, cells: tuple[Cell, ...]) -> tuple[Threshold, ...]:
    texts: Any = top.texts("thresholds")
    thresholds = []
    for position, text in enumerate(texts):
        try:
            thresholds.append(parse_threshold(text, cells))
        except ThresholdError as error:
            raise top.error(f"thresholds[{position}]", text, str(error)) from None
    return tuple(thresholds)
