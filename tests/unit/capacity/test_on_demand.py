from collections.abc import Callable

import pytest

from rydelab.capacity.charges import ReadCharge, WriteCharge
from rydelab.capacity.errors import LimitExceededError
from rydelab.capacity.positions import POSITIONS
from rydelab.capacity.schema import Index, TableSchema
from rydelab.capacity.settings import Settings
from rydelab.capacity.table import Table
from rydelab.capacity.throttling import Access, BillingMode, Limit
from rydelab.capacity.throughput import NO_MAXIMUM, Change, Throughput, ThroughputSettings
from rydelab.capacity.update import Update

MakeTable = Callable[..., Table]
READ, WRITE = Access.READ, Access.WRITE


def drive(table: Table, units_per_s: int, *, start: int, seconds: int) -> int:
    """Write *units_per_s* evenly over all partitions, in ten steps a second; return the units admitted a second."""
    admitted = 0
    for step in range(seconds * 10):
        admitted += table.resource().write.admit_many(1.0, units_per_s // 10, start + step / 10)
    return admitted // seconds


def test_a_new_table_takes_4000_writes_and_12000_reads_a_second(make_table: MakeTable) -> None:
    table = make_table(on_demand=True)
    assert (table.resource().write.rate, table.resource().read.rate) == (4000, 12_000)
    assert (table.resource().warm[WRITE], table.resource().warm[READ]) == (4000, 12_000)
    assert len(table.resource().partitions) == 4
    assert drive(table, 6000, start=0, seconds=100) == pytest.approx(4000, rel=0.02)


def test_growing_too_fast_is_throttled_by_the_key_range(make_table: MakeTable) -> None:
    table = make_table(on_demand=True)
    drive(table, 8000, start=0, seconds=5)
    for position in range(0, POSITIONS, POSITIONS // 4):
        table.admit_write(WriteCharge(1000, position), 5.0)
    refusal = table.admit_write(WriteCharge(1000, 0), 5.0)
    assert refusal.throttles[0].limit is Limit.KEY_RANGE
    assert refusal.throttles[0].mode is BillingMode.ON_DEMAND


def test_a_sustained_level_is_the_new_peak_after_30_minutes_and_twice_it_is_served(make_table: MakeTable) -> None:
    table = make_table(on_demand=True)
    drive(table, 4000, start=0, seconds=120)
    assert drive(table, 8000, start=120, seconds=60) < 4300
    table.advance(1799.0)
    assert table.resource().warm[WRITE] == 4000
    table.advance(1801.0)
    assert table.resource().warm[WRITE] == pytest.approx(8000, rel=0.05)
    assert drive(table, 8000, start=1801, seconds=60) == pytest.approx(8000, rel=0.05)
    assert drive(table, 16_000, start=1861, seconds=60) < 8500  # passing twice the peak within 30 minutes


def test_traffic_below_half_of_the_capacity_is_no_new_peak(make_table: MakeTable) -> None:
    table = make_table(on_demand=True)
    drive(table, 1900, start=0, seconds=300)
    table.advance(5000.0)
    assert table.resource().warm[WRITE] == 4000


def test_warm_throughput_is_never_lowered(make_table: MakeTable) -> None:
    table = make_table(on_demand=True)
    drive(table, 4000, start=0, seconds=120)
    table.advance(2000.0)
    warm = table.resource().warm[WRITE]
    table.advance(1_000_000.0)
    assert table.resource().warm[WRITE] == warm > 4000


def test_the_table_quota_limits_a_table_that_has_grown(make_table: MakeTable) -> None:
    table = make_table(on_demand=True, warm=Change(write=40_000))
    assert len(table.resource().partitions) == 40
    assert drive(table, 60_000, start=0, seconds=60) == pytest.approx(40_000, rel=0.02)
    table.resource().write.take(80_000, 60.0)
    refusal = table.admit_write(WriteCharge(1, 0), 60.0)
    assert [throttle.reason for throttle in refusal.throttles] == ["TableWriteAccountLimitExceeded"]


def test_maximum_throughput_limits_with_its_own_burst_and_reason(
    make_table: MakeTable, flood: Callable[..., int]
) -> None:
    table = make_table(on_demand=True, maximum=Change(write=10))
    assert flood(table, start=0.0, seconds=30, per_second=200) == pytest.approx(3000 + 300, abs=1)
    refusal = table.admit_write(WriteCharge(1, 0), 29.999)
    assert [throttle.reason for throttle in refusal.throttles] == ["TableWriteMaxOnDemandThroughputExceeded"]
    assert table.admit_read(ReadCharge(100, 0), 30.0).admitted


def test_maximum_throughput_is_set_and_removed_by_update(make_table: MakeTable) -> None:
    table = make_table(on_demand=True)
    ready = table.update(Update(throughput=ThroughputSettings(on_demand_maximum=Change(write=10))), 0.0)
    table.advance(ready)
    assert table.resource().maximum == {WRITE: 10}
    assert not table.admit_write(WriteCharge(50, 0), ready).admitted  # no burst comes from an update
    assert table.admit_write(WriteCharge(10, 0), ready + 1).admitted
    ready = table.update(Update(throughput=ThroughputSettings(on_demand_maximum=Change(write=NO_MAXIMUM))), ready + 1)
    table.advance(ready)
    assert table.admit_write(WriteCharge(500, 0), ready).admitted


def test_a_maximum_may_be_changed(make_table: MakeTable) -> None:
    table = make_table(on_demand=True, maximum=Change(write=10))
    table.admit_write(WriteCharge(3000, 0), 0.0)
    ready = table.update(Update(throughput=ThroughputSettings(on_demand_maximum=Change(write=100))), 0.0)
    table.advance(ready)
    assert drive(table, 1000, start=round(ready), seconds=100) == pytest.approx(100, rel=0.05)


def test_a_peak_at_the_quota_gives_no_more_than_the_quota(make_table: MakeTable) -> None:
    table = make_table(on_demand=True, warm=Change(write=30_000), settings=Settings(on_demand_growth_s=100))
    drive(table, 30_000, start=0, seconds=120)
    table.advance(121.0)
    assert table.resource().warm[WRITE] == 40_000


def test_maximum_wins_over_warm_throughput(make_table: MakeTable) -> None:
    table = make_table(on_demand=True, maximum=Change(write=10), warm=Change(write=10_000))
    table.admit_write(WriteCharge(1000, 0), 0.0)
    assert drive(table, 1000, start=400, seconds=600) < 16


def test_pre_warming_serves_more_at_once(make_table: MakeTable) -> None:
    table = make_table(on_demand=True)
    ready = table.update(Update(throughput=ThroughputSettings(warm=Change(write=10_000))), 0.0)
    assert table.warm_status(1.0) == "UPDATING"
    assert table.resource().warm[WRITE] == 4000
    assert table.warm_status(ready) == "ACTIVE"
    assert table.resource().warm[WRITE] == 10_000
    assert drive(table, 9000, start=round(ready) + 1, seconds=10) == 9000


def test_raising_provisioned_above_warm_throughput_raises_it(make_table: MakeTable) -> None:
    table = make_table(write=5, read=5)
    assert table.resource().warm == {READ: 5, WRITE: 5}
    table.advance(table.update(Update(throughput=ThroughputSettings(Throughput(5, 500))), 0.0))
    assert table.resource().warm == {READ: 5, WRITE: 500}
    table.advance(table.update(Update(throughput=ThroughputSettings(Throughput(5, 50))), 100.0))
    assert table.resource().warm == {READ: 5, WRITE: 500}


def test_the_first_switch_gives_the_initial_throughput_or_the_highest_ever_provisioned(make_table: MakeTable) -> None:
    small, large = make_table(write=5), make_table(write=9000)
    for table, expected in ((small, 4000), (large, 9000)):
        ready = table.update(Update(mode=BillingMode.ON_DEMAND), 0.0)
        assert table.resource().write.mode is BillingMode.PROVISIONED
        table.advance(ready)
        assert table.resource().write.rate == expected
        assert table.resource().shown_provisioned == Throughput(0, 0)


def test_a_switch_takes_minutes_at_the_old_capacity(make_table: MakeTable) -> None:
    table = make_table()
    table.admit_write(WriteCharge(300, 0), 0.0)
    ready = table.update(Update(mode=BillingMode.ON_DEMAND), 0.0)
    assert ready == 180
    assert not table.admit_write(WriteCharge(200, 0), 0.5).admitted
    assert table.status(179.0) == "UPDATING"
    assert table.admit_write(WriteCharge(200, 0), 181.0).admitted
    assert table.status(181.0) == "ACTIVE"


def test_switching_back_keeps_the_partitions_of_the_peak(make_table: MakeTable) -> None:
    table = make_table(on_demand=True, warm=Change(write=20_000))
    back = Update(mode=BillingMode.PROVISIONED, throughput=ThroughputSettings(Throughput(10, 10)))
    table.advance(table.update(back, 0.0))
    assert table.resource().write.rate == 10
    assert len(table.resource().partitions) == 20


def test_switching_modes_creates_no_burst(make_table: MakeTable) -> None:
    table = make_table()
    table.admit_write(WriteCharge(300, 0), 0.0)
    now = table.update(Update(mode=BillingMode.ON_DEMAND), 0.0)
    back = Update(mode=BillingMode.PROVISIONED, throughput=ThroughputSettings(Throughput(1, 1)))
    ready = table.update(back, now + 1000)
    table.advance(ready)
    assert table.resource().write.level(ready) == pytest.approx(180)  # saved while it was provisioned, no more


def test_four_switches_to_on_demand_in_any_24_hours(make_table: MakeTable) -> None:
    table = make_table()
    to_on_demand = Update(mode=BillingMode.ON_DEMAND)
    back = Update(mode=BillingMode.PROVISIONED, throughput=ThroughputSettings(Throughput(1, 1)))
    now = 0.0
    for _ in range(4):
        now = table.update(back, table.update(to_on_demand, now))
    with pytest.raises(LimitExceededError, match="4 times in 24 hours"):
        table.update(to_on_demand, now)
    assert table.status(now) == "ACTIVE"
    assert table.update(to_on_demand, 86_400.0) == 86_580
    assert table.last_switch_to_on_demand == 86_400


def test_each_index_grows_on_its_own(make_table: MakeTable) -> None:
    table = make_table(on_demand=True, indexes={"byCity": None})
    for step in range(1200):
        table.resource("byCity").write.admit_many(1.0, 390, step / 10)
    table.advance(2000.0)
    assert table.resource("byCity").warm[WRITE] > 7000
    assert table.resource().warm[WRITE] == 4000


def test_an_idle_gap_does_not_water_down_the_window_before_it() -> None:
    table = Table(TableSchema("Rides", "RideId", indexes=(Index("i", "k"),)), mode=BillingMode.ON_DEMAND, now=0.0)
    drive(table, 3900, start=0, seconds=60)
    table.advance(4000.0)  # the first look after more than an hour
    assert table.resource().warm[WRITE] == pytest.approx(7800, rel=0.05)


def test_growth_is_a_setting(make_table: MakeTable) -> None:
    table = make_table(on_demand=True, settings=Settings(on_demand_growth=3, on_demand_growth_s=100))
    drive(table, 4000, start=0, seconds=120)
    table.advance(121.0)
    assert table.resource().warm[WRITE] == pytest.approx(12_000, rel=0.05)
