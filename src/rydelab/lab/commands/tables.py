"""The sub-command ``tables``: what each table consumes, may consume and refuses, live in a terminal."""

import argparse
import math
import sys
import time
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from rydelab.cli import Command
from rydelab.errors import RydelabError
from rydelab.lab.emulation.observation import Observation
from rydelab.report.tables import resource_rows, text
from rydelab.settings import Settings, add_flags

DESCRIPTION = """\
Show the tables of a running lab: units consumed a second beside what the table may consume, how much of its burst is
left, its partitions, and what was refused, by AWS's own reasons. A global index has a line of its own.

examples:
  rydelab tables                          live, until Ctrl-C
  rydelab tables --once                   what the next second brings, and end
  rydelab tables --interval 5             averages of five seconds"""

SHORTEST_INTERVAL_S = 0.1


class TablesError(RydelabError):
    """The tables cannot be shown as asked. The message is for people."""

    exit_status = 2


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_flags(parser, "endpoint", "allow_remote")
    parser.add_argument("--interval", default="1", metavar="SECONDS", help="how often to look (default 1)")
    parser.add_argument("--once", action="store_true", help="look twice, print once and end")


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    interval_s = _interval(arguments.interval)
    observation = Observation(settings.endpoint_url)
    before = observation.tables()
    _check(before, settings.endpoint_url)
    if arguments.once or not sys.stdout.isatty():
        time.sleep(interval_s)
        print(text(resource_rows(before, observation.tables())))
        return 0
    with Live(Text(text(resource_rows(before, before))), console=Console(), auto_refresh=False, screen=True) as live:
        try:
            while True:
                time.sleep(interval_s)
                after = observation.tables()
                live.update(Text(text(resource_rows(before, after)), no_wrap=True), refresh=True)
                before = after
        except KeyboardInterrupt:
            return 0


def _interval(given: str) -> float:
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not SHORTEST_INTERVAL_S <= seconds < math.inf:
        raise TablesError(f"--interval must be a number of seconds, at least {SHORTEST_INTERVAL_S}, got {given!r}")
    return seconds


def _check(observation: dict[str, Any], endpoint_url: str) -> None:
    if not observation["enforcement"]:
        raise TablesError(
            f"the lab at {endpoint_url} does not enforce capacity (RYDELAB_DYNAMODB_ENFORCEMENT=off): "
            "there is nothing to show"
        )


TABLES = Command(description=DESCRIPTION, add_arguments=_add_arguments, run=_run)
