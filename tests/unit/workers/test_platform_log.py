"""Lambda's own log lines and error documents, word for word."""

import json
import signal

import pytest

from rydelab.workers import platform_log

ID = "8c0e1a2b-0000-4000-8000-000000000001"


def test_the_lines_around_an_invocation() -> None:
    assert platform_log.start(ID, "$LATEST") == f"START RequestId: {ID} Version: $LATEST\n"
    assert platform_log.end(ID) == f"END RequestId: {ID}\n"


@pytest.mark.parametrize(
    ("more", "tail"),
    [
        ({}, ""),
        ({"init_duration_ms": 123.456}, "Init Duration: 123.46 ms\t"),
        ({"status": "timeout"}, "Status: timeout\t"),
        ({"status": "error", "error_type": "Runtime.ExitError"}, "Status: error\tError Type: Runtime.ExitError\t"),
    ],
)
def test_the_report_line(more: dict[str, object], tail: str) -> None:
    line = platform_log.report(
        ID,
        duration_ms=12.345,
        billed_duration_ms=13,
        memory_mb=128,
        memory_used_mb=40,
        **more,  # type: ignore[arg-type]
    )
    assert line == (
        f"REPORT RequestId: {ID}\tDuration: 12.35 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\t"
        f"Max Memory Used: 40 MB\t{tail}\n"
    )


def test_the_lines_of_an_init_phase() -> None:
    assert platform_log.init_start("python3.13") == "INIT_START Runtime Version: python:3.13.rydelab\n"
    assert (
        platform_log.init_report(duration_ms=10000.04, phase="init", status="timeout", error_type=None)
        == "INIT_REPORT Init Duration: 10000.04 ms\tPhase: init\tStatus: timeout\n"
    )
    assert (
        platform_log.init_report(duration_ms=5, phase="invoke", status="error", error_type="Runtime.ExitError")
        == "INIT_REPORT Init Duration: 5.00 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n"
    )


@pytest.mark.parametrize(
    ("duration_ms", "init_ms", "billed_ms"),
    [(0.0, None, 1), (0.01, None, 1), (1.0, None, 1), (1.01, None, 2), (1.5, 80.2, 82), (1000.0, None, 1000)],
)
def test_duration_is_billed_in_whole_milliseconds_with_the_init_phase(
    duration_ms: float, init_ms: float | None, billed_ms: int
) -> None:
    assert platform_log.billed_ms(duration_ms, init_ms) == billed_ms


def test_a_timeout() -> None:
    line = platform_log.timeout_line(ID, 3, "2026-11-20T01:02:03.456Z")
    assert line == f"2026-11-20T01:02:03.456Z {ID} Task timed out after 3.00 seconds\n"
    assert json.loads(platform_log.timeout_document(ID, 3)) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {ID} Error: Task timed out after 3.00 seconds",
    }


@pytest.mark.parametrize(
    ("wait_status", "reason"),
    [
        (0, "Runtime exited without providing a reason"),
        (1 << 8, "Runtime exited with error: exit status 1"),
        (255 << 8, "Runtime exited with error: exit status 255"),
        (signal.SIGKILL, "Runtime exited with error: signal: killed"),
        (signal.SIGSEGV, "Runtime exited with error: signal: segmentation fault"),
        (signal.SIGTERM, "Runtime exited with error: signal: terminated"),
    ],
)
def test_how_a_process_ended(wait_status: int, reason: str) -> None:
    assert platform_log.exit_reason(wait_status) == reason


def test_an_exit() -> None:
    reason = "Runtime exited with error: exit status 1"
    assert platform_log.exit_line(ID, reason, "Runtime.ExitError") == (
        f"RequestId: {ID} Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n"
    )
    assert json.loads(platform_log.exit_document(ID, reason, "Runtime.ExitError")) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {ID} Error: Runtime exited with error: exit status 1",
    }


def test_an_answer_that_is_too_large() -> None:
    assert json.loads(platform_log.response_too_large_document(6_291_556)) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
