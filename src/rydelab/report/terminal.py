"""A run as a table for the terminal. Pure: text out, nothing is printed here."""

import io
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rydelab.capacity.price_file import packaged_prices
from rydelab.capacity.prices import Prices
from rydelab.report.cost import cost_note, per_million_rides
from rydelab.report.headlines import measured
from rydelab.report.quantities import NO_BREAK_SPACE, unbroken
from rydelab.report.sentences import sentence
from rydelab.report.summary import CellSummary, RunSummary, ThresholdResult

LEDGER_HEADINGS = {
    "refused": "refused",
    "recorded": "recorded",
    "dead_lettered": "dead-\nlettered",
    "in_flight": "in\nflight",
    "lost": "lost",
    "ghost": "ghost",
}


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that is shown only where something is known for it."""

    heading: str
    of: Callable[[CellSummary], float | Decimal | None]
    digits: int = 0

    def text(self, cell: CellSummary) -> str:
        value = self.of(cell)
        return "?" if value is None else f"{value:.{self.digits}f}"


def _to_record_s(cell: CellSummary) -> float | None:
    p95_ms = None if cell.time_to_record is None else cell.time_to_record.p95_ms
    return None if p95_ms is None else p95_ms / 1000


_MORE_COLUMNS = (
    # From the answer until the record: seconds, since it may be minutes.
    _Column("record\np95 s", _to_record_s, digits=1),
    _Column("throt-\ntled", lambda cell: cell.throttled),
)
LINE_WIDTH = 100
MOST_REASONS = 3
REASON_CHARACTERS = 110


def render(run: RunSummary, *, color: bool = False, prices: Prices | None = None) -> str:
    """Draw *run* as a table of its cells, with what a reader must know about them below it; ends with a newline.

    *prices*: those of the package if None.
    """
    prices = prices or packaged_prices()
    text = io.StringIO()
    # Wider than the table ever is: a number that is cut off would be a wrong number.
    console = Console(file=text, width=120, force_terminal=color, highlight=False)
    if run.simulated is not None:
        console.print(Text(f"{run.simulated.words}\n", style="bold"), soft_wrap=True)
    if run.cells:
        console.print(_table(run, prices))
        console.print("\nIn words")
        for cell in run.cells:
            console.print(Text(_indented(f"{cell.id}: {sentence(cell)}")), soft_wrap=True)
        if any(cell.thresholds for cell in run.cells):
            console.print("\nThresholds")
        for cell in run.cells:
            for result in cell.thresholds:
                console.print(_verdict(cell, result), soft_wrap=True)
        console.print()
    for line in remarks(run):
        console.print(Text(line), soft_wrap=True)
    if note := cost_note(run, prices):
        console.print(Text(note), soft_wrap=True)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def remarks(run: RunSummary) -> Iterator[str]:
    """Yield what a reader must know besides the numbers, one line each."""
    for cell in run.cells:
        yield from _remarks(cell)
    for failure in run.failures:
        yield f"FAILED: {failure}"
    if run.cells and run.adds_up:
        checked = ": the sums were checked by RideId." if run.simulated is None else "."
        yield f"Every arrival is in exactly one row of its ledger{checked}"
    yield from run.notes


def _remarks(cell: CellSummary) -> Iterator[str]:
    name = str(cell.id)
    if cell.interrupted:
        yield f"{name}: stopped early; these are the arrivals until then."
    for reason, count in list(cell.errors.items())[:MOST_REASONS]:
        yield f"{name}: {count} x {shorten(reason)}"
    if len(cell.errors) > MOST_REASONS:
        yield f"{name}: {len(cell.errors) - MOST_REASONS} more reasons in requests.csv"
    if cell.late_starts:
        yield (
            f"{name}: {cell.late_starts} of {cell.arrivals} arrivals were sent more than "
            f"{cell.late_start_s * 1000:.0f} ms late: this machine was too busy to send them on time."
        )
    if cell.saturation is not None and cell.saturation.limited:
        why = f": {'; '.join(cell.saturation.reasons)}" if cell.saturation.reasons else ""
        yield f"{name}: LIMITED BY THE LAB, not by the design{why}."
    for mismatch in cell.mismatches:
        yield f"{name}: THE LEDGER DOES NOT ADD UP: {mismatch}."


def _verdict(cell: CellSummary, result: ThresholdResult) -> Text:
    word, style = ("passed", "green") if result.passed else ("FAILED", "bold red")
    return Text.assemble(f"  {cell.id}: ", (word, style), f"  {result.expression} ({measured(result.measured)})")


def _indented(text: str) -> str:
    lines = textwrap.wrap(unbroken(text), LINE_WIDTH, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(lines).replace(NO_BREAK_SPACE, " ")


def shorten(reason: str) -> str:
    """Cut *reason* to the length of a line."""
    return reason if len(reason) <= REASON_CHARACTERS else f"{reason[: REASON_CHARACTERS - 1]}…"


def _table(run: RunSummary, prices: Prices) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=0)
    table.add_column("design\n  table")
    table.add_column("\narrivals", justify="right")
    for heading in LEDGER_HEADINGS.values():
        table.add_column(heading if "\n" in heading else f"\n{heading}", justify="right")
    with_rewrites = any(cell.rewrites is not None for cell in run.cells)
    if with_rewrites:
        table.add_column("re-\nwrites", justify="right")
    for percentile in ("p50", "p95", "p99"):
        table.add_column(f"{percentile}\nms", justify="right")
    cost = _Column(f"{prices.currency} per\nmillion", lambda cell: per_million_rides(cell, prices), digits=2)
    more = [column for column in (*_MORE_COLUMNS, cost) if any(column.of(cell) is not None for cell in run.cells)]
    for column in more:
        table.add_column(column.heading, justify="right")
    for cell in run.cells:
        latency = cell.latency
        table.add_row(
            "\n".join([cell.design, f"  {cell.table_mode}", *_what_sets_apart(cell)]),
            str(cell.arrivals),
            *(_count(row, cell.rows[row]) for row in LEDGER_HEADINGS),
            *([_whole(cell.rewrites, unknown="?")] if with_rewrites else []),
            *(_whole(value) for value in (latency.p50_ms, latency.p95_ms, latency.p99_ms)),
            *(column.text(cell) for column in more),
        )
    return table


def _what_sets_apart(cell: CellSummary) -> Iterator[str]:
    if cell.variant:
        yield f"  {cell.variant}"
    if cell.repeat > 1:
        yield f"  repeat {cell.repeat}"


def _count(row: str, count: int) -> Text:
    bad = row in {"refused", "dead_lettered", "lost", "ghost"} and count > 0
    return Text(str(count), style="bold red" if bad else "")


def _whole(value: float | None, *, unknown: str = "-") -> str:
    return unknown if value is None else f"{value:.0f}"
