"""Timeouts, runtimes that exit, handlers that cannot be loaded: in AWS's words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rydelab.workers.model import Failure

FunctionFactory = Callable[..., Any]
Eventually = Callable[[Callable[[], bool]], bool]


@pytest.mark.parametrize(
    "prelude",
    [
        pytest.param("", id="sleeping"),
        pytest.param("signal.signal(signal.SIGTERM, signal.SIG_IGN)", id="ignoring SIGTERM"),
        pytest.param("os.kill(os.getpid(), signal.SIGSTOP)", id="stopped by itself"),
    ],
)
def test_a_handler_that_does_not_answer_in_time_is_killed(function: FunctionFactory, prelude: str) -> None:
    f = function(
        f"import os, signal, time\ndef handler(event, context):\n    {prelude or 'pass'}\n    time.sleep(60)\n",
        timeout_s=0.3,
    )
    process = f.process
    outcome = f.invoke()
    assert outcome.failure is Failure.TIMEOUT
    assert json.loads(outcome.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {outcome.request_id} Error: Task timed out after 0.30 seconds",
    }
    assert f"Z {outcome.request_id} Task timed out after 0.30 seconds\n" in outcome.log_tail
    assert "\tStatus: timeout\t\n" in outcome.log_tail
    assert not process.is_running()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("os._exit(7)", "Runtime exited with error: exit status 7"),
        ("sys.exit(1)", "Runtime exited with error: exit status 1"),
        ("sys.exit()", "Runtime exited without providing a reason"),
        ("os.abort()", "Runtime exited with error: signal: aborted"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("ctypes.string_at(0)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_a_runtime_that_exits_is_an_exit_error(function: FunctionFactory, statement: str, reason: str) -> None:
    f = function(
        f"import ctypes, os, sys\ndef handler(event, context):\n    if event: return 'alive'\n    {statement}\n"
    )
    outcome = f.invoke()
    assert outcome.failure is Failure.EXIT
    assert json.loads(outcome.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {outcome.request_id} Error: {reason}",
    }
    assert f"RequestId: {outcome.request_id} Error: {reason}\nRuntime.ExitError\nEND" in outcome.log_tail
    assert "\tStatus: error\tError Type: Runtime.ExitError\t\n" in outcome.log_tail
    assert f.invoke("again").payload == b'"alive"'


def test_a_message_given_to_sys_exit_is_logged(function: FunctionFactory) -> None:
    f = function("import sys\ndef handler(event, context): sys.exit('no unicorns left')")
    assert "no unicorns left\n" in f.invoke().log_tail


def test_a_runtime_that_dies_while_idle_is_started_again(function: FunctionFactory, eventually: Eventually) -> None:
    f = function("import os\ndef handler(event, context): return os.getpid()")
    before = f.invoke().payload
    process = f.process
    process.kill()
    assert eventually(lambda: not process.is_running())
    outcome = f.invoke()
    assert outcome.failure is None
    assert outcome.payload != before


@pytest.mark.parametrize(
    ("handler", "source", "error_type", "message"),
    [
        (
            "missing.handler",
            "",
            "Runtime.ImportModuleError",
            "Unable to import module 'missing': No module named 'missing'",
        ),
        (
            "index.handler",
            "import not_there",
            "Runtime.ImportModuleError",
            "Unable to import module 'index': No module named 'not_there'",
        ),
        ("index.other", "", "Runtime.HandlerNotFound", "Handler 'other' missing on module 'index'"),
        (
            "index",
            "",
            "Runtime.MalformedHandlerName",
            "Bad handler 'index': not enough values to unpack (expected 2, got 1)",
        ),
        (
            "index.handler",
            "def (",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'index': invalid syntax (index.py, line 1)",
        ),
        ("index.handler", "1 / 0", "ZeroDivisionError", "division by zero"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_said_to_every_invocation(
    function: FunctionFactory, handler: str, source: str, error_type: str, message: str
) -> None:
    f = function(source, handler=handler)
    for _ in range(2):
        outcome = f.invoke()
        assert outcome.failure is Failure.INIT
        error = json.loads(outcome.payload)
        assert (error["errorType"], error["errorMessage"]) == (error_type, message)
    assert f"\tStatus: error\tError Type: {error_type}\t\n" in f.messages[-1]


def test_a_failed_init_is_repeated_within_the_invocation_before_its_start_line(function: FunctionFactory) -> None:
    f = function("print('loading')\nraise SystemExit(3)")
    f.invoke()
    kinds = [message.split(" ")[0].split("\t")[0].strip() for message in f.messages]
    assert kinds == [
        *("INIT_START", "loading", "INIT_REPORT"),
        *("loading", "INIT_REPORT", "START", "RequestId:", "END", "REPORT"),
    ]
    init, invoke = [message for message in f.messages if message.startswith("INIT_REPORT")]
    assert "\tPhase: init\tStatus: error\tError Type: Runtime.ExitError" in init
    assert "\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError" in invoke
    assert "Init Duration" not in f.messages[-1]


def test_an_init_that_fails_once_is_forgotten(function: FunctionFactory, tmp_path: Path) -> None:
    marker = tmp_path / "seen"
    f = function(
        f"import pathlib\nseen = pathlib.Path({str(marker)!r})\n"
        "if not seen.exists():\n    seen.touch()\n    raise RuntimeError('first time')\n"
        "def handler(event, context): return 'well'\n"
    )
    assert f.invoke().payload == b'"well"'


def test_a_repeated_init_counts_against_the_timeout(function: FunctionFactory, tmp_path: Path) -> None:
    f = function(
        f"import pathlib, time\nseen = pathlib.Path({str(tmp_path / 'seen')!r})\n"
        "if seen.exists():\n    time.sleep(60)\n"
        "seen.touch()\nraise RuntimeError('first time')\n",
        timeout_s=0.4,
    )
    outcome = f.invoke()
    assert outcome.failure is Failure.TIMEOUT
    assert outcome.duration_ms == 400
    assert "\tPhase: invoke\tStatus: timeout\n" in "".join(f.messages)
