"""Recorded traffic: arrivals per minute as CSV, or a metric as CloudWatch exports it. Shapes: docs/simulator.md."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from rydelab.errors import RydelabError

DEFAULT_PERIOD_S = 60.0
VALUES = ("arrivals", "sum", "count", "value", "consumedwritecapacityunits", "requests")
TIMES = ("timestamp", "time", "minute", "date")
MOST_STEPS = 1_000_000


class TraceError(RydelabError):
    """A trace that cannot be read; the message names the file and what is wrong with it."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Trace:
    """What was counted."""

    counts: tuple[float, ...]
    """In each period, one after another; periods that the file does not have count 0."""
    period_s: float
    metric: str
    """What the file calls it."""


def read_trace(path: Path) -> Trace:
    """Read the trace in the file *path*: JSON if it ends in ``.json``, else CSV. Raises TraceError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TraceError(f"{path}: not UTF-8: {error}") from None
    return _from_json(path, text) if path.suffix == ".json" else _from_csv(path, text)


def _from_csv(path: Path, text: str) -> Trace:
    rows = list(csv.reader(io.StringIO(text)))
    if len(rows) < 2:  # noqa: PLR2004 (a header and a row)
        raise TraceError(f"{path}: must have a header and a row for each period")
    header = [name.strip() for name in rows[0]]
    value_at = _column(path, header, VALUES)
    time_at = next((at for at, name in enumerate(header) if name.lower() in TIMES), None)
    points: list[tuple[float | None, float]] = []
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        where = f"{path} line {line}"
        if len(row) != len(header):
            raise TraceError(f"{where}: has {len(row)} values, the header {len(header)}")
        value = _number(where, row[value_at])
        points.append((None if time_at is None else _moment(where, row[time_at]), value))
    if time_at is None:
        return Trace(tuple(value for _, value in points), DEFAULT_PERIOD_S, header[value_at])
    return _in_order(path, [(at, value) for at, value in points if at is not None], header[value_at])


def _column(path: Path, header: Sequence[str], known: Sequence[str]) -> int:
    found = [at for at, name in enumerate(header) if name.lower() in known]
    if len(found) != 1:
        many = "more than one column" if found else "no column"
        raise TraceError(f"{path}: has {many} named {', '.join(known)} (it has {', '.join(header)})")
    return found[0]


def _from_json(path: Path, text: str) -> Trace:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise TraceError(f"{path}: not JSON: {error}") from None
    if isinstance(document, dict) and isinstance(document.get("Datapoints"), list):
        return _statistics(path, document)
    if isinstance(document, dict) and isinstance(document.get("MetricDataResults"), list):
        return _metric_data(path, document["MetricDataResults"])
    raise TraceError(f"{path}: has neither Datapoints (get-metric-statistics) nor MetricDataResults (get-metric-data)")


def _statistics(path: Path, document: Mapping[str, Any]) -> Trace:
    points = []
    for number, point in enumerate(document["Datapoints"]):
        where = f"{path}: Datapoints[{number}]"
        if not isinstance(point, dict) or "Timestamp" not in point or "Sum" not in point:
            raise TraceError(f"{where}: must have a Timestamp and a Sum (ask with --statistics Sum)")
        points.append((_moment(where, point["Timestamp"]), _number(where, point["Sum"])))
    return _in_order(path, points, str(document.get("Label") or "Sum"))


def _metric_data(path: Path, results: Sequence[Any]) -> Trace:
    results = [result for result in results if isinstance(result, dict)]
    labels = [str(result.get("Label") or result.get("Id")) for result in results]
    if len(results) != 1:
        raise TraceError(f"{path}: must have one metric, has {len(results)} ({', '.join(labels)})")
    times, values = results[0].get("Timestamps"), results[0].get("Values")
    if not isinstance(times, list) or not isinstance(values, list) or len(times) != len(values):
        raise TraceError(f"{path}: Timestamps and Values of {labels[0]} must be lists of the same length")
    where = f"{path}: {labels[0]}"
    points = [(_moment(where, at), _number(where, value)) for at, value in zip(times, values, strict=True)]
    return _in_order(path, points, labels[0])


def _in_order(path: Path, points: Iterable[tuple[float, float]], metric: str) -> Trace:
    """Put *points* in order of time; the period is the smallest distance between two of them."""
    ordered = sorted(points)
    if not ordered:
        raise TraceError(f"{path}: has no data points")
    distances = [later[0] - earlier[0] for earlier, later in pairwise(ordered)]
    period_s = min(distances, default=DEFAULT_PERIOD_S)
    if period_s <= 0:
        again = next(later[0] for earlier, later in pairwise(ordered) if later[0] == earlier[0])
        raise TraceError(f"{path}: has {datetime.fromtimestamp(again, UTC).isoformat()} more than once")
    begin_s = ordered[0][0]
    steps = round((ordered[-1][0] - begin_s) / period_s) + 1
    if steps > MOST_STEPS:
        raise TraceError(f"{path}: has {steps} periods of {period_s:g} s, more than {MOST_STEPS}")
    counts = [0.0] * steps
    for at_s, value in ordered:
        counts[round((at_s - begin_s) / period_s)] += value
    return Trace(tuple(counts), period_s, metric)


def _number(where: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise TraceError(f"{where}: {value!r} is no number of at least 0")
    return number


def _moment(where: str, value: Any) -> float:
    """Return Unix time from ISO 8601 or Unix time in seconds or milliseconds."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        pass
    else:
        return number / 1000 if number > 1e11 else number  # noqa: PLR2004 (milliseconds, from 1973 on)
    try:
        at = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise TraceError(f"{where}: {value!r} is no time: must be ISO 8601 or Unix time") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
