from typing import Any

import pytest

from rydelab.capacity.usage import FunctionUse
from rydelab.lab.cells.measured_usage import usage_between
from rydelab.lab.cells.meters import Meters, TableTotals
from rydelab.lab.emulation.observation import FunctionActivity, TableActivity
from rydelab.report.summary import CellId

NOTHING = dict.fromkeys(("refused", "recorded", "dead_lettered", "in_flight", "lost", "ghost"), 0)
EMPTY = TableTotals(items=0, size_bytes=0, read_units=0.0, write_units=0.0)


def meters(at: float, counts: dict[str, FunctionActivity], **tables: TableTotals) -> Meters:
    return Meters(at, counts, **{"records": EMPTY, "unicorns": EMPTY} | tables)


def did(invocations: int, billed_ms: int, *, throttles: int = 0, log_bytes: int = 0) -> FunctionActivity:
    return FunctionActivity(invocations=invocations, billed_ms=billed_ms, throttles=throttles, log_bytes=log_bytes)


def usage(before: Meters, after: Meters, design: str = "microservices", mode: str = "on-demand", **changes: Any) -> Any:
    values: dict[str, Any] = {"memory_mb": 128, "rows": NOTHING, "rides": 0, "tables": (), "load_s": 10.0}
    return usage_between(before, after, cell=CellId(design, mode), **values | changes)


def activity(*seconds: tuple[int, float]) -> TableActivity:
    """Return what is known of a table: at the end of each second, the write units that it has."""
    rows = [
        {"second": second, "write_rate": rate, "read_rate": 1.0, "write_units": 0.0, "read_units": 0.0}
        for second, rate in seconds
    ]
    return TableActivity(is_on_demand=False, write_burst_size=300, read_burst_size=300, seconds=rows)


def test_only_what_was_used_since_the_load_began_is_counted() -> None:
    before = meters(100.0, {"RequestRide": did(20, 400, log_bytes=7_000)}, unicorns=TableTotals(10, 900, 10.0, 10.0))
    after = meters(
        160.0,
        {"RequestRide": did(120, 2_900, log_bytes=42_000), "PutRideRecordHttp": did(100, 1_500, log_bytes=30_000)},
        records=TableTotals(items=100, size_bytes=17_000, read_units=0.0, write_units=100.0),
        unicorns=TableTotals(10, 900, 60.0, 10.0),
    )

    used = usage(before, after)

    assert used.functions == {
        "RequestRide": FunctionUse(100, busy_s=2.5, memory_mb=128),
        "PutRideRecordHttp": FunctionUse(100, busy_s=1.5, memory_mb=128),
    }
    assert used.gateway_requests == 200
    assert (used.write_units, used.read_units) == (100.0, 50.0)
    assert (used.stored_items, used.stored_bytes) == (100, 17_000)
    assert used.log_bytes == 65_000
    assert (used.duration_s, used.load_s) == (60.0, 10.0)
    assert (used.sns_publishes, used.sqs_requests, used.alarms, used.is_provisioned) == (0, 0, 0, False)


def test_a_request_that_found_no_concurrency_passed_api_gateway_and_was_no_invocation() -> None:
    used = usage(meters(0.0, {}), meters(10.0, {"RequestRide": did(3, 30, throttles=2)}))

    assert used.gateway_requests == 5
    assert used.functions["RequestRide"].invocations == 3


def test_what_is_invoked_without_api_gateway_is_not_its_request() -> None:
    counts = {"RequestRide": did(3, 30), "RequestUnicornInvoke": did(3, 30), "PutRideRecordSns": did(4, 40)}

    assert usage(meters(0.0, {}), meters(10.0, counts), "event-driven").gateway_requests == 3


def test_each_promised_ride_was_published_and_a_dead_letter_is_a_request_to_its_queue() -> None:
    used = usage(meters(0.0, {}), meters(10.0, {}), "event-driven", rides=9, rows=NOTHING | {"dead_lettered": 2})

    assert (used.sns_publishes, used.sqs_requests, used.sqs_sends) == (9, 2, 2)


def test_a_queue_has_a_send_for_each_ride_a_receive_and_a_delete_for_each_batch_and_empty_receives() -> None:
    used = usage(meters(0.0, {}), meters(400.0, {"PutRideRecordSqs": did(100, 900)}), "queued", rides=500)

    assert (used.sns_publishes, used.sqs_sends) == (500, 500)
    # Of 5 pollers each expects one batch in its 20 s: see test_bill.py.
    assert used.sqs_empty_receives == pytest.approx(58.2, abs=0.1)
    assert used.sqs_requests == pytest.approx(500 + 2 * 100 + 58.2, abs=0.1)


def test_provisioned_units_are_added_up_over_the_seconds_and_stay_between_two_that_are_known() -> None:
    before, after = meters(100.0, {}), meters(110.0, {})

    # Known at the ends of seconds 2 and 6: 1 unit until then (4 s more), then 5 units for the last 4 s.
    used = usage(before, after, mode="autoscaled", tables=[activity((102, 1.0), (106, 5.0))])

    assert used.provisioned_write_unit_s == 6 * 1 + 4 * 5
    assert used.provisioned_read_unit_s == 10
    assert used.alarms == 8


def test_a_scale_up_after_the_last_look_counts_for_nothing() -> None:
    used = usage(meters(0.0, {}), meters(10.0, {}), mode="provisioned", tables=[activity((1, 2.0), (15, 9.0))])

    assert used.provisioned_write_unit_s == 20


def test_the_units_of_an_on_demand_table_are_not_provisioned() -> None:
    used = usage(meters(0.0, {}), meters(10.0, {}), mode="on-demand", tables=[activity((1, 4000.0))])

    assert used.provisioned_write_unit_s == 0


OBSERVED = {
    "now": 170.0,
    "tables": [
        {
            "table": name,
            "items": items,
            "size_bytes": 170 * items,
            "resources": [
                {"index": "by-name", "read": {"consumed_units": 77.0}, "write": {"consumed_units": 77.0}},
                {"index": None, "read": {"consumed_units": 5.0}, "write": {"consumed_units": items}},
            ],
        }
        for name, items in (("rides-cell1", 40), ("rides-cell2", 900), ("unicorns-cell1", 10))
    ],
}


def test_meters_are_those_of_the_deployments_own_functions_and_tables() -> None:
    read = Meters.read(
        functions={"RequestRide": "ride-cell1", "RequestUnicornApig": "apig-cell1"},
        activity={"ride-cell1": did(7, 70), "ride-cell2": did(99, 990)},
        records="rides-cell1",
        unicorns="unicorns-cell1",
        observed=OBSERVED,
    )

    assert read == Meters(
        170.0,
        {"RequestRide": did(7, 70), "RequestUnicornApig": FunctionActivity()},
        TableTotals(40, 6_800, 5.0, 40),
        TableTotals(10, 1_700, 5.0, 10),
    )


@pytest.mark.parametrize("records", [None, "not-there"])
def test_a_lab_that_does_not_meter_the_table_has_no_meters(records: str | None) -> None:
    assert Meters.read(functions={}, activity={}, records=records, unicorns="unicorns-cell1", observed=OBSERVED) is None
