"""Measured cells beside predicted ones: how far apart they are, and whether that is near enough. Pure."""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rydelab.report.series import CellSeries, Column
from rydelab.report.summary import CellSummary

MOST_OF_ARRIVALS = 0.02
MOST_OF_MEASURED = 0.10
LEAST_DRAIN_S = 2.0
"""Times may differ by this much in any case: dead letters are looked for once a second."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One number of one cell, twice."""

    metric: str
    measured: float
    predicted: float
    allowance: float
    """How far apart they may be."""

    @property
    def holds(self) -> bool:
        """Whether they are no further apart."""
        return abs(self.predicted - self.measured) <= self.allowance


@dataclass(frozen=True, slots=True)
class Validated:
    """One cell, measured and predicted."""

    cell: CellSummary
    predictions: tuple[Prediction, ...]

    @property
    def holds(self) -> bool:
        """Whether every prediction does; a cell that the lab limited proves nothing either way."""
        return self.cell.lab_limited or all(one.holds for one in self.predictions)


def compare_cells(measured: tuple[CellSummary, CellSeries], predicted: tuple[CellSummary, CellSeries]) -> Validated:
    """Hold what was *predicted* against what was *measured*."""
    (cell, series), (other, other_series) = measured, predicted
    predictions = []
    for metric, of in _OF_ARRIVALS.items():
        predictions.append(_prediction(metric, of(cell), of(other), MOST_OF_ARRIVALS * cell.arrivals))
    for metric, of in _OF_MEASURED.items():
        value = of(cell)
        allowance = max(MOST_OF_MEASURED * value, MOST_OF_ARRIVALS * cell.arrivals)
        predictions.append(_prediction(metric, value, of(other), allowance))
    drain_s = time_to_drain_s(series)
    allowance_s = max(MOST_OF_MEASURED * drain_s, LEAST_DRAIN_S)
    predictions.append(_prediction("drain s", drain_s, time_to_drain_s(other_series), allowance_s))
    return Validated(cell, tuple(predictions))


def time_to_drain_s(series: CellSeries) -> float:
    """Return how long after the last promise the last ride was recorded or dead-lettered, to the interval."""
    ended = max(_last(series.recorded), _last(series.dead_letters))
    return max(0, ended - _last(series.accepted)) * series.interval_s


def render(cells: Iterable[Validated], *, color: bool = False) -> str:
    """Draw a table of all cells; ends with a newline."""
    text = io.StringIO()
    console = Console(file=text, width=160, force_terminal=color, highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("cell")
    cells = list(cells)
    metrics = [one.metric for one in cells[0].predictions] if cells else []
    for metric in metrics:
        table.add_column(f"{metric}\nmeasured → predicted", justify="right")
    for cell in cells:
        name = Text(str(cell.cell.id))
        if cell.cell.lab_limited:
            name.append(" (limited by the lab)", style="bold red")
        table.add_row(name, *(_shown(one) for one in cell.predictions))
    console.print(table)
    console.print()
    far = [(cell, one) for cell in cells for one in cell.predictions if not one.holds]
    for cell, one in far:
        limited = " (limited by the lab)" if cell.cell.lab_limited else ""
        line = f"{cell.cell.id}: {one.metric} {one.measured:g} → {one.predicted:g}, more than {one.allowance:.3g} apart"
        console.print(Text(line + limited), soft_wrap=True)
    total = sum(len(cell.predictions) for cell in cells)
    console.print(
        Text(
            f"{total - len(far)} of {total} predictions are within their bounds: ledger and promises "
            f"{MOST_OF_ARRIVALS:.0%} of the arrivals; throttles, retries and time to drain {MOST_OF_MEASURED:.0%}, "
            f"or {MOST_OF_ARRIVALS:.0%} of the arrivals and {LEAST_DRAIN_S:g} s."
        ),
        soft_wrap=True,
    )
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _shown(one: Prediction) -> Text:
    return Text(f"{one.measured:g} → {one.predicted:g}", style="" if one.holds else "bold red")


def _prediction(metric: str, measured: float, predicted: float, allowance: float) -> Prediction:
    return Prediction(metric, measured, predicted, allowance)


def _last(column: Column) -> int:
    return max((at for at, value in enumerate(column) if value), default=-1)


def _row(name: str) -> Callable[[CellSummary], float]:
    return lambda cell: cell.rows[name]


_OF_ARRIVALS: Mapping[str, Callable[[CellSummary], float]] = {
    "accepted": lambda cell: cell.accepted,
    "refused": _row("refused"),
    "recorded": _row("recorded"),
    "dead-lettered": _row("dead_lettered"),
}
_OF_MEASURED: Mapping[str, Callable[[CellSummary], float]] = {
    "throttled": lambda cell: cell.throttled or 0,
    "retries": lambda cell: cell.retries or 0,
}
