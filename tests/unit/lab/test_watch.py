"""What the watch sees of a lab: answers, silence, and its end."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from rydelab.lab.cells import watch
from rydelab.lab.cells.deployment import Deployment
from rydelab.lab.cells.stores import Stores
from rydelab.lab.cells.watch import Busy, Probe, Watch, between
from rydelab.lab.emulation.observation import LabRefusesError, Observation, ObservationError, ProcessorTime

LAMBDA = {
    "asynchronous_events": {"arn:aws:lambda:us-east-1:000000000000:function:put:$LATEST": {"queued": 2, "running": 1}},
    "functions": {"put": {"Throttles": 3, "RetriedEvents": 4, "Running": 1, "Invocations": 9}},
}
DEPLOYMENT = Deployment(
    "s", record_table="rides", event_function="put", functions={"PutRideRecordSns": "put", "RequestRide": "ride"}
)


@contextmanager
def lab(answers: dict[str, Any]) -> Iterator[Observation]:
    """Serve *answers* by path, without the query, on 127.0.0.1; of one that can be called, what it returns."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers[self.path.partition("?")[0]]
            body = json.dumps(answer() if callable(answer) else answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Be silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Observation(f"http://127.0.0.1:{server.server_port}", timeout_s=1)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def refusing() -> Observation:
    """Return a lab that is not there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Observation(f"http://127.0.0.1:{probe.getsockname()[1]}")


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often."""
    monkeypatch.setattr(watch, "INTERVAL_S", 0.04)
    monkeypatch.setattr(watch, "REFUSED_S", 0.1)


def status() -> dict[str, Any]:
    """Return what a lab says whose emulator uses a quarter of a processor."""
    now = time.time()
    return {"now": now, "processor_s": now / 4}


def test_each_look_says_what_waits_and_what_was_refused_or_tried_again() -> None:
    answers = {"/_rydelab/lambda": LAMBDA, "/_rydelab/status": status, "/_rydelab/dynamodb": {"now": 1.0, "tables": []}}
    with lab(answers) as observation:
        looking = Watch(Stores(DEPLOYMENT, None, None, observation))
        with looking:
            wait_until(lambda: len(looking.samples) > 2 and len(looking.probes) > 2 and len(looking.busy) > 1)
            assert not looking.is_lab_gone

    sample = looking.samples[-1]
    assert (sample.backlog, sample.dead_letters, sample.ride_throttles) == (3, 0, 0)
    assert (sample.activity.throttles, sample.activity.retried, sample.activity.running) == (3, 4, 1)
    assert all(0 < probe.took_s < 1 for probe in looking.probes)
    assert all(0 <= row.processors <= 1 for row in looking.busy)
    assert [row.emulator for row in looking.busy] == [pytest.approx(0.25)] * len(looking.busy)


def test_a_lab_that_refuses_every_connection_is_gone() -> None:
    looking = Watch(Stores(DEPLOYMENT, None, None, refusing()))

    with looking:
        wait_until(lambda: looking.is_lab_gone)

    assert not looking.samples


def test_a_lab_that_is_only_slow_is_not_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        observation = Observation(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.05)
        looking = Watch(Stores(DEPLOYMENT, None, None, observation))
        with looking:
            wait_until(lambda: bool(looking.busy))
            time.sleep(0.15)  # longer than a lab that refuses would be given
            assert not looking.is_lab_gone


def test_a_lab_that_is_not_there_and_one_that_is_silent_are_told_apart() -> None:
    with pytest.raises(LabRefusesError, match="does not answer any more"):
        refusing().probe()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        observation = Observation(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.05)
        with pytest.raises(ObservationError) as raised:
            observation.probe()
    assert not isinstance(raised.value, LabRefusesError)


def test_a_share_is_of_one_process_and_of_some_time() -> None:
    before = ProcessorTime(at=100.0, used_s=10.0)

    assert ProcessorTime(at=102.0, used_s=11.0).share_since(before) == 0.5
    assert ProcessorTime(at=102.0, used_s=1.0).share_since(before) is None  # it was started again
    assert before.share_since(before) is None
    assert before.share_since(None) is None


def test_rows_of_a_time_are_found() -> None:
    rows = [Probe(float(at), 0.1) for at in range(5)]

    assert between(rows, 1.0, 3.0) == rows[1:3]
    assert between([Busy(1.0, 0.5, None)], 2.0, 3.0) == []
