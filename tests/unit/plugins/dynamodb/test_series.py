"""What the observation shows: the seconds of a table, its totals, and a reset."""

from typing import Any

import pytest

from rydelab.plugins.dynamodb.observation import observe, reset
from rydelab.plugins.dynamodb.refusals import RefusedError

START = 1_795_000_000


def put(front: Any, name: str, **attributes: str) -> None:
    made = {"p": {"S": name}} | {attribute: {"S": value} for attribute, value in attributes.items()}
    front.operations.put_item({"TableName": "T", "Item": made})


def series(front: Any, index: str | None = None, **options: Any) -> dict[str, Any]:
    (table,) = observe(front.tables, name="T", **options)["tables"]
    return next(resource for resource in table["resources"] if resource["index"] == index)["series"]


def test_each_second_has_its_consumption_and_what_is_left_of_the_burst(front: Any) -> None:
    front.create()
    for second in (1.0, 1.5, 1.9, 3.0):
        front.clock.now_s = START + second
        put(front, f"{second}")
    front.clock.now_s = START + 4.5

    seen = series(front, since=START + 1)

    assert seen["second"] == [START + 1, START + 3]
    assert seen["write_units"] == [3.0, 1.0]
    assert seen["write_burst_left"] == pytest.approx([298.0, 299.0])
    assert seen["write_rate"] == [1.0, 1.0]
    assert seen["partitions"] == [1, 1]
    assert seen["refused"] == [{}, {}]


def test_refusals_are_counted_in_their_second_by_reason(front: Any) -> None:
    metered = front.create()
    metered.capacity.resource().write.tokens = 0.0
    for _ in range(3):
        with pytest.raises(RefusedError):
            put(front, "a")
    front.clock.now_s += 1

    assert series(front)["refused"][-1] == {"TableWriteProvisionedThroughputExceeded": 3}


def test_a_change_of_capacity_has_a_second_of_its_own(front: Any) -> None:
    from rydelab.capacity.throughput import Throughput, ThroughputSettings  # noqa: PLC0415
    from rydelab.capacity.update import Update  # noqa: PLC0415

    metered = front.create()
    front.clock.now_s = START + 5.0
    metered.capacity.update(Update(throughput=ThroughputSettings(Throughput(5.0, 9.0))), metered.now())
    front.clock.now_s = START + 60.0

    observe(front.tables)  # the update takes effect when somebody looks
    front.clock.now_s = START + 61.0

    assert series(front)["write_rate"] == [1.0, 9.0]


def test_an_index_has_seconds_of_its_own_from_its_first_request_on(front: Any) -> None:
    front.create(units=(10, 10), indexes={"g": (10, 10)})
    put(front, "a", g="1")
    front.clock.now_s += 1

    assert series(front, "g")["write_units"] == [1.0]


def test_only_so_many_seconds_are_remembered(front: Any) -> None:
    metered = front.create()
    length = front.tables.settings.series_s
    for _ in range(length + 10):
        front.clock.now_s += 1
        put(front, "a")

    assert len(metered.series.of(None, since=0)) == length


def test_a_reset_forgets_the_seconds_and_keeps_the_counters(front: Any) -> None:
    front.create()
    put(front, "a")
    front.clock.now_s += 1

    assert reset(front.tables, name="T") == {"reset": ["T"]}

    (table,) = observe(front.tables)["tables"]
    assert table["resources"][0]["series"]["second"] == []
    assert table["resources"][0]["write"]["consumed_units"] == 1


def test_a_table_tells_its_state(front: Any) -> None:
    front.create("T", units=(3, 4))
    front.create("U", units=None, OnDemandThroughput={"MaxReadRequestUnits": 7, "MaxWriteRequestUnits": -1})
    put(front, "a")

    seen = observe(front.tables, series=False)
    t, u = seen["tables"]

    assert seen["now"] == START
    assert (t["table"], t["status"], t["billing_mode"], t["items"], t["size_bytes"]) == (
        *("T", "ACTIVE", "PROVISIONED"),
        *(1, 2),
    )
    assert t["resources"][0]["provisioned"] == {"read": 3, "write": 4}
    assert t["resources"][0]["write"] == {
        "rate": 4.0,
        "burst_left": 1199.0,
        "burst_size": 1200.0,
        "consumed_units": 1.0,
        "admitted_requests": 1,
        "refused": {},
    }
    assert u["resources"][0]["on_demand_maximum"] == {"read": 7}
    assert "series" not in u["resources"][0]


def test_a_table_deleted_behind_the_fronts_back_is_forgotten(front: Any) -> None:
    front.create("T", units=(70_000 // 2, 1))
    del front.backend.tables["T"]

    assert observe(front.tables)["tables"] == []
    front.create("T", units=(40_000, 1))  # its units are free again
    front.create("U", units=(40_000, 1))
