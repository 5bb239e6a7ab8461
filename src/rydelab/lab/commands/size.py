"""The sub-command ``size``: the cheapest table that loses nothing of a scenario, and what else would do."""

import argparse
import json
import sys
from collections.abc import Iterator

from rydelab.capacity.prices import Prices
from rydelab.cli import Command
from rydelab.lab.commands.compare import EXIT_FAILED, with_cells
from rydelab.lab.commands.simulate import Wishes, add_play_flags, place_of, read_source
from rydelab.lab.own_prices import add_prices_flag, read_prices
from rydelab.lab.scenarios.cell import Cell, parse_cells
from rydelab.lab.scenarios.scenario import Scenario
from rydelab.lab.simulation.plays import Plays, mean_arrivals_per_s
from rydelab.lab.simulation.simulation import scaled
from rydelab.lab.simulation.sizing import BURST_S, Sized, Sizer, candidates, without_units
from rydelab.report.sizing import Exchange, SizedTable, Sizing, render_sizing, sizing_document
from rydelab.report.summary import Simulated
from rydelab.settings import Settings

SHORT_OF_BURST = 20
"""A load that lasts less than so many times the burst is not told by its rate alone."""

DESCRIPTION = """\
Find, by simulation, the cheapest way to pay for the record table with which every ride of a scenario (or of recorded
traffic) is recorded and its thresholds are met: on-demand, fixed units, or auto scaling, for each design. The others
that would do follow by what they cost. Then: at which traffic of the same shape on-demand and provisioned units change
places.

Costs are those of a month in which the load is repeated all the time. Size by traffic that is typical of a month: a day
or more. A rested table has saved 300 s of its units, which decides short loads.

examples:
  rydelab size day
  rydelab size day --cells 'queued:*,microservices:*' --profile aws
  rydelab size last-month.csv --cells 'event-driven:*' --threshold 'p99_ms < 500'
  rydelab size day --scale 10 --no-exchange

exit status: 0 if a table was found, 1 if not, 2 for bad input. docs/sizing.md explains it."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_play_flags(parser)
    parser.add_argument(
        "--no-exchange", action="store_true", help="do not look where on-demand and units change places: faster"
    )
    add_prices_flag(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def _run(arguments: argparse.Namespace, _settings: Settings) -> int:
    prices = read_prices(arguments.prices)
    wishes = Wishes(
        source=arguments.source,
        cells=arguments.cells,
        scale=arguments.scale,
        # Hundreds of simulations: the engine whose cost does not depend on the number of arrivals.
        engine=arguments.engine or "aggregate",
        profile=arguments.profile,
        seed=arguments.seed,
        thresholds=arguments.threshold,
    )
    sizing = size(wishes, prices, with_exchange=not arguments.no_exchange)
    if arguments.json:
        print(json.dumps(sizing_document(sizing, prices), indent=2))
    else:
        sys.stdout.write(render_sizing(sizing, prices))
    return 0 if sizing.tables else EXIT_FAILED


def size(wishes: Wishes, prices: Prices, *, with_exchange: bool) -> Sizing:
    """Size the table for what *wishes* name. Raises RydelabError."""
    _path, scenario = read_source(wishes.source)
    asked = None if wishes.cells is None else parse_cells(wishes.cells)
    cells = candidates(asked or scenario.cells, every_mode=asked is None)
    scenario = scaled(with_cells(scenario, cells, wishes.thresholds), wishes.scale)
    place = place_of(wishes, scenario)
    plays = Plays(scenario, place)
    sizer = Sizer(plays, prices)
    ranked = sizer.ranked(cells)
    found = [without_units(sized.cell) for sized in ranked]
    per_s = mean_arrivals_per_s(scenario)
    exchanges = None
    if with_exchange and ranked:
        best = found[0]
        tables = [
            sized
            for sized, cell in zip(ranked, found, strict=True)
            if (cell.design, cell.options) == (best.design, best.options)
        ]
        exchanges = tuple(
            Exchange(change.arrivals_per_s, _table(change.below), _table(change.above))
            for change in sizer.changes(tables)
        )
    return Sizing(
        name=scenario.name,
        load=f"{scenario.name}: {scenario.duration_s:,.0f} s of arrivals, {per_s:.3g} a second on average.",
        conditions=tuple(dict.fromkeys(threshold.expression for threshold in scenario.thresholds)),
        tables=tuple(map(_table, ranked)),
        in_vain=tuple(str(cell) for cell in cells if cell not in found),
        exchanges=exchanges,
        arrivals_per_s=per_s,
        simulated=Simulated(place.engine, place.profile.name, place.seed, wishes.scale),
        warnings=tuple(_warnings(scenario)),
    )


def _table(sized: Sized) -> SizedTable:
    return SizedTable(sized.summary, sized.bill, setting_in_words(sized.cell), sized.confirmed)


def setting_in_words(cell: Cell) -> str:
    """Say what units the table of *cell* has, and its other options; nothing if there are none."""
    parts = [f"{name}={value}" for name, value in without_units(cell).options.items()]
    if cell.table_mode != "on-demand":
        low = cell.options["write_units"]
        units = f"{low} to {cell.options['max_write_units']}" if cell.table_mode == "autoscaled" else str(low)
        parts.insert(0, f"{units} write unit{'' if units == '1' else 's'}")
    return ", ".join(parts)


def _warnings(scenario: Scenario) -> Iterator[str]:
    if scenario.duration_s < SHORT_OF_BURST * BURST_S:
        yield (
            f"the load lasts {scenario.duration_s:,.0f} s, and a rested table has saved {BURST_S:.0f} s of its units: "
            "with the load repeated all month it would need more. Size by a day or more."
        )


SIZE = Command(description=DESCRIPTION, add_arguments=_add_arguments, run=_run)
