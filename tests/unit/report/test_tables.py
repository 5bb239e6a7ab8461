"""The lines of `rydelab tables`, from two observations."""

from typing import Any

from rydelab.report.tables import resource_rows, text


def side(consumed: float, *, burst_left: float = 300.0, refused: dict[str, int] | None = None) -> dict[str, Any]:
    return {
        "rate": 1.0,
        "burst_left": burst_left,
        "burst_size": 300.0,
        "consumed_units": consumed,
        "admitted_requests": int(consumed),
        "refused": refused or {},
    }


def observation(now: float, *resources: dict[str, Any], status: str = "ACTIVE") -> dict[str, Any]:
    table = {
        "account": "000000000000",
        "region": "us-east-1",
        "table": "rides",
        "status": status,
        "billing_mode": "PROVISIONED",
        "items": 1200,
        "size_bytes": 5,
        "resources": list(resources),
    }
    return {"now": now, "enforcement": True, "tables": [table] if resources else []}


def resource(write: dict[str, Any], *, index: str | None = None) -> dict[str, Any]:
    return {"index": index, "partitions": 2, "read": side(0.0), "write": write}


def test_rates_are_what_happened_between_the_two_looks() -> None:
    before = observation(100.0, resource(side(300.0, refused={"TableWriteProvisionedThroughputExceeded": 10})))
    after = observation(
        102.0, resource(side(306.0, burst_left=75.0, refused={"TableWriteProvisionedThroughputExceeded": 50}))
    )

    (row,) = resource_rows(before, after)

    assert (row.write.units_per_s, row.write.rate_per_s, row.write.burst_share) == (3.0, 1.0, 0.25)
    assert row.read.units_per_s == 0.0
    assert row.refused_per_s == {"TableWriteProvisionedThroughputExceeded": 20.0}


def test_a_table_that_is_new_has_consumed_nothing_yet() -> None:
    (row,) = resource_rows(observation(100.0), observation(101.0, resource(side(40.0))))

    assert row.write.units_per_s == 0.0
    assert row.refused_per_s == {}


def test_a_debt_shows_as_an_empty_burst() -> None:
    (row,) = resource_rows(observation(1.0), observation(2.0, resource(side(0.0, burst_left=-50.0))))

    assert row.write.burst_share == 0.0


def test_an_index_has_a_line_of_its_own_below_its_table() -> None:
    looked = observation(5.0, resource(side(0.0)), resource(side(0.0), index="byName"), status="UPDATING")

    lines = text(resource_rows(looked, looked)).splitlines()

    assert [line.split()[0] for line in lines] == ["table", "rides", "rides/byName"]
    assert "provisioned, updating" in lines[1]
    assert "1,200" in lines[1]
    assert "1,200" not in lines[2]


def test_what_is_refused_is_said_below_its_row() -> None:
    refused = {"TableWriteKeyRangeThroughputExceeded": 5}
    before, after = observation(1.0, resource(side(0.0))), observation(2.0, resource(side(9.0, refused=refused)))

    heading, row, below = text(resource_rows(before, after)).splitlines()

    assert heading.index("items") + len("items") == len(row)
    assert below == "    refused 5/s: TableWriteKeyRangeThroughputExceeded"


def test_no_tables_is_said() -> None:
    assert text([]) == "No tables yet."
