"""A scenario sent by several Locust processes, and from Locust's web page: each arrival is sent once, on schedule."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import free_port
from tests.integration.test_load_generator import accept, server

ROOT = Path(__file__).parents[2]
HEADLESS = ("--headless", "--only-summary")
DEADLINE_S = 40


@pytest.fixture
def ride_url() -> Iterator[str]:
    """Run a server that accepts every ride."""
    with server(accept) as url:
        yield url


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    """Collect processes, and end those that still run."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def scenario(folder: Path, *, duration_s: float, arrivals_per_s: float = 50) -> Path:
    path = folder / "scenario.toml"
    path.write_text(f"""
        [[phases]]
        duration_s = {duration_s}
        arrivals_per_s = {arrivals_per_s}
        [arrivals]
        process = "poisson"
        [[cells]]
        design = "microservices"
        table_mode = "on-demand"
    """)
    return path


def locust(scenario_file: Path, ride_url: str, *arguments: str, headless: bool = True) -> subprocess.Popen[str]:
    return start(ride_url, "--scenario", str(scenario_file), *arguments, *(HEADLESS if headless else []))


def start(ride_url: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "locust", "-f", "loadtests/", "--url", f"ride={ride_url}", *arguments]
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("LOCUST_", "RYDELAB_"))}
    environ["RYDELAB_PORT"] = str(free_port())  # no lab
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def outcomes(requests_file: Path) -> tuple[int, list[dict[str, str]]]:
    """Return how many arrivals were sent, and the outcome of each, in the order of the schedule."""
    total = json.loads(requests_file.with_suffix(".total.json").read_text())
    with requests_file.open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["arrival"]))
    return total["started"].get("ride", 0), rows


def wait_for(found: Callable[[], Any]) -> Any:
    """Return what *found* returns as soon as it is true."""
    deadline = time.monotonic() + DEADLINE_S
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return value


def test_processes_on_one_machine_share_the_arrivals(
    tmp_path: Path, ride_url: str, processes: list[subprocess.Popen[str]]
) -> None:
    requests_file = tmp_path / "requests.csv"
    run = locust(scenario(tmp_path, duration_s=2), ride_url, "--processes", "3", "--requests-file", str(requests_file))
    processes.append(run)

    output, _ = run.communicate(timeout=DEADLINE_S)

    assert run.returncode == 0, output
    started, rows = outcomes(requests_file)
    assert [int(row["arrival"]) for row in rows] == list(range(started))
    assert 60 < started < 140
    assert not any(row["error"] for row in rows)
    assert sum(float(row["late_s"]) > 0.1 for row in rows) <= started / 20
    assert f"{started} arrivals were sent, and {started} have an outcome" in output


def test_a_master_waits_for_its_workers_and_tells_when_one_is_lost(
    tmp_path: Path, ride_url: str, processes: list[subprocess.Popen[str]]
) -> None:
    requests_file, port = tmp_path / "requests.csv", str(free_port())
    path = scenario(tmp_path, duration_s=60)
    master = locust(
        path,
        ride_url,
        *("--master", "--master-bind-port", port, "--expect-workers", "2", "--requests-file", str(requests_file)),
    )
    workers = [locust(path, ride_url, "--worker", "--master-port", port) for _ in range(2)]
    processes += [master, *workers]
    wait_for(lambda: requests_file.exists() and requests_file.read_bytes().count(b"\n") > 40)

    workers[0].send_signal(signal.SIGKILL)
    output, _ = master.communicate(timeout=DEADLINE_S)

    assert master.returncode == 1, output
    assert "is gone, and with it its share of the arrivals" in output
    _, rows = outcomes(requests_file)
    numbers = [int(row["arrival"]) for row in rows]
    assert len(numbers) == len(set(numbers))
    assert {number % 2 for number in numbers} == {0, 1}


def test_a_worker_with_another_scenario_is_refused(
    tmp_path: Path, ride_url: str, processes: list[subprocess.Popen[str]]
) -> None:
    port = str(free_port())
    (tmp_path / "other").mkdir()
    master = locust(
        scenario(tmp_path, duration_s=60),
        ride_url,
        *("--master", "--master-bind-port", port, "--expect-workers", "1"),
    )
    worker = locust(scenario(tmp_path / "other", duration_s=59), ride_url, "--worker", "--master-port", port)
    processes += [master, worker]

    output, _ = master.communicate(timeout=DEADLINE_S)

    assert master.returncode == 2, output
    assert "has another scenario than the master: give all the same files" in output


def test_the_web_page_sends_the_same_arrivals_as_often_as_it_is_started(
    tmp_path: Path, ride_url: str, processes: list[subprocess.Popen[str]]
) -> None:
    requests_file, port = tmp_path / "requests.csv", free_port()
    total_file = requests_file.with_suffix(".total.json")
    run = locust(
        scenario(tmp_path, duration_s=1),
        ride_url,
        *("--web-host", "127.0.0.1", "--web-port", str(port), "--requests-file", str(requests_file)),
        headless=False,
    )
    processes.append(run)
    page = f"http://127.0.0.1:{port}"
    wait_for(lambda: _answers(page))

    found = []
    for _ in range(2):
        total_file.unlink(missing_ok=True)
        # However many users are asked for.
        _post(f"{page}/swarm", {"user_count": "7", "spawn_rate": "7", "host": "http://127.0.0.1"})
        wait_for(total_file.exists)
        found.append(outcomes(requests_file))
        wait_for(lambda: json.loads(_get(f"{page}/stats/requests"))["state"] == "stopped")

    for started, rows in found:
        assert started > 25
        assert [int(row["arrival"]) for row in rows] == list(range(started))
    assert run.poll() is None


def test_a_scenario_is_chosen_on_the_web_page_and_its_workers_follow(
    ride_url: str, processes: list[subprocess.Popen[str]]
) -> None:
    port, master_port = free_port(), str(free_port())
    page = f"http://127.0.0.1:{port}"
    master = start(ride_url, "--master", "--master-bind-port", master_port, "--web-host", "127.0.0.1", f"-P{port}")
    processes.append(master)
    wait_for(lambda: _answers(page))
    processes += [start(ride_url, "--worker", "--master-port", master_port) for _ in range(2)]
    wait_for(lambda: len(_stats(page).get("workers", [])) == 2)

    # What the page makes a list of.
    assert all(f'"{name}"' in _get(page).decode() for name in ("none", "quick", "spike", "workshop"))
    form = {"user_count": "1", "spawn_rate": "1", "host": "http://127.0.0.1"}
    assert _post(f"{page}/swarm", {**form, "scenario": "workshop"})["success"]
    wait_for(lambda: _stats(page)["stats"][-1]["num_requests"] >= 30)
    # Ten arrivals a second, of the two workers together; one user would have sent one.
    assert 5 < _stats(page)["total_rps"] < 15
    assert {worker["user_count"] for worker in _stats(page)["workers"]} == {1}
    _get(f"{page}/stop")
    wait_for(lambda: _stats(page)["state"] == "stopped")

    # Users need a lab, and none runs: the page says so, and can be used again.
    refused = _post(f"{page}/swarm", {**form, "scenario": "none"})
    assert not refused["success"]
    assert "no lab answers at http://127.0.0.1:" in refused["message"]
    assert _post(f"{page}/swarm", {**form, "scenario": "quick"})["success"]
    wait_for(lambda: _stats(page)["state"] == "running")


def _stats(page: str) -> dict[str, Any]:
    stats: dict[str, Any] = json.loads(_get(f"{page}/stats/requests"))
    return stats


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 (our own, on 127.0.0.1)
        body: bytes = response.read()
        return body


def _answers(url: str) -> bool:
    try:
        return bool(_get(url))
    except urllib.error.URLError:
        return False


def _post(url: str, form: dict[str, str]) -> dict[str, Any]:
    with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), timeout=10) as response:  # noqa: S310 (as above)
        answer: dict[str, Any] = json.load(response)
        return answer
