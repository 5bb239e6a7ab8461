"""Finds the cheapest table, mode and setting, that records every ride of a scenario and meets its thresholds.

What a setting does is simulated, what it costs is the bill of a month of the scenario's load. More units are taken to
be never worse: so the least that suffice are found by halving.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rydelab.capacity.bill import Bill
from rydelab.capacity.prices import Prices
from rydelab.lab.scenarios.cell import DEFAULT_MAX_UNITS, MOST_UNITS, TABLE_MODES, Cell
from rydelab.lab.scenarios.scenario import LEDGER_KINDS
from rydelab.lab.simulation.plays import Plays, mean_arrivals_per_s
from rydelab.lab.simulation.simulation import arrivals_of, traffic_of
from rydelab.report.cost import cell_bill
from rydelab.report.summary import CellSummary
from rydelab.simulator.engine import MOST_EXACT_ARRIVALS

BURST_S = 300.0
"""How much of its units a rested table has saved up, in seconds."""
UNIT_OPTIONS = ("write_units", "max_write_units")
HEADROOM = 2
"""How many times what a fixed table needs auto scaling may set at most."""
MOST_STEPS = 12
"""How often a setting that should do, and does not, gets a few units more."""
GROWTH = 1.03
SCALES = tuple(4.0**power for power in range(-6, 5))
"""Of the scenario's arrivals, at which on-demand and provisioned units are compared."""
BISECTIONS = 5


@dataclass(frozen=True, slots=True)
class Sized:
    """A cell that suffices, with what it costs."""

    cell: Cell
    summary: CellSummary
    bill: Bill
    confirmed: bool
    """Whether the exact engine says so, too."""


@dataclass(frozen=True, slots=True)
class Change:
    """A traffic at which on-demand and provisioned units change places."""

    arrivals_per_s: float
    """On average over the scenario."""
    below: Sized
    """The cheapest of a little less traffic."""
    above: Sized
    """The cheapest of a little more."""


def suffices(cell: CellSummary) -> bool:
    """Whether every ride was recorded and every threshold met."""
    return cell.rows["recorded"] == cell.arrivals and all(result.passed for result in cell.thresholds)


def least(low: int, high: int, is_enough: Callable[[int], bool]) -> int | None:
    """Return the least number from *low* on that is enough, looking up to *high* first; None if `MOST_UNITS` is not."""
    while not is_enough(high):
        if high >= MOST_UNITS:
            return None
        low, high = high + 1, min(MOST_UNITS, math.ceil(high * 1.5))
    while low < high:
        middle = (low + high) // 2
        if is_enough(middle):
            high = middle
        else:
            low = middle + 1
    return high


def throttle_free_units(per_s: Sequence[float]) -> int:
    """Return the least whole units that take *per_s* writes in each second, with the burst of a rested table."""
    low, high = 1, max(1, math.ceil(max(per_s, default=0.0)))
    while low < high:
        units = (low + high) // 2
        if _holds(units, per_s):
            high = units
        else:
            low = units + 1
    return high


def _holds(units: int, per_s: Sequence[float]) -> bool:
    saved = most = units * BURST_S
    for writes in per_s:
        saved = min(most, saved + units) - writes
        if saved < 0:
            return False
    return True


@dataclass(slots=True)
class Sizer:
    """Looks for tables that suffice."""

    plays: Plays
    prices: Prices

    def ranked(self, cells: Sequence[Cell]) -> tuple[Sized, ...]:
        """Return the best setting of each of *cells* that has one, confirmed, cheapest first."""
        found = [sized for cell in cells if (sized := self.sized(cell)) is not None]
        confirmed = [sized for one in found if (sized := self._confirmed(one)) is not None]
        return tuple(sorted(confirmed, key=lambda sized: sized.bill.total))

    def sized(self, cell: Cell) -> Sized | None:
        """Return *cell* with the least units that suffice; None if none do."""
        if cell.table_mode == "on-demand":
            return self._if_enough(cell)
        fixed = self._least_fixed(cell)
        if fixed is None or cell.table_mode == "provisioned":
            return None if fixed is None else self._if_enough(_with(cell, write_units=fixed))
        most = _most(fixed)
        low = least(1, fixed, lambda low: suffices(self.plays.of(_with(cell, write_units=low, max_write_units=most))))
        return None if low is None else self._if_enough(_with(cell, write_units=low, max_write_units=most))

    def sized_like(self, sized: Sized, scale: float) -> Sized | None:
        """Return a setting in proportion to *sized*, or a little above, that suffices for *scale* times the load."""
        if is_on_demand(sized):
            return self._if_enough(sized.cell, scale)
        units = max(1, math.ceil(int(sized.cell.options["write_units"]) * scale))
        for _ in range(MOST_STEPS):
            if units > MOST_UNITS:
                return None
            cell = _with(sized.cell, write_units=units)
            if sized.cell.table_mode == "autoscaled":
                most = math.ceil(int(sized.cell.options["max_write_units"]) * scale)
                cell = _with(sized.cell, write_units=units, max_write_units=_most(max(units, most) / HEADROOM))
            if (found := self._if_enough(cell, scale)) is not None:
                return found
            units = _more(units)
        return None

    def changes(self, tables: Sequence[Sized]) -> Iterator[Change]:
        """Yield where on-demand and units change places among *tables*, from little traffic to much."""
        before: tuple[float, Sized] | None = None
        for scale in SCALES:
            if (best := self._cheapest(tables, scale)) is None:
                continue
            if before is not None and is_on_demand(best) != is_on_demand(before[1]):
                yield self._change(tables, before, (scale, best))
            before = (scale, best)

    def _cheapest(self, tables: Sequence[Sized], scale: float) -> Sized | None:
        found = [sized for table in tables if (sized := self.sized_like(table, scale)) is not None]
        return min(found, key=lambda sized: sized.bill.total, default=None)

    def _change(self, tables: Sequence[Sized], low: tuple[float, Sized], high: tuple[float, Sized]) -> Change:
        for _ in range(BISECTIONS):
            scale = math.sqrt(low[0] * high[0])
            best = self._cheapest(tables, scale)
            if best is None:
                break
            if is_on_demand(best) == is_on_demand(low[1]):
                low = (scale, best)
            else:
                high = (scale, best)
        return Change(mean_arrivals_per_s(self.plays.scenario) * math.sqrt(low[0] * high[0]), low[1], high[1])

    def _least_fixed(self, cell: Cell) -> int | None:
        """Return the least fixed units that suffice."""
        fixed = Cell(cell.design, "provisioned", cell.options)
        rates = self._writes_per_s()
        # All must be written by the end of the drain; and what throttles nothing is enough.
        whole_s = len(rates) + self.plays.scenario.drain_s + BURST_S
        low = max(1, math.ceil(sum(rates) / whole_s))
        if low > MOST_UNITS:
            return None
        return least(
            low,
            min(MOST_UNITS, max(low, throttle_free_units(rates))),
            lambda units: suffices(self.plays.of(_with(fixed, write_units=units))),
        )

    def _writes_per_s(self) -> Sequence[float]:
        """Return how many records are to be written in each second; each takes one unit."""
        traffic = traffic_of(self.plays.scenario, "aggregate")
        share = sum(part for kind, part in traffic.mix.items() if kind in LEDGER_KINDS) / sum(traffic.mix.values())
        return [arrivals * share for arrivals in traffic.per_step(1.0)]

    def _if_enough(self, cell: Cell, scale: float = 1.0) -> Sized | None:
        summary = self.plays.of(cell, scale=scale)
        bill = cell_bill(summary, self.prices)
        return Sized(cell, summary, bill, self.plays.place.engine == "exact") if bill and suffices(summary) else None

    def _confirmed(self, sized: Sized) -> Sized | None:
        """Have the exact engine look at *sized*, with a few units more if it finds a ride too many; None in vain."""
        if sized.confirmed or arrivals_of(self.plays.scenario) > MOST_EXACT_ARRIVALS:
            return sized
        cell = sized.cell
        for _ in range(MOST_STEPS):
            summary = self.plays.of(cell, engine="exact")
            bill = cell_bill(summary, self.prices)
            if bill is not None and suffices(summary):
                return Sized(cell, summary, bill, confirmed=True)
            if cell.table_mode == "on-demand":
                return None
            cell = replace(cell, options=dict(cell.options) | {"write_units": _more(int(cell.options["write_units"]))})
        return None


def is_on_demand(sized: Sized) -> bool:
    """Whether its table is paid for by the request."""
    return sized.cell.table_mode == "on-demand"


def candidates(cells: Sequence[Cell], *, every_mode: bool) -> tuple[Cell, ...]:
    """Return *cells* without their units, each once; *every_mode*: each of their designs in every table mode."""
    found: list[Cell] = []
    for cell in cells:
        for mode in TABLE_MODES if every_mode else (cell.table_mode,):
            candidate = without_units(replace(cell, table_mode=mode))
            if candidate not in found:
                found.append(candidate)
    return tuple(found)


def without_units(cell: Cell) -> Cell:
    """Return *cell* without what its table is given."""
    return replace(cell, options={name: value for name, value in cell.options.items() if not name.endswith("_units")})


def _most(fixed: float) -> int:
    """Return up to where auto scaling may go where *fixed* units suffice."""
    return min(MOST_UNITS, max(DEFAULT_MAX_UNITS, math.ceil(HEADROOM * fixed)))


def _more(units: int) -> int:
    return math.ceil(units * GROWTH + 0.5)


def _with(cell: Cell, **units: int) -> Cell:
    options = {name: value for name, value in cell.options.items() if name not in UNIT_OPTIONS}
    return replace(cell, options=options | units)
