"""One runtime process: the child itself, the Runtime API that it talks to, what it writes, the memory that it takes."""

import contextlib
import os
import select
import time
from collections.abc import Callable
from typing import Any, Final

from rydelab.workers import linux, platform_log
from rydelab.workers.model import Invocation
from rydelab.workers.runtime_api import Connection, Listener, Request
from rydelab.workers.spawner import ChildProcess, Spawner

_MEMORY_CHECK_S: Final = 0.1
_EXIT_STATUS_TIMEOUT_S: Final = 5.0
_MAX_PROCESSES: Final = 1024
"""AWS's limit of processes and threads. There a fork beyond it fails; here the environment is killed."""
_MAX_CONNECTIONS: Final = 32
"""The runtime client needs one, sometimes two. A function must not use up the emulator's descriptors."""

# One function's output must not take the emulator's time: beyond the first megabyte of an invocation its pipe is read
# slowly, which makes the writer wait.
_READ_BYTES: Final = 64 * 1024
_FREE_OUTPUT_BYTES: Final = 1024 * 1024
_SLOW_READ_S: Final = 0.01


class RuntimeProcess:
    """A runtime from its fork to its end, driven by whichever thread calls ``wait_until``.

    Not thread-safe, except for ``kill``. *take_output* is called with what the function writes, in order.
    """

    def __init__(self, spawner: Spawner, start_up: dict[str, Any], take_output: Callable[[bytes], None]) -> None:
        self._take_output = take_output
        self._output_bytes = 0
        self._last_memory_used_mb = 1
        self._connections: dict[int, Connection] = {}
        self._asked = False
        self._in_flight: str | None = None
        self._listener = Listener()
        self._output_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._output_fd, False)
        self.exited = False
        """The process has ended, as far as ``wait_until`` has seen."""
        self.idle: Connection | None = None
        """The connection on which the runtime waits for its next event."""
        self.posted: Request | None = None
        """The response or error to the last event, or the error of the init phase."""
        environment = {**start_up["environment"], "AWS_LAMBDA_RUNTIME_API": self._listener.address}
        try:
            self._child: ChildProcess = spawner.spawn({**start_up, "environment": environment}, write_fd)
        except BaseException:
            os.close(self._output_fd)
            self._listener.close()
            raise
        finally:
            os.close(write_fd)
        try:
            self._status_fd = os.open(f"/proc/{self._child.pid}/status", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # it has ended already
            self._status_fd = -1
        self._poll = select.poll()
        for fd in (self._listener.sock.fileno(), self._output_fd, self._child.pidfd):
            self._poll.register(fd, select.POLLIN)

    def wait_until(self, done: Callable[[], bool], deadline: float, memory_mb: int) -> bool:
        """Serve the runtime until *done*, its end, or *deadline* (monotonic seconds).

        Returns true when it stopped because the process holds more than *memory_mb*.
        """
        checked_memory_at = time.monotonic()
        while True:
            remaining_s = deadline - time.monotonic()
            self._serve_ready(max(0.0, min(remaining_s, _MEMORY_CHECK_S)))
            if done() or self.exited or remaining_s <= 0:
                return False
            now = time.monotonic()
            if now - checked_memory_at >= _MEMORY_CHECK_S:
                checked_memory_at = now
                if self._takes_too_much(memory_mb):
                    return True

    def serve_what_is_there(self) -> None:
        """Take note of anything that has happened since the last call, without waiting."""
        self._serve_ready(0.0)

    def hand_out(self, invocation: Invocation, deadline_ms: int) -> bool:
        """Give the idle runtime an event; false when it is gone."""
        connection, self.idle = self.idle, None
        if connection is None or self.exited:
            return False
        try:
            connection.hand_out(invocation, deadline_ms)
        except OSError:
            return False
        self.posted = None
        self._in_flight = invocation.request_id
        self._output_bytes = 0
        return True

    def drain_output(self) -> None:
        """Take what the function has written so far; what it goes on writing waits in its pipe."""
        for _ in range(_FREE_OUTPUT_BYTES // _READ_BYTES):
            if not self._read_output():
                return

    def memory_used_mb(self) -> int:
        """Return the most that the process has used; of a process that has ended, what was last seen."""
        self._last_memory_used_mb = self._status_mb(b"VmHWM:") or self._last_memory_used_mb
        return self._last_memory_used_mb

    def exit_reason(self) -> str:
        """Return why the process ended, in AWS's words; it is expected to have ended."""
        status = self._child.wait(_EXIT_STATUS_TIMEOUT_S)
        return "Runtime exited without providing a reason" if status is None else platform_log.exit_reason(status)

    def freeze(self) -> None:
        """Stop the idle process and its descendants until ``thaw``, as AWS does between events. Returns at once."""
        self._child.freeze()

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._child.thaw()

    def kill(self) -> None:
        """Kill the process and its descendants; from any thread, returns at once."""
        self._child.kill()

    def end(self) -> None:
        """Kill the process, take its last output, and close everything."""
        self._child.kill()
        self._child.wait(_EXIT_STATUS_TIMEOUT_S)
        self.drain_output()
        self._child.release()
        for connection in self._connections.values():
            connection.close()
        self._listener.close()
        for fd in (self._output_fd, self._status_fd):
            if fd >= 0:
                os.close(fd)
        self._output_fd = self._status_fd = -1
        self.exited = True

    def _serve_ready(self, timeout_s: float) -> None:
        for fd, _ in self._poll.poll(timeout_s * 1000):
            if fd == self._output_fd:
                self._read_output()
            elif fd == self._child.pidfd:
                self._poll.unregister(fd)
                self.exited = True
            elif fd == self._listener.sock.fileno():
                self._accept()
            elif fd in self._connections:
                self._serve(fd, self._connections[fd])

    def _accept(self) -> None:
        connection = self._listener.accept()
        if connection is None:
            return
        if len(self._connections) >= _MAX_CONNECTIONS:
            connection.close()
            return
        self._connections[connection.sock.fileno()] = connection
        self._poll.register(connection.sock, select.POLLIN)

    def _serve(self, fd: int, connection: Connection) -> None:
        is_open = connection.read()
        try:
            while request := connection.next_request():
                self._answer(connection, request)
        except ValueError:  # whoever it is, it does not speak HTTP
            is_open = False
        if not is_open:
            self._poll.unregister(fd)
            del self._connections[fd]
            connection.close()
            if self.idle is connection:
                self.idle = None

    def _answer(self, connection: Connection, request: Request) -> None:
        if request.path == "invocation/next":
            self.idle = connection
            self._asked = True
        elif self._is_awaited(request.path):
            self.posted = request
            self._in_flight = None
            if request.too_large:
                connection.refuse_too_large()
            else:
                connection.accept()
        elif request.path == "init/error" or request.path.startswith("invocation/"):
            connection.refuse_wrong_state()
        else:
            connection.not_found()

    def _is_awaited(self, path: str) -> bool:
        if path == "init/error":
            return not self._asked
        return self._in_flight is not None and path in {
            f"invocation/{self._in_flight}/response",
            f"invocation/{self._in_flight}/error",
        }

    def _takes_too_much(self, memory_mb: int) -> bool:
        if self._status_mb(b"VmRSS:") > memory_mb:
            return True
        descendants = linux.descendants_of(self._child.pid)
        if len(descendants) > _MAX_PROCESSES:
            self.kill()
            return False
        return any(linux.memory_mb(pid) > memory_mb for pid in descendants)

    def _read_output(self) -> bool:
        if self._output_fd < 0:
            return False
        try:
            data = os.read(self._output_fd, _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:  # every writer has closed: the process has ended, or the function has closed its output
            with contextlib.suppress(KeyError):
                self._poll.unregister(self._output_fd)
            return False
        self._take_output(data)
        self._output_bytes += len(data)
        if self._output_bytes > _FREE_OUTPUT_BYTES:
            time.sleep(_SLOW_READ_S)
        return True

    def _status_mb(self, field: bytes) -> int:
        if self._status_fd < 0:
            return 0
        try:
            status = os.pread(self._status_fd, 4096, 0)
        except OSError:  # the process has ended
            return 0
        start = status.find(field)
        return int(status[start + len(field) :].split(None, 1)[0]) // 1024 if start >= 0 else 0
