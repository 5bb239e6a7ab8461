"""Deployed state machines: found by the name that their template gives them, and executed."""

import time
from dataclasses import dataclass
from typing import Any

from bootstrap.resources import physical_id
from bootstrap.target import Target, connected

_FIRST_POLL_S, _LONGEST_POLL_S = 0.05, 1.0


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution that has ended."""

    status: str
    """``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``."""
    states: tuple[str, ...]
    """The states that were entered, in order."""
    output: str | None
    """As JSON, if it succeeded."""
    error: str | None
    """The name of the error, if it failed."""
    cause: str | None


def execute(target: Target, state_machine: str, document: bytes, *, stage: str = "dev") -> Execution:
    """Execute *state_machine* (a logical name such as PurchaseStateMachine) with the JSON text *document*, to its end.

    It must be a standard one: an express one keeps no history.
    """
    with connected(target) as clients:
        step_functions = clients.step_functions
        arn = physical_id(clients, "AWS::StepFunctions::StateMachine", state_machine, stage=stage)
        execution = step_functions.start_execution(stateMachineArn=arn, input=document.decode())["executionArn"]
        ended = _ended(step_functions, execution)
        pages = step_functions.get_paginator("get_execution_history").paginate(executionArn=execution)
        return Execution(
            status=ended["status"],
            states=tuple(
                event["stateEnteredEventDetails"]["name"]
                for page in pages
                for event in page["events"]
                if "stateEnteredEventDetails" in event
            ),
            output=ended.get("output"),
            error=ended.get("error"),
            cause=ended.get("cause"),
        )


def _ended(step_functions: Any, execution: str) -> dict[str, Any]:
    poll_s = _FIRST_POLL_S
    while True:
        description: dict[str, Any] = step_functions.describe_execution(executionArn=execution)
        if description["status"] != "RUNNING":
            return description
        time.sleep(poll_s)
        poll_s = min(2 * poll_s, _LONGEST_POLL_S)
