"""One execution environment: init phase, invocations, deadline, log, as AWS describes its life cycle."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rydelab.workers import platform_log
from rydelab.workers.model import Disturbance, Failure, FunctionSpec, Invocation, LogEvent, Outcome
from rydelab.workers.output import OutputSplitter
from rydelab.workers.runtime_api import MAX_RESPONSE_BYTES
from rydelab.workers.runtime_process import RuntimeProcess
from rydelab.workers.spawner import Spawner

INIT_TIMEOUT_S: Final = 10.0
_TAIL_BYTES: Final = 4096
# A function that writes without end must cost the emulator neither memory nor time: beyond this, the output of an
# invocation is not kept; a line says so.
_KEPT_OUTPUT_BYTES: Final = 16 * 1024 * 1024
_KEPT_EVENTS: Final = 20_000

LogSink = Callable[[list[LogEvent]], None]


@dataclass(frozen=True, slots=True)
class _Ending:
    """How a phase ended, before it is measured and logged."""

    payload: bytes
    failure: Failure | None = None
    error_type: str | None = None
    """As AWS names it in REPORT lines."""
    reason: str = ""


class ExecutionEnvironment:
    """Runs the invocations of one function version, one at a time, in the caller's thread.

    As on AWS: the first invocation starts the runtime (init); a runtime that failed, timed out or exited is started
    again within the next invocation, on that invocation's time. Source: AWS Lambda developer guide, "Understanding the
    Lambda execution environment life cycle".

    The caller sees to it that only one thread uses an environment at a time.
    """

    def __init__(
        self, spec: FunctionSpec, spawner: Spawner, *, runtime: str, work_dir: Path, log_sink: LogSink | None = None
    ) -> None:
        self.spec = spec
        self._spawner = spawner
        self._runtime = runtime
        self._temp_dir = work_dir
        self._log_sink = log_sink or (lambda _events: None)
        self._process: RuntimeProcess | None = None
        self._splitter = OutputSplitter()
        self._log: list[LogEvent] = []
        self._output_bytes = 0
        self._output_events = 0
        self._frozen = False

    def start(self) -> float | None:
        """Run the init phase and return its milliseconds; None if it failed, for the first invocation to repeat it."""
        begun = time.monotonic()
        self._write_log(platform_log.init_start(self._runtime))
        failed = self._init(Invocation("", b"", ""), begun + INIT_TIMEOUT_S, phase="init")
        duration_ms = (time.monotonic() - begun) * 1000
        if failed is not None:
            self._end_process()
        self._flush_log()
        return duration_ms if failed is None else None

    def invoke(self, invocation: Invocation, *, init_duration_ms: float | None = None) -> Outcome:
        """Run one event and return what came of it; errors of the function are values, not exceptions.

        *init_duration_ms* is given for the invocation that caused the environment to start. Raises SpawnError when no
        process can be started at all.
        """
        begun, begun_ns = time.monotonic(), time.time_ns()
        deadline, deadline_ms = begun + self.spec.timeout_s, begun_ns // 1_000_000 + int(self.spec.timeout_s * 1000)
        self._output_bytes = self._output_events = 0

        ending = self._make_ready(invocation, deadline)
        first_event = len(self._log)
        self._write_log(platform_log.start(invocation.request_id, self.spec.version))
        if ending is None:
            ending = self._run(invocation, deadline, deadline_ms)

        timed_out = ending.failure is Failure.TIMEOUT
        duration_ms = self.spec.timeout_s * 1000 if timed_out else (time.monotonic() - begun) * 1000
        memory_used_mb = self._memory_used_mb(ending)
        if ending.failure not in {None, Failure.FUNCTION, Failure.RESPONSE_TOO_LARGE}:
            self._end_process()
        self._take_rest_of_output()
        self._log_failure(invocation, ending)
        billed_ms = platform_log.billed_ms(duration_ms, init_duration_ms)
        self._write_log(platform_log.end(invocation.request_id))
        self._write_log(
            platform_log.report(
                invocation.request_id,
                duration_ms=duration_ms,
                billed_duration_ms=billed_ms,
                memory_mb=self.spec.memory_mb,
                memory_used_mb=memory_used_mb,
                init_duration_ms=init_duration_ms,
                status=_report_status(ending.failure),
                error_type=None if timed_out else ending.error_type,
            )
        )
        events = tuple(self._log[first_event:])
        self._flush_log()
        return Outcome(
            request_id=invocation.request_id,
            payload=ending.payload,
            failure=ending.failure,
            duration_ms=duration_ms,
            billed_duration_ms=billed_ms,
            memory_used_mb=memory_used_mb,
            init_duration_ms=init_duration_ms,
            log_tail=_tail(events),
            log=events,
        )

    def freeze(self) -> None:
        """Stop the idle environment until its next invocation, as AWS does. The caller sees to it that it is idle."""
        process = self._process
        if process is not None and not self._frozen:
            self._frozen = True
            process.freeze()

    def stop(self) -> None:
        """End the environment: its process, its descendants, its temporary files. Can be called twice."""
        self._end_process()
        shutil.rmtree(self._temp_dir, ignore_errors=True)

    # -- phases -------------------------------------------------------------------------------------------------

    def _make_ready(self, invocation: Invocation, deadline: float) -> _Ending | None:
        """See to a runtime that waits for an event; returns how that failed, if it did."""
        process = self._process
        if process is not None:
            if self._frozen:
                self._frozen = False
                process.thaw()
            process.serve_what_is_there()
            if process.idle is None:
                # After an answer the runtime asks for its next event by itself, but perhaps it has not got there yet.
                process.wait_until(lambda: process.idle is not None, deadline, self.spec.memory_mb)
            if process.idle is not None and not process.exited:
                return None
            if time.monotonic() >= deadline:
                return self._timeout_ending(invocation)
        # The runtime failed before, or died while it was idle. This invocation starts it again, on its own time.
        return self._init(invocation, deadline, phase="invoke")

    def _run(self, invocation: Invocation, deadline: float, deadline_ms: int) -> _Ending:
        process = self._process
        disturbance = invocation.disturbance
        if process is not None and disturbance is not None:
            ending = self._disturb_before(process, invocation, disturbance, deadline)
            if ending is not None:
                return ending
        if process is None or not process.hand_out(invocation, deadline_ms):
            return self._exit_ending(invocation)
        if disturbance is not None and disturbance.kill_after_s is not None:
            self._kill_after(process, disturbance.kill_after_s, deadline)
        over_memory = process.wait_until(lambda: process.posted is not None, deadline, self.spec.memory_mb)
        posted = process.posted
        if posted is None:
            return self._no_answer_ending(process, invocation, over_memory=over_memory)
        if posted.too_large:
            document = platform_log.response_too_large_document(MAX_RESPONSE_BYTES)
            return _Ending(document, Failure.RESPONSE_TOO_LARGE, "Function.ResponseSizeTooLarge")
        return _Ending(posted.body, Failure.FUNCTION if posted.path.endswith("/error") else None)

    def _disturb_before(
        self, process: RuntimeProcess, invocation: Invocation, disturbance: Disturbance, deadline: float
    ) -> _Ending | None:
        """Do what is to be done before the runtime gets the event; returns how that ended the invocation, if it did."""
        if disturbance.hold_s:
            held_until = min(time.monotonic() + disturbance.hold_s, deadline)
            over_memory = process.wait_until(lambda: False, held_until, self.spec.memory_mb)
            if over_memory or process.exited or time.monotonic() >= deadline:
                return self._no_answer_ending(process, invocation, over_memory=over_memory)
        if disturbance.crashes:
            process.kill()
            process.wait_until(lambda: False, deadline, self.spec.memory_mb)
            return self._no_answer_ending(process, invocation, over_memory=False)
        return None if disturbance.error is None else _Ending(disturbance.error, Failure.FUNCTION)

    def _kill_after(self, process: RuntimeProcess, kill_after_s: float, deadline: float) -> None:
        kill_at = min(time.monotonic() + kill_after_s, deadline)
        process.wait_until(lambda: process.posted is not None, kill_at, self.spec.memory_mb)
        if process.posted is None:
            process.kill()

    def _init(self, invocation: Invocation, deadline: float, *, phase: str) -> _Ending | None:
        """Start a runtime and wait until it asks for an event; returns how it failed, if it did."""
        self._end_process()
        begun = time.monotonic()
        self._temp_dir.mkdir(parents=True, exist_ok=True)
        start_up = {
            "handler": self.spec.handler,
            "code_dir": str(self.spec.code_dir),
            "layer_dirs": [str(layer) for layer in self.spec.layer_dirs],
            # /tmp is the environment's own on AWS. Here that is a directory, by the variable that tempfile reads.
            "environment": {"TMPDIR": str(self._temp_dir), **self.spec.environment},
            "writable_dirs": [str(self._temp_dir), "/tmp", "/dev", "/proc"],  # noqa: S108 (as on AWS)
        }
        process = self._process = RuntimeProcess(self._spawner, start_up, self._take_output)
        over_memory = process.wait_until(
            lambda: process.idle is not None or process.posted is not None, deadline, self.spec.memory_mb
        )
        if process.idle is not None:
            process.memory_used_mb()
            return None
        ending = self._failed_init(process, invocation, over_memory=over_memory)
        self._take_rest_of_output()
        duration_ms = (time.monotonic() - begun) * 1000
        status = "timeout" if ending.failure is Failure.TIMEOUT else "error"
        self._write_log(
            platform_log.init_report(duration_ms=duration_ms, phase=phase, status=status, error_type=ending.error_type)
        )
        return ending

    def _failed_init(self, process: RuntimeProcess, invocation: Invocation, *, over_memory: bool) -> _Ending:
        if process.posted is None:
            return self._no_answer_ending(process, invocation, over_memory=over_memory)
        document = process.posted.body
        return _Ending(document, Failure.INIT, _error_type(document))

    def _no_answer_ending(self, process: RuntimeProcess, invocation: Invocation, *, over_memory: bool) -> _Ending:
        if over_memory:
            return self._out_of_memory_ending(invocation)
        if process.exited:
            return self._exit_ending(invocation)
        return self._timeout_ending(invocation)

    def _timeout_ending(self, invocation: Invocation) -> _Ending:
        document = platform_log.timeout_document(invocation.request_id, self.spec.timeout_s)
        return _Ending(document, Failure.TIMEOUT)

    def _exit_ending(self, invocation: Invocation) -> _Ending:
        reason = self._process.exit_reason() if self._process else "Runtime exited without providing a reason"
        document = platform_log.exit_document(invocation.request_id, reason, "Runtime.ExitError")
        return _Ending(document, Failure.EXIT, "Runtime.ExitError", reason)

    def _out_of_memory_ending(self, invocation: Invocation) -> _Ending:
        reason = "Runtime exited with error: signal: killed"
        document = platform_log.exit_document(invocation.request_id, reason, "Runtime.OutOfMemory")
        return _Ending(document, Failure.OUT_OF_MEMORY, "Runtime.OutOfMemory", reason)

    def _end_process(self) -> None:
        process, self._process = self._process, None
        self._frozen = False
        if process is not None:
            process.end()

    def _memory_used_mb(self, ending: _Ending) -> int:
        if ending.failure is Failure.OUT_OF_MEMORY or self._process is None:
            return self.spec.memory_mb
        return min(self._process.memory_used_mb(), self.spec.memory_mb)

    # -- log ----------------------------------------------------------------------------------------------------

    def _take_output(self, data: bytes) -> None:
        if self._output_bytes > _KEPT_OUTPUT_BYTES or self._output_events > _KEPT_EVENTS:
            return
        events = self._splitter.feed(data)
        self._output_bytes += len(data)
        self._output_events += len(events)
        self._log += events
        if self._output_bytes > _KEPT_OUTPUT_BYTES or self._output_events > _KEPT_EVENTS:
            limits = f"{_KEPT_OUTPUT_BYTES} bytes or {_KEPT_EVENTS} lines"
            self._log += self._splitter.finish()
            self._write_log(f"[rydelab] output of an invocation beyond {limits} is not kept\n")

    def _take_rest_of_output(self) -> None:
        if self._process is not None:
            self._process.drain_output()
        self._log += self._splitter.finish()

    def _log_failure(self, invocation: Invocation, ending: _Ending) -> None:
        if ending.failure is Failure.TIMEOUT:
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self._write_log(platform_log.timeout_line(invocation.request_id, self.spec.timeout_s, now))
        elif ending.failure in {Failure.EXIT, Failure.OUT_OF_MEMORY}:
            self._write_log(platform_log.exit_line(invocation.request_id, ending.reason, ending.error_type or ""))
        elif ending.failure is Failure.RESPONSE_TOO_LARGE:
            self._write_log(f"{ending.payload.decode()}\n")

    def _write_log(self, message: str) -> None:
        self._log.append(LogEvent(time.time_ns() // 1_000_000, message))

    def _flush_log(self) -> None:
        events, self._log = self._log, []
        if events:
            self._log_sink(events)


def _tail(events: tuple[LogEvent, ...]) -> str:
    text = "".join(e.message if e.message.endswith("\n") else e.message + "\n" for e in events)
    return text.encode()[-_TAIL_BYTES:].decode("utf-8", "ignore")


def _report_status(failure: Failure | None) -> str | None:
    if failure is Failure.TIMEOUT:
        return "timeout"
    return "error" if failure in {Failure.EXIT, Failure.OUT_OF_MEMORY, Failure.INIT} else None


def _error_type(document: bytes) -> str:
    try:
        return str(json.loads(document)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "Runtime.Unknown"
