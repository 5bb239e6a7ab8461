from collections.abc import Callable

import pytest

from rydelab.capacity.bucket import Bucket
from rydelab.capacity.charges import ReadCharge, WriteCharge
from rydelab.capacity.settings import Settings
from rydelab.capacity.table import Table

Step = tuple[float, float, bool]  # (now in seconds, write units asked for, admitted?)


@pytest.mark.parametrize("per_second", [10, 100, 997])
def test_a_fresh_table_of_1_wcu_admits_300_units_of_burst_and_1_a_second(
    make_table: Callable[..., Table], flood: Callable[..., int], per_second: int
) -> None:
    # 300 at once, then 1 each at t = 1, 2, ... 29.
    expected = 300 + 30 if per_second >= 20 else 10 * 30
    assert flood(make_table(), start=0.0, seconds=30, per_second=per_second) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        pytest.param(Settings(), [(0, 300, True), (0, 1, False), (1, 1, True)], id="starts with 300 seconds' worth"),
        pytest.param(
            Settings(), [(0, 300, True), (150, 150, True), (1000, 300, True), (1000, 1, False)], id="saves 300 s"
        ),
        pytest.param(
            Settings(), [(0, 300, True), (3, 1, True), (3, 1, True), (3, 1, True), (3, 1, False)], id="free refusals"
        ),
        pytest.param(Settings(), [(0, 300, True), (0.9999, 1, False), (1, 1, True)], id="a unit is a whole unit"),
        pytest.param(
            Settings(fresh_burst_s=0), [(0, 1, False), (1, 1, True), (1, 1, False)], id="an empty fresh table"
        ),
        pytest.param(Settings(burst_s=1), [(0, 1, True), (0, 1, False), (9, 1, True), (9, 1, False)], id="no burst"),
        pytest.param(
            Settings(), [(0, 299, True), (0, 400, True), (398, 1, False), (400, 1, True)], id="debt is paid back"
        ),
        pytest.param(Settings(max_debt_units=0), [(0, 299, True), (0, 2, False), (0, 1, True)], id="no debt"),
        pytest.param(Settings(max_debt_units=9), [(0, 299, True), (0, 11, False), (0, 10, True)], id="bounded debt"),
        pytest.param(
            Settings(debt_threshold_units=2), [(0, 299, True), (0, 9, False), (0, 1, True)], id="debt threshold"
        ),
        pytest.param(
            Settings(debt_threshold_units=0.1), [(0, 299.5, True), (0, 1, True), (0, 1, False)], id="any rest will do"
        ),
        pytest.param(Settings(), [(9, 300, True), (0, 1, False), (9, 1, False), (10, 1, True)], id="clock steps back"),
    ],
)
def test_timeline(make_table: Callable[..., Table], settings: Settings, steps: list[Step]) -> None:
    """A table of 1 WCU answers each step as written."""
    table = make_table(settings=settings)
    answered = [(now, units, table.admit_write(WriteCharge(units, 0), now).admitted) for now, units, _ in steps]
    assert answered == steps


def test_taking_at_an_earlier_time_moves_no_clock_back() -> None:
    bucket = Bucket.alone(rate=1, size=10, tokens=10, now=9.0)
    bucket.take(4, 5.0)
    assert bucket.level(9.0) == 6


def test_reads_and_writes_have_buckets_of_their_own(make_table: Callable[..., Table]) -> None:
    table = make_table(read=1, write=1)
    assert table.admit_write(WriteCharge(300, 0), 0.0).admitted
    assert not table.admit_write(WriteCharge(1, 0), 0.0).admitted
    assert table.admit_read(ReadCharge(300, 0), 0.0).admitted
    assert not table.admit_read(ReadCharge(0.5, 0), 0.0).admitted
    assert table.admit_read(ReadCharge(0.5, 0), 0.5).admitted


def test_limits_are_per_second_although_cloudwatch_counts_minutes(make_table: Callable[..., Table]) -> None:
    table = make_table(write=60, settings=Settings(burst_s=1, fresh_burst_s=1))
    admitted = sum(table.admit_write(WriteCharge(1, 0), n / 3600).admitted for n in range(3600))
    assert admitted == pytest.approx(60 + 60, abs=1)  # far less than a minute's 3,600


def test_a_throttled_request_consumes_nothing(make_table: Callable[..., Table]) -> None:
    table = make_table()
    table.admit_write(WriteCharge(300, 0), 0.0)
    write = table.resource().write
    before = (write.tokens, write.last, write.consumed_units, write.admitted_requests)
    for n in range(1, 100):
        assert not table.admit_write(WriteCharge(1, 0), n / 100).admitted
    assert (write.tokens, write.last, write.consumed_units, write.admitted_requests) == before


def test_a_request_larger_than_the_whole_bucket_is_admitted_and_paid_for_later(
    make_table: Callable[..., Table],
) -> None:
    table = make_table()
    assert table.admit_write(WriteCharge(400, 0), 0.0).admitted
    assert table.resource().write.level(0.0) == -100
    assert not table.admit_write(WriteCharge(1, 0), 100.5).admitted
    assert table.admit_write(WriteCharge(1, 0), 101.0).admitted


def test_many_equal_requests_are_admitted_as_one_by_one(make_table: Callable[..., Table]) -> None:
    singly, together = make_table(write=10), make_table(write=10)
    for second in range(40):
        one_by_one = sum(singly.admit_write(WriteCharge(2.0, 0), float(second)).admitted for _ in range(900))
        assert together.resource().write.admit_many(2.0, 900, float(second), 0) == one_by_one
    assert together.resource().write.consumed_units == singly.resource().write.consumed_units
    assert together.resource().write.throttle_events == singly.resource().write.throttle_events
