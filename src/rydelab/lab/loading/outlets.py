"""Shares a load between Locust's processes: who sends which arrivals, and where their outcomes come together.

Each start of a run has a load of its own, or none: then Locust's own users run, and an outlet stays out of it. Alone, a
process sends all of the arrivals and writes their outcomes itself. With Locust's master and workers the master waits
until every worker is ready, gives each its share at the same moment, and writes down what they send back; so it does
not matter whether the workers run on this machine or on others. The arrivals are split by their number: with N workers,
worker k sends the arrivals k, k + N, k + 2N …

Imports Locust: only for locustfiles.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any, Protocol

import gevent  # type: ignore[import-untyped]
from gevent.event import AsyncResult, Event  # type: ignore[import-untyped]
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from rydelab.lab.loading.requests_file import Request, Writer, begin_file, to_row, total_file

logger = logging.getLogger(__name__)

READY, BEGIN, OUTCOMES, DONE, STOP = (f"rydelab-{word}" for word in ("ready", "begin", "outcomes", "done", "stop"))
"""The messages between workers and master, in the order in which they are sent; STOP only ends a load early."""

READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
"""More than a worker waits for the answers that are still under way."""
SEND_INTERVAL_S = 0.5
WATCH_INTERVAL_S = 0.5
EXIT_FAILED, EXIT_BAD_INPUT = 1, 2


@dataclass(frozen=True, slots=True)
class Share:
    """Of *of* shares of a load, the one with number *part*, from 0."""

    part: int = 0
    of: int = 1
    begins_in_s: float = 0.0
    """How long from now the first arrival is due."""


class Outlet(Protocol):
    """What a process that sends arrivals knows of the others."""

    stop: Callable[[], None]
    """Ends this process's part of the load early, in order; set by whoever sends the arrivals."""
    digest: str | None
    """What the load of the next start must be the same of in every process; None if there is no load."""

    def share(self) -> Share:
        """Wait until the load begins, and return this process's share of it."""

    def write(self, request: Request) -> None:
        """Take the outcome of one arrival."""

    def finish(self, started: Counter[str]) -> None:
        """Take note that this process has sent *started* arrivals of each kind, and has the outcome of each."""


@dataclass(slots=True)
class _Outcomes:
    """The file with a load's outcomes, and beside it how many arrivals were sent."""

    path: Path | None
    """None if nobody wants them."""
    writer: Writer | None = None
    began_at: float = 0.0
    rows: int = 0

    def open(self) -> None:
        self.rows = 0
        if self.path is not None:
            self.writer = Writer(self.path)

    def begin(self, lead_s: float) -> float:
        """Fix the begin of the load at *lead_s* from now or a little later; return how long from now.

        It is a whole second of Unix time, so that the load's seconds are those by which a lab on this machine counts.
        """
        now = time.time()
        self.began_at = ceil(now + lead_s)
        if self.path is not None:
            unfinished = begin_file(self.path).with_suffix(".new")
            unfinished.write_text(str(self.began_at), encoding="utf-8")
            unfinished.replace(begin_file(self.path))
        return self.began_at - now

    def write(self, row: Sequence[object]) -> None:
        self.rows += 1
        if self.writer is not None:
            self.writer.write_row(row)

    def end(self, started: Counter[str]) -> None:
        logger.info("%d arrivals were sent, and %d have an outcome", started.total(), self.rows)
        if self.path is not None and self.writer is not None:
            self.writer.close()
            total = {"started": dict(started), "began_at": self.began_at}
            total_file(self.path).write_text(json.dumps(total), encoding="utf-8")


class Alone:
    """The outlet of a process that sends the whole load."""

    def __init__(self, environment: Environment, requests_file: Path | None, *, lead_s: float) -> None:
        self._environment = environment
        self._outcomes = _Outcomes(requests_file)
        self._lead_s = lead_s
        self.stop: Callable[[], None] = lambda: None
        self.digest: str | None = None

    def share(self) -> Share:
        """Return the whole load, at once."""
        self._outcomes.open()
        return Share(begins_in_s=self._outcomes.begin(self._lead_s))

    def write(self, request: Request) -> None:
        """Write the outcome to the file."""
        self._outcomes.write(to_row(request))

    def finish(self, started: Counter[str]) -> None:
        """Close the file, and end the run."""
        self._outcomes.end(started)
        _end_run(self._environment)


class Worker:
    """The outlet of one process of several."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        self._runner = runner
        self._share = AsyncResult()
        self._rows: list[Sequence[object]] = []
        self.stop: Callable[[], None] = lambda: None
        self.digest: str | None = None
        runner.register_message(BEGIN, self._begin)
        runner.register_message(STOP, lambda **_: gevent.spawn(self._stop))
        events: Any = environment.events
        events.test_start.add_listener(lambda **_: self._reset())

    def share(self) -> Share:
        """Tell the master that this process is ready, and wait for its share."""
        self._runner.send_message(READY, {"digest": self.digest})
        share: Share = self._share.get()
        gevent.spawn(self._send_often)
        return share

    def write(self, request: Request) -> None:
        """Keep the outcome until the next message."""
        self._rows.append(to_row(request))

    def finish(self, started: Counter[str]) -> None:
        """Send what is left, and how many arrivals there were."""
        self._send()
        self._share = AsyncResult()
        self._runner.send_message(DONE, {"started": dict(started)})

    def _reset(self) -> None:
        self._share = AsyncResult()
        self._rows = []

    def _stop(self) -> None:
        self.stop()

    def _begin(self, *, msg: Any, **_: object) -> None:
        self._share.set(Share(**msg.data))

    def _send_often(self) -> None:
        share = self._share
        while self._share is share:
            gevent.sleep(SEND_INTERVAL_S)
            self._send()

    def _send(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            self._runner.send_message(OUTCOMES, {"rows": rows})


@dataclass(slots=True)
class _Round:
    """One load, as the master sees it."""

    workers: list[str]
    """Who shall send it."""
    ready: set[str] = field(default_factory=set)
    has_begun: bool = False
    done: dict[str, Counter[str]] = field(default_factory=dict)
    """How many arrivals each has sent, of those that are done."""
    is_over: Any = field(default_factory=Event)


class Master(Alone):
    """Gives each worker its share, and writes down what they send back; it sends nothing itself."""

    def __init__(
        self, environment: Environment, runner: MasterRunner, requests_file: Path | None, *, lead_s: float
    ) -> None:
        super().__init__(environment, requests_file, lead_s=lead_s)
        self._runner = runner
        self._round: _Round | None = None
        runner.register_message(READY, self._worker_is_ready)
        runner.register_message(OUTCOMES, self._take_outcomes)
        runner.register_message(DONE, self._worker_is_done)
        events: Any = environment.events
        events.test_start.add_listener(lambda **_: self._start())
        events.test_stopping.add_listener(lambda **_: self._stop())

    def _start(self) -> None:
        if self.digest is None:
            return
        clients = self._runner.clients
        # Locust gives each of these a user; one that joins later gets no share.
        workers = [client.id for client in clients.ready + clients.running + clients.spawning]
        self._round = _Round(workers)
        self._outcomes.open()
        gevent.spawn(self._watch, self._round)

    def _worker_is_ready(self, *, msg: Any, **_: object) -> None:
        current = self._round
        if current is None or current.has_begun or msg.node_id not in current.workers:
            return
        if msg.data["digest"] != self.digest:
            reason = f"worker {msg.node_id} has another scenario than the master: give all the same files"
            self._fail(current, reason, exit_status=EXIT_BAD_INPUT)
            return
        current.ready.add(msg.node_id)
        if current.ready == set(current.workers):
            current.has_begun = True
            of = len(current.workers)
            begins_in_s = self._outcomes.begin(self._lead_s)
            for part, worker in enumerate(current.workers):
                self._runner.send_message(BEGIN, {"part": part, "of": of, "begins_in_s": begins_in_s}, worker)

    def _take_outcomes(self, *, msg: Any, **_: object) -> None:
        for row in msg.data["rows"]:
            self._outcomes.write(row)

    def _worker_is_done(self, *, msg: Any, **_: object) -> None:
        current = self._round
        if current is None or msg.node_id not in current.workers:
            return
        current.done[msg.node_id] = Counter(msg.data["started"])
        if len(current.done) == len(current.workers):
            self._end(current)

    def _watch(self, current: _Round) -> None:
        """End the load if a worker is lost, or not ready in time."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not current.is_over.wait(WATCH_INTERVAL_S):
            present = {client.id for client in self._runner.clients.all if client.state != "missing"}
            lost = [worker for worker in current.workers if worker not in present and worker not in current.done]
            if lost:
                self._fail(current, f"worker {', '.join(lost)} is gone, and with it its share of the arrivals")
            elif not current.has_begun and time.monotonic() > deadline:
                late = ", ".join(sorted(set(current.workers) - current.ready))
                self._fail(current, f"worker {late} was not ready within {READY_TIMEOUT_S:.0f} s")

    def _fail(self, current: _Round, reason: str, *, exit_status: int = EXIT_FAILED) -> None:
        logger.error("rydelab: %s", reason)
        self._environment.process_exit_code = exit_status
        self._end(current)

    def _end(self, current: _Round) -> None:
        if not current.is_over.is_set():
            current.is_over.set()
            self._outcomes.end(sum(current.done.values(), Counter()))
            _end_run(self._environment)

    def _stop(self) -> None:
        """Before Locust ends its users: let the workers end in order, and take their last outcomes."""
        current = self._round
        if current is not None and not current.is_over.is_set():
            self._runner.send_message(STOP)
            if not current.is_over.wait(STOP_TIMEOUT_S):
                self._fail(current, "not every worker has handed in its outcomes")
        self._round = None


def outlet_for(environment: Environment, requests_file: Path | None, *, lead_s: float) -> Outlet:
    """Return the outlet of this process, by its part in Locust's run. Call it once."""
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        return Worker(environment, runner)
    if isinstance(runner, MasterRunner):
        return Master(environment, runner, requests_file, lead_s=lead_s)
    return Alone(environment, requests_file, lead_s=lead_s)


def _end_run(environment: Environment) -> None:
    """End the process if it was started to run once; behind the web page only the run."""
    runner: Any = environment.runner
    options: Any = environment.parsed_options
    # Not in this greenlet: the runner may end it.
    gevent.spawn(runner.quit if options.headless else runner.stop)
