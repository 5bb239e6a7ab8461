"""CloudWatch metrics of our plug-ins: summed up in memory, written every few seconds by one thread for each namespace.

LocalStack starts a thread and sends an HTTP request to itself for each event. Here a request adds to a few numbers.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from localstack.aws.connect import connect_to

LOG = logging.getLogger(__name__)
MINUTE_S: Final = 60
_FLUSH_S: Final = 5.0
_MAX_DATA_PER_CALL: Final = 500

type Dimensions = tuple[tuple[str, str], ...]
"""Names and values."""


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one resource in one minute."""

    account_id: str
    region: str
    dimensions: Dimensions
    metric: str
    minute: int
    """Epoch minutes."""


@dataclass(slots=True)
class Statistics:
    """What CloudWatch keeps of many values."""

    count: float = 0.0
    total: float = 0.0
    minimum: float = float("inf")
    maximum: float = float("-inf")

    def add(self, value: float) -> None:
        """Add one value."""
        self.count += 1
        self.total += value
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)

    def merge(self, other: "Statistics") -> None:
        """Add the values that *other* stands for."""
        self.count += other.count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)


class MetricWriter:
    """Sums up the metrics of one namespace and writes them to LocalStack's CloudWatch. Safe to use from many threads.

    *units* gives a metric's unit where it is not ``Count``. *collect*, if there is one, is called before each write
    and adds what is known only then.
    """

    def __init__(
        self, namespace: str, *, units: Mapping[str, str] | None = None, collect: Callable[[], None] | None = None
    ) -> None:
        self._namespace = namespace
        self._units = units or {}
        self._collect = collect
        self._lock = threading.Lock()
        self._pending: dict[Series, Statistics] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, if it is not running; the first value does so by itself."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"metrics {self._namespace}", daemon=True)
                self._thread.start()

    def add(
        self,
        account_id: str,
        region: str,
        dimensions: Dimensions,
        values: Mapping[str, float | Statistics],
        *,
        minute: int | None = None,
    ) -> None:
        """Add one value, or many, to each metric named in *values*, in this minute or in that epoch minute."""
        in_minute = int(time.time() // MINUTE_S) if minute is None else minute
        with self._lock:
            for metric, value in values.items():
                series = Series(account_id, region, dimensions, metric, in_minute)
                statistics = self._pending.get(series)
                if statistics is None:
                    statistics = self._pending[series] = Statistics()
                if isinstance(value, Statistics):
                    statistics.merge(value)
                else:
                    statistics.add(value)
        if self._thread is None:
            self.start()

    def flush(self) -> None:
        """Write what there is."""
        if self._collect is not None:
            self._collect()
        with self._lock:
            pending, self._pending = self._pending, {}
        from localstack.utils.bootstrap import is_api_enabled  # noqa: PLC0415 (it looks for a Docker engine)

        if not pending or not is_api_enabled("cloudwatch"):
            return
        by_place: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for series, statistics in pending.items():
            by_place.setdefault((series.account_id, series.region), []).append(self._datum(series, statistics))
        for (account_id, region), data in by_place.items():
            client = connect_to(aws_access_key_id=account_id, region_name=region).cloudwatch
            for start in range(0, len(data), _MAX_DATA_PER_CALL):
                client.put_metric_data(Namespace=self._namespace, MetricData=data[start : start + _MAX_DATA_PER_CALL])

    def _datum(self, series: Series, statistics: Statistics) -> dict[str, Any]:
        return {
            "MetricName": series.metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions],
            "Timestamp": datetime.fromtimestamp(series.minute * MINUTE_S, UTC),
            "Unit": self._units.get(series.metric, "Count"),
            "StatisticValues": {
                "SampleCount": statistics.count,
                "Sum": statistics.total,
                "Minimum": statistics.minimum,
                "Maximum": statistics.maximum,
            },
        }

    def _run(self) -> None:
        while True:
            # Also when a minute ends, so that what is collected then belongs to one minute.
            time.sleep(min(_FLUSH_S, MINUTE_S - time.time() % MINUTE_S))
            try:
                self.flush()
            except Exception:
                LOG.exception("rydelab: %s metrics of the last %.0f s are lost", self._namespace, _FLUSH_S)
