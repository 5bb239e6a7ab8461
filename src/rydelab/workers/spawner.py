"""Starts child processes by asking the warm parent to fork, and learns when they end."""

import contextlib
import itertools
import json
import logging
import os
import socket
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path
from typing import Any, Final

from rydelab.workers import linux, protocol

LOG = logging.getLogger(__name__)

# What AWS's Python runtime carries: https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
_RUNTIME_PACKAGES: Final = (
    "awslambdaric",
    "boto3",
    "botocore",
    "dateutil",
    "jmespath",
    "s3transfer",
    "simplejson",
    "six.py",
    "snapshot_restore_py.py",
    "urllib3",
)
_RUNTIME_EXTENSION: Final = "runtime_client*.so"
_START_TIMEOUT_S: Final = 30.0
_SPAWN_TIMEOUT_S: Final = 10.0


class SpawnError(Exception):
    """No child process could be started."""


class ChildProcess:
    """One forked process, from its first instruction to its end."""

    def __init__(self, pid: int, pidfd: int, parent: "_ParentLink") -> None:
        self.pid = pid
        self.pidfd = pidfd
        """Becomes readable when the process has ended; close it with ``release``."""
        self._parent = parent
        self._wait_status: int | None = None
        self._exited = threading.Event()

    def kill(self) -> None:
        """Kill the process, its process group and its descendants. Returns at once."""
        self._tell_parent("kill")

    def freeze(self) -> None:
        """Stop the process and its descendants until ``thaw``. Returns at once; a frozen process can be killed."""
        self._tell_parent("freeze")

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._tell_parent("thaw")

    def wait(self, timeout_s: float) -> int | None:
        """Return the wait status (see ``os.waitpid``), or None if the process has not ended in time."""
        self._exited.wait(timeout_s)
        return self._wait_status

    def release(self) -> None:
        """Close the pidfd."""
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1

    def _tell_parent(self, what: str) -> None:
        if not self._exited.is_set():  # else its number may be another process's by now
            self._parent.tell(what, self.pid)

    def exited(self, wait_status: int) -> None:
        """Take note of the end of the process."""
        self._wait_status = wait_status
        self._exited.set()


class Spawner:
    """Owns the warm parent. One per emulator; thread-safe.

    *work_dir* holds a directory of links to the packages that AWS's runtime carries: a handler can import those, and
    nothing else that happens to be installed here.
    """

    def __init__(self, work_dir: Path) -> None:
        self._work_dir = work_dir
        self._lock = threading.Lock()
        self._link: _ParentLink | None = None

    def start(self) -> None:
        """Start the warm parent now, so that the first child need not wait for it."""
        with self._lock:
            self._live_link()

    def spawn(self, start_up: dict[str, Any], output_fd: int) -> ChildProcess:
        """Start a child that writes to *output_fd*; the caller keeps its own copy of the descriptor.

        *start_up* has ``handler``, ``code_dir``, ``layer_dirs`` and ``environment``. Raises SpawnError.
        """
        document_fd = os.memfd_create("start-up", os.MFD_CLOEXEC)
        try:
            os.write(document_fd, json.dumps(start_up).encode())
            os.lseek(document_fd, 0, os.SEEK_SET)
            with self._lock:
                link = self._live_link()
            try:
                return link.spawn(document_fd, output_fd)
            except SpawnError:
                if link.alive:
                    raise
            # The warm parent died just now. Another one takes its place.
            with self._lock:
                link = self._live_link()
            return link.spawn(document_fd, output_fd)
        finally:
            os.close(document_fd)

    def stop(self) -> None:
        """End the warm parent and, with it, every child."""
        with self._lock:
            if self._link is not None:
                self._link.stop()
                self._link = None

    def _live_link(self) -> "_ParentLink":
        if self._link is None or not self._link.alive:
            self._link = _ParentLink(_make_runtime_dir(self._work_dir))
        return self._link


class _ParentLink:
    """The connection to one warm parent process."""

    def __init__(self, runtime_dir: Path) -> None:
        self._tokens = itertools.count()
        self._lock = threading.Lock()
        self._children: dict[int, ChildProcess] = {}
        self._waiting: dict[int, list[ChildProcess | str]] = {}
        self._answered = threading.Condition(self._lock)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.alive = True
        package_root = str(Path(__file__).parents[2])
        imports = f"import sys; sys.path.insert(0, {package_root!r}); from rydelab.workers import warm_parent"
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                "-c",
                f"{imports}; warm_parent.main()",
                str(theirs.fileno()),
                str(runtime_dir),
            ],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            env={"PATH": os.defpath, "LANG": "C.UTF-8", **linux.loader_environment()},
            cwd="/",
        )
        theirs.close()
        self._control.settimeout(_START_TIMEOUT_S)
        try:
            ready = protocol.receive(self._control)
        except TimeoutError:
            ready = None
        if ready is None:
            self._process.kill()
            raise SpawnError("the warm parent of the Lambda environments did not start; its error is in the log above")
        self._control.settimeout(None)
        threading.Thread(target=self._read, name="lambda-spawner", daemon=True).start()

    def spawn(self, document_fd: int, output_fd: int) -> ChildProcess:
        token = next(self._tokens)
        answer: list[ChildProcess | str] = []
        with self._answered:
            self._waiting[token] = answer
        try:
            # Not under the lock: the thread that reads answers needs it.
            protocol.send(self._control, {"spawn": token}, (document_fd, output_fd))
            with self._answered:
                self._answered.wait_for(lambda: answer or not self.alive, _SPAWN_TIMEOUT_S)
        except OSError as error:
            raise SpawnError(f"the warm parent of the Lambda environments is gone: {error}") from error
        finally:
            with self._answered:
                self._waiting.pop(token, None)
        if not answer:
            what = "did not fork in time" if self.alive else "has ended"
            raise SpawnError(f"the warm parent of the Lambda environments {what}")
        if isinstance(answer[0], str):
            raise SpawnError(f"the warm parent of the Lambda environments cannot fork: {answer[0]}")
        return answer[0]

    def tell(self, what: str, pid: int) -> None:
        with contextlib.suppress(OSError):  # when the parent is gone, so are its children
            protocol.send(self._control, {what: pid})

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _read(self) -> None:
        while (received := protocol.receive(self._control)) is not None:
            message, descriptors = received
            with self._answered:
                if "spawned" in message:
                    self._spawned(message["spawned"], message["pid"], descriptors[0])
                elif "refused" in message:
                    self._waiting.get(message["refused"], []).append(message["reason"])
                    self._answered.notify_all()
                elif child := self._children.pop(message["exited"], None):
                    child.exited(message["status"])
        with self._answered:
            self.alive = False
            for child in self._children.values():
                child.exited(9)  # the children die with their parent
            self._answered.notify_all()
        self._control.close()
        self._process.wait()

    def _spawned(self, token: int, pid: int, pidfd: int) -> None:
        child = ChildProcess(pid, pidfd, self)
        self._children[pid] = child
        answer = self._waiting.get(token)
        if answer is None:  # nobody waits any more
            child.kill()
            child.release()
            return
        answer.append(child)
        self._answered.notify_all()


def _make_runtime_dir(work_dir: Path) -> Path:
    runtime_dir = work_dir / "runtime"
    runtime_dir.mkdir(parents=True, exist_ok=True)
    site_packages = Path(sysconfig.get_path("purelib"))
    extensions = list(Path(sysconfig.get_path("platlib")).glob(_RUNTIME_EXTENSION))
    if not extensions:
        raise SpawnError(f"awslambdaric has no compiled runtime client in {sysconfig.get_path('platlib')}")
    for source in [*(site_packages / name for name in _RUNTIME_PACKAGES), *extensions]:
        link = runtime_dir / source.name
        if source.exists() and not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(source)
    return runtime_dir
