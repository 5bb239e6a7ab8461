"""The sub-command ``cost``: the monthly bill of each design, from a run or from typed-in numbers."""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rydelab.capacity.bill import monthly_bill
from rydelab.capacity.price_file import packaged_text
from rydelab.capacity.prices import Prices
from rydelab.cli import Command
from rydelab.errors import RydelabError
from rydelab.lab.cost_estimate import Assumptions, along, of_cell, parse_path
from rydelab.lab.own_prices import add_prices_flag, read_prices
from rydelab.lab.scenarios.cell import LEAST_MEMORY_MB, MOST_MEMORY_MB, parse_cells
from rydelab.report.bill import NamedBill, bills_document, render_bills
from rydelab.report.cost import billed_times, run_bills
from rydelab.report.folder import RunFolderError, read_run
from rydelab.settings import Settings

MOST_REQUESTS = 1e15
MOST_MS = 900_000
MOST_ITEM_BYTES = 400 * 1024
TYPED = ("path", "cells")

DESCRIPTION = """\
Show what a month costs on AWS, line by line, at list price and with the free tiers.

From a run, measured or simulated: each cell, as if its load went on all month long, or for --rides N a month. From
typed-in numbers: whole designs (--cells), or any path that requests take through services (--path, once for each).

examples:
  rydelab cost results/20261121-024721-quick
  rydelab cost results/20261121-024721-quick --rides 1e6
  rydelab cost --rides 1e6 --cells '*:on-demand' --duration-ms 50
  rydelab cost --requests 10e6 --path gateway,lambda --duration-ms 100 --memory-mb 128
  rydelab cost --requests 1e6 --path sns,lambda,table=on-demand --path sns,sqs,lambda,table=autoscaled
  rydelab cost --print-prices > my-prices.toml          # edit, then: rydelab cost … --prices my-prices.toml

docs/cost.md says what each line is made of, and answers the workshop's questions."""


class CostError(RydelabError):
    """What was asked for has no price. The message is for people."""

    exit_status = 2


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    given = Assumptions(requests=1)
    parser.add_argument("run", metavar="RUN", type=Path, nargs="?", help="the folder of a run")
    parser.add_argument("--rides", "--requests", metavar="N", help="rides, requests or messages a month, such as 1e6")
    typed = parser.add_argument_group("typed-in numbers")
    typed.add_argument("--cells", metavar="CELLS", help="whole designs, as in `rydelab compare --cells`")
    typed.add_argument(
        "--path",
        metavar="HOP,…",
        action="append",
        default=[],
        help="gateway, lambda, sns, sqs, table=MODE: what a request passes, in order; may be given more than once",
    )
    typed.add_argument("--duration-ms", help=f"billed time of each function's own work (default {given.duration_ms:g})")
    typed.add_argument("--memory-mb", help=f"memory of each function (default {given.memory_mb})")
    typed.add_argument("--batch-size", help=f"messages in a queue's batch, on average (default {given.batch_size:g})")
    typed.add_argument("--item-bytes", help=f"size of a record (default {given.item_bytes})")
    typed.add_argument("--log-bytes", help=f"what an invocation writes to its log (default {given.log_bytes:g})")
    typed.add_argument(
        "--write-units",
        help="what a table has on average, if it has units (default: what even traffic needs, at 70 %% if autoscaled)",
    )
    add_prices_flag(parser)
    parser.add_argument("--print-prices", action="store_true", help="print the prices with their sources, and end")
    parser.add_argument("--brief", action="store_true", help="only the bills side by side, by service")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def _run(arguments: argparse.Namespace, _settings: Settings) -> int:
    if arguments.print_prices:
        sys.stdout.write(packaged_text())
        return 0
    prices = read_prices(arguments.prices)
    if arguments.run is not None:
        bills, notes = _of_run(arguments, prices)
    else:
        bills, notes = list(_of_numbers(arguments, prices)), []
    if arguments.json:
        print(json.dumps(bills_document(bills, prices, notes=notes), indent=2))
    else:
        noun = "requests" if arguments.path else "rides"
        sys.stdout.write(render_bills(bills, prices, noun=noun, notes=notes, brief=arguments.brief))
    return 0


def _of_run(arguments: argparse.Namespace, prices: Prices) -> tuple[list[NamedBill], list[str]]:
    for name in (*TYPED, *_NUMBERS):
        if getattr(arguments, name):
            raise CostError(f"--{name.replace('_', '-')} is for typed-in numbers, and {arguments.run} is a run")
    try:
        run = read_run(arguments.run)
    except RunFolderError as error:
        raise CostError(str(error)) from None
    rides = None if arguments.rides is None else _number("rides", arguments.rides)
    bills = list(run_bills(run.summary, prices, rides_per_month=rides))
    if not bills:
        raise CostError(f"{arguments.run}: does not say what any cell used: it is of a version that did not measure it")
    return bills, [billed_times(run.summary)]


def _of_numbers(arguments: argparse.Namespace, prices: Prices) -> Iterator[NamedBill]:
    if not arguments.path and arguments.cells is None:
        raise CostError("nothing to price: give the folder of a run, --cells or --path; see `rydelab cost --help`")
    if arguments.rides is None:
        raise CostError("--rides (or --requests): how many a month? It is needed for --cells and --path")
    numbers = {name: _number(name, text) for name in _NUMBERS if (text := getattr(arguments, name)) is not None}
    given = replace(Assumptions(requests=_number("rides", arguments.rides)), **numbers)
    estimates = [(str(path), along(path, given)) for path in map(parse_path, arguments.path)]
    if arguments.cells is not None:
        estimates += [(str(cell), of_cell(cell, given)) for cell in parse_cells(arguments.cells)]
    for name, estimate in estimates:
        yield NamedBill(name, monthly_bill(estimate.usage, prices, rides=given.requests), estimate.remarks)


_WHOLE = ("memory_mb", "item_bytes")
# Of each number: the least and the most.
_LIMITS = {
    "rides": (1, MOST_REQUESTS),
    "duration_ms": (1, MOST_MS),
    "memory_mb": (LEAST_MEMORY_MB, MOST_MEMORY_MB),
    "batch_size": (1, 10_000),
    "item_bytes": (1, MOST_ITEM_BYTES),
    "log_bytes": (0, 1e9),
    "write_units": (1, 1e9),
}
_NUMBERS = tuple(name for name in _LIMITS if name != "rides")


def _number(name: str, text: str) -> Any:
    least, most = _LIMITS[name]
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most or (name in _WHOLE and not number.is_integer()):
        kind = "a whole number" if name in _WHOLE else "a number"
        raise CostError(f"--{name.replace('_', '-')} {text}: must be {kind} from {least:g} to {most:g}")
    return int(number) if name in _WHOLE else number


COST = Command(description=DESCRIPTION, add_arguments=_add_arguments, run=_run)
