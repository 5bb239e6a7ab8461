"""What is admitted, what is refused, and what then is in the table."""

from typing import Any

import pytest

from rydelab.plugins.dynamodb.refusals import RefusedError
from rydelab.plugins.dynamodb.store.errors import DynamoError

ARN = "arn:aws:dynamodb:us-east-1:000000000042:table/T"
KB = 1024


def item(name: str, size: int = 0, **attributes: str) -> dict[str, Any]:
    """Return an item of *size* bytes, if that is more than its attributes need."""
    made = {"p": {"S": name}} | {key: {"S": value} for key, value in attributes.items()}
    used = sum(len(key) + len(value["S"]) for key, value in made.items())
    return made | ({"x": {"S": "x" * (size - used - 1)}} if size > used + 1 else {})


def put(name: str, size: int = 0, **attributes: str) -> dict[str, Any]:
    return {"TableName": "T", "Item": item(name, size, **attributes)}


def exhaust_writes(front: Any, name: str = "T") -> None:
    """Leave no write units in a table of 1 unit a second: one large item takes the burst and leaves a debt."""
    front.operations.put_item({"TableName": name, "Item": item("large", 390 * KB)})


def exhaust_reads(front: Any) -> None:
    """Leave no read units in a table of 1 unit a second."""
    front.backend.tables["T"].put_item(item("large", 390 * KB))
    for _ in range(4):
        front.operations.get_item({"TableName": "T", "Key": {"p": {"S": "large"}}, "ConsistentRead": True})


def test_a_fresh_table_of_one_unit_admits_its_burst_and_one_item_a_second(front: Any) -> None:
    front.create()
    admitted = 0
    for millisecond in range(0, 30_000, 20):
        front.clock.now_s = 1_795_000_000.0 + millisecond / 1000
        try:
            front.operations.put_item(put(f"{millisecond}", KB))
            admitted += 1
        except RefusedError:
            pass

    assert admitted == pytest.approx(300 + 30, abs=1)
    assert len(front.items()) == admitted
    assert front.tables.of(front.backend.tables["T"]).capacity.resource().write.consumed_units == admitted


def test_a_refused_write_changes_nothing_and_costs_nothing(front: Any) -> None:
    metered = front.create()
    front.operations.put_item(put("a", v="old"))
    exhaust_writes(front)
    limiter = metered.capacity.resource().write
    before = (limiter.level(front.clock.now_s), limiter.consumed_units)

    for request, operation in (
        (put("a", v="new"), front.operations.put_item),
        ({"TableName": "T", "Key": {"p": {"S": "a"}}}, front.operations.delete_item),
        (
            {
                "TableName": "T",
                "Key": {"p": {"S": "a"}},
                "UpdateExpression": "SET v = :v",
                "ExpressionAttributeValues": {":v": {"S": "new"}},
            },
            front.operations.update_item,
        ),
    ):
        with pytest.raises(RefusedError):
            operation(request)

    assert front.items()["a"] == item("a", v="old")
    assert (limiter.level(front.clock.now_s), limiter.consumed_units) == before


def test_the_error_names_the_reason_and_the_table(front: Any) -> None:
    front.create()
    exhaust_writes(front)

    with pytest.raises(RefusedError) as refused:
        front.operations.put_item(put("a"))

    assert refused.value.code == "ProvisionedThroughputExceededException"
    assert refused.value.members == {
        "ThrottlingReasons": [{"reason": "TableWriteProvisionedThroughputExceeded", "resource": ARN}]
    }


def test_a_failed_condition_costs_the_units_of_the_larger_image(front: Any) -> None:
    metered = front.create()
    front.operations.put_item(put("a", 3 * KB))
    consumed = metered.capacity.resource().write.consumed_units

    with pytest.raises(DynamoError, match="ConditionalCheckFailed"):
        front.operations.put_item(put("a", 5 * KB) | {"ConditionExpression": "attribute_not_exists(p)"})

    assert metered.capacity.resource().write.consumed_units - consumed == 5
    assert front.items()["a"] == item("a", 3 * KB)


def test_a_request_that_is_wrong_in_itself_costs_nothing(front: Any) -> None:
    metered = front.create()
    front.operations.put_item(put("a", v="text"))
    consumed = metered.capacity.resource().write.consumed_units

    with pytest.raises(DynamoError, match="ValidationException"):
        front.operations.update_item(
            {
                "TableName": "T",
                "Key": {"p": {"S": "a"}},
                "UpdateExpression": "ADD v :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            }
        )

    assert metered.capacity.resource().write.consumed_units == consumed


def test_an_index_without_capacity_throttles_the_tables_writes_in_its_name(front: Any) -> None:
    metered = front.create(units=(1000, 1000), indexes={"g": (1, 1)})
    front.operations.put_item(put("a", 390 * KB, g="1"))
    consumed = metered.capacity.resource().write.consumed_units

    with pytest.raises(RefusedError) as refused:
        front.operations.put_item(put("b", g="1"))
    front.operations.put_item(put("c"))  # is not in the index

    assert refused.value.members["ThrottlingReasons"] == [
        {"reason": "IndexWriteProvisionedThroughputExceeded", "resource": f"{ARN}/index/g"}
    ]
    assert set(front.items()) == {"a", "c"}
    assert metered.capacity.resource().write.consumed_units - consumed == 1


def test_a_hot_key_is_throttled_while_its_table_has_capacity_to_spare(front: Any) -> None:
    metered = front.create(units=(10, 4000))
    for _ in range(3):
        front.operations.put_item(put("hot", 390 * KB))

    with pytest.raises(RefusedError) as refused:
        front.operations.put_item(put("hot"))
    front.operations.put_item(put("cold"))

    assert refused.value.members["ThrottlingReasons"][0]["reason"] == "TableWriteKeyRangeThroughputExceeded"
    assert metered.capacity.resource().write.level(front.clock.now_s) > 1_000_000


def test_an_on_demand_maximum_throttles_with_the_other_spelling_of_the_reasons(front: Any) -> None:
    front.create(units=None, OnDemandThroughput={"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 1})
    exhaust_writes(front)

    with pytest.raises(RefusedError) as refused:
        front.operations.put_item(put("a"))

    assert refused.value.code == "ThrottlingException"
    assert refused.value.members == {
        "throttlingReasons": [{"reason": "TableWriteMaxOnDemandThroughputExceeded", "resource": ARN}]
    }


def test_reads_are_refused_when_the_reads_are_used_up(front: Any) -> None:
    front.create()
    exhaust_reads(front)

    for operation, request in (
        (front.operations.get_item, {"TableName": "T", "Key": {"p": {"S": "a"}}}),
        (front.operations.scan, {"TableName": "T"}),
        (
            front.operations.query,
            {
                "TableName": "T",
                "KeyConditionExpression": "p = :p",
                "ExpressionAttributeValues": {":p": {"S": "a"}},
            },
        ),
        (front.operations.execute_statement, {"Statement": "SELECT * FROM T WHERE p = 'a'"}),
    ):
        with pytest.raises(RefusedError) as refused:
            operation(request)
        assert refused.value.members["ThrottlingReasons"][0]["reason"] == "TableReadProvisionedThroughputExceeded"


def test_a_page_of_an_index_uses_the_indexs_reads_only(front: Any) -> None:
    metered = front.create(units=(1, 100), indexes={"g": (1, 100)})
    front.operations.put_item(put("a", 9 * KB, g="1"))

    for _ in range(2):
        front.operations.scan({"TableName": "T", "IndexName": "g"})

    assert metered.capacity.resource("g").read.consumed_units == 3
    assert metered.capacity.resource().read.consumed_units == 0


def test_a_page_admitted_before_it_is_read_may_leave_a_debt_that_refuses_the_next(front: Any) -> None:
    metered = front.create()
    for number in range(4):
        front.backend.tables["T"].put_item(item(f"{number}", 300 * KB))
    limiter = metered.capacity.resource().read
    limiter.tokens = 2.0

    front.operations.scan({"TableName": "T"})
    with pytest.raises(RefusedError):
        front.operations.scan({"TableName": "T"})

    assert limiter.level(front.clock.now_s) == 2.0 - 3 * 300 / 4 / 2


def test_with_pages_decided_afterwards_what_cannot_be_paid_is_not_returned(make_front: Any) -> None:
    front = make_front(page_admission="after", max_debt_units=1.0)
    metered = front.create()
    front.backend.tables["T"].put_item(item("a", 300 * KB))
    metered.capacity.resource().read.tokens = 2.0

    with pytest.raises(RefusedError):
        front.operations.scan({"TableName": "T"})

    assert metered.capacity.resource().read.consumed_units == 0


def test_a_table_that_did_not_come_by_create_table_gets_its_capacity_from_moto(front: Any) -> None:
    front.create("Source", units=(7, 9), indexes={"g": (3, 4)})
    restored = front.backend.restore_table_to_point_in_time("Copy", "Source")

    capacity = front.tables.of(restored).capacity

    assert (capacity.resource().provisioned.read, capacity.resource().provisioned.write) == (7, 9)
    assert front.tables.of(restored) is front.tables.find(("000000000042", "us-east-1"), "Copy")
