from collections.abc import Callable

import pytest

from rydelab.capacity.charges import WriteCharge
from rydelab.capacity.errors import CapacityError, InvalidThroughputError, LimitExceededError, ResourceInUseError
from rydelab.capacity.quotas import Account, DecreaseQuota
from rydelab.capacity.schema import Index, IndexScope, TableSchema
from rydelab.capacity.settings import Settings
from rydelab.capacity.table import Table
from rydelab.capacity.throttling import BillingMode
from rydelab.capacity.throughput import Change, Throughput, ThroughputSettings
from rydelab.capacity.update import Update

HOUR = 3600.0
DAY = 86_400.0
MakeTable = Callable[..., Table]


def to(read: float, write: float) -> Update:
    return Update(throughput=ThroughputSettings(Throughput(read, write)))


def test_an_update_takes_effect_later_and_requests_meet_the_old_rate_meanwhile(make_table: MakeTable) -> None:
    table = make_table(write=1, settings=Settings(update_delay_s=40))
    table.admit_write(WriteCharge(300, 0), 0.0)
    assert table.update(to(1, 100), 0.0) == 40
    assert table.status(39.0) == "UPDATING"
    assert table.resource().write.rate == 1
    assert not table.admit_write(WriteCharge(50, 0), 0.5).admitted
    assert table.status(40.0) == "ACTIVE"
    assert table.resource().write.level(41.0) == pytest.approx(40 * 1 + 100)


def test_a_request_alone_makes_a_due_update_effective(make_table: MakeTable) -> None:
    table = make_table(write=1)
    ready = table.update(to(1, 100), 0.0)
    table.admit_write(WriteCharge(1, 0), ready)
    assert table.resource().write.rate == 100
    assert table.pending is None


def test_a_second_update_is_refused_while_the_first_is_under_way(make_table: MakeTable) -> None:
    table = make_table()
    ready = table.update(to(2, 2), 0.0)
    with pytest.raises(ResourceInUseError, match="Table is being updated: Rides") as refusal:
        table.update(to(3, 3), ready - 0.1)
    assert refusal.value.code == "ResourceInUseException"
    assert table.update(to(3, 3), ready) > ready


def test_a_decrease_takes_burst_away_and_an_increase_gives_none(make_table: MakeTable) -> None:
    table = make_table(write=10)
    assert table.resource().write.level(0.0) == 3000
    ready = table.update(to(1, 2), 0.0)
    table.advance(ready)
    assert table.resource().write.level(ready) == 600
    ready = table.update(to(1, 10), ready)
    table.advance(ready)
    assert table.resource().write.level(ready) == 600


def test_increase_and_decrease_times_are_when_they_took_effect(make_table: MakeTable) -> None:
    table = make_table(read=5, write=5)
    assert (table.resource().last_increase, table.resource().last_decrease) == (None, None)
    up = table.update(to(5, 6), 100.0)
    down = table.update(to(4, 6), up)
    table.advance(down)
    assert (table.resource().last_increase, table.resource().last_decrease) == (up, down)


def test_partitions_are_added_when_provisioned_passes_its_maximum_and_stay(make_table: MakeTable) -> None:
    table = make_table(write=3000, settings=Settings(partitions_by_throughput="larger"))
    for write, count in ((6000, 6), (100, 6), (6000, 6)):
        table.advance(table.update(to(1, write), 1e6))
        assert len(table.resource().partitions) == count


def test_decreases_four_at_once_then_one_an_hour_27_a_day(make_table: MakeTable) -> None:
    table = make_table(write=1000, settings=Settings(update_delay_s=0))
    write, refused_at, done = 1000.0, [], 0
    for minute in range(24 * 60):
        try:
            table.update(to(1, write - 1), minute * 60.0)
        except LimitExceededError:
            refused_at.append(minute)
        else:
            write, done = write - 1, done + 1
            assert minute < 4 or minute % 60 == 0
    assert done == 27
    assert table.resource().decreases.today(DAY - 1) == 27
    for second in range(4):
        table.update(to(1, write - 1 - second), DAY + second)
    with pytest.raises(LimitExceededError, match=r"table Rides has had 4 decreases today"):
        table.update(to(1, 1), DAY + 5)


def test_unused_decreases_are_not_saved_beyond_four() -> None:
    quota = DecreaseQuota(Settings(), now=0.0)
    for expected in (True, True, True, True, False):
        assert quota.allows(20 * HOUR) is expected
        if expected:
            quota.spend(20 * HOUR)


def test_at_most_27_decreases_even_if_the_stock_would_allow_more() -> None:
    quota = DecreaseQuota(Settings(decreases_per_day=5), now=0.0)
    spent = 0
    for hour in range(24):
        while quota.allows(hour * HOUR):
            quota.spend(hour * HOUR)
            spent += 1
    assert spent == 5


def test_the_day_is_utc() -> None:
    quota = DecreaseQuota(Settings(), now=DAY - 1)
    for _ in range(4):
        quota.spend(DAY - 1)
    assert not quota.allows(DAY - 0.5)
    assert quota.allows(DAY)
    assert quota.today(DAY) == 0


def test_a_clock_that_steps_back_gives_no_decrease() -> None:
    quota = DecreaseQuota(Settings(), now=10 * HOUR)
    for _ in range(4):
        quota.spend(10 * HOUR)
    assert not quota.allows(9 * HOUR)
    assert not quota.allows(10.5 * HOUR)
    assert quota.allows(11 * HOUR)


def test_a_clock_that_steps_back_over_midnight_begins_no_second_day() -> None:
    quota = DecreaseQuota(Settings(), now=DAY)
    for _ in range(4):
        quota.spend(DAY)
    assert not quota.allows(DAY - 1)
    assert not quota.allows(DAY + 1)
    assert quota.today(DAY + 1) == 4


def test_a_read_and_a_write_decrease_in_one_request_are_one_and_indexes_count_apart(make_table: MakeTable) -> None:
    table = make_table(read=9, write=9, indexes={"byCity": Throughput(9, 9)}, settings=Settings(update_delay_s=0))
    table.update(to(8, 8), 0.0)
    table.update(Update(index_throughput={"byCity": ThroughputSettings(Throughput(8, 8))}), 1.0)
    assert table.resource().decreases.today(2.0) == 1
    assert table.resource("byCity").decreases.today(2.0) == 1


def test_a_combined_request_is_rejected_whole(make_table: MakeTable) -> None:
    table = make_table(read=9, write=9, indexes={"byCity": Throughput(9, 9)}, settings=Settings(update_delay_s=0))
    for step in range(4):
        lower = ThroughputSettings(Throughput(8 - step, 9))
        table.update(Update(index_throughput={"byCity": lower}), float(step))
    with pytest.raises(LimitExceededError, match="index byCity of table Rides"):
        table.update(
            Update(None, ThroughputSettings(Throughput(8, 9)), {"byCity": ThroughputSettings(Throughput(1, 9))}), 5.0
        )
    assert table.pending is None
    assert table.resource().decreases.today(5.0) == 0


def test_increases_are_not_counted(make_table: MakeTable) -> None:
    table = make_table(settings=Settings(update_delay_s=0))
    for write in range(2, 60):
        table.update(to(1, write), float(write))
    assert table.resource().write.rate == 58
    assert table.resource().decreases.today(60.0) == 0


def test_an_update_to_what_already_is_is_refused(make_table: MakeTable) -> None:
    with pytest.raises(InvalidThroughputError, match=r"will not change.*Requested WriteCapacityUnits: 7\."):
        make_table(read=5, write=7).update(to(5, 7), 0.0)


@pytest.mark.parametrize(
    ("throughput", "code", "message"),
    [
        (ThroughputSettings(Throughput(0, 5)), "ValidationException", "ReadCapacityUnits of table Rides .* got 0"),
        (ThroughputSettings(Throughput(5, 40_001)), "LimitExceededException", "WriteCapacityUnits .* 40000 .* 40001"),
        (ThroughputSettings(on_demand_maximum=Change(read=0)), "ValidationException", "MaxReadRequestUnits"),
        (ThroughputSettings(warm=Change(write=-1)), "ValidationException", r"WarmThroughput\.WriteUnitsPerSecond"),
    ],
)
def test_values_outside_the_limits_are_refused_by_name(
    make_table: MakeTable, throughput: ThroughputSettings, code: str, message: str
) -> None:
    with pytest.raises(CapacityError, match=message) as refusal:
        make_table().update(Update(throughput=throughput), 0.0)
    assert refusal.value.code == code


def test_provisioned_values_belong_to_provisioned_mode_only(make_table: MakeTable) -> None:
    with pytest.raises(InvalidThroughputError, match="Neither ReadCapacityUnits nor WriteCapacityUnits"):
        make_table(on_demand=True).update(to(5, 5), 0.0)
    with pytest.raises(InvalidThroughputError, match=r"must both be specified.*table Rides"):
        make_table(on_demand=True).update(Update(mode=BillingMode.PROVISIONED), 0.0)
    with pytest.raises(InvalidThroughputError, match=r"must both be specified.*index byCity"):
        make_table(indexes={"byCity": None})


def test_unknown_indexes_are_refused(make_table: MakeTable) -> None:
    with pytest.raises(InvalidThroughputError, match="table Rides has no global index 'nope'"):
        make_table().update(Update(index_throughput={"nope": ThroughputSettings(Throughput(1, 1))}), 0.0)
    with pytest.raises(ValueError, match="nope"):
        make_table().resource("nope")


def test_the_account_quota_sums_tables_and_indexes() -> None:
    account = Account(Settings())
    index = Index("byCity", "city")
    big = ThroughputSettings(Throughput(1, 40_000))

    def create(name: str, throughput: ThroughputSettings) -> Table:
        schema = TableSchema(name, "id", indexes=(index,))
        return Table(schema, throughput=throughput, index_throughput={"byCity": throughput}, account=account, now=0.0)

    table = create("A", big)
    assert account.write_utilization == 100
    small = ThroughputSettings(Throughput(1, 1))
    with pytest.raises(LimitExceededError, match=r"write capacity units .* 80002, its limit is 80000 \(table B\)"):
        create("B", small)
    table.update(to(1, 39_000), 0.0)
    other = create("B", small)
    assert account.write_rate == 79_002
    with pytest.raises(LimitExceededError):
        other.update(to(1, 2000), 0.0)
    assert other.pending is None
    table.delete()
    assert account.write_rate == 2
    other.update(to(1, 2000), 0.0)


def test_on_demand_tables_do_not_count_against_the_account() -> None:
    account = Account(Settings())
    table = Table(TableSchema("A", "id"), throughput=ThroughputSettings(Throughput(9, 9)), account=account, now=0.0)
    table.update(Update(mode=BillingMode.ON_DEMAND), 0.0)
    assert (account.read_rate, account.write_rate) == (0, 0)


def test_an_index_added_later_has_throughput_of_its_own_and_bounds_writes_at_once(make_table: MakeTable) -> None:
    table = make_table(write=100)
    index = Index("byCity", "city")
    with pytest.raises(InvalidThroughputError, match="index byCity"):
        table.add_index(index, 0.0)
    table.add_index(index, 0.0, ThroughputSettings(Throughput(1, 1)))
    write = table.resource("byCity").write
    assert write.rate == 1
    assert table.resource("byCity").backfill(300.0, 7, 0.0)
    assert not table.resource("byCity").backfill(1.0, 7, 0.0)
    assert (table.resource("byCity").backfill_units, table.resource("byCity").backfill_throttles) == (300, 1)
    table.remove_index("byCity", 1.0)
    assert table.schema.indexes == ()
    assert list(table.resources) == [None]


def test_local_indexes_cannot_be_added_later(make_table: MakeTable) -> None:
    with pytest.raises(InvalidThroughputError, match="byDate"):
        make_table().add_index(Index("byDate", "RideId", "date", scope=IndexScope.LOCAL), 0.0)
