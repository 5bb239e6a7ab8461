"""Runs one cell: deploy, warm up, load, drain, reconcile."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

import bootstrap
from rydelab.errors import RydelabError
from rydelab.lab.cell import Cell
from rydelab.lab.deployment import Deployment, describe
from rydelab.lab.drain import Drained, Stores, drain
from rydelab.lab.ledger import ROWS, Evidence, Ledger, settle
from rydelab.lab.load import Load, send_scenario
from rydelab.lab.observation import Observation
from rydelab.lab.requests_file import total_file
from rydelab.lab.scenario import Scenario
from rydelab.lab.warm_up import warm_up
from rydelab.report.latency import latency
from rydelab.report.summary import CellSummary

LATE_START_S = 0.050
WARM_UP_DRAIN_S = 15.0
INTERRUPTED_DRAIN_S = 5.0
"""After Ctrl-C: long enough for what is nearly there, short enough for whoever waits."""


class CellError(RydelabError):
    """A cell could not be run to its end. The message is for people."""


class Progress(Protocol):
    """Where a run says what it does."""

    def say(self, line: str) -> None:
        """Say that something has happened."""

    def show(self, line: str) -> None:
        """Show how far the current step is; replaces what was shown before."""


@dataclass(frozen=True, slots=True)
class CellResult:
    """What was measured, and what was found."""

    summary: CellSummary
    load: Load
    evidence: Evidence

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it early."""
        return self.summary.interrupted


@dataclass(frozen=True, slots=True)
class CellRun:
    """One cell of a scenario on a running lab, under the stage *stage* of its own."""

    cell: Cell
    scenario: Scenario
    scenario_file: Path
    target: bootstrap.Target
    stage: str
    files: Path
    """Where the load generator's outcomes and log go, and under which name: a path without ending."""
    clients: Callable[[str], Any]
    """Makes a boto3 client for a service."""
    progress: Progress

    def run(self) -> CellResult:
        """Run the cell. Raises CellError; the stage stays deployed (see `remove`)."""
        took_s: dict[str, float] = {}
        with self._errors():
            with _timed(took_s, "deploy"):
                deployment = self._deploy()
            self.progress.say(f"{self.cell}: deployed in {took_s['deploy']:.1f} s")
            stores = Stores(
                deployment,
                dynamodb=self.clients("dynamodb"),
                sqs=self.clients("sqs"),
                observation=Observation(self.target.endpoint_url),
            )
            with _timed(took_s, "warm_up"):
                before = self._warm_up(deployment, stores)
            with _timed(took_s, "load"):
                load = self._load(deployment)
            with _timed(took_s, "drain"):
                drained = self._drain(stores, load, before)
        return self._result(load, drained, took_s)

    def remove(self) -> None:
        """Remove the stage from the lab. Raises CellError."""
        with self._errors():
            self.progress.show(f"{self.cell}: removing stage {self.stage}")
            bootstrap.destroy(self.target, stage=self.stage)

    def forget_outcomes(self) -> None:
        """Remove the load generator's own file of outcomes, once they are saved elsewhere."""
        for path in (self._outcomes, total_file(self._outcomes)):
            path.unlink(missing_ok=True)

    @property
    def _outcomes(self) -> Path:
        return self.files.with_suffix(".csv")

    def _deploy(self) -> Deployment:
        outputs = bootstrap.deploy(
            self.target,
            stage=self.stage,
            design=self.cell.design,
            table_mode=self.cell.table_mode,
            parameters=self.cell.parameters,
            progress=lambda line: self.progress.show(f"{self.cell}: {line}"),
        )
        return describe(outputs, stage=self.stage)

    def _warm_up(self, deployment: Deployment, stores: Stores) -> frozenset[str]:
        """Return the rides that are there, or promised, before the load."""
        rides = self.scenario.warm_up_rides
        self.progress.show(f"{self.cell}: warming up with {rides} rides")
        accepted = warm_up(_url(deployment), rides=rides, timeout_s=self.scenario.timeout_s)
        if len(accepted) < rides:
            self.progress.say(f"{self.cell}: {rides - len(accepted)} of {rides} warm-up rides were not accepted")
        drained = drain(stores, accepted=accepted, with_errors=len(accepted) < rides, deadline_s=WARM_UP_DRAIN_S)
        if drained.interrupted:
            raise KeyboardInterrupt
        evidence = drained.evidence
        return accepted | evidence.recorded | evidence.dead_lettered

    def _load(self, deployment: Deployment) -> Load:
        planned = sum(1 for _ in self.scenario.arrivals())
        whole_s = self.scenario.duration_s
        begin = time.monotonic()

        def show(outcomes: int) -> None:
            left_s = max(0.0, whole_s - (time.monotonic() - begin))
            self.progress.show(f"{self.cell}: {outcomes} of {planned} arrivals answered, {left_s:.0f} s of load left")

        load = send_scenario(
            self.scenario_file,
            urls={kind: url for kind, url in deployment.urls.items() if kind in self.scenario.mix},
            requests_to=self._outcomes,
            log_to=self.files.with_suffix(".locust.log"),
            progress=show,
        )
        errors = sum(not request.accepted for request in load.requests)
        self.progress.say(f"{self.cell}: {sum(load.started.values())} arrivals sent, {errors} not accepted")
        return load

    def _drain(self, stores: Stores, load: Load, before: frozenset[str]) -> Drained:
        accepted = frozenset(request.ride_id for request in load.requests if request.accepted and request.ride_id)
        begin = time.monotonic()
        deadline_s = INTERRUPTED_DRAIN_S if load.interrupted else self.scenario.drain_s

        def show(ended: int, of: int) -> None:
            left_s = max(0.0, deadline_s - (time.monotonic() - begin))
            self.progress.show(f"{self.cell}: draining, {ended} of {of} accepted rides found, {left_s:.0f} s at most")

        return drain(
            stores,
            accepted=accepted,
            with_errors=len(accepted) < load.rides,
            ignore=before,
            deadline_s=deadline_s,
            progress=show,
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say of which cell an error is, and where its answers are if it has any."""
        try:
            yield
        except HTTPClientError as error:
            raise self._error(f"the lab at {self.target.endpoint_url} does not answer any more ({error})") from error
        except (RydelabError, bootstrap.BootstrapError, BotoCoreError, ClientError) as error:
            raise self._error(str(error)) from error

    def _error(self, reason: str) -> CellError:
        kept = f"; the answers until then are in {self._outcomes.name}" if self._outcomes.exists() else ""
        return CellError(f"{self.cell}: {reason}{kept}")

    def _result(self, load: Load, drained: Drained, took_s: Mapping[str, float]) -> CellResult:
        ledger = settle(
            started=load.rides, answers=[request.answer for request in load.ride_requests], evidence=drained.evidence
        )
        interrupted = load.interrupted or drained.interrupted
        summary = summarize(self.cell, load, ledger, interrupted=interrupted, durations_s=took_s)
        return CellResult(summary, load, drained.evidence)


def summarize(
    cell: Cell, load: Load, ledger: Ledger, *, interrupted: bool, durations_s: Mapping[str, float]
) -> CellSummary:
    """Put together what one cell came to."""
    reasons = Counter(without_ids(request.error) for request in load.requests if request.error)
    rows = asdict(ledger)
    return CellSummary(
        design=cell.design,
        table_mode=cell.table_mode,
        arrivals=ledger.arrivals,
        rows={row: rows[row] for row in ROWS},
        rewrites=ledger.rewrites,
        mismatches=ledger.mismatches,
        latency=latency(request.latency_s for request in load.requests if request.accepted),
        late_starts=sum(request.late_s > LATE_START_S for request in load.requests),
        late_start_s=LATE_START_S,
        errors=dict(reasons.most_common()),
        interrupted=interrupted,
        durations_s={step: round(elapsed_s, 3) for step, elapsed_s in durations_s.items()},
    )


def without_ids(error: str) -> str:
    """Take the UUIDs out of *error*, so that errors that differ in nothing else are one reason."""
    return re.sub(r"\b[0-9a-f]{8}-[0-9a-f-]{3,27}", "…", error)


def _url(deployment: Deployment) -> str:
    if deployment.ride_url is None or deployment.record_table is None:
        raise CellError(f"stage {deployment.stage} was deployed without a ride URL or a record table")
    return deployment.ride_url


@contextmanager
def _timed(took_s: dict[str, float], step: str) -> Iterator[None]:
    begin = time.monotonic()
    yield
    took_s[step] = time.monotonic() - begin
