"""What an invocation answers: results, errors of the handler, limits."""

import json
from collections.abc import Callable
from typing import Any

from rydelab.workers.model import Failure

FunctionFactory = Callable[..., Any]


def test_the_answer_is_what_the_handler_returns_as_json(function: FunctionFactory) -> None:
    f = function("def handler(event, context): return {'got': event, 'name': 'Zoë', 'none': None}")
    outcome = f.invoke({"a": [1, 2.5, "ü"]})
    assert json.loads(outcome.payload) == {"got": {"a": [1, 2.5, "ü"]}, "name": "Zoë", "none": None}
    assert outcome.failure is None


def test_bytes_are_answered_as_they_are_and_not_a_number_as_the_runtime_writes_it(function: FunctionFactory) -> None:
    f = function("def handler(event, context): return b'\\xff raw' if event else float('nan')")
    assert f.invoke(True).payload == b"\xff raw"
    assert f.invoke(False).payload == b"NaN"


def test_a_handler_that_raises_answers_with_type_message_and_stack_trace(function: FunctionFactory) -> None:
    f = function("def handler(event, context):\n    raise ValueError('no unicorn')\n")
    outcome = f.invoke()
    assert outcome.failure is Failure.FUNCTION
    error = json.loads(outcome.payload)
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no unicorn")
    assert error["requestId"] == outcome.request_id
    [frame] = error["stackTrace"]
    assert frame.endswith("/index.py\", line 2, in handler\n    raise ValueError('no unicorn')\n")
    assert "[ERROR] ValueError: no unicorn\nTraceback (most recent call last):\n" in outcome.log_tail


def test_an_answer_that_is_no_json_is_a_marshal_error(function: FunctionFactory) -> None:
    error = json.loads(function("def handler(event, context): return {1, 2}").invoke().payload)
    assert error["errorType"] == "Runtime.MarshalError"
    assert error["errorMessage"] == "Unable to marshal response: Object of type set is not JSON serializable"


def test_an_environment_that_raised_is_used_again(function: FunctionFactory) -> None:
    f = function(
        "calls = 0\ndef handler(event, context):\n    global calls\n    calls += 1\n    return calls // event\n"
    )
    assert f.invoke(0).failure is Failure.FUNCTION
    assert f.invoke(1).payload == b"2"


def test_an_answer_over_six_megabytes_is_refused_and_the_next_invocation_works(function: FunctionFactory) -> None:
    f = function("def handler(event, context): return 'x' * event")
    outcome = f.invoke(6_291_556)  # with its quotation marks two bytes too long
    assert outcome.failure is Failure.RESPONSE_TOO_LARGE
    assert json.loads(outcome.payload) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
    assert len(f.invoke(6_291_554).payload) == 6_291_556


def test_a_six_megabyte_event_arrives_whole(function: FunctionFactory) -> None:
    f = function("def handler(event, context): return len(event)")
    assert f.invoke("x" * 6_291_000).payload == b"6291000"
