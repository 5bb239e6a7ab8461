"""Reads a run back from its folder. The only module of this package that touches files."""

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from rydelab.report import json_values, series
from rydelab.report.run import Run, Setup
from rydelab.report.series import CellSeries, Outcome
from rydelab.report.summary import CellId, RunSummary


class RunFolderError(ValueError):
    """The folder holds no run that can be read; the message names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class _SeriesFile:
    cells: tuple[CellSeries, ...]


def read_run(folder: Path) -> Run:
    """Read the run in *folder*: ``summary.json``, and as far as they are there ``run.json``, ``series.json`` and
    ``requests.csv``.

    What ``series.json`` does not say of arrivals, answers and records is counted from ``requests.csv``. Raises
    RunFolderError.
    """  # noqa: D205 (the list of files does not fit one line)
    if not folder.is_dir():
        raise RunFolderError(f"{folder}: there is no such folder")
    try:
        summary = json_values.parse(RunSummary, _json(folder / "summary.json"), where="summary")
        setup = Setup()
        if (path := folder / "run.json").exists():
            setup = json_values.parse(Setup, _json(path), where="run")
        cells: dict[CellId, CellSeries] = {}
        if (path := folder / "series.json").exists():
            cells = {part.cell: part for part in json_values.parse(_SeriesFile, _json(path), where="series").cells}
        if (path := folder / "requests.csv").exists() and any(
            cell.id not in cells or not cells[cell.id].arrivals for cell in summary.cells
        ):
            cells |= _with_requests(cells, path)
    except json_values.UnexpectedValueError as error:
        raise RunFolderError(f"{folder}: {error}") from None
    return Run(summary, cells, setup)


def series_document(cells: tuple[CellSeries, ...]) -> dict[str, Any]:
    """Return the content of ``series.json``, ready for ``json.dump``."""
    return asdict(_SeriesFile(cells))


def read_outcomes(path: Path) -> Iterator[tuple[CellId, list[Outcome]]]:
    """Yield the arrivals of each cell in the CSV file *path*, in which every cell's rows follow one another.

    Columns: design, table_mode, due_s, latency_s, error; and, where there are any, variant, repeat, recorded_s and
    kind. What asks for a ``unicorn`` is no ride, and is left out. Raises RunFolderError.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        heading = next(rows, [])
        missing = [name for name in ("design", "table_mode", "due_s", "latency_s", "error") if name not in heading]
        if missing:
            raise RunFolderError(f"{path}: column {missing[0]} is missing")
        position = {name: at for at, name in enumerate(heading)}
        key = [position[name] for name in ("design", "table_mode", "variant", "repeat") if name in position]
        due, took, error = position["due_s"], position["latency_s"], position["error"]
        recorded, kind = position.get("recorded_s"), position.get("kind")
        try:
            for _, cell_rows in groupby(rows, lambda row: [row[at] for at in key]):
                own = list(cell_rows)
                yield (
                    _cell_id(own[0], position),
                    [
                        Outcome(
                            due_s=float(row[due]),
                            latency_s=float(row[took]),
                            accepted=not row[error],
                            recorded_s=float(row[recorded]) if recorded is not None and row[recorded] else None,
                        )
                        for row in own
                        if kind is None or row[kind] != "unicorn"
                    ],
                )
        except (ValueError, IndexError) as problem:
            raise RunFolderError(f"{path}: line {rows.line_num} or before: {problem}") from None


def _cell_id(row: list[str], position: dict[str, int]) -> CellId:
    variant = row[position["variant"]] if "variant" in position else ""
    repeat = int(row[position["repeat"]]) if "repeat" in position else 1
    return CellId(row[position["design"]], row[position["table_mode"]], variant, repeat)


def _with_requests(cells: dict[CellId, CellSeries], path: Path) -> dict[CellId, CellSeries]:
    """Fill in the columns of *cells* that are counted from the requests in the file *path*."""
    filled: dict[CellId, CellSeries] = {}
    for cell, outcomes in read_outcomes(path):
        known = cells.get(cell, CellSeries(cell))
        counted = series.of_outcomes(cell, outcomes, interval_s=known.interval_s)
        missing = {
            field.name: getattr(counted, field.name)
            for field in fields(CellSeries)
            if not getattr(known, field.name) and getattr(counted, field.name)
        }
        filled[cell] = replace(known, **missing)
    return filled


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(f"{path}: cannot be read: {error}") from None
    except json.JSONDecodeError as error:
        raise RunFolderError(f"{path}: not JSON: {error}") from None
