"""What CloudWatch shows of a table's capacity (A12), made from counters that only grow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rydelab.capacity.limiter import Limiter
from rydelab.capacity.quotas import Account
from rydelab.capacity.resource import Resource
from rydelab.capacity.settings import Settings
from rydelab.capacity.table import Table
from rydelab.capacity.throttling import Access, BillingMode, Decision, Limit

NAMESPACE = "AWS/DynamoDB"
MINUTE_S = 60
FIVE_MINUTES_S = 300


@dataclass(frozen=True, slots=True)
class Metric:
    """One period's value of one CloudWatch metric in the namespace ``AWS/DynamoDB``.

    *value* is the Sum of the period, or the present level of a gauge; *samples* is SampleCount.
    """

    name: str
    dimensions: tuple[tuple[str, str], ...]
    value: float
    unit: str
    period_s: int
    samples: int = 1


class TableMetrics:
    """Turns one table's counters into metrics. Keeps what each counter was when it was last read."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._seen: dict[tuple[str | None, str], float] = {}

    def minute(self) -> list[Metric]:
        """Return the one-minute metrics of the time since the last call. Call it once a minute.

        Consumption is reported also when it is zero, with SampleCount 0; throttle events only when there are any.
        """
        metrics: list[Metric] = []
        account_writes = 0.0
        for index, resource in self._table.resources.items():
            for access, limiter in resource.limiters.items():
                metrics.append(
                    Metric(
                        f"Consumed{access}CapacityUnits",
                        self._dimensions(index),
                        self._since(index, f"{access}Units", limiter.consumed_units),
                        "Count",
                        MINUTE_S,
                        int(self._since(index, f"{access}Requests", limiter.admitted_requests)),
                    )
                )
                events = self._throttle_events(index, limiter)
                account_write = access is Access.WRITE and events[Limit.ACCOUNT]
                if account_write:  # CloudWatch has this one for the table as a whole only
                    account_writes += events.pop(Limit.ACCOUNT)
                total = sum(events.values()) + (account_write or 0.0)
                metrics += self._events(f"{access}ThrottleEvents", index, total, MINUTE_S)
                for limit, count in events.items():
                    metrics += self._events(f"{access}{limit}ThrottleEvents", index, count, MINUTE_S)
        return metrics + self._events("WriteAccountLimitThrottleEvents", None, account_writes, MINUTE_S)

    def five_minutes(self) -> list[Metric]:
        """Return the five-minute metrics: provisioned units, on-demand maxima, and the backfill of new indexes."""
        metrics: list[Metric] = []
        for index, resource in self._table.resources.items():
            where = self._dimensions(index)
            for access in Access:
                if resource.mode is BillingMode.PROVISIONED:
                    level = resource.provisioned.of(access)
                    metrics.append(Metric(f"Provisioned{access}CapacityUnits", where, level, "Count", FIVE_MINUTES_S))
                elif access in resource.maximum:
                    level = resource.maximum[access]
                    metrics.append(Metric(f"OnDemandMax{access}RequestUnits", where, level, "Count", FIVE_MINUTES_S))
            metrics += self._backfill(index, resource)
        return metrics

    def _backfill(self, index: str | None, resource: Resource) -> list[Metric]:
        units = self._since(index, "backfill", resource.backfill_units)
        throttles = self._since(index, "backfill throttles", resource.backfill_throttles)
        return [
            *self._events("OnlineIndexConsumedWriteCapacity", index, units, FIVE_MINUTES_S),
            *self._events("OnlineIndexThrottleEvents", index, throttles, FIVE_MINUTES_S),
        ]

    def _throttle_events(self, index: str | None, limiter: Limiter) -> dict[Limit, float]:
        return {
            limit: self._since(index, f"{limiter.access}{limit}", count)
            for limit, count in limiter.throttle_events.items()
        }

    def _events(self, name: str, index: str | None, count: float, period_s: int) -> list[Metric]:
        return [Metric(name, self._dimensions(index), count, "Count", period_s, int(count))] if count else []

    def _dimensions(self, index: str | None) -> tuple[tuple[str, str], ...]:
        table = ("TableName", self._table.name)
        return (table,) if index is None else (table, ("GlobalSecondaryIndexName", index))

    def _since(self, index: str | None, counter: str, value: float) -> float:
        before = self._seen.get((index, counter), 0.0)
        self._seen[index, counter] = value
        return value - before if value >= before else value  # an index of the same name was made anew


def account_metrics(account: Account, tables: Iterable[Table], settings: Settings) -> list[Metric]:
    """Return the account's five-minute metrics, in percent of its quotas."""
    provisioned = [
        resource.provisioned
        for table in tables
        for resource in table.resources.values()
        if resource.mode is BillingMode.PROVISIONED
    ]
    largest_read = max((throughput.read for throughput in provisioned), default=0.0)
    largest_write = max((throughput.write for throughput in provisioned), default=0.0)
    levels = {
        "AccountProvisionedReadCapacityUtilization": account.read_utilization,
        "AccountProvisionedWriteCapacityUtilization": account.write_utilization,
        "MaxProvisionedTableReadCapacityUtilization": 100.0 * largest_read / settings.table_read_quota,
        "MaxProvisionedTableWriteCapacityUtilization": 100.0 * largest_write / settings.table_write_quota,
    }
    return [Metric(name, (), level, "Percent", FIVE_MINUTES_S) for name, level in levels.items()]


def is_throttled_request(decisions: Sequence[Decision], *, batch: bool = False) -> bool:
    """Tell whether a request counts in ThrottledRequests: any item throttled, but in a batch every one."""
    throttled = [not decision.admitted for decision in decisions]
    return bool(throttled) and (all(throttled) if batch else any(throttled))
