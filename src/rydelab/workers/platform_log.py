"""The lines that Lambda itself writes into a function's log, and its error documents, in AWS's own words."""

import json
import math
import os
import signal


def start(request_id: str, version: str) -> str:
    """Return the line before an invocation's own output."""
    return f"START RequestId: {request_id} Version: {version}\n"


def end(request_id: str) -> str:
    """Return the line after an invocation's own output."""
    return f"END RequestId: {request_id}\n"


def report(
    request_id: str,
    *,
    duration_ms: float,
    billed_duration_ms: int,
    memory_mb: int,
    memory_used_mb: int,
    init_duration_ms: float | None = None,
    status: str | None = None,
    error_type: str | None = None,
) -> str:
    """Return the REPORT line. *status* is ``timeout`` or ``error``; a good invocation has none."""
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration_ms:.2f} ms",
        f"Billed Duration: {billed_duration_ms} ms",
        f"Memory Size: {memory_mb} MB",
        f"Max Memory Used: {memory_used_mb} MB",
    ]
    if init_duration_ms is not None:
        fields.append(f"Init Duration: {init_duration_ms:.2f} ms")
    if status is not None:
        fields.append(f"Status: {status}")
    if error_type is not None:
        fields.append(f"Error Type: {error_type}")
    return "\t".join(fields) + "\t\n"


def init_start(runtime: str) -> str:
    """Return the first line of an environment's log. *runtime* is a name such as ``python3.13``."""
    name, version = runtime.rstrip(".0123456789"), runtime.lstrip("abcdefghijklmnopqrstuvwxyz")
    return f"INIT_START Runtime Version: {name}:{version}.rydelab\n"


def init_report(*, duration_ms: float, phase: str, status: str, error_type: str | None) -> str:
    """Return the line after a failed init. *phase* is ``init``, or ``invoke`` when an invocation had to repeat it."""
    error = f"\tError Type: {error_type}" if error_type else ""
    return f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}\tStatus: {status}{error}\n"


def billed_ms(duration_ms: float, init_duration_ms: float | None) -> int:
    """Return the billed milliseconds: whole, at least 1, and since August 2025 with the init phase.

    Source: AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase" (2025-04-29).
    """
    return max(1, math.ceil(duration_ms + (init_duration_ms or 0.0)))


def timeout_line(request_id: str, timeout_s: float, timestamp: str) -> str:
    """Return the log line of a timeout. *timestamp* is ISO 8601 with a final Z."""
    return f"{timestamp} {request_id} Task timed out after {timeout_s:.2f} seconds\n"


def timeout_document(request_id: str, timeout_s: float) -> bytes:
    """Return the payload of a timed-out invocation."""
    return _document("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {timeout_s:.2f} seconds")


def exit_reason(wait_status: int) -> str:
    """Describe how a process ended. *wait_status* is what ``os.waitpid`` gives."""
    if os.WIFSIGNALED(wait_status):
        # AWS prints the C library's description: killed, segmentation fault, terminated ...
        description = (signal.strsignal(os.WTERMSIG(wait_status)) or "unknown").lower()
        return f"Runtime exited with error: signal: {description}"
    code = os.WEXITSTATUS(wait_status)
    return (
        "Runtime exited without providing a reason" if code == 0 else f"Runtime exited with error: exit status {code}"
    )


def exit_document(request_id: str, reason: str, error_type: str) -> bytes:
    """Return the payload of an invocation whose runtime process ended."""
    return _document(error_type, f"RequestId: {request_id} Error: {reason}")


def exit_line(request_id: str, reason: str, error_type: str) -> str:
    """Return the log lines of a runtime process that ended."""
    return f"RequestId: {request_id} Error: {reason}\n{error_type}\n"


def response_too_large_document(limit_bytes: int) -> bytes:
    """Return the payload of an invocation whose answer was longer than *limit_bytes*."""
    message = f"Response payload size exceeded maximum allowed payload size ({limit_bytes} bytes)."
    return _document("Function.ResponseSizeTooLarge", message)


def _document(error_type: str, error_message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": error_message}, separators=(",", ":")).encode()
