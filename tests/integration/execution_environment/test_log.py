"""The log of an invocation, line by line."""

from collections.abc import Callable
from typing import Any

FunctionFactory = Callable[..., Any]


def test_an_invocations_log_has_awss_lines_around_its_own(function: FunctionFactory) -> None:
    f = function(
        "import logging\nlogging.getLogger().setLevel('INFO')\n"
        "def handler(event, context):\n    print('printed')\n    logging.info('logged')\n    print('two\\n\\nlines')\n"
    )
    outcome = f.invoke(init_duration_ms=80.5)
    identity = outcome.request_id
    assert [event.message for event in outcome.log][:1] == [f"START RequestId: {identity} Version: $LATEST\n"]
    own = [event.message for event in outcome.log][1:-2]
    assert [own[0], *own[2:]] == ["printed\n", "two\n", "\n", "lines\n"]
    level, timestamp, logged_id, message = own[1].split("\t")
    assert (level, timestamp[-1], logged_id, message) == ("[INFO]", "Z", identity, "logged\n")
    end, report = [event.message for event in outcome.log][-2:]
    assert end == f"END RequestId: {identity}\n"
    assert report == (
        f"REPORT RequestId: {identity}\tDuration: {outcome.duration_ms:.2f} ms\t"
        f"Billed Duration: {outcome.billed_duration_ms} ms\tMemory Size: 256 MB\t"
        f"Max Memory Used: {outcome.memory_used_mb} MB\tInit Duration: 80.50 ms\t\n"
    )
    assert outcome.billed_duration_ms >= 81  # since August 2025 with the init phase
    assert outcome.log_tail == "".join(event.message for event in outcome.log)
    assert f.messages == [f.messages[0], *(event.message for event in outcome.log)]
    assert f.messages[0].startswith("INIT_START Runtime Version: python:3.13.")
    times = [event.timestamp_ms for event in f.log]
    assert times == sorted(times)


def test_the_tail_is_the_last_four_kilobytes(function: FunctionFactory) -> None:
    outcome = function("def handler(event, context): print('x' * 100_000)").invoke()
    assert len(outcome.log_tail) == 4096
    assert outcome.log_tail.endswith("\t\n")


def test_memory_used_is_measured(function: FunctionFactory) -> None:
    f = function("def handler(event, context): return len(bytearray(event * 1024 * 1024))")
    small = f.invoke(0).memory_used_mb
    assert 15 < small < 80
    assert f.invoke(64).memory_used_mb >= small + 50
