"""A sweep as tables for the terminal. Pure."""

import io
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rydelab.capacity.prices import Prices
from rydelab.report.bill import money
from rydelab.report.cost import per_million_rides
from rydelab.report.quantities import share
from rydelab.report.sweep import WORDS, Sweep, SweepPoint, Value

MARKS = {"all": "", "late": "~", "some": "x"}
STYLES = {"all": "green", "late": "yellow", "some": "bold red"}


def render_sweep(sweep: Sweep, prices: Prices, *, color: bool = False) -> str:
    """Draw *sweep*: a table for each cell, or one row for each if one setting was varied; ends with a newline."""
    text = io.StringIO()
    console = Console(file=text, width=200, force_terminal=color, highlight=False)
    console.print(f"{sweep.simulated.words}\n{sweep.load}\n", markup=False, soft_wrap=True)
    across = sweep.axes[0]
    if len(sweep.axes) == 1:
        table = _table("", across.label, across.values)
        for cell in sweep.cells:
            table.add_row(cell.name, *(_entry(cell.at(value), prices) for value in across.values))
        console.print(table)
    else:
        down = sweep.axes[1]
        for cell in sweep.cells:
            table = _table(down.label, across.label, across.values)
            for value in down.values:
                table.add_row(_value(value), *(_entry(cell.at(first, value), prices) for first in across.values))
            console.print(Text(cell.name, style="bold"))
            console.print(table)
            console.print()
    for became, words in WORDS.items():
        console.print(f"  {MARKS[became] or ' '}  {words}", markup=False)
    console.print(f"Above, the share of rides recorded; below, what a million cost: {prices.label}.", soft_wrap=True)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _table(first: str, label: str, values: Sequence[Value]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, title=None)
    table.add_column(f"{first} \\ {label}" if first else label)
    for value in values:
        table.add_column(_value(value), justify="right")
    return table


def _entry(point: SweepPoint, prices: Prices) -> Text:
    recorded = share(point.cell.rows["recorded"], point.cell.arrivals)
    cost = money(per_million_rides(point.cell, prices), prices)
    return Text.assemble((f"{recorded} {MARKS[point.became]}".rstrip(), STYLES[point.became]), f"\n{cost}")


def _value(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:g}"
