"""CloudWatch metrics: which, of what, in which minute."""

from typing import Any

import pytest

from rydelab.plugins.dynamodb.metrics import DynamoDbMetrics
from rydelab.plugins.dynamodb.refusals import RefusedError
from rydelab.plugins.dynamodb.store.errors import DynamoError, invalid

MINUTE = 29_916_666
START_S = MINUTE * 60.0
TABLE = (("TableName", "T"),)
INDEX = (*TABLE, ("GlobalSecondaryIndexName", "g"))
PLACE = ("000000000042", "us-east-1")


class RecordingWriter:
    """Takes the place of what writes to CloudWatch."""

    def __init__(self) -> None:
        self.written: list[tuple[Any, ...]] = []

    def add(self, account: str, region: str, dimensions: Any, values: Any, *, minute: int | None = None) -> None:
        """Remember what was added."""
        assert (account, region) == PLACE
        for name, value in values.items():
            total, count = (value.total, value.count) if hasattr(value, "total") else (value, 1)
            self.written.append((name, dimensions, total, count, minute))


@pytest.fixture
def collected(front: Any) -> Any:
    """Return a function that collects at a wall-clock time and returns what was written, by name and dimensions."""
    wall = [START_S]
    metrics = DynamoDbMetrics(front.tables, wall_clock=lambda: wall[0])

    def collect(at_s: float) -> dict[Any, Any]:
        wall[0] = START_S + at_s
        metrics.writer = writer = RecordingWriter()  # type: ignore[assignment]
        metrics.collect()
        return {(name, dimensions): (total, count, minute) for name, dimensions, total, count, minute in writer.written}

    collect.metrics = metrics  # type: ignore[attr-defined]
    return collect


def put(front: Any, name: str, **attributes: str) -> None:
    made = {"p": {"S": name}} | {attribute: {"S": value} for attribute, value in attributes.items()}
    front.operations.put_item({"TableName": "T", "Item": made})


def test_consumption_is_summed_for_table_and_index_apart(front: Any, collected: Any) -> None:
    front.create(units=(10, 10), indexes={"g": (10, 10)})
    collected(1.0)
    put(front, "a", g="1")
    put(front, "b")

    written = collected(6.0)

    assert written["ConsumedWriteCapacityUnits", TABLE] == (2.0, 2.0, MINUTE)
    assert written["ConsumedWriteCapacityUnits", INDEX] == (1.0, 1.0, MINUTE)
    assert ("ConsumedReadCapacityUnits", TABLE) not in written


def test_what_is_read_when_a_minute_ends_belongs_to_that_minute(front: Any, collected: Any) -> None:
    front.create()
    collected(56.0)
    put(front, "a")

    assert collected(60.0)["ConsumedWriteCapacityUnits", TABLE] == (1.0, 1.0, MINUTE)


def test_a_minute_without_traffic_is_zero_once(front: Any, collected: Any) -> None:
    front.create()
    seen = [collected(second) for second in (1.0, 60.0, 61.0, 120.0, 121.0)]

    zeros = [written.get(("ConsumedWriteCapacityUnits", TABLE)) for written in seen]

    assert zeros == [None, None, None, None, (0.0, 1.0, MINUTE + 1)]


def test_throttle_events_are_counted_by_table_index_and_reason(front: Any, collected: Any) -> None:
    metered = front.create(units=(10, 10), indexes={"g": (10, 10)})
    collected(1.0)
    for resource in metered.capacity.resources.values():
        resource.write.tokens = 0.0
    for _ in range(2):
        with pytest.raises(RefusedError):
            put(front, "a", g="1")

    written = collected(2.0)

    for dimensions in (TABLE, INDEX):
        assert written["WriteThrottleEvents", dimensions][:2] == (2.0, 2.0)
        assert written["WriteProvisionedThroughputThrottleEvents", dimensions][:2] == (2.0, 2.0)


def test_errors_are_throttled_requests_of_an_operation_or_a_users(front: Any, collected: Any) -> None:
    metered = front.create()
    collected(1.0)
    metered.capacity.resource().write.tokens = 0.0
    with pytest.raises(RefusedError) as refused:
        put(front, "a")
    writer = RecordingWriter()
    collected.metrics.writer = writer
    collected.metrics.count_error(PLACE, "PutItem", refused.value)
    collected.metrics.count_error(PLACE, "PutItem", invalid("no"))
    collected.metrics.count_error(PLACE, "PutItem", DynamoError("ConditionalCheckFailedException", "no"))

    assert [(name, dimensions) for name, dimensions, *_ in writer.written] == [("UserErrors", ())]
    assert collected(2.0)["ThrottledRequests", (*TABLE, ("Operation", "PutItem"))][:2] == (1.0, 1.0)


def test_latency_returned_items_and_failed_conditions(front: Any, collected: Any) -> None:
    front.create()
    collected(1.0)
    put(front, "a")
    front.operations.scan({"TableName": "T"})
    with pytest.raises(DynamoError):
        front.operations.put_item(
            {"TableName": "T", "Item": {"p": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(p)"}
        )

    written = collected(2.0)

    assert written["SuccessfulRequestLatency", (*TABLE, ("Operation", "PutItem"))][1] == 1
    assert written["ReturnedItemCount", (*TABLE, ("Operation", "Scan"))][:2] == (1.0, 1.0)
    assert written["ConditionalCheckFailedRequests", TABLE][:2] == (1.0, 1.0)


def test_provisioned_units_are_written_every_five_minutes_and_when_they_change(front: Any, collected: Any) -> None:
    metered = front.create(units=(3, 4))
    first, second = collected(1.0), collected(6.0)
    metered.capacity.resource().provisioned = type(metered.capacity.resource().provisioned)(3.0, 9.0)
    changed, later = collected(11.0), collected(301.0)

    name = ("ProvisionedWriteCapacityUnits", TABLE)
    assert first[name][0] == 4
    assert name not in second
    assert changed[name][0] == 9
    assert ("ProvisionedReadCapacityUnits", TABLE) not in changed
    assert later[name][0] == 9
    assert later["AccountProvisionedWriteCapacityUtilization", ()][0] == pytest.approx(100 * 4 / 80_000)


def test_the_last_seconds_of_a_deleted_table_are_not_lost(front: Any, collected: Any) -> None:
    metered = front.create()
    collected(1.0)
    put(front, "a")
    collected.metrics.writer = writer = RecordingWriter()
    collected.metrics.collect_table(metered)
    front.tables.remove(metered)

    assert ("ConsumedWriteCapacityUnits", TABLE, 1.0, 1.0, MINUTE) in writer.written
