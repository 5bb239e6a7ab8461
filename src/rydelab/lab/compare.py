"""The sub-command ``compare``: runs every cell of a scenario and shows what became of each arrival."""

import argparse
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from rich.console import Console
from rich.text import Text

import bootstrap
from rydelab.cli import EXIT_INTERRUPTED, Command
from rydelab.errors import RydelabError
from rydelab.lab import emulator
from rydelab.lab.cell_run import CellError, CellRun
from rydelab.lab.load import LOADTESTS
from rydelab.lab.results import RunFolder, check_writable
from rydelab.lab.scenario import Scenario, find, load
from rydelab.report.summary import CellSummary, RunSummary
from rydelab.report.terminal import render
from rydelab.settings import Settings, add_flags, is_loopback

DESCRIPTION = """\
Run every cell (a design with a table mode) of a scenario, one after another, each deployed under a stage of its own,
and show what became of each arrival and how long people waited. Arrivals come on schedule, whatever the answers do.

A lab that runs at the endpoint is used, and the stages are removed from it afterwards; otherwise one is started on the
port and stopped at the end. The results stay in a folder below --results.

examples:
  rydelab compare                          loadtests/scenarios/quick.toml
  rydelab compare my.toml                  a scenario of your own
  rydelab compare --port 4567              on the lab on that port, or on one that is started there

exit status: 0 if every ledger adds up, 1 if one does not or a cell could not be run, 2 for bad input, 130 after Ctrl-C
(which saves and shows what there is)."""

NO_CAPACITY = (
    "The lab does not enforce a table's capacity yet: table modes do not differ here, and nothing is throttled."
)


class CompareError(RydelabError):
    """The comparison cannot begin. The message is for people."""

    exit_status = 2


class TerminalProgress:
    """Says lines on standard error; on a terminal, shows the current step in a line that changes."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("")

    def say(self, line: str) -> None:
        """Print *line*."""
        self._console.print(line, markup=False, soft_wrap=True)

    def show(self, line: str) -> None:
        """Replace the changing line; on something that is no terminal, do nothing."""
        if self._console.is_terminal:
            # One line, beside the spinner: what wraps cannot be replaced cleanly.
            text = Text(line)
            text.truncate(self._console.width - 3, overflow="ellipsis")
            self._status.update(text)
            self._status.start()

    def done(self) -> None:
        """Take the changing line away."""
        self._status.stop()


def compare(scenario_file: Path, settings: Settings, *, results_dir: Path) -> int:
    """Run the scenario in *scenario_file* and return the exit status. Raises RydelabError before the first cell."""
    scenario = load(scenario_file)
    check_writable(results_dir)
    progress = TerminalProgress()
    try:
        with _lab(settings, progress) as own:
            started = datetime.now().astimezone()
            folder = RunFolder(results_dir, name=scenario.name, started=started)
            run_settings = {"endpoint_url": settings.endpoint_url, "own_lab": own}
            copy = folder.save_run(scenario, scenario_file=scenario_file, started=started, settings=run_settings)
            comparison = _Comparison(
                scenario=scenario,
                scenario_file=copy,
                settings=settings,
                folder=folder,
                progress=progress,
                started=started,
                keep_stages=own,
            )
            status = comparison.run()
            progress.done()
            comparison.show()
    finally:
        progress.done()
    return status


@dataclass(kw_only=True)
class _Comparison:
    """The cells of one run, and what they came to so far."""

    scenario: Scenario
    scenario_file: Path
    settings: Settings
    folder: RunFolder
    progress: TerminalProgress
    started: datetime
    keep_stages: bool
    cells: list[CellSummary] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def run(self) -> int:
        """Run the cells and save each as soon as it has ended; return the exit status."""
        try:
            self._run_cells()
        except KeyboardInterrupt:
            self._save()
            return EXIT_INTERRUPTED
        return 0 if self._summary().succeeded else 1

    def _run_cells(self) -> None:
        """Run the cells. Raises KeyboardInterrupt at Ctrl-C, with what there is by then in `cells` and `failures`."""
        # Stages of two comparisons on one lab must not meet.
        suffix = secrets.token_hex(2)
        for number, cell in enumerate(self.scenario.cells, start=1):
            run = CellRun(
                cell=cell,
                scenario=self.scenario,
                scenario_file=self.scenario_file,
                target=bootstrap.Target(self.settings.endpoint_url, allow_remote=self.settings.allow_remote),
                stage=f"cell{number}-{suffix}",
                files=self.folder.path / f"{cell.design}-{cell.table_mode}",
                clients=lambda service: _client(self.settings.endpoint_url, service),
                progress=self.progress,
            )
            left = self.scenario.cells[number:]
            try:
                self._run_cell(run)
            except KeyboardInterrupt:
                self.failures += [f"{cell}: not run" for cell in left]
                raise
            finally:
                self._save()
            if self.failures and emulator.find(self.settings.endpoint_url) is None:
                self.failures += [f"{cell}: not run, the lab is gone" for cell in left]
                self._save()
                return

    def show(self) -> None:
        """Print the table, and where the rest is."""
        sys.stdout.write("\n" + render(self._summary(), color=Console().is_terminal))
        sys.stdout.write(f"Saved in {self.folder.path}\n")
        sys.stdout.flush()

    def _run_cell(self, run: CellRun) -> None:
        """Run one cell and keep its results. Raises KeyboardInterrupt at Ctrl-C, after its results are kept."""
        interrupted = False
        try:
            result = run.run()
        except KeyboardInterrupt:
            self.failures.append(f"{run.cell}: stopped before its load had begun")
            interrupted = True
        except CellError as error:
            self.failures.append(str(error))
        else:
            self.cells.append(result.summary)
            self.folder.add_requests(run.cell, result.load.requests, result.evidence)
            run.forget_outcomes()
            interrupted = result.interrupted
        self._remove(run)
        if interrupted:
            raise KeyboardInterrupt

    def _remove(self, run: CellRun) -> None:
        if self.keep_stages:
            return
        try:
            run.remove()
        except CellError as error:
            self.progress.say(f"Stage {run.stage} is left on the lab. {error}")

    def _summary(self) -> RunSummary:
        return RunSummary(
            name=self.scenario.name,
            started_at=self.started.isoformat(timespec="seconds"),
            cells=tuple(self.cells),
            failures=tuple(self.failures),
            notes=(NO_CAPACITY,) if self.cells else (),
        )

    def _save(self) -> None:
        summary = self._summary()
        self.folder.save_summary(summary, table=render(summary))


@contextmanager
def _lab(settings: Settings, progress: TerminalProgress) -> Iterator[bool]:
    """Use the lab that runs at the endpoint, or run one; yields whether it is our own."""
    if emulator.find(settings.endpoint_url) is not None:
        progress.say(f"Using the lab that runs at {settings.endpoint_url}")
        yield False
        return
    if not is_loopback(urlsplit(settings.endpoint_url).hostname or ""):
        raise CompareError(f"no lab answers at {settings.endpoint_url}, and one cannot be started on another machine")
    with emulator.start(settings, progress=progress.say):
        yield True


@cache
def _client(endpoint_url: str, service: str) -> Any:
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (LocalStack takes any)
        config=Config(connect_timeout=5, read_timeout=60, proxies={}, retries={"total_max_attempts": 5}),
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "scenario", nargs="?", default="quick", help="a TOML file, or a name in loadtests/scenarios (default quick)"
    )
    add_flags(parser, "port", "endpoint", "data_dir", "allow_remote")
    parser.add_argument(
        "--results", metavar="DIR", type=Path, default=Path("results"), help="where runs are saved (default results)"
    )


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    # Whoever ends it kindly, such as a CI job at its time limit, gets what there is, as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    scenario_file = find(arguments.scenario, folder=LOADTESTS / "scenarios")
    return compare(scenario_file, settings, results_dir=arguments.results)


COMPARE = Command(description=DESCRIPTION, add_arguments=_add_arguments, run=_run)
