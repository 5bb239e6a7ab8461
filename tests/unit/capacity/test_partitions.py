import random
from collections.abc import Callable

import pytest

from rydelab.capacity.charges import ReadCharge, WriteCharge
from rydelab.capacity.heat import KeyHeat
from rydelab.capacity.partitions import Partitions, partitions_by_size, partitions_by_throughput
from rydelab.capacity.positions import POSITIONS
from rydelab.capacity.rows import pair_offset
from rydelab.capacity.settings import GIB, Settings
from rydelab.capacity.table import Table
from rydelab.capacity.throttling import Access, Limit

HOT = 123_456_789
MakeTable = Callable[..., Table]


@pytest.mark.parametrize(
    ("read", "write", "by_sum", "by_larger"),
    [(1, 1, 1, 1), (0, 1000, 1, 1), (0, 3200, 4, 4), (0, 3600, 4, 4), (3000, 1000, 2, 1), (12_000, 4_000, 8, 4)],
)
def test_initial_partitions_by_throughput(read: float, write: float, by_sum: int, by_larger: int) -> None:
    assert partitions_by_throughput(read, write, "sum", Settings()) == by_sum
    assert partitions_by_throughput(read, write, "larger", Settings()) == by_larger


@pytest.mark.parametrize(("size", "count"), [(0, 1), (10 * GIB, 1), (10 * GIB + 1, 2), (101 * GIB, 11)])
def test_initial_partitions_by_size(size: int, count: int) -> None:
    assert partitions_by_size(size, Settings()) == count


def test_the_larger_of_throughput_and_size_wins(make_table: MakeTable) -> None:
    assert len(make_table(read=3000, write=3000, size_bytes=10 * GIB).resource().partitions) == 4
    assert len(make_table(read=3000, write=3000, size_bytes=70 * GIB).resource().partitions) == 7


def test_a_table_that_fills_is_split_and_never_merged(make_table: MakeTable) -> None:
    table = make_table()
    table.store_size(25 * GIB, 1.0)
    assert len(table.resource().partitions) == 3
    table.store_size(0, 2.0)
    assert len(table.resource().partitions) == 3


def test_partitions_divide_all_positions_evenly() -> None:
    partitions = Partitions(Settings(), now=0.0)
    partitions.grow(8, 0.0)
    assert partitions.starts == [POSITIONS // 8 * number for number in range(1, 8)]
    partitions.grow(10, 0.0)
    assert len(partitions) == len(partitions.sides(Access.READ)) == len(partitions.sides(Access.WRITE)) == 10
    assert partitions.starts == sorted(set(partitions.starts))


def test_the_directory_finds_what_a_search_finds_after_splits_anywhere() -> None:
    chance = random.Random(7)  # noqa: S311
    partitions = Partitions(Settings(), now=0.0)
    for count in (1, 2, 3, 8, 11, 300):
        partitions.grow(count, 0.0)
        for _ in range(count // 3):
            place = chance.randrange(len(partitions))
            first, end = ([0, *partitions.starts, POSITIONS][place + edge] for edge in (0, 1))
            if end - first > 1:
                partitions.split(place, chance.randrange(first + 1, end), 0.0)
        edges = [position + offset for position in (*partitions.starts, 1) for offset in (-1, 0, 1)]
        for position in [0, POSITIONS - 1, *edges, *(chance.randrange(POSITIONS) for _ in range(1000))]:
            found = partitions.directory[position >> partitions.shift]
            assert found in {0, pair_offset(partitions.at(position))}


def test_after_growth_alone_there_is_nothing_to_search() -> None:
    partitions = Partitions(Settings(), now=0.0)
    partitions.grow(777, 0.0)
    assert 0 not in partitions.directory
    assert {partitions.directory[position >> partitions.shift] for position in [0, *partitions.starts]} == {
        pair_offset(place) for place in range(777)
    }


def test_a_hot_key_throttles_while_its_table_has_capacity_to_spare(
    make_table: MakeTable, flood: Callable[..., int]
) -> None:
    table = make_table(write=5000)
    admitted = flood(table, start=0.0, seconds=10, per_second=2000, position=HOT)
    assert admitted == pytest.approx(1000 + 10 * 1000, abs=2)
    refusal = table.admit_write(WriteCharge(1, HOT), 10.0 - 1e-4)
    assert [throttle.limit for throttle in refusal.throttles] == [Limit.KEY_RANGE]
    assert [throttle.reason for throttle in refusal.throttles] == ["TableWriteKeyRangeThroughputExceeded"]
    assert table.resource().write.level(10.0) > 1_000_000
    assert table.admit_write(WriteCharge(1, HOT + POSITIONS // 2), 10.0).admitted


def test_the_ceilings_are_3000_reads_and_1000_writes_independent_of_each_other(make_table: MakeTable) -> None:
    table = make_table(read=9000, write=9000)
    assert table.admit_write(WriteCharge(1000, HOT), 0.0).admitted
    assert not table.admit_write(WriteCharge(1, HOT), 0.0).admitted
    assert table.admit_read(ReadCharge(3000, HOT), 0.0).admitted
    assert not table.admit_read(ReadCharge(0.5, HOT), 0.0).admitted


def test_adaptive_capacity_lends_a_hot_partition_the_share_of_idle_ones_at_once(
    make_table: MakeTable, flood: Callable[..., int]
) -> None:
    # AWS's example: 400 WCU over 4 partitions of 100 each; one of them gets 150 a second.
    for adaptive, expected in ((True, 150 * 300), (False, 1000 + 100 * 300)):
        table = make_table(write=400, size_bytes=40 * GIB, settings=Settings(adaptive_capacity=adaptive))
        admitted = flood(table, start=0.0, seconds=300, per_second=150, position=HOT)
        assert admitted == pytest.approx(expected, abs=2)


def test_the_boost_does_not_go_beyond_the_table_total(make_table: MakeTable, flood: Callable[..., int]) -> None:
    table = make_table(write=400, size_bytes=40 * GIB, settings=Settings(burst_s=1, fresh_burst_s=1))
    assert flood(table, start=0.0, seconds=10, per_second=900, position=HOT) == pytest.approx(400 + 4000, abs=2)


@pytest.mark.parametrize(
    ("write", "partitions", "share"), [(3200, 4, 800), (3600, 4, 900)], ids=["3200 is 4 x 800", "3600 is 4 x 900"]
)
def test_static_shares_without_adaptive_capacity(
    make_table: MakeTable, write: float, partitions: int, share: float
) -> None:
    settings = Settings(adaptive_capacity=False, partitions_by_throughput="larger")
    table = make_table(write=write, settings=settings)
    sides = table.resource().partitions.sides(Access.WRITE)
    assert [side.rate for side in sides] == [share] * partitions


def warm_up(table: Table, keys: list[int], *, seconds: int, rate: int = 950, start: float = 0.0) -> None:
    """Write *rate* 10-unit batches' worth of units a second, over *keys* in turn."""
    for second in range(seconds):
        for number in range(rate // 10):
            key = keys[(second * 7919 + number) % len(keys)]
            table.admit_write(WriteCharge(10, key), start + second + number / (rate // 10))


def test_a_hot_partition_is_split_where_its_keys_divide_best_after_some_minutes(make_table: MakeTable) -> None:
    table = make_table(write=2000, settings=Settings(partitions_by_throughput="larger"))
    partitions = table.resource().partitions
    quarter = POSITIONS // 4  # all of them in the first of the two partitions
    keys = [number * quarter // 1000 for number in range(1000)]
    warm_up(table, keys, seconds=299)
    assert len(partitions) == 2
    warm_up(table, keys, seconds=70, start=299)
    assert len(partitions) == 3
    assert partitions.starts[0] == pytest.approx(quarter / 2, rel=0.1)


def test_a_split_doubles_what_the_keys_of_a_hot_partition_get(make_table: MakeTable, flood: Callable[..., int]) -> None:
    table = make_table(write=5000, settings=Settings(split_after_s=60, heat_window_s=30))
    two = [HOT, HOT + 1_000_000]
    # Keys in strict turn would meet the refill in step, and one of them would always lose.
    choice = random.Random(1).choice  # noqa: S311
    for second in range(90):
        for number in range(40):
            table.admit_write(WriteCharge(50, choice(two)), second + number / 40)
    places = {table.resource().partitions.at(key) for key in two}
    assert len(places) == 2
    admitted = sum(flood(table, start=100.0, seconds=5, per_second=1500, position=key) for key in two)
    assert admitted == pytest.approx(2 * (1000 + 5 * 1000), abs=10)


def test_a_single_hot_key_ends_alone_and_is_never_split(make_table: MakeTable) -> None:
    table = make_table(write=5000, settings=Settings(split_after_s=60, heat_window_s=30))
    rest = [number * (POSITIONS // 100) for number in range(100)]
    chance = random.Random(1)  # noqa: S311
    for second in range(1200):
        for number in range(20):
            key = HOT if chance.random() < 0.5 else chance.choice(rest)
            table.admit_write(WriteCharge(100, key), second + number / 20)
    partitions = table.resource().partitions
    assert partitions.at(HOT) not in {partitions.at(key) for key in rest}
    count = len(partitions)
    warm_up(table, [HOT], seconds=300, rate=1000, start=1200.0)
    assert len(partitions) == count


def test_cold_partitions_are_not_split(make_table: MakeTable) -> None:
    table = make_table(write=5000, settings=Settings(split_after_s=60, heat_window_s=30))
    before = len(table.resource().partitions)
    warm_up(table, [HOT, HOT + 5], seconds=300, rate=700)
    assert len(table.resource().partitions) == before


def test_heat_that_pauses_starts_over(make_table: MakeTable) -> None:
    table = make_table(write=5000, settings=Settings(split_after_s=60, heat_window_s=30))
    before = len(table.resource().partitions)
    for start in (0.0, 200.0, 400.0):
        warm_up(table, [HOT, HOT + 5], seconds=58, start=start)
    assert len(table.resource().partitions) == before


def test_a_split_creates_no_units(make_table: MakeTable) -> None:
    partitions = make_table(write=5000).resource().partitions
    side = partitions.sides(Access.WRITE)[0]
    side.take(400.0, 0.0)
    partitions.split(0, 1000, 0.0)
    assert [half.level(0.0) for half in partitions.sides(Access.WRITE)][:2] == [300.0, 300.0]


def test_the_number_of_partitions_is_bounded(make_table: MakeTable) -> None:
    table = make_table(settings=Settings(max_partitions=5), size_bytes=1000 * GIB)
    assert len(table.resource().partitions) == 5


@pytest.mark.parametrize(
    ("units_by_position", "split"),
    [
        pytest.param({}, None, id="nothing known"),
        pytest.param({500: 100.0}, None, id="one key has it all"),
        pytest.param({500: 100.0, 501: 1.0}, None, id="one key has nearly all"),
        pytest.param({500: 50.0, 501: 50.0}, 501, id="two neighbours"),
        pytest.param({0: 60.0, 900: 40.0}, 1, id="the first position"),
        pytest.param({999: 60.0, 1: 40.0}, 999, id="the last position"),
    ],
)
def test_split_point(units_by_position: dict[int, float], split: int | None) -> None:
    heat = KeyHeat(0, 1000, bins=10, keys=4)
    for position, units in units_by_position.items():
        heat.record(position, units)
    point = heat.split_point(0.1)
    if split is None:
        assert point is None
    else:
        assert point is not None
        below = sum(units for position, units in units_by_position.items() if position < point)
        best = sum(units for position, units in units_by_position.items() if position < split)
        assert below == best


def test_the_heaviest_key_is_found_among_very_many_in_bounded_memory() -> None:
    heat = KeyHeat(0, POSITIONS, bins=32, keys=16)
    for number in range(20_000):
        heat.record((number * 2654435761) % POSITIONS, 1.0)
        if number % 4 == 0:
            heat.record(HOT, 1.0)
    assert HOT in heat._counts
    assert len(heat._counts) <= 16
    assert len(heat._bins) == 32


@pytest.mark.parametrize(("first", "end", "split"), [(500, 1000, 501), (0, 501, 500)])
def test_the_heaviest_key_is_cut_off_from_neighbours_that_nobody_counted(first: int, end: int, split: int) -> None:
    heat = KeyHeat(first, end, bins=1, keys=1)
    heat.record(500, 90.0)
    for position in range(first + 1, end - 1, 10):
        heat.record(position, 1.0)
    assert heat.split_point(0.1) == split


def test_even_heat_is_split_in_the_middle() -> None:
    heat = KeyHeat(0, 1024, bins=32, keys=4)
    heat.record(None, 100.0)
    assert heat.split_point(0.1) == 512
