"""Conditions that a cell must meet, such as ``p95_ms < 300``. Pure: text and a cell's summary in, a verdict out."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from rydelab.errors import RydelabError
from rydelab.lab.cells.ledger import ROWS
from rydelab.lab.scenarios.cell import Cell
from rydelab.report.latency import Latency
from rydelab.report.summary import CellSummary, ThresholdResult

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_PATTERN = re.compile(
    r"""\s*
    (?:(?P<design>[a-z*-]+):(?P<table_mode>[a-z*-]+)\s+)?
    (?P<metric>[a-z0-9_]+)
    \s*(?P<comparison>==|!=|<=|>=|<|>)\s*
    (?P<bound>[0-9]+(?:\.[0-9]+)?)
    \s*""",
    re.VERBOSE,
)


class ThresholdError(RydelabError):
    """A threshold that cannot be used; the message says why."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a metric of some cells must be."""

    expression: str
    """As it was written."""
    metric: str
    comparison: str
    bound: float
    design: str = "*"
    """Which cells it is for; ``*`` stands for all, as in `table_mode`."""
    table_mode: str = "*"

    def is_for(self, design: str, table_mode: str) -> bool:
        """Whether it says something about a cell."""
        return fnmatchcase(design, self.design) and fnmatchcase(table_mode, self.table_mode)

    def judge(self, cell: CellSummary) -> ThresholdResult:
        """Compare what was measured. What was not measured has not passed."""
        measured = METRICS[self.metric](cell)
        passed = measured is not None and _COMPARISONS[self.comparison](measured, self.bound)
        return ThresholdResult(self.expression, measured, passed)


def judge(thresholds: Iterable[Threshold], cell: CellSummary) -> tuple[ThresholdResult, ...]:
    """Judge the thresholds that are for *cell*."""
    return tuple(one.judge(cell) for one in thresholds if one.is_for(cell.design, cell.table_mode))


def parse_threshold(text: str, cells: Iterable[Cell]) -> Threshold:
    """Read ``[DESIGN:MODE] METRIC COMPARISON NUMBER``. Raises ThresholdError, also if none of *cells* is meant."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ThresholdError(
            "must be [DESIGN:MODE] METRIC COMPARISON NUMBER, such as lost == 0 or *:on-demand p95_ms < 300"
        )
    if match["metric"] not in METRICS:
        raise ThresholdError(f"{match['metric']} is not measured; there are {', '.join(METRICS)}")
    threshold = Threshold(
        expression=" ".join(text.split()),
        metric=match["metric"],
        comparison=match["comparison"],
        bound=float(match["bound"]),
        design=match["design"] or "*",
        table_mode=match["table_mode"] or "*",
    )
    if not any(threshold.is_for(cell.design, cell.table_mode) for cell in cells):
        raise ThresholdError(f"no cell is {threshold.design}:{threshold.table_mode}")
    return threshold


type _Metric = Callable[[CellSummary], float | None]


def _row(name: str) -> _Metric:
    return lambda cell: cell.rows[name]


def _ratio(metric: _Metric) -> _Metric:
    def ratio(cell: CellSummary) -> float | None:
        part = metric(cell)
        return None if part is None or not cell.arrivals else part / cell.arrivals

    return ratio


def _latency(of: Callable[[CellSummary], Latency | None], name: str) -> _Metric:
    def value(cell: CellSummary) -> float | None:
        latency = of(cell)
        found: float | None = None if latency is None else getattr(latency, name)
        return found

    return value


_COUNTS: Mapping[str, _Metric] = {
    **{row: _row(row) for row in ROWS},
    "accepted": lambda cell: cell.accepted,
    "rewrites": lambda cell: cell.rewrites,
    "throttled": lambda cell: cell.throttled,
    "retries": lambda cell: cell.retries,
    "late_starts": lambda cell: cell.late_starts,
}
_TIMES = ("p50_ms", "p95_ms", "p99_ms", "max_ms")

METRICS: Mapping[str, _Metric] = {
    "arrivals": lambda cell: cell.arrivals,
    **_COUNTS,
    **{f"{name}_ratio": _ratio(count) for name, count in _COUNTS.items() if name not in {"throttled", "retries"}},
    **{name: _latency(lambda cell: cell.latency, name) for name in _TIMES},
    **{f"record_{name}": _latency(lambda cell: cell.time_to_record, name) for name in _TIMES},
}
"""What a threshold can be about: counts of arrivals, their share of all, latency, and the time to record."""
