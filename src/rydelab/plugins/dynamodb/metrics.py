"""CloudWatch metrics of tables (A12 of the fact sheet), collected every few seconds from counters."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rydelab.capacity.metrics import FIVE_MINUTES_S, MINUTE_S, NAMESPACE, Metric, TableMetrics, account_metrics
from rydelab.plugins.dynamodb.metered import MeteredTable, MeteredTables, Place
from rydelab.plugins.dynamodb.operations import THROTTLED_METRIC
from rydelab.plugins.dynamodb.refusals import RefusedError
from rydelab.plugins.dynamodb.refused_tables import METRICS, TableFaultError
from rydelab.plugins.dynamodb.store.errors import DynamoError
from rydelab.plugins.metric_writer import Dimensions, MetricWriter, Statistics

UNITS = {
    "SuccessfulRequestLatency": "Milliseconds",
    **{
        f"{scope}{access}CapacityUtilization": "Percent"
        for scope in ("AccountProvisioned", "MaxProvisionedTable")
        for access in ("Read", "Write")
    },
}

# Conditions that fail have a metric of their own, and are no user's error.
_OWN_METRIC = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})

type MetricKey = tuple[str, Dimensions]


@dataclass(slots=True)
class _Collected:
    """What was written of one table so far."""

    metrics: TableMetrics
    until_s: float
    """When its counters were last read."""
    last_minute: dict[MetricKey, int] = field(default_factory=dict)
    """The last epoch minute in which a metric of consumption had data."""
    levels: dict[MetricKey, tuple[int, float]] = field(default_factory=dict)
    """The five minutes in which a gauge was last written, and its level."""


class DynamoDbMetrics:
    """Writes the metrics of all metered tables. A request only adds to counters; *wall_clock* is Unix time."""

    def __init__(self, tables: MeteredTables, *, wall_clock: Callable[[], float] = time.time) -> None:
        self.writer = MetricWriter(NAMESPACE, units=UNITS, collect=self.collect)
        self._tables = tables
        self._wall_clock = wall_clock
        self._collected: dict[MeteredTable, _Collected] = {}
        self._account_window: dict[Place, int] = {}

    def collect(self) -> None:
        """Hand what every table counted since the last time to the writer."""
        with self._tables.control:
            present = self._tables.all()
            for metered in present:
                self.collect_table(metered)
            self._collected = {metered: self._collected[metered] for metered in present}
            self._collect_accounts(present)

    def collect_table(self, metered: MeteredTable) -> None:
        """Hand what one table counted since the last time to the writer."""
        now_s = self._wall_clock()
        with self._tables.control:
            collected = self._collected.get(metered)
            if collected is None:
                collected = self._collected[metered] = _Collected(TableMetrics(metered.capacity), now_s)
            with metered.lock:
                metered.status()  # an update that is due takes effect, and its second is written down
                metered.capacity.store_size(metered.table.collection.size_bytes, metered.now())
                sums = collected.metrics.minute()
                levels = collected.metrics.five_minutes()
            # Counters are read when a minute ends, so what they gained belongs to the minute of the last reading.
            minute = int(collected.until_s // MINUTE_S)
            for metric in sums:
                self._add_sum(metered, collected, metric, minute)
            for metric in levels:
                self._add_level(metered, collected, metric, now_s)
            for (operation, name), statistics in metered.take_notes().items():
                where = (("TableName", metered.table.name),)
                dimensions = where if operation is None else (*where, ("Operation", operation))
                self.writer.add(*metered.place, dimensions, {name: statistics}, minute=minute)
            collected.until_s = now_s

    def count_error(self, place: Place, operation: str, error: DynamoError) -> None:
        """Count an error that was answered: as a throttled request of its tables, or as a user's error."""
        if isinstance(error, TableFaultError):
            dimensions = (("TableName", error.table_name), ("Operation", operation))
            self.writer.add(*place, dimensions, {METRICS[error.code]: 1.0})
        elif isinstance(error, RefusedError):
            for metered in error.tables:
                metered.note(operation, THROTTLED_METRIC, 1.0)
        elif error.code not in _OWN_METRIC:
            self.writer.add(*place, (), {"UserErrors": 1.0})

    def _add_sum(self, metered: MeteredTable, collected: _Collected, metric: Metric, minute: int) -> None:
        key = (metric.name, metric.dimensions)
        if metric.samples:
            collected.last_minute[key] = minute
            average = metric.value / metric.samples
            statistics = Statistics(float(metric.samples), metric.value, average, average)
        elif collected.last_minute.setdefault(key, minute) < minute - 1:
            # A minute without traffic is 0, not absent. AWS says SampleCount 0 then, which LocalStack's
            # CloudWatch does not show at all.
            minute -= 1
            collected.last_minute[key] = minute
            statistics = Statistics(1.0, 0.0, 0.0, 0.0)
        else:
            return
        self.writer.add(*metered.place, metric.dimensions, {metric.name: statistics}, minute=minute)

    def _add_level(self, metered: MeteredTable, collected: _Collected, metric: Metric, now_s: float) -> None:
        key = (metric.name, metric.dimensions)
        written = (int(now_s // FIVE_MINUTES_S), metric.value)
        if collected.levels.get(key) == written:
            return
        collected.levels[key] = written
        self.writer.add(*metered.place, metric.dimensions, {metric.name: metric.value})

    def _collect_accounts(self, present: list[MeteredTable]) -> None:
        window = int(self._wall_clock() // FIVE_MINUTES_S)
        by_place: dict[Place, list[MeteredTable]] = {}
        for metered in present:
            by_place.setdefault(metered.place, []).append(metered)
        for place, tables in by_place.items():
            if self._account_window.get(place) == window:
                continue
            self._account_window[place] = window
            capacities = [metered.capacity for metered in tables]
            metrics = account_metrics(self._tables.account(place), capacities, self._tables.settings.capacity)
            self.writer.add(*place, (), {metric.name: metric.value for metric in metrics})
