"""CloudWatch metrics of functions: Invocations, Errors, Throttles, Duration, ConcurrentExecutions, asynchronous ones.

Source: AWS Lambda developer guide, "Types of metrics for Lambda functions".
"""

from typing import Final

from localstack.services.lambda_.invocation.lambda_models import FunctionVersion

from rydelab.plugins.lambda_ import activity
from rydelab.plugins.metric_writer import MetricWriter
from rydelab.workers.model import Outcome

_UNITS: Final = {"Duration": "Milliseconds", "AsyncEventAge": "Milliseconds"}
_COUNTED: Final = {
    *("Invocations", "Errors", "Throttles"),
    *("AsyncEventsReceived", "AsyncEventsDropped", "DeadLetterErrors"),
}
"""Those of the metrics that are sums of events."""

_writer = MetricWriter("AWS/Lambda", units=_UNITS)


def invoked(version: FunctionVersion, outcome: Outcome, concurrent_executions: int) -> None:
    """Count one invocation that ran, well or not."""
    name = version.id.function_name
    activity.add(name, activity.BILLED, outcome.billed_duration_ms)
    activity.add(name, activity.LOGGED, sum(len(event.message.encode()) for event in outcome.log))
    _add(
        version,
        {
            "Invocations": 1.0,
            "Errors": 0.0 if outcome.failure is None else 1.0,
            "Throttles": 0.0,
            "Duration": outcome.duration_ms,
            "ConcurrentExecutions": float(concurrent_executions),
        },
    )


def throttled(version: FunctionVersion) -> None:
    """Count one invocation that was refused for want of concurrency; it is not an invocation."""
    _add(version, {"Throttles": 1.0})


def asynchronous(version: FunctionVersion, values: dict[str, float]) -> None:
    """Count what happened to an event: AsyncEventsReceived, AsyncEventAge, AsyncEventsDropped, DeadLetterErrors ..."""
    _add(version, values)


def _add(version: FunctionVersion, values: dict[str, float]) -> None:
    identity = version.id
    for name in _COUNTED & values.keys():
        activity.add(identity.function_name, name, values[name])
    _writer.add(identity.account, identity.region, (("FunctionName", identity.function_name),), values)
