"""What faults do to an invocation, and to the request for one."""

import json
import random
from typing import Final

from localstack.aws.api.lambda_ import ServiceException

from rydelab.plugins.faults.registry import faults
from rydelab.workers.model import Disturbance

# As a handler's own error looks, so that nothing behind it can tell the difference.
_ERROR: Final = {"errorMessage": "a fault that was set on purpose", "errorType": "InjectedFault", "stackTrace": []}


def refuse_invoke(function_name: str) -> None:
    """Raise ServiceException (500) if Lambda shall refuse to invoke the function."""
    if faults.meeting("function-refused", function_name):
        raise ServiceException("Lambda refuses this request: a fault that was set on purpose.", Type="Service")


def disturbance_of(function_name: str, request_id: str) -> Disturbance | None:
    """Return what shall happen to this invocation; None if nothing."""
    slow = faults.meeting("function-slow", function_name)
    fails = faults.meeting("function-error", function_name)
    crashes = faults.meeting("function-crash", function_name)
    killed = faults.meeting("environment-killed", function_name)
    if not (slow or fails or crashes or killed):
        return None
    kill_after_s = [_moment_s(one.draws, one.fault.value("within_ms")) for one in killed]
    return Disturbance(
        hold_s=sum(one.fault.value("delay_ms") for one in slow) / 1000,
        crashes=bool(crashes),
        error=json.dumps({**_ERROR, "requestId": request_id}).encode() if fails else None,
        kill_after_s=min(kill_after_s, default=None),
    )


def _moment_s(draws: random.Random, within_ms: float) -> float:
    return draws.uniform(0, within_ms) / 1000
