"""What was found for a scenario: the tables that suffice, by what they cost. Pure."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from rydelab.capacity.bill import Bill
from rydelab.capacity.prices import Prices
from rydelab.report.bill import money
from rydelab.report.quantities import duration
from rydelab.report.summary import CellSummary, Simulated


@dataclass(frozen=True, slots=True)
class SizedTable:
    """A design with a table that suffices."""

    cell: CellSummary
    bill: Bill
    setting: str
    """Such as ``14 write units``."""
    confirmed: bool
    """Whether each arrival was looked at on its own."""

    @property
    def name(self) -> str:
        """The design, its table mode and setting."""
        return f"{self.cell.design} {self.cell.table_mode}" + (f", {self.setting}" if self.setting else "")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A traffic at which on-demand and provisioned units change places as the cheapest."""

    arrivals_per_s: float
    below: SizedTable
    above: SizedTable


@dataclass(frozen=True, slots=True)
class Sizing:
    """Everything that was found."""

    name: str
    load: str
    conditions: tuple[str, ...]
    """What must hold besides that every ride is recorded."""
    tables: tuple[SizedTable, ...]
    """Cheapest first."""
    in_vain: tuple[str, ...]
    """Designs and table modes for which no setting was found."""
    exchanges: tuple[Exchange, ...] | None
    """From little traffic to much, for the cheapest design; None if it was not asked for."""
    arrivals_per_s: float
    simulated: Simulated
    warnings: tuple[str, ...] = ()


def render_sizing(sizing: Sizing, prices: Prices) -> str:
    """Draw *sizing* for the terminal; ends with a newline."""
    text = io.StringIO()
    console = Console(file=text, width=160, highlight=False)

    def say(line: str = "") -> None:
        console.print(line, markup=False, soft_wrap=True)

    say(sizing.simulated.words)
    say(sizing.load)
    say(f"Wanted: {', '.join(('every ride recorded', *sizing.conditions))}.")
    for warning in sizing.warnings:
        say(f"NOTE: {warning}")
    say()
    if sizing.tables:
        cheapest = sizing.tables[0]
        say(f"Cheapest: {cheapest.name}: {money(cheapest.bill.total, prices)} a month.")
        say()
        console.print(_table(sizing.tables, prices))
    for name in sizing.in_vain:
        say(f"In vain: {name}: no setting does it.")
    if sizing.exchanges is not None and sizing.tables:
        say()
        for line in _exchanges(sizing, prices):
            say(line)
    say()
    say(f"A month of this load: {prices.label}.")
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def sizing_document(sizing: Sizing, prices: Prices) -> dict[str, Any]:
    """Return *sizing* as values for ``json.dumps``; amounts are texts, since they are exact."""

    def values(table: SizedTable) -> dict[str, Any]:
        return {
            "design": table.cell.design,
            "table_mode": table.cell.table_mode,
            "settings": dict(table.cell.settings),
            "confirmed": table.confirmed,
            "a_month": f"{table.bill.total:f}",
            "a_month_after_free": f"{table.bill.total_after_free:f}",
            "per_million": None if table.bill.per_million is None else f"{table.bill.per_million:f}",
            "throttled": table.cell.throttled,
            "p99_ms": table.cell.latency.p99_ms,
        }

    return {
        "scenario": sizing.name,
        "arrivals_per_s": sizing.arrivals_per_s,
        "conditions": sizing.conditions,
        "warnings": sizing.warnings,
        "tables": [values(table) for table in sizing.tables],
        "in_vain": sizing.in_vain,
        "exchanges": None
        if sizing.exchanges is None
        else [
            {"arrivals_per_s": one.arrivals_per_s, "below": values(one.below), "above": values(one.above)}
            for one in sizing.exchanges
        ],
        "prices": {"region": prices.region, "currency": prices.currency, "label": prices.label},
    }


def _table(tables: Sequence[SizedTable], prices: Prices) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("design", "table", "setting"):
        drawn.add_column(heading)
    for heading in ("a month", "with free tier", "per million", "throttled", "answer p99", "then recorded p99"):
        drawn.add_column(heading, justify="right")
    for table in tables:
        cell, bill = table.cell, table.bill
        drawn.add_row(
            cell.design,
            cell.table_mode,
            table.setting + ("" if table.confirmed else " *"),
            money(bill.total, prices),
            money(bill.total_after_free, prices),
            money(bill.per_million, prices),
            f"{cell.throttled or 0:,}",
            duration(cell.latency.p99_ms),
            duration(None if cell.time_to_record is None else cell.time_to_record.p99_ms),
        )
    if not all(table.confirmed for table in tables):
        drawn.caption = "* found with arrivals taken together, not confirmed one by one"
        drawn.caption_justify = "left"
    return drawn


def _exchanges(sizing: Sizing, prices: Prices) -> Sequence[str]:
    design = sizing.tables[0].cell.design
    if not sizing.exchanges:
        return [f"At other traffic of this shape, {design} {sizing.tables[0].cell.table_mode} stays the cheapest."]
    return [
        f"On-demand or units, for {design} and other traffic of this shape:",
        *(
            f"  below about {one.arrivals_per_s:.2g} arrivals a second on average {one.below.name} is cheaper "
            f"({money(one.below.bill.total, prices)} a month there), above it {one.above.name} "
            f"({money(one.above.bill.total, prices)})"
            for one in sizing.exchanges
        ),
        f"  this load has {sizing.arrivals_per_s:.3g}",
    ]
