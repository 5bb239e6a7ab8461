"""Saves a run: one folder with ``run.json``, ``requests.csv``, ``summary.json`` and the load generator's logs."""

import csv
import errno
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

import psutil

from rydelab.errors import RydelabError
from rydelab.lab import requests_file
from rydelab.lab.cell import Cell
from rydelab.lab.ledger import Evidence, fate
from rydelab.lab.requests_file import Request
from rydelab.lab.scenario import Scenario
from rydelab.report.summary import RunSummary

VERSIONS_OF = ("rydelab", "localstack-core", "locust", "boto3", "awslambdaric")
COLUMNS = ("design", "table_mode", *requests_file.COLUMNS, "fate")


class ResultsError(RydelabError):
    """The results cannot be written; the message names the folder."""

    exit_status = 2


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

    def __init__(self, results_dir: Path, *, name: str, started: datetime) -> None:
        stem = f"{started:%Y%m%d-%H%M%S}-{name}"
        self.path = results_dir / stem
        try:
            # Two runs may begin within one second.
            for number in range(2, 100):
                try:
                    self.path.mkdir()
                    break
                except FileExistsError:
                    self.path = results_dir / f"{stem}-{number}"
            with (self.path / "requests.csv").open("w", newline="", encoding="utf-8") as file:
                _rows(file).writerow(COLUMNS)
        except OSError as error:
            raise ResultsError(f"cannot write results to {results_dir.absolute()}: {error.strerror}") from None

    def save_run(
        self, scenario: Scenario, *, scenario_file: Path, started: datetime, settings: Mapping[str, Any]
    ) -> Path:
        """Write what the run is, before it begins; return the run's own copy of the scenario and its series."""
        copy = self.path / "scenario.toml"
        copy.write_bytes(scenario_file.read_bytes())
        for name in scenario.series_files:
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_bytes((scenario_file.parent / name).read_bytes())
        run = {
            "started_at": started.isoformat(timespec="seconds"),
            "scenario": asdict(scenario) | {"phases": [phase.summary for phase in scenario.phases]},
            "settings": dict(settings),
            "versions": _versions(),
            "machine": _machine(),
        }
        _write_json(self.path / "run.json", run)
        return copy

    def add_requests(self, cell: Cell, requests: Sequence[Request], evidence: Evidence) -> None:
        """Append one row per arrival of *cell* to ``requests.csv``."""
        with (self.path / "requests.csv").open("a", newline="", encoding="utf-8") as file:
            rows = _rows(file)
            for request in sorted(requests, key=lambda request: request.arrival):
                row = requests_file.to_row(request)
                rows.writerow((cell.design, cell.table_mode, *row, fate(request.answer, evidence)))

    def save_summary(self, run: RunSummary, *, table: str) -> None:
        """Write what the run came to so far, as values and as the table that was shown."""
        _write_json(self.path / "summary.json", asdict(run) | {"adds_up": run.adds_up})
        (self.path / "summary.txt").write_text(table, encoding="utf-8")


def _rows(file: IO[str]) -> Any:
    return csv.writer(file, lineterminator="\n")


def _write_json(path: Path, values: object) -> None:
    unfinished = path.with_name(path.name + ".new")
    unfinished.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
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
