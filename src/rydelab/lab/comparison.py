"""Runs the cells of a scenario one after another, and saves each as soon as it has ended."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

import bootstrap
from rydelab.lab.cells.cell_run import CellError, CellRun
from rydelab.lab.emulation import emulator
from rydelab.lab.progress import Estimate, TerminalProgress
from rydelab.lab.results import Plan, RunFolder
from rydelab.lab.scenarios.cell import Cell
from rydelab.lab.scenarios.scenario import Scenario
from rydelab.report.series import CellSeries
from rydelab.report.summary import CellId, CellSummary, RunSummary
from rydelab.report.terminal import render
from rydelab.settings import Settings

AROUND_A_LOAD_S = 15.0
"""Deployment, warm-up and removal, for the first estimate of the time that is left."""
RETURN_TIMEOUT_S, RETURN_POLL_S = 60.0, 0.5
NO_CAPACITY = "The lab does not enforce a table's capacity: table modes do not differ here, and nothing is throttled."


@dataclass(kw_only=True)
class Comparison:
    """The cells of one run, and what they came to so far."""

    plan: Plan
    scenario: Scenario
    """With the thresholds of file and command line."""
    settings: Settings
    progress: TerminalProgress
    folder: RunFolder = field(init=False)
    keep_last_stage: bool = False
    """Whether the last cell's stage may stay: its lab ends anyway."""
    lab_may_return: bool = False
    """Whether a lab that is gone is waited for: one in a container may be starting again."""
    notes: tuple[str, ...] = ()
    cells: dict[CellId, CellSummary] = field(default_factory=dict)
    series: dict[CellId, CellSeries] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    is_interrupted: bool = False

    @property
    def summary(self) -> RunSummary:
        """What the run came to so far."""
        without_capacity = any(cell.throttles is None for cell in self.cells.values())
        return RunSummary(
            name=self.plan.name,
            started_at=self.plan.started_at,
            cells=tuple(self.cells[cell] for cell, _ in self.plan.planned() if cell in self.cells),
            failures=tuple(self.failures),
            notes=(*self.notes, NO_CAPACITY) if without_capacity else self.notes,
        )

    @property
    def left(self) -> list[tuple[CellId, Cell]]:
        """The cells that have not been run yet."""
        return [(cell_id, cell) for cell_id, cell in self.plan.planned() if cell_id not in self.cells]

    def run(self) -> None:
        """Run the cells that are not there yet. Ctrl-C ends it with what there is by then."""
        left = self.left
        # Stages of two comparisons on one lab must not meet.
        suffix = secrets.token_hex(2)
        estimate = Estimate(self.scenario.duration_s + self.scenario.drain_s + AROUND_A_LOAD_S)
        try:
            for number, (cell_id, cell) in enumerate(left, start=1):
                self.progress.begin(number, len(left), rest_s=estimate.of(len(left) - number))
                estimate.begin()
                ended = self._run_cell(cell_id, cell, stage=f"cell{number}-{suffix}", is_last=number == len(left))
                estimate.end()
                if not ended and not self._is_lab_there():
                    self.failures += [f"{cell_id}: not run, the lab is gone" for cell_id, _ in left[number:]]
                    break
        except KeyboardInterrupt:
            self.is_interrupted = True
            told = {failure.partition(":")[0] for failure in self.failures}
            self.failures += [
                f"{cell_id}: not run" for cell_id, _ in left if cell_id not in self.cells and str(cell_id) not in told
            ]
        finally:
            self.progress.done()
            self.save()

    def _is_lab_there(self) -> bool:
        """Whether the lab answers, or, if it may return, does so in time."""
        deadline = time.monotonic() + (RETURN_TIMEOUT_S if self.lab_may_return else 0.0)
        has_waited = False
        while (found := emulator.find(self.settings.endpoint_url)) is None or not found.ready:
            if time.monotonic() >= deadline:
                return False
            if not has_waited:
                self.progress.say(f"The lab is gone; it has {RETURN_TIMEOUT_S:.0f} s to be there again")
            has_waited = True
            time.sleep(RETURN_POLL_S)
        if has_waited:
            self.progress.say("The lab is there again, and empty: going on with the next cell")
        return True

    def save(self) -> None:
        """Save what there is so far."""
        summary = self.summary
        series = [self.series[cell.id] for cell in summary.cells if cell.id in self.series]
        self.folder.save(summary, series, table=render(summary))

    def _run_cell(self, cell_id: CellId, cell: Cell, *, stage: str, is_last: bool) -> bool:
        """Run one cell and keep its results; False if it could not be run.

        Raises KeyboardInterrupt at Ctrl-C, after its results are kept.
        """
        run = CellRun(
            cell=cell,
            id=cell_id,
            scenario=self.scenario,
            scenario_file=self.folder.scenario_file,
            target=bootstrap.Target(self.settings.endpoint_url, allow_remote=self.settings.allow_remote),
            stage=stage,
            files=self.folder.path / _file_name(cell_id),
            clients=_clients(self.settings.endpoint_url),
            progress=self.progress,
        )
        interrupted = False
        try:
            result = run.run()
        except KeyboardInterrupt:
            self.failures.append(f"{cell_id}: stopped before its load was over")
            interrupted = True
        except CellError as error:
            self.failures.append(str(error))
        else:
            self.folder.add_requests(result)
            self.cells[cell_id] = result.summary
            self.series[cell_id] = result.series
            run.forget_outcomes()
            interrupted = result.interrupted
        self.save()
        if not (is_last and self.keep_last_stage):
            self._remove(run)
        if interrupted:
            raise KeyboardInterrupt
        return cell_id in self.cells

    def _remove(self, run: CellRun) -> None:
        try:
            run.remove()
        except CellError as error:
            self.progress.say(f"stage {run.stage} is left on the lab: {error}")


def _file_name(cell: CellId) -> str:
    parts = [cell.design, cell.table_mode, *cell.variant.split(), f"repeat-{cell.repeat}" if cell.repeat > 1 else ""]
    return "-".join(part.replace("=", "-").replace("_", "-") for part in parts if part)


@cache
def _clients(endpoint_url: str) -> Callable[[str], Any]:
    @cache
    def client(service: str) -> Any:
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 (LocalStack takes any)
            config=Config(connect_timeout=5, read_timeout=60, proxies={}, retries={"total_max_attempts": 5}),
        )

    return client
