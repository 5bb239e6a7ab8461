"""Saves a run, and reads back what a resumed one has to know.

One folder: ``run.json`` (what the run is), ``scenario.toml`` with its series, ``requests.csv`` (one row per arrival),
``series.json``, ``summary.json``, and what people read.
"""

import csv
import errno
import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any, Self

import psutil

from rydelab.errors import RydelabError
from rydelab.lab.cells.cell_result import Arrived, CellResult
from rydelab.lab.loading import requests_file
from rydelab.lab.scenarios.cell import Cell, variant
from rydelab.lab.scenarios.scenario import Scenario
from rydelab.report.folder import RunFolderError, read_run, series_document
from rydelab.report.series import CellSeries
from rydelab.report.summary import CellId, RunSummary

VERSIONS_OF = ("rydelab", "localstack-core", "locust", "boto3", "awslambdaric")
CELL_COLUMNS = ("design", "table_mode", "variant", "repeat")
COLUMNS = (*CELL_COLUMNS, *requests_file.COLUMNS, "fate", "recorded_s")


class ResultsError(RydelabError):
    """The results cannot be written or read; the message names the folder."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """Which cells a run has, and what it was told on the command line: enough to go on with it."""

    name: str
    started_at: str
    """ISO 8601, with the offset from UTC."""
    cells: tuple[Cell, ...]
    repeats: int
    thresholds: tuple[str, ...]
    """Of the command line; the scenario's are in its file."""

    def planned(self) -> Iterator[tuple[CellId, Cell]]:
        """Yield every cell of the run, repeat after repeat: so what drifts with time shows between the repeats."""
        for repeat in range(1, self.repeats + 1):
            for cell in self.cells:
                yield CellId(cell.design, cell.table_mode, variant(cell, self.cells), repeat), cell


def check_writable(results_dir: Path) -> None:
    """Make the folder that runs are saved in. Raises ResultsError if it cannot be made or written to."""
    try:
        results_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultsError(f"cannot write results to {results_dir.absolute()}: {error.strerror}") from None
    if not os.access(results_dir, os.W_OK):
        raise ResultsError(f"cannot write results to {results_dir.absolute()}: {os.strerror(errno.EACCES)}")


class RunFolder:
    """The folder of one run. Every method leaves complete files behind, whatever happens afterwards.

    Raises ResultsError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, results_dir: Path, *, name: str, started: datetime) -> Self:
        """Make the folder of a new run below *results_dir*."""
        stem = f"{started:%Y%m%d-%H%M%S}-{name}"
        path = results_dir / stem
        try:
            # Two runs may begin within one second.
            for number in range(2, 100):
                try:
                    path.mkdir()
                    break
                except FileExistsError:
                    path = results_dir / f"{stem}-{number}"
            with (path / "requests.csv").open("w", newline="", encoding="utf-8") as file:
                _rows(file).writerow(COLUMNS)
        except OSError as error:
            raise ResultsError(f"cannot write results to {results_dir.absolute()}: {error.strerror}") from None
        return cls(path)

    @property
    def scenario_file(self) -> Path:
        """The run's own copy of its scenario."""
        return self.path / "scenario.toml"

    def save_plan(self, plan: Plan, scenario: Scenario, *, scenario_file: Path, settings: Mapping[str, Any]) -> None:
        """Write what the run is, before it begins, with a copy of the scenario and its series."""
        self._copy_scenario(scenario, scenario_file)
        self._save_run(scenario, settings, {"plan": asdict(plan)})

    def save_simulation(self, scenario: Scenario, *, source: Path, settings: Mapping[str, Any]) -> None:
        """Write what is simulated, with a copy of *source*: the scenario's file and its series, or a trace."""
        if source.suffix == ".toml":
            self._copy_scenario(scenario, source)
        else:
            (self.path / source.name).write_bytes(source.read_bytes())
        self._save_run(scenario, settings, {"simulated": True})

    def _copy_scenario(self, scenario: Scenario, scenario_file: Path) -> None:
        self.scenario_file.write_bytes(scenario_file.read_bytes())
        for name in scenario.series_files:
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_bytes((scenario_file.parent / name).read_bytes())

    def _save_run(self, scenario: Scenario, settings: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        run = {
            **more,
            "scenario": asdict(scenario) | {"phases": [phase.summary for phase in scenario.phases]},
            "settings": dict(settings),
            "versions": _versions(),
            "machine": _machine(),
        }
        _write_json(self.path / "run.json", run)

    def read_plan(self) -> Plan:
        """Read back what the run is."""
        path = self.path / "run.json"
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
            if run.get("simulated"):
                raise ResultsError(
                    f"{self.path}: was simulated, which is done in one go: there is nothing to go on with"
                )
            plan = run["plan"]
            return Plan(
                name=plan["name"],
                started_at=plan["started_at"],
                cells=tuple(Cell(cell["design"], cell["table_mode"], cell["options"]) for cell in plan["cells"]),
                repeats=plan["repeats"],
                thresholds=tuple(plan["thresholds"]),
            )
        except OSError as error:
            raise ResultsError(f"{path}: cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResultsError(f"{path}: does not say what the run was: {error!r}") from None

    def read_clock_speed(self) -> float:
        """Read back how many times faster than AWS's the lab's loops of minutes ran."""
        path = self.path / "run.json"
        try:
            return float(json.loads(path.read_text(encoding="utf-8"))["settings"]["clock_speed"])
        except OSError as error:
            raise ResultsError(f"{path}: cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise ResultsError(f"{path}: does not say how fast the lab's clock ran: {error!r}") from None

    def read_back(self) -> tuple[RunSummary | None, dict[CellId, CellSeries]]:
        """Read back what the run has come to; None if it came to nothing."""
        if not (self.path / "summary.json").exists():
            return None, {}
        try:
            run = read_run(self.path)
        except RunFolderError as error:
            raise ResultsError(str(error)) from None
        return run.summary, dict(run.series)

    def keep_only(self, cells: Iterable[CellId]) -> None:
        """Remove the requests of all cells but *cells*: the others will be run again."""
        wanted = {tuple(map(str, _key(cell))) for cell in cells}
        path = self.path / "requests.csv"
        unfinished = path.with_name(path.name + ".new")
        try:
            with (
                path.open(newline="", encoding="utf-8") as old,
                unfinished.open("w", newline="", encoding="utf-8") as new,
            ):
                rows = _rows(new)
                rows.writerow(COLUMNS)
                for row in csv.DictReader(old):
                    if tuple(row[name] for name in CELL_COLUMNS) in wanted:
                        rows.writerow([row[name] for name in COLUMNS])
        except OSError as error:
            raise ResultsError(f"{path}: {error.strerror}") from None
        except KeyError as error:
            raise ResultsError(f"{path}: column {error} is missing") from None
        unfinished.replace(path)

    def add_requests(self, result: CellResult) -> None:
        """Append one row per arrival to ``requests.csv``."""
        key = _key(result.summary.id)
        with (self.path / "requests.csv").open("a", newline="", encoding="utf-8") as file:
            rows = _rows(file)
            rows.writerows((*key, *_row(one)) for one in result.arrived)

    def save(self, run: RunSummary, series: Iterable[CellSeries], *, table: str) -> None:
        """Write what the run came to so far, as values and as the table that was shown."""
        _write_json(self.path / "summary.json", asdict(run) | {"adds_up": run.adds_up})
        _write_json(self.path / "series.json", series_document(tuple(series)), indent=None)
        self.save_text("summary.txt", table)

    def save_text(self, name: str, text: str) -> Path:
        """Write a file that people or other programs read."""
        path = self.path / name
        path.write_text(text, encoding="utf-8")
        return path


def _key(cell: CellId) -> tuple[str, str, str, int]:
    return (cell.design, cell.table_mode, cell.variant, cell.repeat)


def _row(one: Arrived) -> tuple[object, ...]:
    recorded = "" if one.recorded_s is None else f"{one.recorded_s:.6f}"
    return (*requests_file.to_row(one.request), one.fate, recorded)


def _rows(file: IO[str]) -> Any:
    return csv.writer(file, lineterminator="\n")


def _write_json(path: Path, values: object, *, indent: int | None = 2) -> None:
    unfinished = path.with_name(path.name + ".new")
    unfinished.write_text(json.dumps(values, indent=indent) + "\n", encoding="utf-8")
    unfinished.replace(path)


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in VERSIONS_OF:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # the emulator may run elsewhere, without its packages here
            continue
    return versions


def _machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cpus": os.process_cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
