"""Runs one cell: deploy, warm up, load, drain, reconcile."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, WaiterError

import bootstrap
from rydelab.errors import RydelabError
from rydelab.lab.cells import function_settings
from rydelab.lab.cells.cell_faults import CellFaults
from rydelab.lab.cells.cell_result import CellResult, Measured, cell_result
from rydelab.lab.cells.deployment import RIDE_SERVICES, Deployment, describe
from rydelab.lab.cells.drain import Drained, drain
from rydelab.lab.cells.stores import Stores
from rydelab.lab.cells.watch import Watch
from rydelab.lab.emulation.observation import Observation
from rydelab.lab.loading.load import Load, send_scenario
from rydelab.lab.loading.requests_file import total_file
from rydelab.lab.loading.warm_up import warm_up
from rydelab.lab.scenarios.cell import Cell
from rydelab.lab.scenarios.scenario import Scenario
from rydelab.report.summary import CellId

WARM_UP_DRAIN_S = 15.0
INTERRUPTED_DRAIN_S = 5.0
"""After Ctrl-C: long enough for what is nearly there, short enough for whoever waits."""
AT_REST_S = 1.5
"""How long the lab is watched before the load."""


class CellError(RydelabError):
    """A cell could not be run to its end. The message is for people."""


class LabGoneError(RydelabError):
    """The lab does not answer any more. The message is for people."""


class Progress(Protocol):
    """Where a run says what it does."""

    def say(self, line: str) -> None:
        """Say that something has happened."""

    def show(self, line: str, left_s: float) -> None:
        """Show how far the current step is, and how long this cell will take from now; replaces the line before."""


@dataclass(frozen=True, slots=True)
class CellRun:
    """One cell of a scenario on a running lab, under the stage *stage* of its own."""

    cell: Cell
    id: CellId
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
            self.progress.say(f"{self.id}: deployed in {took_s['deploy']:.1f} s")
            stores = Stores(
                deployment,
                dynamodb=self.clients("dynamodb"),
                sqs=self.clients("sqs"),
                observation=Observation(self.target.endpoint_url),
            )
            stores.observation.begin_writes(deployment.record_table or "")
            with _timed(took_s, "warm_up"):
                before = self._warm_up(deployment, stores)
            warmed_up_at = time.time()
            watch = Watch(stores)
            faults = CellFaults(self.scenario.faults, deployment, target=self.target)
            with watch, faults:
                time.sleep(AT_REST_S)
                meters = [stores.meters()]
                with _timed(took_s, "load"):
                    load = self._load(deployment, watch, faults)
                took_s["rest_before_load"] = load.began_at - warmed_up_at
                with _timed(took_s, "drain"):
                    drained = self._drain(stores, load, before)
                meters.append(stores.meters())
            measured = Measured(
                load=load,
                drained=drained,
                samples=watch.samples,
                probes=watch.probes,
                busy=watch.busy,
                tables=watch.tables,
                clock_difference_s=stores.observation.clock_difference_s(),
                durations_s=took_s,
                has_backlog=not deployment.records_before_answering,
                faults=faults.found(),
                meters=None if meters[0] is None or meters[1] is None else (meters[0], meters[1]),
                scheduled_s=self.scenario.duration_s,
            )
        return cell_result(self.id, measured, settings=self.cell.settings, thresholds=self.scenario.thresholds)

    def remove(self) -> None:
        """Remove the stage from the lab. Raises CellError."""
        with self._errors():
            self.progress.show(f"{self.id}: removing stage {self.stage}", 0.0)
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
            services=RIDE_SERVICES,
            parameters=self.cell.parameters,
            progress=lambda line: self._show(line, before_load=True),
        )
        deployment = describe(outputs, stage=self.stage)
        function_settings.apply(self.cell.options, deployment, self.clients("lambda"))
        return deployment

    def _warm_up(self, deployment: Deployment, stores: Stores) -> frozenset[str]:
        """Return the rides that are there, or promised, before the load."""
        rides = self.scenario.warm_up_rides
        self._show(f"warming up with {rides} rides", before_load=True)
        accepted = warm_up(_url(deployment), rides=rides, timeout_s=self.scenario.timeout_s)
        if len(accepted) < rides:
            self.progress.say(f"{self.id}: {rides - len(accepted)} of {rides} warm-up rides were not accepted")
        drained = drain(stores, accepted=accepted, with_errors=len(accepted) < rides, deadline_s=WARM_UP_DRAIN_S)
        if drained.interrupted:
            raise KeyboardInterrupt
        evidence = drained.evidence
        return accepted | evidence.recorded | evidence.dead_lettered

    def _load(self, deployment: Deployment, watch: Watch, faults: CellFaults) -> Load:
        """Send the load and wait until its faults are over, too."""
        planned = sum(1 for _ in self.scenario.arrivals())
        whole_s = self.scenario.duration_s
        begin = time.monotonic()

        def show(outcomes: int) -> None:
            if watch.is_lab_gone:
                raise LabGoneError(f"the lab at {self.target.endpoint_url} does not answer any more")
            left_s = max(0.0, whole_s - (time.monotonic() - begin))
            self.progress.show(f"{self.id}: {outcomes} of {planned} arrivals answered", left_s + self.scenario.drain_s)

        load = send_scenario(
            self.scenario_file,
            urls={kind: url for kind, url in deployment.urls.items() if kind in self.scenario.mix},
            requests_to=self._outcomes,
            log_to=self.files.with_suffix(".locust.log"),
            progress=show,
            begun=faults.begin,
        )
        if not load.interrupted:
            load = self._wait_for_faults(load, faults)
        faults.stop()
        errors = sum(not request.accepted for request in load.requests)
        self.progress.say(f"{self.id}: {sum(load.started.values())} arrivals sent, {errors} not accepted")
        return load

    def _wait_for_faults(self, load: Load, faults: CellFaults) -> Load:
        def show(left_s: float) -> None:
            self.progress.show(f"{self.id}: waiting until the last fault is over", left_s + self.scenario.drain_s)

        try:
            faults.wait(show)
        except KeyboardInterrupt:
            return replace(load, interrupted=True)
        return load

    def _drain(self, stores: Stores, load: Load, before: frozenset[str]) -> Drained:
        accepted = frozenset(request.ride_id for request in load.ride_requests if request.accepted and request.ride_id)
        begin = time.monotonic()
        deadline_s = INTERRUPTED_DRAIN_S if load.interrupted else self.scenario.drain_s

        def show(ended: int, of: int) -> None:
            left_s = max(0.0, deadline_s - (time.monotonic() - begin))
            self.progress.show(f"{self.id}: draining, {ended} of {of} accepted rides found", left_s)

        return drain(
            stores,
            accepted=accepted,
            with_errors=len(accepted) < load.rides,
            ignore=before,
            deadline_s=deadline_s,
            progress=show,
        )

    def _show(self, line: str, *, before_load: bool) -> None:
        left_s = self.scenario.duration_s + self.scenario.drain_s if before_load else 0.0
        self.progress.show(f"{self.id}: {line}", left_s)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say of which cell an error is, and where its answers are if it has any."""
        try:
            yield
        except HTTPClientError as error:
            raise self._error(f"the lab at {self.target.endpoint_url} does not answer any more ({error})") from error
        except (RydelabError, bootstrap.BootstrapError, BotoCoreError, ClientError, WaiterError) as error:
            raise self._error(str(error)) from error

    def _error(self, reason: str) -> CellError:
        kept = f"; the answers until then are in {self._outcomes.name}" if self._outcomes.exists() else ""
        return CellError(f"{self.id}: {reason}{kept}")


def _url(deployment: Deployment) -> str:
    if deployment.ride_url is None or deployment.record_table is None:
        raise CellError(f"stage {deployment.stage} was deployed without a ride URL or a record table")
    return deployment.ride_url


@contextmanager
def _timed(took_s: dict[str, float], step: str) -> Iterator[None]:
    begin = time.monotonic()
    yield
    took_s[step] = time.monotonic() - begin
