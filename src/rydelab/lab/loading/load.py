"""Runs Locust in a process of its own and reads what it measured. Imports no Locust: it would patch this process."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rydelab.errors import RydelabError
from rydelab.lab.loading import requests_file
from rydelab.lab.loading.requests_file import Request
from rydelab.lab.scenarios.scenario import LEDGER_KINDS
from rydelab.report.latency import Latency, latency

LOADTESTS = Path(__file__).parents[4] / "loadtests"
"""The locustfiles and scenarios of this repository."""

POLL_INTERVAL_S = 0.25
STOP_TIMEOUT_S = 20.0
"""More than a stopped load waits for the answers under way."""
LOG_TAIL_LINES = 15


class LoadError(RydelabError):
    """Locust ended without the outcomes; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a scenario's arrivals came to."""

    started: Mapping[str, int]
    """Arrivals that were sent, by what they asked for, counted apart from their outcomes."""
    requests: Sequence[Request]
    interrupted: bool
    """Whether the load was stopped before its last arrival."""
    began_at: float
    """The Unix time from which `due_s` is counted, by this machine's clock."""

    @property
    def rides(self) -> int:
        """How many arrivals the ledger is of: those that ask for a ride or for a record."""
        return sum(number for kind, number in self.started.items() if kind in LEDGER_KINDS)

    @property
    def ride_requests(self) -> tuple[Request, ...]:
        """The outcomes that the ledger is of."""
        return tuple(request for request in self.requests if request.kind in LEDGER_KINDS)


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """What some users could do who ask again as soon as they have their answer."""

    users: int
    duration_s: float
    succeeded: int
    failed: int
    first_error: str
    """What the first failure said; empty if there was none."""
    latency: Latency
    """Of the requests that succeeded."""

    @property
    def requests_per_s(self) -> float:
        """Successful requests per second."""
        return self.succeeded / self.duration_s


def send_scenario(
    scenario_file: Path,
    *,
    urls: Mapping[str, str],
    requests_to: Path,
    log_to: Path,
    progress: Callable[[int], None] | None = None,
    begun: Callable[[float], None] | None = None,
) -> Load:
    """Send the arrivals of *scenario_file* to *urls* and return when the last one is answered or given up.

    *urls* are by what an arrival asks for: ride, record, unicorn. The outcomes stay in the CSV file *requests_to*.
    *progress* gets the number of outcomes so far, several times a second; *begun*, once, the Unix time from which
    arrivals are due, as soon as that is fixed, which is mostly a moment before. Ctrl-C stops the load early; what there
    is by then is returned. Raises LoadError.
    """
    begin_file = requests_file.begin_file(requests_to)
    for file in (begin_file, requests_file.total_file(requests_to)):
        file.unlink(missing_ok=True)
    waits_for_begin = begun is not None

    def look(outcomes: int) -> None:
        nonlocal waits_for_begin
        if waits_for_begin and begun is not None and begin_file.exists():
            waits_for_begin = False
            begun(float(begin_file.read_text(encoding="utf-8")))
        if progress is not None:
            progress(outcomes)

    arguments = ["--scenario", str(scenario_file.absolute())]
    arguments += [part for kind, url in urls.items() for part in ("--url", f"{kind}={url}")]
    interrupted = _run_locust(arguments, {}, requests_to=requests_to, log_to=log_to, progress=look)
    begin_file.unlink(missing_ok=True)
    try:
        total = json.loads(requests_file.total_file(requests_to).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LoadError(_without_outcomes(log_to)) from None
    return Load(
        started=total["started"],
        requests=tuple(requests_file.read(requests_to)),
        interrupted=interrupted,
        began_at=total["began_at"],
    )


def closed_loop(
    *,
    endpoint_url: str,
    stage: str,
    users: int,
    duration_s: float,
    user_class: str = "AsyncRideUser",
    warm_up_s: float = 3.0,
) -> ClosedLoop:
    """Let *users* of *user_class* (see loadtests/rides.py) ask without a pause for *duration_s* seconds.

    Before that they do the same for *warm_up_s*, which is not measured. Raises LoadError, also when nothing is deployed
    under *stage*.
    """
    arguments = [
        *("-u", str(users), "-r", str(users), "-t", f"{warm_up_s + duration_s:g}s"),
        *("--config-users", json.dumps({"user_class_name": user_class, "requests_per_s": 0}), "--", user_class),
    ]
    environment = {"RYDELAB_ENDPOINT": endpoint_url, "RYDELAB_STAGE": stage}
    with TemporaryDirectory(prefix="rydelab-load-") as folder:
        requests_to, log_to = Path(folder) / "requests.csv", Path(folder) / "locust.log"
        if _run_locust(arguments, environment, requests_to=requests_to, log_to=log_to):
            raise KeyboardInterrupt
        if not requests_to.exists():
            raise LoadError(_without_outcomes(log_to))
        requests = [
            request
            for request in requests_file.read(requests_to)
            if warm_up_s <= request.due_s + request.latency_s < warm_up_s + duration_s
        ]
    failures = [request.error for request in requests if request.error]
    return ClosedLoop(
        users=users,
        duration_s=duration_s,
        succeeded=len(requests) - len(failures),
        failed=len(failures),
        first_error=failures[0] if failures else "",
        latency=latency(request.latency_s for request in requests if not request.error),
    )


def _run_locust(
    arguments: Sequence[str],
    environment: dict[str, str],
    *,
    requests_to: Path,
    log_to: Path,
    progress: Callable[[int], None] | None = None,
) -> bool:
    """Run Locust to its end, and return whether Ctrl-C came before it."""
    command = [
        *(sys.executable, "-m", "locust", "-f", str(LOADTESTS), "--headless", "--only-summary"),
        # Failed requests are what is measured here, not a failure of the run.
        *("--exit-code-on-error", "0", "--requests-file", str(requests_to.absolute())),
        *arguments,
    ]
    with log_to.open("wb") as log:
        locust = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Locust would take LOCUST_… variables for arguments.
            env={k: v for k, v in os.environ.items() if not k.startswith("LOCUST_")} | environment,
            # Ctrl-C in a terminal goes to this process alone, which then stops the load in order.
            start_new_session=True,
        )
    try:
        while locust.poll() is None:
            if progress:
                progress(requests_file.count(requests_to))
            time.sleep(POLL_INTERVAL_S)
    except KeyboardInterrupt:
        locust.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            locust.wait(STOP_TIMEOUT_S)
        return True
    finally:
        if locust.poll() is None:
            locust.kill()
            locust.wait()
    if locust.returncode != 0:
        raise LoadError(_without_outcomes(log_to))
    return False


def _without_outcomes(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]
    end = "\n".join(f"  {line}" for line in lines)
    return f"Locust ended without the outcomes of its requests. The end of its log:\n{end}"
