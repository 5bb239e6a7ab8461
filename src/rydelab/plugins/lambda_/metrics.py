"""CloudWatch metrics of functions: Invocations, Errors, Throttles, Duration, ConcurrentExecutions, asynchronous ones.

LocalStack starts a thread and sends an HTTP request to itself per invocation. Here an invocation adds to a few
numbers in memory, and one thread writes them as statistics of a minute every few seconds.

Source: AWS Lambda developer guide, "Types of metrics for Lambda functions".
"""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from localstack.aws.connect import connect_to
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion
from localstack.utils.bootstrap import is_api_enabled

from rydelab.workers.model import Outcome

LOG = logging.getLogger(__name__)
_FLUSH_S: Final = 5.0
_MINUTE_S: Final = 60
_MAX_DATA_PER_CALL: Final = 500
_UNITS: Final = {"Duration": "Milliseconds", "AsyncEventAge": "Milliseconds"}


@dataclass(frozen=True, slots=True)
class _Series:
    account_id: str
    region: str
    function_name: str
    metric: str
    minute: int
    """Epoch minutes."""


@dataclass(slots=True)
class _Statistics:
    count: float = 0.0
    total: float = 0.0
    minimum: float = float("inf")
    maximum: float = float("-inf")

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)


class _Recorder:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[_Series, _Statistics] = {}
        self._thread: threading.Thread | None = None

    def add(self, version: FunctionVersion, values: dict[str, float]) -> None:
        identity = version.id
        minute = int(time.time() // _MINUTE_S)
        with self._lock:
            for metric, value in values.items():
                series = _Series(identity.account, identity.region, identity.function_name, metric, minute)
                statistics = self._pending.get(series)
                if statistics is None:
                    statistics = self._pending[series] = _Statistics()
                statistics.add(value)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lambda-metrics", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, {}
        if not pending or not is_api_enabled("cloudwatch"):
            return
        by_place: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for series, statistics in pending.items():
            by_place.setdefault((series.account_id, series.region), []).append(_datum(series, statistics))
        for (account_id, region), data in by_place.items():
            client = connect_to(aws_access_key_id=account_id, region_name=region).cloudwatch
            for start in range(0, len(data), _MAX_DATA_PER_CALL):
                client.put_metric_data(Namespace="AWS/Lambda", MetricData=data[start : start + _MAX_DATA_PER_CALL])

    def _run(self) -> None:
        while True:
            time.sleep(_FLUSH_S)
            try:
                self.flush()
            except Exception:
                LOG.exception("rydelab: Lambda metrics of the last %.0f s are lost", _FLUSH_S)


_recorder = _Recorder()


def invoked(version: FunctionVersion, outcome: Outcome, concurrent_executions: int) -> None:
    """Count one invocation that ran, well or not."""
    _recorder.add(
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
    _recorder.add(version, {"Throttles": 1.0})


def asynchronous(version: FunctionVersion, values: dict[str, float]) -> None:
    """Count what happened to an event: AsyncEventsReceived, AsyncEventAge, AsyncEventsDropped, DeadLetterErrors ..."""
    _recorder.add(version, values)


def _datum(series: _Series, statistics: _Statistics) -> dict[str, Any]:
    return {
        "MetricName": series.metric,
        "Dimensions": [{"Name": "FunctionName", "Value": series.function_name}],
        "Timestamp": datetime.fromtimestamp(series.minute * _MINUTE_S, UTC),
        "Unit": _UNITS.get(series.metric, "Count"),
        "StatisticValues": {
            "SampleCount": statistics.count,
            "Sum": statistics.total,
            "Minimum": statistics.minimum,
            "Maximum": statistics.maximum,
        },
    }
