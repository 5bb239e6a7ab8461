"""Sends a scenario's arrivals on schedule, whatever the answers do: the open model.

Imports Locust, which patches the whole process: only for locustfiles, in Locust's own process.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
from gevent.pool import Group  # type: ignore[import-untyped]
from locust import FastHttpUser, task
from locust.env import Environment
from locust.exception import StopUser

from rydelab.lab.requests_file import Request, Writer, judge_ride, total_file
from rydelab.lab.ride_request import RIDE_REQUEST
from rydelab.lab.scenario import Scenario
from rydelab.lab.schedule import due_times_s

LEAD_S = 0.2
"""Between the user's start and the first arrival, so that spawning does not make the first ones late."""
STOP_GRACE_S = 5.0
"""How long a load that is stopped early waits for the answers that are still due."""


class ArrivalsUser(FastHttpUser):
    """One of these per Locust process sends all of its arrivals, each in a greenlet of its own."""

    abstract = True
    fixed_count = 1
    host = "http://127.0.0.1"  # Locust wants one; every request has a whole URL
    concurrency = 10_000  # connections, made as needed: an arrival must never wait for another's
    scenario: Scenario
    ride_url: str
    requests_file: Path

    def on_start(self) -> None:
        """Open the file for the outcomes."""
        self._writer = Writer(self.requests_file)
        self._under_way = Group()
        self._started = 0

    @task
    def send_arrivals(self) -> None:
        """Send every arrival when it is due, wait for the last answer, and end the run."""
        begin = time.perf_counter() + LEAD_S
        for number, due_s in enumerate(due_times_s(self.scenario.phases)):
            while (wait_s := begin + due_s - time.perf_counter()) > 0:
                gevent.sleep(wait_s)
            self._started += 1
            self._under_way.spawn(self._send, number, due_s, begin + due_s)
        self._under_way.join()
        self._finish()
        # The runner ends this greenlet, so it cannot be this greenlet that asks it to.
        gevent.spawn(self.environment.runner.quit)
        raise StopUser

    def on_stop(self) -> None:
        """Wait a little for the answers under way, and give the others up."""
        self._under_way.join(timeout=STOP_GRACE_S)
        self._under_way.kill()
        self._finish()

    def _finish(self) -> None:
        self._writer.close()
        total = {"started": self._started}
        total_file(self.requests_file).write_text(json.dumps(total), encoding="utf-8")

    def _send(self, number: int, due_s: float, due: float) -> None:
        late_s = time.perf_counter() - due
        status: int | None = None
        ride_id: str | None = None
        error = "the load was stopped before an answer came"
        try:
            with self.client.post(
                self.ride_url, json=RIDE_REQUEST, name="RequestRide", catch_response=True
            ) as response:
                status = response.status_code or None
                ride_id, error = judge_ride(status, response.content, failure=_failure(response))
                response.request_meta["response_time"] = (time.perf_counter() - due) * 1000
                if status and error and response.ok:
                    response.failure(error)
        finally:
            latency_s = time.perf_counter() - due
            self._writer.write(Request(number, due_s, late_s, latency_s, status, ride_id, error))


def arrivals_user(scenario: Scenario, *, ride_url: str, requests_file: Path) -> type[ArrivalsUser]:
    """Make the user class that sends *scenario* to *ride_url* and writes each arrival's outcome to *requests_file*."""

    class Arrivals(ArrivalsUser):
        network_timeout = scenario.timeout_s
        connection_timeout = scenario.timeout_s

    Arrivals.scenario = scenario
    Arrivals.ride_url = ride_url
    Arrivals.requests_file = requests_file
    return Arrivals


def save_requests(environment: Environment, requests_file: Path) -> None:
    """Write every request of an ordinary Locust run to *requests_file*, with the time it was sent as its due time."""
    writer = Writer(requests_file)
    begin = time.time()
    number = 0

    def save(
        *, start_time: float, response_time: float, response: Any, exception: BaseException | None, **_: object
    ) -> None:
        nonlocal number
        status = getattr(response, "status_code", None) or None
        error = str(exception) if exception else ""
        writer.write(Request(number, start_time - begin, 0.0, response_time / 1000, status, None, error))
        number += 1

    events: Any = environment.events
    events.request.add_listener(save)
    events.quit.add_listener(lambda **_: writer.close())


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
    return f"{type(error).__name__}: {error}" if error else ""
