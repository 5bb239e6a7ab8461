from collections.abc import Callable

import pytest

from rydelab.capacity.admission import admit_batch, admit_transaction
from rydelab.capacity.charges import IndexWrite, ReadCharge, WriteCharge
from rydelab.capacity.settings import Settings
from rydelab.capacity.table import Table
from rydelab.capacity.throttling import ADMITTED
from rydelab.capacity.throughput import Throughput

MakeTable = Callable[..., Table]


def held(*tables: Table) -> list[object]:
    """Everything that a refused request must leave alone."""
    limiters = [
        (limiter, resource.partitions.sides(limiter.access))
        for table in tables
        for resource in table.resources.values()
        for limiter in resource.limiters.values()
    ]
    return [
        [(limiter.tokens, limiter.last, limiter.consumed_units, limiter.admitted_requests) for limiter, _ in limiters],
        [(side.tokens, side.last, side.window_units) for _, sides in limiters for side in sides],
    ]


def indexed(units: float, *, byCity: float = 0.0, byName: float = 0.0) -> WriteCharge:  # noqa: N803 -- index names
    wanted = {"byCity": byCity, "byName": byName}
    return WriteCharge(units, 1, tuple(IndexWrite(name, 2, part) for name, part in wanted.items() if part))


@pytest.fixture
def table(make_table: MakeTable) -> Table:
    """100 WCU on the table and on index byName, but 1 on index byCity."""
    return make_table(write=100, indexes={"byCity": Throughput(1, 1), "byName": Throughput(1, 100)})


def test_an_admitted_request_returns_the_singleton(table: Table) -> None:
    assert table.admit_write(indexed(1), 0.0) is ADMITTED
    assert table.admit_write(indexed(1, byCity=1), 0.0) is ADMITTED
    assert table.admit_read(ReadCharge(1, 1), 0.0) is ADMITTED


def test_an_index_without_capacity_throttles_the_tables_writes(table: Table) -> None:
    assert table.admit_write(indexed(1, byCity=300), 0.0).admitted
    before = held(table)
    refusal = table.admit_write(indexed(1, byCity=1, byName=1), 0.0)
    assert [throttle.reason for throttle in refusal.throttles] == ["IndexWriteProvisionedThroughputExceeded"]
    assert refusal.throttles[0].arn("us-east-1", "000000000000") == (
        "arn:aws:dynamodb:us-east-1:000000000000:table/Rides/index/byCity"
    )
    assert held(table) == before
    assert table.admit_write(indexed(1, byName=1), 0.0).admitted


def test_every_limit_that_was_hit_is_named_table_first(make_table: MakeTable) -> None:
    table = make_table(indexes={"byCity": Throughput(1, 1), "byName": Throughput(1, 1)})
    assert table.admit_write(indexed(300, byCity=300, byName=300), 0.0).admitted
    refusal = table.admit_write(indexed(1, byCity=1, byName=1), 0.0)
    assert [throttle.index for throttle in refusal.throttles] == [None, "byCity", "byName"]
    write = [resource.write for resource in table.resources.values()]
    assert [sum(limiter.throttle_events.values()) for limiter in write] == [1, 1, 1]


def test_a_delete_and_a_put_in_one_index_share_its_bucket(make_table: MakeTable) -> None:
    table = make_table(write=100, indexes={"byCity": Throughput(1, 1)}, settings=Settings(max_debt_units=0))
    moved = WriteCharge(1, 1, (IndexWrite("byCity", 2, 160), IndexWrite("byCity", 3, 160)))
    before = held(table)
    assert not table.admit_write(moved, 0.0).admitted
    assert held(table) == before


def test_partition_ceilings_apply_to_an_indexs_own_partitions(make_table: MakeTable) -> None:
    table = make_table(write=9000, indexes={"byCity": Throughput(1, 9000)})
    spread = [WriteCharge(100, n * 2**28, (IndexWrite("byCity", 7, 100),)) for n in range(11)]
    decisions = admit_batch([(table, charge) for charge in spread], 0.0)
    assert [decision.admitted for decision in decisions] == [True] * 10 + [False]
    assert decisions[-1].throttles[0].reason == "IndexWriteKeyRangeThroughputExceeded"


def test_index_queries_consume_the_indexs_reads_and_not_the_tables(table: Table) -> None:
    assert table.admit_read(ReadCharge(300, 1, "byCity"), 0.0).admitted
    refusal = table.admit_read(ReadCharge(0.5, 1, "byCity"), 0.0)
    assert refusal.throttles[0].reason == "IndexReadProvisionedThroughputExceeded"
    assert table.resource().read.consumed_units == 0
    assert table.resource("byCity").read.consumed_units == 300


def test_a_charge_for_an_index_that_is_not_there_names_it(table: Table) -> None:
    with pytest.raises(ValueError, match="'byDate'"):
        table.admit_write(WriteCharge(1, 1, (IndexWrite("byDate", 2, 1),)), 0.0)


def test_a_batch_decides_item_by_item(make_table: MakeTable) -> None:
    full, empty = make_table(), make_table()
    empty.admit_write(WriteCharge(300, 1), 0.0)
    requests = [
        (full, WriteCharge(1, 1)),
        (empty, WriteCharge(1, 1)),
        (full, ReadCharge(1, 1)),
        (empty, ReadCharge(1, 1)),
    ]
    assert [decision.admitted for decision in admit_batch(requests, 0.0)] == [True, False, True, True]


def test_a_batch_stops_where_capacity_ends(make_table: MakeTable) -> None:
    table = make_table()
    table.admit_write(WriteCharge(290, 1), 0.0)
    decisions = admit_batch([(table, WriteCharge(1, n)) for n in range(25)], 0.0)
    assert [decision.admitted for decision in decisions] == [True] * 10 + [False] * 15


def test_a_transaction_is_admitted_whole(make_table: MakeTable) -> None:
    one, two = make_table(), make_table()
    answer = admit_transaction([(one, WriteCharge(2, 1)), (two, WriteCharge(2, 1)), (one, WriteCharge(2, 2))], 0.0)
    assert answer.admitted
    assert (one.resource().write.consumed_units, two.resource().write.consumed_units) == (4, 2)
    assert one.resource().write.level(0.0) == 296


def test_a_transaction_is_refused_whole_over_items_tables_and_indexes(make_table: MakeTable) -> None:
    one, two = make_table(indexes={"byCity": Throughput(1, 1)}), make_table()
    two.admit_write(WriteCharge(300, 1), 0.0)
    before = held(one, two)
    requests = [
        (one, indexed(2, byCity=1)),
        (two, WriteCharge(2, 1)),
        (one, WriteCharge(2, 5)),
        (two, WriteCharge(2, 9)),
    ]
    answer = admit_transaction(requests, 0.0)
    assert not answer.admitted
    assert [decision.admitted for decision in answer.items] == [True, False, True, False]
    assert held(one, two) == before
    assert sum(two.resource().write.throttle_events.values()) == 2


def test_the_items_of_a_transaction_add_up(make_table: MakeTable) -> None:
    table = make_table(settings=Settings(max_debt_units=0))
    requests = [(table, WriteCharge(200, 1)), (table, WriteCharge(200, 2))]
    assert [decision.admitted for decision in admit_transaction(requests, 0.0).items] == [True, False]
    assert table.resource().write.level(0.0) == 300


def test_a_page_is_charged_by_what_it_evaluated_after_it_was_read(make_table: MakeTable) -> None:
    table = make_table(read=1)
    assert table.open_page(0.0, position=1).admitted
    assert table.close_page(ReadCharge(256, 1), 0.0).admitted
    assert table.open_page(0.0, position=1).admitted
    assert table.close_page(ReadCharge(256, 1), 0.0).admitted
    assert table.resource().read.level(0.0) == 300 - 512
    refusal = table.open_page(200.0, position=1)
    assert [throttle.reason for throttle in refusal.throttles] == ["TableReadProvisionedThroughputExceeded"]
    assert table.open_page(213.0, position=1).admitted


def test_opening_a_page_takes_nothing(table: Table) -> None:
    before = held(table)
    assert table.open_page(0.0, index="byCity").admitted
    assert held(table) == before


def test_a_scan_page_charges_no_partition(make_table: MakeTable) -> None:
    table = make_table(read=9000)
    for _ in range(100):
        assert table.admit_read(ReadCharge(128, None), 0.0).admitted
    assert table.admit_read(ReadCharge(3000, 1), 0.0).admitted


def test_pages_may_be_admitted_after_evaluation_instead(make_table: MakeTable) -> None:
    table = make_table(read=1, settings=Settings(page_admission="after", max_debt_units=0))
    assert table.open_page(0.0).admitted
    assert table.close_page(ReadCharge(256, 1), 0.0).admitted
    assert table.open_page(0.0).admitted
    assert not table.close_page(ReadCharge(256, 1), 0.0).admitted
    assert table.resource().read.consumed_units == 256


def test_reads_of_a_query_on_an_index_page_are_charged_to_it(table: Table) -> None:
    assert table.open_page(0.0, position=1, index="byCity").admitted
    table.close_page(ReadCharge(400, 1, "byCity"), 0.0)
    assert not table.open_page(0.0, position=1, index="byCity").admitted
    assert table.open_page(0.0, position=1).admitted
