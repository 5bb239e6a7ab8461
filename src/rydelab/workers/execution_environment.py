"""One execution environment: a child process, its Runtime API, its log, its deadline, its memory."""

import contextlib
import json
import os
import select
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rydelab.workers import platform_log
from rydelab.workers.model import Failure, FunctionSpec, Invocation, LogEvent, Outcome
from rydelab.workers.output import OutputSplitter
from rydelab.workers.runtime_api import Connection, Listener, Request
from rydelab.workers.spawner import ChildProcess, Spawner

MAX_RESPONSE_BYTES: Final = 6 * 1024 * 1024 + 100
"""The figure in AWS's own error text, 6291556."""
INIT_TIMEOUT_S: Final = 10.0
_TAIL_BYTES: Final = 4096
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_MEMORY_CHECK_S: Final = 0.1
_EXIT_STATUS_TIMEOUT_S: Final = 5.0

# One function's output must not take the emulator's time or memory: beyond the first megabyte of an invocation its
# pipe is read slowly, which makes the writer wait, and beyond 16 MiB output is counted and dropped.
_READ_BYTES: Final = 64 * 1024
_FREE_OUTPUT_BYTES: Final = 1024 * 1024
_SLOW_READ_S: Final = 0.01
_KEPT_OUTPUT_BYTES: Final = 16 * 1024 * 1024

LogSink = Callable[[list[LogEvent]], None]


@dataclass(frozen=True, slots=True)
class _InitFailure:
    error_type: str
    document: bytes
    """The error document that the runtime posted; empty when it could not."""
    reason: str


class ExecutionEnvironment:
    """Runs the invocations of one function version, one at a time, in the caller's thread.

    As on AWS: the first invocation starts the runtime (init); a runtime that failed, timed out or exited is started
    again within the next invocation, on that invocation's time.

    Not thread-safe: the caller sees to it that only one thread uses an environment at a time. ``stop`` may come from
    any thread.
    """

    def __init__(
        self, spec: FunctionSpec, spawner: Spawner, *, runtime: str, work_dir: Path, log_sink: LogSink | None = None
    ) -> None:
        self.spec = spec
        self._spawner = spawner
        self._runtime = runtime
        self._temp_dir = work_dir
        self._log_sink = log_sink or (lambda _events: None)
        self._listener: Listener | None = None
        self._child: ChildProcess | None = None
        self._output_fd = -1
        self._status_fd = -1
        self._poll = select.poll()
        self._connections: dict[int, Connection] = {}
        self._idle_runtime: Connection | None = None
        """The connection on which the runtime waits for its next event."""
        self._posted: Request | None = None
        self._exited = False
        self._splitter = OutputSplitter()
        self._log: list[LogEvent] = []
        self._output_bytes = 0
        self._stopped = False

    # -- life cycle ---------------------------------------------------------------------------------------------

    def start(self) -> float:
        """Run the init phase and return its milliseconds. A failed init is repeated by the first invocation."""
        begun = time.monotonic()
        self._log.append(_event(platform_log.init_start(self._runtime)))
        failure = self._init(begun + INIT_TIMEOUT_S)
        duration_ms = (time.monotonic() - begun) * 1000
        if failure is not None:
            self._report_init(failure, duration_ms, phase="init")
        self._flush_log()
        return duration_ms

    @property
    def ready(self) -> bool:
        """Whether a runtime process is up, as far as is known without asking."""
        return self._child is not None and not self._exited

    def stop(self) -> None:
        """End the environment: its process, its descendants, its temporary files. Can be called twice."""
        self._stopped = True
        self._end_process()
        shutil.rmtree(self._temp_dir, ignore_errors=True)

    def kill(self) -> None:
        """Kill the runtime process from another thread; a running invocation ends as one whose runtime exited."""
        child = self._child
        if child is not None:
            child.kill()

    # -- one invocation -----------------------------------------------------------------------------------------

    def invoke(self, invocation: Invocation, *, init_duration_ms: float | None = None) -> Outcome:
        """Run one event and return what came of it; errors of the function are values, not exceptions.

        *init_duration_ms* is given for the invocation that caused the environment to start. Raises SpawnError when no
        process can be started at all.
        """
        self._output_bytes = 0
        begun, begun_ns = time.monotonic(), time.time_ns()
        deadline = begun + self.spec.timeout_s
        log_start = len(self._log)
        self._drain_output()
        self._log.append(_event(platform_log.start(invocation.request_id, self.spec.version)))

        payload, failure, error_type = self._run(invocation, deadline, begun_ns)

        duration_ms = (time.monotonic() - begun) * 1000
        if failure is Failure.TIMEOUT:
            duration_ms = self.spec.timeout_s * 1000
        memory_used_mb = self._memory_used_mb() if failure is not Failure.OUT_OF_MEMORY else self.spec.memory_mb
        if failure not in (None, Failure.FUNCTION, Failure.RESPONSE_TOO_LARGE):
            self._end_process()
        self._drain_output()
        self._log += self._splitter.finish()
        self._log_failure(invocation, failure, payload, error_type)
        billed_ms = platform_log.billed_ms(duration_ms, init_duration_ms)
        self._log.append(_event(platform_log.end(invocation.request_id)))
        self._log.append(
            _event(
                platform_log.report(
                    invocation.request_id,
                    duration_ms=duration_ms,
                    billed_duration_ms=billed_ms,
                    memory_mb=self.spec.memory_mb,
                    memory_used_mb=memory_used_mb,
                    init_duration_ms=init_duration_ms,
                    status=_report_status(failure),
                    error_type=error_type if failure is not Failure.TIMEOUT else None,
                )
            )
        )
        events = tuple(self._log[log_start:])
        self._flush_log()
        return Outcome(
            request_id=invocation.request_id,
            payload=payload,
            failure=failure,
            duration_ms=duration_ms,
            billed_duration_ms=billed_ms,
            memory_used_mb=memory_used_mb,
            init_duration_ms=init_duration_ms,
            log_tail=_tail(events),
            log=events,
        )

    def _run(self, invocation: Invocation, deadline: float, begun_ns: int) -> tuple[bytes, Failure | None, str | None]:
        """Return the payload, how it failed, and the error type that AWS would report."""
        deadline_ms = begun_ns // 1_000_000 + int(self.spec.timeout_s * 1000)
        if not self._hand_out(invocation, deadline_ms):
            # The runtime is not up: it failed before, or died while idle. This invocation starts it again.
            init_begun = time.monotonic()
            failure = self._init(deadline)
            if failure is not None:
                self._report_init(failure, (time.monotonic() - init_begun) * 1000, phase="invoke")
                if failure.error_type == "timeout":
                    return (
                        platform_log.timeout_document(invocation.request_id, self.spec.timeout_s),
                        Failure.TIMEOUT,
                        None,
                    )
                document = failure.document or platform_log.exit_document(
                    invocation.request_id, failure.reason, failure.error_type
                )
                return document, Failure.INIT, failure.error_type
            if not self._hand_out(invocation, deadline_ms):
                return self._exit_outcome(invocation)
        return self._await_answer(invocation, deadline)

    def _await_answer(self, invocation: Invocation, deadline: float) -> tuple[bytes, Failure | None, str | None]:
        self._posted = None
        over_memory = self._pump(lambda: self._posted is not None, deadline)
        posted = self._posted
        if posted is not None:
            if posted.too_large:
                return (
                    platform_log.response_too_large_document(MAX_RESPONSE_BYTES),
                    Failure.RESPONSE_TOO_LARGE,
                    "Function.ResponseSizeTooLarge",
                )
            return posted.body, Failure.FUNCTION if posted.path.endswith("/error") else None, None
        if over_memory:
            return (
                platform_log.exit_document(
                    invocation.request_id, "Runtime exited with error: signal: killed", "Runtime.OutOfMemory"
                ),
                Failure.OUT_OF_MEMORY,
                "Runtime.OutOfMemory",
            )
        if self._exited:
            return self._exit_outcome(invocation)
        return platform_log.timeout_document(invocation.request_id, self.spec.timeout_s), Failure.TIMEOUT, None

    def _exit_outcome(self, invocation: Invocation) -> tuple[bytes, Failure, str]:
        reason = self._exit_reason()
        return (
            platform_log.exit_document(invocation.request_id, reason, "Runtime.ExitError"),
            Failure.EXIT,
            "Runtime.ExitError",
        )

    def _hand_out(self, invocation: Invocation, deadline_ms: int) -> bool:
        """Give the event to the runtime; false when there is none to take it."""
        if not self.ready:
            return False
        if self._idle_runtime is None:
            # After an answer the runtime asks for the next event by itself, but perhaps not yet.
            self._pump(lambda: self._idle_runtime is not None, deadline=time.monotonic() + INIT_TIMEOUT_S)
        else:
            self._pump(lambda: True, deadline=time.monotonic())
        connection = self._idle_runtime
        if connection is None or self._exited:
            return False
        self._idle_runtime = None
        try:
            connection.hand_out(invocation, deadline_ms)
        except OSError:
            return False
        return True

    # -- the runtime process ------------------------------------------------------------------------------------

    def _init(self, deadline: float) -> _InitFailure | None:
        """Start a runtime process and wait until it asks for its first event."""
        self._end_process()
        self._temp_dir.mkdir(parents=True, exist_ok=True)
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(read_fd, False)
        self._listener = Listener()
        self._output_fd = read_fd
        try:
            self._child = self._spawner.spawn(
                {
                    "handler": self.spec.handler,
                    "code_dir": str(self.spec.code_dir),
                    "layer_dirs": [str(layer) for layer in self.spec.layer_dirs],
                    "environment": self._environment(self._listener.address),
                },
                write_fd,
            )
        finally:
            os.close(write_fd)
        with contextlib.suppress(OSError):  # a process that has already ended has no status
            self._status_fd = os.open(f"/proc/{self._child.pid}/status", os.O_RDONLY | os.O_CLOEXEC)
        for fd in (self._listener.sock.fileno(), self._output_fd, self._child.pidfd):
            self._poll.register(fd, select.POLLIN)
        self._posted = None
        over_memory = self._pump(lambda: self._idle_runtime is not None or self._posted is not None, deadline)
        if self._idle_runtime is not None:
            return None
        return self._init_failure(self._posted, over_memory=over_memory)

    def _init_failure(self, posted: Request | None, *, over_memory: bool) -> _InitFailure:
        if posted is not None:
            return _InitFailure(_error_type(posted.body), posted.body, "init error")
        if over_memory:
            return _InitFailure("Runtime.OutOfMemory", b"", "Runtime exited with error: signal: killed")
        if self._exited:
            return _InitFailure("Runtime.ExitError", b"", self._exit_reason())
        return _InitFailure("timeout", b"", "init timed out")

    def _environment(self, runtime_api: str) -> Mapping[str, str]:
        # On AWS /tmp is the environment's own. Here it is a directory of its own, by the variable that tempfile reads.
        return {"TMPDIR": str(self._temp_dir), **self.spec.environment, "AWS_LAMBDA_RUNTIME_API": runtime_api}

    def _end_process(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait(_EXIT_STATUS_TIMEOUT_S)
            self._drain_output()
            child.release()
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for fd in (self._output_fd, self._status_fd):
            if fd >= 0:
                os.close(fd)
        self._output_fd = self._status_fd = -1
        self._poll = select.poll()
        self._idle_runtime = None
        self._exited = False

    def _exit_reason(self) -> str:
        status = self._child.wait(_EXIT_STATUS_TIMEOUT_S) if self._child else None
        return "Runtime exited without providing a reason" if status is None else platform_log.exit_reason(status)

    # -- waiting ------------------------------------------------------------------------------------------------

    def _pump(self, done: Callable[[], bool], deadline: float) -> bool:
        """Serve the runtime until *done*, its end, or *deadline* (monotonic seconds).

        Returns true if it was stopped because it used more memory than it has.
        """
        checked_memory_at = time.monotonic()
        while True:
            remaining_s = deadline - time.monotonic()
            self._serve_ready(max(0.0, min(remaining_s, _MEMORY_CHECK_S)))
            if done() or self._exited or remaining_s <= 0:
                return False
            now = time.monotonic()
            if now - checked_memory_at >= _MEMORY_CHECK_S:
                checked_memory_at = now
                if self._resident_mb() > self.spec.memory_mb:
                    return True

    def _serve_ready(self, timeout_s: float) -> None:
        child, listener = self._child, self._listener
        if child is None or listener is None:
            return
        for fd, _ in self._poll.poll(timeout_s * 1000):
            if fd == self._output_fd:
                self._read_output()
            elif fd == child.pidfd:
                self._poll.unregister(fd)
                self._exited = True
            elif fd == listener.sock.fileno():
                if connection := listener.accept():
                    self._connections[connection.sock.fileno()] = connection
                    self._poll.register(connection.sock, select.POLLIN)
            elif fd in self._connections:
                self._serve(fd, self._connections[fd])

    def _serve(self, fd: int, connection: Connection) -> None:
        is_open = connection.read()
        while request := connection.next_request():
            self._answer(connection, request)
        if not is_open:
            self._poll.unregister(fd)
            del self._connections[fd]
            connection.close()
            if self._idle_runtime is connection:
                self._idle_runtime = None

    def _answer(self, connection: Connection, request: Request) -> None:
        if request.path == "invocation/next":
            self._idle_runtime = connection
        elif request.path == "init/error" or request.path.startswith("invocation/"):
            self._posted = request
            if request.too_large:
                connection.refuse_too_large()
            else:
                connection.accept()
        else:
            connection.not_found()

    # -- output and memory --------------------------------------------------------------------------------------

    def _drain_output(self) -> None:
        """Take what the function has written so far; what it goes on writing waits in its pipe."""
        for _ in range(_FREE_OUTPUT_BYTES // _READ_BYTES):
            if not self._read_output():
                return

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
        before, self._output_bytes = self._output_bytes, self._output_bytes + len(data)
        if self._output_bytes <= _KEPT_OUTPUT_BYTES:
            self._log += self._splitter.feed(data)
        elif before <= _KEPT_OUTPUT_BYTES:
            self._log.append(_event(f"[rydelab] output beyond {_KEPT_OUTPUT_BYTES} bytes per invocation is not kept\n"))
        if self._output_bytes > _FREE_OUTPUT_BYTES:
            time.sleep(_SLOW_READ_S)
        return True

    def _memory_used_mb(self) -> int:
        return max(1, self._status_kb(b"VmHWM:") // 1024)

    def _resident_mb(self) -> int:
        return self._status_kb(b"VmRSS:") // 1024

    def _status_kb(self, field: bytes) -> int:
        if self._status_fd < 0:
            return 0
        try:
            status = os.pread(self._status_fd, 4096, 0)
        except OSError:  # the process has ended
            return 0
        start = status.find(field)
        return int(status[start + len(field) :].split(None, 1)[0]) if start >= 0 else 0

    # -- log ----------------------------------------------------------------------------------------------------

    def _log_failure(
        self, invocation: Invocation, failure: Failure | None, payload: bytes, error_type: str | None
    ) -> None:
        if failure is Failure.TIMEOUT:
            line = platform_log.timeout_line(invocation.request_id, self.spec.timeout_s, _timestamp())
        elif failure in (Failure.EXIT, Failure.OUT_OF_MEMORY):
            reason = payload.decode().partition(" Error: ")[2].removesuffix('"}')
            line = platform_log.exit_line(invocation.request_id, reason, error_type or "")
        elif failure is Failure.RESPONSE_TOO_LARGE:
            line = f"{payload.decode()}\n"
        else:
            return
        self._log.append(_event(line))

    def _report_init(self, failure: _InitFailure, duration_ms: float, *, phase: str) -> None:
        self._drain_output()
        self._log += self._splitter.finish()
        status = "timeout" if failure.error_type == "timeout" else "error"
        error_type = None if status == "timeout" else failure.error_type
        line = platform_log.init_report(duration_ms=duration_ms, phase=phase, status=status, error_type=error_type)
        self._log.append(_event(line))
        self._end_process()

    def _flush_log(self) -> None:
        events, self._log = self._log, []
        if events:
            self._log_sink(events)


def _event(message: str) -> LogEvent:
    return LogEvent(time.time_ns() // 1_000_000, message)


def _timestamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _tail(events: tuple[LogEvent, ...]) -> str:
    text = "".join(e.message if e.message.endswith("\n") else e.message + "\n" for e in events)
    return text.encode()[-_TAIL_BYTES:].decode("utf-8", "ignore")


def _report_status(failure: Failure | None) -> str | None:
    if failure is Failure.TIMEOUT:
        return "timeout"
    return "error" if failure in (Failure.EXIT, Failure.OUT_OF_MEMORY, Failure.INIT) else None


def _error_type(document: bytes) -> str:
    """Return ``errorType`` of an error document of the runtime."""
    try:
        return str(json.loads(document)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "Runtime.Unknown"
