"""The report as Markdown, for a pull request or a job's summary. Pure."""

import re
from collections.abc import Iterator, Sequence

from rydelab.capacity.price_file import packaged_prices
from rydelab.capacity.prices import Prices
from rydelab.report.bill import money
from rydelab.report.cost import cost_note, per_million_rides
from rydelab.report.headlines import headlines, load_in_words, measured, notes, started_in_words
from rydelab.report.ledger_rows import LEDGER_ROWS
from rydelab.report.quantities import NOTHING, count, duration, percentiles
from rydelab.report.repeats import RepeatedCell, repeated_cells
from rydelab.report.run import Run
from rydelab.report.sentences import sentence
from rydelab.report.summary import CellSummary


def render_markdown(run: Run, *, prices: Prices | None = None) -> str:
    """Write *run* as a Markdown document; ends with a newline. *prices*: those of the package if None."""
    return "".join(f"{line}\n" for line in _lines(run, prices or packaged_prices()))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> Iterator[str]:
    """Yield the lines of a Markdown table; all but the first *texts* columns are numbers, aligned to the right."""
    yield _row(headings)
    yield _row(["---"] * texts + ["---:"] * (len(headings) - texts))
    for row in rows:
        yield _row(row)


def escaped(text: str) -> str:
    """Let nothing in *text* be read as Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def _lines(run: Run, prices: Prices) -> Iterator[str]:
    summary = run.summary
    cells = repeated_cells(summary)
    became = "became" if summary.simulated is None else "would become"
    yield f"# What {became} of every ride: {escaped(summary.name)}{' (simulated)' if summary.simulated else ''}"
    yield ""
    load = load_in_words(summary, run.setup)
    yield escaped(started_in_words(summary) + (f"; {load}" if load else "")) + "."
    yield ""
    for line in headlines(summary):
        yield f"- {escaped(line)}"
    for failure in summary.failures:
        yield f"- **Failed:** {escaped(failure)}"
    yield ""
    if cells:
        yield from _ledger(cells, prices)
        yield ""
        for cell in cells:
            yield f"- **{escaped(str(cell))}**: {escaped(sentence(cell.total))}"
        yield ""
        for row in LEDGER_ROWS:
            yield f"- *{row.label}*: {row.meaning}"
        yield (
            "- *p50, p95, p99*: half, 95 % and 99 % of the promised rides had their answer within this time, counted "
            "from when they were due; *then recorded*: 95 % were in the table within this time after that"
        )
        yield ""
        yield from _thresholds(summary.cells)
    yield "## What these numbers do not mean"
    yield ""
    for note in notes(summary):
        yield f"- {escaped(note)}"
    if cost := cost_note(summary, prices):
        yield f"- {escaped(cost)}"
    yield from _versions(run)


def _ledger(cells: Sequence[RepeatedCell], prices: Prices) -> Iterator[str]:
    headings = ["cell", "arrivals", *(row.label for row in LEDGER_ROWS), "p50", "p95", "p99"]
    headings += ["then recorded", "throttled", "per million rides"]
    rows = []
    for cell in cells:
        total = cell.total
        repeats = f" ({len(cell.repeats)} repeats: sums and medians)" if len(cell.repeats) > 1 else ""
        limited = " **limited by the lab**" if total.lab_limited else ""
        ledger = (count(total.rows[row.key]) for row in LEDGER_ROWS)
        rows.append(
            [
                escaped(f"{cell}{repeats}") + limited,
                count(total.arrivals),
                *ledger,
                *percentiles(total.latency),
                _time_to_record(total),
                NOTHING if total.throttled is None else count(total.throttled),
                escaped(money(per_million_rides(total, prices), prices)),
            ]
        )
    yield from table(headings, rows)


def _time_to_record(cell: CellSummary) -> str:
    if cell.time_to_record is None or not cell.time_to_record.count:
        return NOTHING
    return "before" if cell.time_to_record.max_ms == 0 else duration(cell.time_to_record.p95_ms)


def _thresholds(cells: Sequence[CellSummary]) -> Iterator[str]:
    rows = [
        [escaped(str(cell.id)), f"`{result.expression}`", measured(result.measured), _verdict(passed=result.passed)]
        for cell in cells
        for result in cell.thresholds
    ]
    if rows:
        yield "## Thresholds"
        yield ""
        yield from table(["cell", "condition", "measured", "result"], rows, texts=2)
        yield ""


def _verdict(*, passed: bool) -> str:
    return "passed" if passed else "**failed**"


def _versions(run: Run) -> Iterator[str]:
    if run.setup.versions:
        yield ""
        yield (
            "Versions: " + escaped(", ".join(f"{name} {version}" for name, version in run.setup.versions.items())) + "."
        )


def _row(values: Sequence[str]) -> str:
    return f"| {' | '.join(values)} |"
