from collections.abc import Callable

import pytest

from rydelab.capacity.charges import IndexWrite, ReadCharge, WriteCharge
from rydelab.capacity.metrics import Metric, TableMetrics, account_metrics, is_throttled_request
from rydelab.capacity.quotas import Account
from rydelab.capacity.schema import TableSchema
from rydelab.capacity.settings import Settings
from rydelab.capacity.table import Table
from rydelab.capacity.throttling import ADMITTED, Access, BillingMode, Decision, Limit, Throttle
from rydelab.capacity.throughput import Change, Throughput, ThroughputSettings

MakeTable = Callable[..., Table]
TABLE = (("TableName", "Rides"),)
INDEX = (*TABLE, ("GlobalSecondaryIndexName", "byCity"))


def values(metrics: list[Metric]) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    assert len({(metric.name, metric.dimensions) for metric in metrics}) == len(metrics)
    return {(metric.name, metric.dimensions): metric.value for metric in metrics}


def test_consumption_is_the_sum_since_the_last_minute_and_apart_for_indexes(make_table: MakeTable) -> None:
    table = make_table(indexes={"byCity": Throughput(1, 1)})
    reader = TableMetrics(table)
    for _ in range(3):
        table.admit_write(WriteCharge(2, 1, (IndexWrite("byCity", 1, 1),)), 0.0)
    table.admit_read(ReadCharge(0.5, 1), 0.0)
    first = values(reader.minute())
    assert first["ConsumedWriteCapacityUnits", TABLE] == 6
    assert first["ConsumedWriteCapacityUnits", INDEX] == 3
    assert first["ConsumedReadCapacityUnits", TABLE] == 0.5
    table.admit_write(WriteCharge(5, 1), 0.0)
    assert values(reader.minute())["ConsumedWriteCapacityUnits", TABLE] == 5


def test_consumption_is_reported_without_traffic_with_no_samples(make_table: MakeTable) -> None:
    table = make_table()
    reader = TableMetrics(table)
    table.admit_write(WriteCharge(5, 1), 0.0)
    assert {(metric.name, metric.samples) for metric in reader.minute()} == {
        ("ConsumedReadCapacityUnits", 0),
        ("ConsumedWriteCapacityUnits", 1),
    }
    assert {metric.samples for metric in reader.minute()} == {0}


def test_throttle_events_are_counted_by_event_and_by_reason(make_table: MakeTable) -> None:
    table = make_table(indexes={name: Throughput(1, 1) for name in ("byCity", "byName", "byDate")})
    reader = TableMetrics(table)
    writes = tuple(IndexWrite(name, 1, 300) for name in ("byCity", "byName", "byDate"))
    table.admit_write(WriteCharge(300, 1, writes), 0.0)
    reader.minute()
    table.admit_write(WriteCharge(300, 1, writes), 0.0)  # a put on a table with 3 indexes: 4 events
    metrics = reader.minute()
    for name in ("WriteThrottleEvents", "WriteProvisionedThroughputThrottleEvents"):
        events = [metric for metric in metrics if metric.name == name]
        assert [metric.value for metric in events] == [1, 1, 1, 1]
        assert len({metric.dimensions for metric in events}) == 4
    assert {metric.name for metric in reader.minute()} == {"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"}


def test_write_account_limit_events_have_the_table_dimension_only(make_table: MakeTable) -> None:
    table = make_table(on_demand=True, indexes={"byCity": None})
    table.refuse([Throttle(Limit.ACCOUNT, Access.WRITE, BillingMode.ON_DEMAND, "Rides", "byCity")])
    table.refuse([Throttle(Limit.ACCOUNT, Access.WRITE, BillingMode.ON_DEMAND, "Rides")])
    table.refuse([Throttle(Limit.ACCOUNT, Access.READ, BillingMode.ON_DEMAND, "Rides", "byCity")])
    metrics = values(TableMetrics(table).minute())
    assert metrics["WriteAccountLimitThrottleEvents", TABLE] == 2
    assert ("WriteAccountLimitThrottleEvents", INDEX) not in metrics
    assert metrics["WriteThrottleEvents", INDEX] == 1
    assert metrics["ReadAccountLimitThrottleEvents", INDEX] == 1


def test_five_minute_metrics_by_mode(make_table: MakeTable) -> None:
    provisioned = values(TableMetrics(make_table(read=3, write=4, indexes={"byCity": Throughput(5, 6)})).five_minutes())
    assert provisioned == {
        ("ProvisionedReadCapacityUnits", TABLE): 3,
        ("ProvisionedWriteCapacityUnits", TABLE): 4,
        ("ProvisionedReadCapacityUnits", INDEX): 5,
        ("ProvisionedWriteCapacityUnits", INDEX): 6,
    }
    on_demand = values(TableMetrics(make_table(on_demand=True, maximum=Change(write=9))).five_minutes())
    assert on_demand == {("OnDemandMaxWriteRequestUnits", TABLE): 9}


def test_backfill_metrics(make_table: MakeTable) -> None:
    table = make_table(indexes={"byCity": Throughput(1, 1)})
    table.resource("byCity").backfill(300, 1, 0.0)
    table.resource("byCity").backfill(1, 1, 0.0)
    metrics = values(TableMetrics(table).five_minutes())
    assert metrics["OnlineIndexConsumedWriteCapacity", INDEX] == 300
    assert metrics["OnlineIndexThrottleEvents", INDEX] == 1


def test_account_utilization() -> None:
    settings = Settings()
    account = Account(settings)
    tables = [
        Table(TableSchema(name, "id"), throughput=ThroughputSettings(Throughput(read, 8000)), account=account, now=0.0)
        for name, read in (("A", 4000), ("B", 20_000))
    ]
    assert values(account_metrics(account, tables, settings)) == {
        ("AccountProvisionedReadCapacityUtilization", ()): 30,
        ("AccountProvisionedWriteCapacityUtilization", ()): 20,
        ("MaxProvisionedTableReadCapacityUtilization", ()): 50,
        ("MaxProvisionedTableWriteCapacityUtilization", ()): 20,
    }


@pytest.mark.parametrize(
    ("admitted", "single", "batch"),
    [([True], False, False), ([False], True, True), ([True, False], True, False), ([False, False], True, True)],
)
def test_throttled_requests_counts_a_batch_only_if_every_item_was(
    admitted: list[bool], *, single: bool, batch: bool
) -> None:
    refusal = Decision((Throttle(Limit.PROVISIONED, Access.READ, BillingMode.PROVISIONED, "Rides"),))
    decisions = [ADMITTED if one else refusal for one in admitted]
    assert is_throttled_request(decisions) is single
    assert is_throttled_request(decisions, batch=True) is batch
