"""Starts, finds and stops the emulator: LocalStack with our plug-ins, in a process of its own. Linux only.

Each lab has one folder, `Settings.lab_dir`, with everything that it writes: ``emulator.log``, ``lab.json`` (who runs
it), ``lock`` (held while it runs) and the files of LocalStack itself.
"""

import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from rydelab.errors import RydelabError
from rydelab.lab.emulation.localstack_environment import localstack_environment
from rydelab.lab.emulation.supervisor import EXIT_LOCKED
from rydelab.settings import Settings

READY_TIMEOUT_S = 60.0
"""A start that takes longer than this has failed; it takes 2 to 3 s on a machine with two cores."""
STOP_TIMEOUT_S = 15.0
"""More than the supervisor's own grace: after it the supervisor itself is killed."""
PROBE_INTERVAL_S = 0.02
PLUGIN_ERROR_PREFIX = "rydelab plug-in error: "
"""How the emulator's log says that it refused to start because of a plug-in of ours."""
LOG_TAIL_LINES = 20

STATUS_PATH = "/_rydelab/status"

_PYTHON_MODULE = (sys.executable, "-P", "-m")  # -P: no module comes from whatever folder the command is run in


class EmulatorError(RydelabError):
    """The emulator did not start, or did not stop. The message is for people."""


@dataclass(frozen=True, slots=True)
class EmulatorInfo:
    """What a running emulator says of itself."""

    endpoint_url: str
    ready: bool
    """False while it is still starting."""
    pid: int
    lab_dir: Path
    """The folder with its files; in a container it is one there, and so is the number of the process."""
    in_container: bool
    clock_speed: float
    """How many times faster its slow control loops run."""
    enforce_iam: bool
    """Whether it enforces IAM policies."""
    plugins: tuple[str, ...]
    """The plug-ins of ours that are loaded, as ``group:name``."""


class Emulator:
    """A running emulator that this process has started. Leaving its ``with`` block stops it.

    If this process ends without that, however it ends, the emulator ends too, unless it was started detached.
    """

    def __init__(self, settings: Settings, supervisor: subprocess.Popen[bytes], *, ready_after_s: float) -> None:
        self.endpoint_url = local_endpoint(settings.port)
        self.lab_dir = settings.lab_dir
        self.log_file = log_file(settings)
        self.ready_after_s = ready_after_s
        """Seconds from the call of `start` until the first request could be answered."""
        self._supervisor = supervisor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self) -> int:
        """Wait until the emulator ends by itself; its exit status, 128 + N if signal N ended it."""
        return self._supervisor.wait()

    def poll(self) -> int | None:
        """None while the emulator runs, else as `wait`."""
        return self._supervisor.poll()

    def stop(self) -> None:
        """Stop the emulator and every process below it. Returns when they are gone; may be called again."""
        _stop_supervisor(self._supervisor)


def start(
    settings: Settings,
    *,
    detach: bool = False,
    environment: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
    ready_timeout_s: float = READY_TIMEOUT_S,
) -> Emulator:
    """Start an emulator on 127.0.0.1:``settings.port`` and return when it answers requests.

    *environment* adds to, or replaces, the variables that LocalStack is started with. With *detach* it outlives this
    process; `stop` ends it. *progress* gets one line per event. Raises EmulatorError if the port is taken or the start
    fails; nothing is left running then.
    """
    begin = time.monotonic()
    report = progress or (lambda _line: None)
    _refuse_other_systems()
    _refuse_taken_port(settings)
    report(f"Starting LocalStack on {local_endpoint(settings.port)} ...")
    supervisor = _spawn_supervisor(settings, detach=detach, environment=environment or {})
    try:
        _wait_until_ready(settings, supervisor, deadline=begin + ready_timeout_s)
    except BaseException:
        _stop_supervisor(supervisor)
        raise
    ready_after_s = time.monotonic() - begin
    report(f"Ready after {ready_after_s:.1f} s.")
    return Emulator(settings, supervisor, ready_after_s=ready_after_s)


def find(endpoint_url: str, *, timeout_s: float = 5.0) -> EmulatorInfo | None:
    """Find the emulator of ours that answers at *endpoint_url*; None if nothing does, or something else."""
    parts = urlsplit(endpoint_url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", STATUS_PATH)
        response = connection.getresponse()
        body = response.read()
        if response.status != http.HTTPStatus.OK:
            return None
        status = json.loads(body)
        return EmulatorInfo(
            endpoint_url=endpoint_url,
            ready=bool(status["ready"]),
            pid=int(status["pid"]),
            lab_dir=Path(status["lab_dir"]),
            in_container=bool(status["in_container"]),
            clock_speed=float(status["clock_speed"]),
            enforce_iam=bool(status["enforce_iam"]),
            plugins=tuple(status["plugins"]),
        )
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()


def stop(settings: Settings) -> bool:
    """Stop the lab in ``settings.lab_dir``, whoever started it. False if none runs there.

    Returns when every process of it is gone. Raises EmulatorError if that takes too long.
    """
    if not is_running(settings):
        return False
    deadline = time.monotonic() + STOP_TIMEOUT_S
    told = False
    while is_running(settings):
        if time.monotonic() > deadline:
            raise EmulatorError(f"the lab in {settings.lab_dir} did not stop within {STOP_TIMEOUT_S:.0f} s")
        told = told or _tell_to_stop(settings)
        time.sleep(PROBE_INTERVAL_S)
    return True


def is_running(settings: Settings) -> bool:
    """Whether a supervisor runs, that is holds the lock, in ``settings.lab_dir``."""
    try:
        lock = os.open(settings.lab_dir / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def labs(data_dir: Path) -> Iterator[int]:
    """Yield the ports of the labs, running or not, that have a folder below *data_dir*, in order."""
    folders = data_dir.iterdir() if data_dir.is_dir() else iter(())
    yield from sorted(int(folder.name) for folder in folders if folder.name.isdigit())


def whereabouts(running: EmulatorInfo) -> str:
    """Say where a lab is, after "a lab runs"."""
    return "in a container" if running.in_container else f"with its files in {running.lab_dir}"


def local_endpoint(port: int) -> str:
    """Return the URL of a lab on this machine."""
    return f"http://127.0.0.1:{port}"


def why_taken(port: int) -> str | None:
    """Return why no lab can listen on *port* of this machine, or None if one can."""
    with socket.socket() as candidate:
        # As the server itself does: a port whose last connections are still closing is free.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except PermissionError:
            return f"port {port} needs root"
        except OSError:
            running = find(local_endpoint(port), timeout_s=1)
            owner = f"a lab already runs there, {whereabouts(running)}" if running else "another program uses it"
            return f"port {port} of 127.0.0.1 is taken: {owner}"
    return None


def log_file(settings: Settings) -> Path:
    """Where the emulator writes its log."""
    return settings.lab_dir / "emulator.log"


def _refuse_other_systems() -> None:
    if sys.platform != "linux":
        raise EmulatorError(
            f"a lab on the machine itself needs Linux, and this is {sys.platform}: run it in a container instead"
        )


def _refuse_taken_port(settings: Settings) -> None:
    why = why_taken(settings.port)
    if why is not None:
        raise EmulatorError(f"{why}; choose another with --port")


def _spawn_supervisor(settings: Settings, *, detach: bool, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    lab_dir = settings.lab_dir
    try:
        lab_dir.mkdir(parents=True, exist_ok=True)
        log = log_file(settings).open("wb")
    except OSError as error:
        raise EmulatorError(f"cannot write to the data directory {lab_dir}: {error.strerror}") from None
    with log:
        return subprocess.Popen(
            [
                *(*_PYTHON_MODULE, "rydelab.lab.emulation.supervisor"),
                *("--lab-dir", str(lab_dir), "--endpoint-url", local_endpoint(settings.port)),
                *(["--detached"] if detach else []),
                *("--", *_PYTHON_MODULE, "rydelab.plugins.runtime"),
            ],
            # The write end of this pipe is the lifeline: it closes when this process ends, however it ends.
            stdin=subprocess.DEVNULL if detach else subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**localstack_environment(settings, os.environ), **environment},
            # Ctrl-C in a terminal goes to this process alone, which then stops the emulator in order.
            start_new_session=True,
        )


def _wait_until_ready(settings: Settings, supervisor: subprocess.Popen[bytes], *, deadline: float) -> None:
    endpoint_url = local_endpoint(settings.port)
    while True:
        if (status := supervisor.poll()) is not None:
            raise EmulatorError(_why_start_failed(settings, status))
        running = find(endpoint_url)
        if running and running.ready and running.lab_dir == settings.lab_dir:
            return
        if time.monotonic() > deadline:
            raise EmulatorError(f"LocalStack did not become ready in time.\n{_log_tail(settings)}")
        time.sleep(PROBE_INTERVAL_S)


def _why_start_failed(settings: Settings, status: int) -> str:
    if status == EXIT_LOCKED:
        return f"a lab already runs in {settings.lab_dir}; stop it with `rydelab down --port {settings.port}`"
    log = log_file(settings).read_text(errors="replace")
    plugin_errors = [
        line.removeprefix(PLUGIN_ERROR_PREFIX) for line in log.splitlines() if line.startswith(PLUGIN_ERROR_PREFIX)
    ]
    if plugin_errors:
        return "\n".join([*plugin_errors, f"The whole log: {log_file(settings)}"])
    return f"LocalStack ended with status {status} while it started.\n{_log_tail(settings)}"


def _log_tail(settings: Settings) -> str:
    lines = log_file(settings).read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
    return "\n".join([f"The last lines of {log_file(settings)}:", *(f"  {line}" for line in lines)])


def _state(settings: Settings) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((settings.lab_dir / "lab.json").read_text())
    return state


def _tell_to_stop(settings: Settings) -> bool:
    """Send SIGTERM to the supervisor; False if it has not yet said, or no longer says, which process it is."""
    try:
        pidfd = os.pidfd_open(_state(settings)["supervisor_pid"])
    except (ProcessLookupError, FileNotFoundError):
        return False
    try:
        # The descriptor pins the process; only now can the lock say that its number was not reused.
        if is_running(settings):
            signal.pidfd_send_signal(pidfd, signal.SIGTERM)
    except ProcessLookupError:
        return False
    finally:
        os.close(pidfd)
    return True


def _stop_supervisor(supervisor: subprocess.Popen[bytes]) -> None:
    supervisor.terminate()
    try:
        supervisor.wait(STOP_TIMEOUT_S)
    except KeyboardInterrupt:  # of someone who does not want to wait
        supervisor.terminate()
        supervisor.wait()
        raise
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()
    if supervisor.stdin is not None:
        supervisor.stdin.close()
