"""A run as a table for the terminal. Pure: text out, nothing is printed here."""

import io
from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rydelab.report.summary import CellSummary, RunSummary

LEDGER_HEADINGS = {
    "refused": "refused",
    "recorded": "recorded",
    "dead_lettered": "dead-\nlettered",
    "in_flight": "in\nflight",
    "lost": "lost",
    "ghost": "ghost",
}
MOST_REASONS = 3
REASON_CHARACTERS = 110


def render(run: RunSummary, *, color: bool = False) -> str:
    """Draw *run* as a table of its cells, with what a reader must know about them below it; ends with a newline."""
    text = io.StringIO()
    # Wider than the table ever is (80): a number that is cut off would be a wrong number.
    console = Console(file=text, width=100, force_terminal=color, highlight=False)
    if run.cells:
        console.print(_table(run))
        console.print()
    for line in remarks(run):
        console.print(Text(line), soft_wrap=True)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def remarks(run: RunSummary) -> Iterator[str]:
    """Yield what a reader must know besides the numbers, one line each."""
    for cell in run.cells:
        name = _name(cell)
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
        for mismatch in cell.mismatches:
            yield f"{name}: THE LEDGER DOES NOT ADD UP: {mismatch}."
    for failure in run.failures:
        yield f"FAILED: {failure}"
    if run.cells and run.adds_up:
        yield "Every arrival is in exactly one row of its ledger: the sums were checked by RideId."
    yield from run.notes


def shorten(reason: str) -> str:
    """Cut *reason* to the length of a line."""
    return reason if len(reason) <= REASON_CHARACTERS else f"{reason[: REASON_CHARACTERS - 1]}…"


def _table(run: RunSummary) -> Table:
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
    for cell in run.cells:
        rewrites = ["?" if cell.rewrites is None else str(cell.rewrites)] if with_rewrites else []
        latency = cell.latency
        table.add_row(
            f"{cell.design}\n  {cell.table_mode}",
            str(cell.arrivals),
            *(_count(row, cell.rows[row]) for row in LEDGER_HEADINGS),
            *rewrites,
            *(_milliseconds(value) for value in (latency.p50_ms, latency.p95_ms, latency.p99_ms)),
        )
    return table


def _count(row: str, count: int) -> Text:
    bad = row in {"refused", "dead_lettered", "lost", "ghost"} and count > 0
    return Text(str(count), style="bold red" if bad else "")


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _name(cell: CellSummary) -> str:
    return f"{cell.design} {cell.table_mode}"
