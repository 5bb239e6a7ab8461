"""Sends a scenario's arrivals on schedule, whatever the answers do: the open model.

Imports Locust, which patches the whole process: only for locustfiles, in Locust's own process.
"""

import os
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
from gevent.pool import Group  # type: ignore[import-untyped]
from locust import FastHttpUser, task
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.exception import StopUser

from rydelab.lab.loading.asking import ask_for
from rydelab.lab.loading.outlets import Outlet
from rydelab.lab.loading.requests_file import Request, Writer
from rydelab.lab.scenarios.scenario import Scenario
from rydelab.lab.scenarios.schedule import Arrival

LEAD_S = 0.2
"""At least this long between the order to begin and the first arrival: spawning must not make the first ones late."""
STOP_GRACE_S = 5.0
"""How long a load that is stopped early waits for the answers that are still due."""
STOPPED = "the load was stopped before an answer came"


class Generator:
    """Sends this process's share of a load. One in each Locust process that has users."""

    def __init__(self, scenario: Scenario, urls: Mapping[str, str], outlet: Outlet) -> None:
        self.scenario = scenario
        self._urls = urls
        self._outlet = outlet
        self._outlet.stop = self.stop
        self._under_way = Group()
        self._started: Counter[str] = Counter()
        self._is_running = False

    def send(self, client: Any) -> None:
        """Send every arrival of the share when it is due, wait for the last answer, and hand in the outcomes."""
        self._started = Counter()
        self._is_running = True
        share = self._outlet.share()
        begin = time.perf_counter() + share.begins_in_s
        for arrival in self.scenario.arrivals(part=share.part, of=share.of):
            while self._is_running and (wait_s := begin + arrival.due_s - time.perf_counter()) > 0:
                gevent.sleep(wait_s)
            if not self._is_running:
                break
            self._started[arrival.kind] += 1
            self._under_way.spawn(self._ask, client, arrival, begin + arrival.due_s)
        self._under_way.join()
        self._finish()

    def stop(self) -> None:
        """Send nothing more, wait a little for the answers under way, and give the others up."""
        was_running, self._is_running = self._is_running, False
        if was_running:
            self._under_way.join(timeout=STOP_GRACE_S)
            self._under_way.kill()
            self._outlet.finish(self._started)

    def _finish(self) -> None:
        was_running, self._is_running = self._is_running, False
        if was_running:
            self._outlet.finish(self._started)

    def _ask(self, client: Any, arrival: Arrival, due: float) -> None:
        late_s = time.perf_counter() - due
        own = self.scenario.requests.get(arrival.kind)
        url = self._urls[arrival.kind]
        asked = own.asking(url, number=arrival.number) if own else ask_for(arrival.kind, url)
        status: int | None = None
        ride_id, error = asked.ride_id, STOPPED
        try:
            with client.request(
                asked.method,
                asked.url,
                data=asked.body,
                headers=asked.headers,
                name=asked.name,
                catch_response=True,
            ) as response:
                status = response.status_code or None
                ride_id, error = asked.judge(status, response.content, failure=_failure(response))
                response.request_meta["response_time"] = (time.perf_counter() - due) * 1000
                if error:
                    response.failure(error)
                else:
                    response.success()
        finally:
            latency_s = time.perf_counter() - due
            self._outlet.write(
                Request(arrival.number, arrival.due_s, late_s, latency_s, status, ride_id, error, arrival.kind)
            )


class ArrivalsUser(FastHttpUser):
    """The one user of a Locust process that sends a scenario."""

    abstract = True
    host = "http://127.0.0.1"  # Locust wants one; every request has a whole URL
    concurrency = 10_000  # connections, made as needed: an arrival must never wait for another's
    generator: Generator

    @task
    def send_arrivals(self) -> None:
        """Send this process's share of the arrivals."""
        self.generator.send(self.client)
        raise StopUser

    def on_stop(self) -> None:
        """End the load in order if it is stopped early."""
        self.generator.stop()


def arrivals_user(generator: Generator) -> type[ArrivalsUser]:
    """Make the user class of *generator*."""

    class Arrivals(ArrivalsUser):
        network_timeout = generator.scenario.timeout_s
        connection_timeout = generator.scenario.timeout_s

    Arrivals.generator = generator
    return Arrivals


class OneUserPerProcess(UsersDispatcher):
    """Gives each process one user, however many were asked for: a scenario says itself how much load there is."""

    def new_dispatch(self, target_user_count: int, spawn_rate: float, user_classes: Any = None) -> None:
        """Begin to dispatch, all at once."""
        del target_user_count, spawn_rate, user_classes
        processes = len(self._worker_nodes)
        super().new_dispatch(target_user_count=processes, spawn_rate=processes)


@dataclass(slots=True)
class _Rows:
    """The requests of an ordinary Locust run."""

    writer: Writer
    begin_s: float
    number: int = 0

    def save(
        self, *, start_time: float, response_time: float, response: Any, exception: BaseException | None, **_: object
    ) -> None:
        status = getattr(response, "status_code", None) or None
        error = str(exception) if exception else ""
        due_s = start_time - self.begin_s
        self.writer.write(Request(self.number, due_s, 0.0, response_time / 1000, status, None, error))
        self.number += 1


def save_requests(environment: Environment, requests_file: Path) -> None:
    """Write every request of an ordinary Locust run to *requests_file*, with the time it was sent as its due time."""
    rows = _Rows(Writer(requests_file), begin_s=time.time())
    events: Any = environment.events
    events.request.add_listener(rows.save)
    events.quit.add_listener(lambda **_: rows.writer.close())


def end_with_parent(environment: Environment) -> None:
    """End the run when the process that started this one is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            gevent.sleep(1)
        if environment.runner:
            environment.runner.quit()

    gevent.spawn(watch)


def _failure(response: Any) -> str:
    error = getattr(response, "error", None)
    if error is None:
        return ""
    # Behind geventhttpclient's "retries exceeded" (there are none) is what happened.
    cause = getattr(error, "original", None) or error
    return f"no answer: {cause}" if str(cause) else f"no answer: {type(cause).__name__}"
