"""A deployed design that rides are sent to while faults happen, and the ledger of what became of them."""

import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

import bootstrap
from rydelab.lab.cells.cell_faults import CellFaults
from rydelab.lab.cells.deployment import Deployment, describe
from rydelab.lab.cells.drain import drain
from rydelab.lab.cells.ledger import Answer, Ledger, settle
from rydelab.lab.cells.stores import Stores
from rydelab.lab.emulation.observation import Observation
from rydelab.lab.loading.asking import ask_for
from tests.proof.family import RECORD_FUNCTION, Case

SERVICES_DIR = Path(__file__).parents[2] / "services"
LAB_ENVIRONMENT = {"RYDELAB_DUPLICATE_RATE": "0.1", "RYDELAB_DUPLICATE_SEED": "7"}
# Shorter than deployed, so that a case takes seconds: these are real seconds, whatever the lab's clock. The function of
# `queued` begins no ride with less than 10 s left, so a slow one hands a part of its batch back. Messages are shown
# again while it may still work on them, and not often, so that rides get into its dead-letter queue, too.
FUNCTION_TIMEOUT_S = {"event-driven": 3, "queued": 13}
VISIBILITY_TIMEOUT_S = 3
MAX_RECEIVE_COUNT = 2
CLIENTS = 64
TIMEOUT_S = 30.0
DRAIN_S = 120.0
SETTLED_S = 1.0


@dataclass(frozen=True)
class Proven:
    """What became of the rides of one case."""

    case: Case
    ledger: Ledger
    hits: tuple[int, ...]
    """How many requests each fault met."""
    redriven: int
    """Rides that were dead letters and are recorded after the redrive."""
    missing: frozenset[str]
    """Accepted rides that are not recorded after the redrive."""
    letters_left: int
    """Dead letters and poison after the redrive."""
    took_s: float

    @property
    def accepted(self) -> int:
        """How many rides were promised."""
        return self.ledger.arrivals - self.ledger.refused - self.ledger.ghost

    @property
    def is_whole(self) -> bool:
        """Whether every promised ride was recorded or dead-lettered, and recorded after the redrive of a real fault."""
        return (
            self.ledger.adds_up
            and not (self.ledger.lost or self.ledger.in_flight or self.missing or self.letters_left)
            and any(self.hits)  # of a pair, one may leave nothing for the other
        )


@dataclass
class Stage:
    """One design on a lab that runs with `LAB_ENVIRONMENT`, and faster than AWS's clock."""

    endpoint_url: str
    design: str
    _seen: frozenset[str] = field(default=frozenset(), init=False)
    """The rides of earlier cases."""
    _deployment: Deployment = field(init=False)
    _stores: Stores = field(init=False)

    def __post_init__(self) -> None:
        self._target = bootstrap.Target(self.endpoint_url)
        outputs = bootstrap.deploy(
            self._target,
            stage=self.design,
            design=self.design,
            table_mode="on-demand",
            services=("wild-rydes", "wild-rydes-ride-fleet", "wild-rydes-ride-record"),
            services_dir=SERVICES_DIR,
        )
        self._deployment = describe(outputs, stage=self.design)
        self._stores = Stores(
            self._deployment,
            dynamodb=self._client("dynamodb"),
            sqs=self._client("sqs"),
            observation=Observation(self.endpoint_url),
        )
        self._poison_url = outputs["wild-rydes-ride-record"]["PoisonQueueUrl"]
        self._shorten_timeouts()
        self._stores.observation.begin_writes(self._deployment.record_table or "")
        self._seen = self._recorded(self._send(10, per_s=10, begun=lambda: None))

    def prove(self, case: Case, *, rides: int, per_s: float) -> Proven:
        """Send rides while the faults of *case* happen, settle their ledger, redrive, and look again."""
        begun_s = time.monotonic()
        with CellFaults(case.faults, self._deployment, target=self._target) as faults:
            answers = self._send(rides, per_s=per_s, begun=lambda: faults.begin(time.time()))
            faults.wait(lambda _left_s: None)
            hits = tuple(one.came.hits if one.came else 0 for one in faults.found())
        accepted = frozenset(one.ride_id for one in answers if one.accepted and one.ride_id)
        drained = drain(
            self._stores,
            accepted=accepted,
            with_errors=len(accepted) < rides,
            ignore=self._seen,
            deadline_s=DRAIN_S,
        )
        ledger = settle(started=rides, answers=answers, evidence=drained.evidence)
        self._wait_until_settled()  # a duplicate may still be on its way
        self._redrive()
        recorded = frozenset(self._stores.records().writes)
        missing = accepted - recorded
        redriven = len((accepted & drained.evidence.dead_lettered) - drained.evidence.recorded - missing)
        self._seen |= recorded
        letters_left = self._stores.dead() + self._messages(self._poison_url)
        return Proven(case, ledger, hits, redriven, missing, letters_left, time.monotonic() - begun_s)

    def remove(self) -> None:
        """Remove the stage from the lab."""
        bootstrap.destroy(self._target, stage=self.design)

    # -- rides ----------------------------------------------------------------------------------------------------

    def _send(self, rides: int, *, per_s: float, begun: Callable[[], None]) -> list[Answer]:
        """Ask for rides at an even rate, whatever the answers do; return what became of each."""
        url = self._deployment.ride_url or ""
        with ThreadPoolExecutor(CLIENTS) as pool:
            begun()
            begin_s = time.monotonic()
            asked = []
            for number in range(rides):
                time.sleep(max(0.0, begin_s + number / per_s - time.monotonic()))
                asked.append(pool.submit(_ask, number, url))
            return [one.result() for one in asked]

    def _recorded(self, answers: list[Answer]) -> frozenset[str]:
        accepted = frozenset(one.ride_id for one in answers if one.ride_id)
        return drain(self._stores, accepted=accepted, with_errors=False, deadline_s=DRAIN_S).evidence.recorded

    def _wait_until_settled(self) -> None:
        deadline = time.monotonic() + DRAIN_S
        quiet_since = None
        while quiet_since is None or time.monotonic() - quiet_since < SETTLED_S:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._stores.waiting()} after {DRAIN_S:.0f} s")
            quiet_since = None if self._stores.waiting().total else quiet_since or time.monotonic()
            time.sleep(0.1)

    def _redrive(self) -> None:
        command = [str(Path(sys.executable).with_name("rydelab")), "dlq", "redrive", "--rate", "500"]
        command += ["--endpoint", self.endpoint_url, "--stage", self.design]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    # -- the stage ------------------------------------------------------------------------------------------------

    def _shorten_timeouts(self) -> None:
        lambda_, sqs = self._client("lambda"), self._client("sqs")
        name = self._deployment.functions[RECORD_FUNCTION[self.design]]
        lambda_.update_function_configuration(FunctionName=name, Timeout=FUNCTION_TIMEOUT_S[self.design])
        lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        if url := self._deployment.ride_queue_url:
            policy = json.loads(
                sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
            )
            attributes = {
                "VisibilityTimeout": str(VISIBILITY_TIMEOUT_S),
                "RedrivePolicy": json.dumps(policy | {"maxReceiveCount": MAX_RECEIVE_COUNT}),
            }
            sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)

    def _messages(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self._stores.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(map(int, attributes.values()))

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 (the emulator's own)
            config=Config(proxies={}, retries={"total_max_attempts": 5}),
        )


@contextlib.contextmanager
def deployed(endpoint_url: str, design: str) -> Iterator[Stage]:
    """Deploy *design* for as long as the block runs."""
    stage = Stage(endpoint_url, design)
    try:
        yield stage
    finally:
        stage.remove()


def _ask(number: int, url: str) -> Answer:
    asking = ask_for("ride", url)
    parts = urlsplit(asking.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request(asking.method, parts.path, asking.body, dict(asking.headers or {}))
        response = connection.getresponse()
        ride_id, error = asking.judge(response.status, response.read())
    except (OSError, http.client.HTTPException):
        return Answer(number, accepted=False)
    finally:
        connection.close()
    return Answer(number, accepted=not error, ride_id=ride_id)
