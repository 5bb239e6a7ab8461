"""Two runs side by side, for the terminal and as Markdown. Pure."""

import io
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rydelab.report import markdown
from rydelab.report.comparison import (
    LEAST_CHANGE_MS,
    LEAST_CHANGE_OF_RIDES,
    LEAST_CHANGE_RATIO,
    Change,
    Comparison,
    Verdict,
)
from rydelab.report.quantities import duration, things

HEADINGS = ("cell", "what", "before", "after", "noise", "counts from")
TEXTS = 2
"""The first columns are texts, the others numbers."""
SECTIONS = {Verdict.WORSE: "Worse", Verdict.BETTER: "Better"}
STYLES = {Verdict.WORSE: "bold red", Verdict.BETTER: "green"}


def render_comparison(comparison: Comparison, *, before: str, after: str, color: bool = False) -> str:
    """Draw *comparison* of the runs that are called *before* and *after*, for a terminal; ends with a newline."""
    text = io.StringIO()
    # Wider than the table ever is: a number that is cut off would be a wrong number.
    console = Console(file=text, width=160, force_terminal=color, highlight=False)
    console.print(Text(f"{before}  →  {after}"), soft_wrap=True)
    for verdict, title in SECTIONS.items():
        if changes := comparison.with_verdict(verdict):
            console.print(Text(f"\n{title}", style=STYLES[verdict]))
            table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
            for at, heading in enumerate(HEADINGS):
                table.add_column(heading, justify="left" if at < TEXTS else "right")
            for change in changes:
                table.add_row(*_values(change))
            console.print(table)
    console.print()
    for line in remarks(comparison):
        console.print(Text(line), soft_wrap=True)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def render_comparison_markdown(comparison: Comparison, *, before: str, after: str) -> str:
    """Write *comparison* as a Markdown document; ends with a newline."""
    return "".join(f"{line}\n" for line in _markdown(comparison, before, after))


def remarks(comparison: Comparison) -> Iterator[str]:
    """Yield the verdict and what a reader must know of it, one line each."""
    worse, better, same = (
        len(comparison.with_verdict(verdict)) for verdict in (Verdict.WORSE, Verdict.BETTER, Verdict.SAME)
    )
    if not comparison.changes:
        yield "Nothing could be compared."
    else:
        verdict = f"{things(worse, 'number')} worse" if worse else "Nothing is worse"
        yield f"{verdict} beyond the noise, {better} better, {same} the same."
        yield _noise(comparison)
    for reason in (*comparison.not_compared, *comparison.circumstances):
        yield f"{reason}."


def _noise(comparison: Comparison) -> str:
    least = (
        f"{100 * LEAST_CHANGE_RATIO:.0f} % and {LEAST_CHANGE_MS:.0f} ms of a time, "
        f"{100 * LEAST_CHANGE_OF_RIDES:.0f} % of the rides"
    )
    if comparison.noise_is_known:
        return (
            "A difference counts if chance would make one as large, between repeats of one thing, less than once in "
            f"100 times, and if it is more than {least}. A first lost ride always counts."
        )
    if any(change.noise is not None for change in comparison.changes):
        return f"Not every cell was repeated: of the others only differences above {least} count. Noise may be larger."
    return f"No cell was repeated, so its noise is not known: differences above {least} count. Noise may be larger."


def _markdown(comparison: Comparison, before: str, after: str) -> Iterator[str]:
    yield f"# {markdown.escaped(before)} → {markdown.escaped(after)}"
    yield ""
    for line in remarks(comparison):
        yield f"- {markdown.escaped(line)}"
    for verdict, title in SECTIONS.items():
        if changes := comparison.with_verdict(verdict):
            yield ""
            yield f"## {title}"
            yield ""
            rows = [[markdown.escaped(value) for value in _values(change)] for change in changes]
            yield from markdown.table(HEADINGS, rows, texts=TEXTS)


def _values(change: Change) -> Sequence[str]:
    unit = change.metric.unit
    before, after = _value(change.before, unit), _value(change.after, unit)
    noise = "?" if change.noise is None else f"± {_value(change.noise, unit)}"
    signed = change.allowance if change.after > change.before else -change.allowance
    return (change.cell, change.metric.name, before, after, noise, _value(max(0.0, change.before + signed), unit))


def _value(value: float, unit: str) -> str:
    if unit == "ms":
        return duration(value)
    return f"{100 * value:.2f} %" if unit == "rides" else f"{value:.3g} {unit}"
