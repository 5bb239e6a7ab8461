"""The load generator against a small HTTP server of the test: Locust in a process of its own, but no lab."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rydelab.lab.loading.load import Load, LoadError, send_scenario

type Answer = Callable[[int], tuple[int, bytes]]
"""Given the number of the request, from 0: status and body."""


def accept(_number: int) -> tuple[int, bytes]:
    return 201, json.dumps({"RideId": str(uuid.uuid4())}).encode()


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """Serve POST /ride with *answer*, one thread per connection, and yield its URL."""
    numbers = iter(range(1_000_000))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            assert "PickupLocation" in json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = answer(next(numbers))
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Be silent."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}/ride"
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def send(
    folder: Path,
    answer: Answer,
    *,
    duration_s: float,
    arrivals_per_s: float,
    timeout_s: float = 10,
    progress: Callable[[int], None] | None = None,
) -> Load:
    scenario = folder / "scenario.toml"
    scenario.write_text(f"""
        timeout_s = {timeout_s}
        [[phases]]
        duration_s = {duration_s}
        arrivals_per_s = {arrivals_per_s}
        [[cells]]
        design = "microservices"
        table_mode = "on-demand"
    """)
    with server(answer) as ride_url:
        return send_scenario(
            scenario,
            urls={"ride": ride_url},
            requests_to=folder / "requests.csv",
            log_to=folder / "locust.log",
            progress=progress,
        )


def test_every_arrival_is_sent_once_and_has_one_outcome(tmp_path: Path) -> None:
    load = send(tmp_path, accept, duration_s=2, arrivals_per_s=50)

    assert load.rides == 100
    assert sorted(request.arrival for request in load.requests) == list(range(100))
    assert all(request.accepted for request in load.requests)
    assert len({request.ride_id for request in load.requests}) == 100
    assert not load.interrupted


def test_arrivals_come_on_schedule_however_slow_the_answers_are(tmp_path: Path) -> None:
    waiting, most_waiting = 0, 0
    lock = threading.Lock()

    def slow(number: int) -> tuple[int, bytes]:
        nonlocal waiting, most_waiting
        with lock:
            waiting += 1
            most_waiting = max(most_waiting, waiting)
        time.sleep(1.0)
        with lock:
            waiting -= 1
        return accept(number)

    load = send(tmp_path, slow, duration_s=1, arrivals_per_s=20)

    # A closed model would have sent the second one only after the first answer.
    assert most_waiting >= 10
    assert max(request.late_s for request in load.requests) < 0.5
    assert all(request.latency_s >= 1.0 for request in load.requests)


def test_what_goes_wrong_is_told_apart(tmp_path: Path) -> None:
    def answers(number: int) -> tuple[int, bytes]:
        if number == 4:
            time.sleep(3)
        return [
            (502, b'{"message": "no record", "RideId": "r"}'),
            (429, b'{"message": "Too Many Requests"}'),
            (201, b"{}"),
            (0, b""),
            (201, b'{"RideId": "late"}'),
            (201, b'{"RideId": "a"}'),
        ][number]

    load = send(tmp_path, answers, duration_s=3, arrivals_per_s=2, timeout_s=1)

    first, second, third, dropped, late, good = sorted(load.requests, key=lambda request: request.arrival)
    assert (first.status, first.ride_id, first.error) == (502, "r", "502 no record")
    assert (second.status, second.error) == (429, "429 Too Many Requests")
    assert (third.status, third.error) == (201, "201 without a RideId")
    assert dropped.status is None
    assert dropped.error
    assert late.status is None
    assert "timed out" in late.error.lower()
    assert late.latency_s == pytest.approx(1.0, abs=0.5)
    assert (good.status, good.ride_id, good.error) == (201, "a", "")


def test_a_load_that_is_stopped_early_keeps_what_there_is(tmp_path: Path) -> None:
    def stop(outcomes: int) -> None:
        if outcomes >= 10:
            raise KeyboardInterrupt

    load = send(tmp_path, accept, duration_s=60, arrivals_per_s=20, progress=stop)

    assert load.interrupted
    assert 10 <= load.rides < 1200
    assert sorted(request.arrival for request in load.requests) == list(range(load.rides))


def test_arrivals_under_way_when_a_load_is_stopped_are_outcomes_too(tmp_path: Path) -> None:
    second_is_under_way, stopped = threading.Event(), threading.Event()

    def hang_after_the_first(number: int) -> tuple[int, bytes]:
        if number:
            second_is_under_way.set()
            stopped.wait(20)
        return accept(number)

    def stop(outcomes: int) -> None:
        if outcomes and second_is_under_way.is_set():
            raise KeyboardInterrupt

    load = send(tmp_path, hang_after_the_first, duration_s=60, arrivals_per_s=10, timeout_s=30, progress=stop)
    stopped.set()

    assert load.rides == len(load.requests) > 1
    assert [request.accepted for request in load.requests].count(True) == 1
    assert {request.error for request in load.requests if request.error} == {
        "the load was stopped before an answer came"
    }


def test_a_server_that_only_hangs_up_is_an_error_of_every_arrival_not_of_the_run(tmp_path: Path) -> None:
    load = send(tmp_path, lambda _number: (0, b""), duration_s=1, arrivals_per_s=5)

    assert load.rides == len(load.requests) == 5
    assert not any(request.accepted for request in load.requests)


def test_a_scenario_that_cannot_be_read_ends_with_locusts_own_words(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"gone\.toml: cannot be read"):
        send_scenario(
            tmp_path / "gone.toml",
            urls={"ride": "http://127.0.0.1:9/ride"},
            requests_to=tmp_path / "requests.csv",
            log_to=tmp_path / "locust.log",
        )
