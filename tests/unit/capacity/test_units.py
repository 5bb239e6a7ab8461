import pytest

from rydelab.capacity.charges import (
    condition_check_charge,
    failed_write_charge,
    local_index_read_charge,
    missing_delete_charge,
    read_charge,
    write_charge,
)
from rydelab.capacity.schema import TableSchema
from rydelab.capacity.settings import Settings
from rydelab.capacity.units import (
    Consistency,
    batch_read_units,
    batch_write_units,
    failed_write_units,
    local_index_read_units,
    read_units,
    replayed_transaction_units,
    write_units,
)

KB = 1024
EVENTUAL, STRONG, TRANSACTIONAL = Consistency.EVENTUAL, Consistency.STRONG, Consistency.TRANSACTIONAL
SCHEMA = TableSchema("Rides", "id")


@pytest.mark.parametrize(
    ("size", "eventual", "strong", "transactional"),
    [(0, 0.5, 1, 2), (1, 0.5, 1, 2), (4 * KB, 0.5, 1, 2), (4 * KB + 1, 1, 2, 4), (400 * KB, 50, 100, 200)],
)
def test_a_read_is_rounded_up_to_4_kb_and_a_missing_item_costs_the_minimum(
    size: int, eventual: float, strong: float, transactional: float
) -> None:
    assert read_units(size, EVENTUAL) == eventual
    assert read_units(size, STRONG) == strong
    assert read_units(size, TRANSACTIONAL) == transactional


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        pytest.param(0, 1, 1, id="put of a new item"),
        pytest.param(0, KB + 1, 2, id="rounded up to 1 KB"),
        pytest.param(3 * KB, KB, 3, id="put over a larger item: the old size counts"),
        pytest.param(KB, 3 * KB, 3, id="update that grows: the new size counts"),
        pytest.param(5 * KB, 0, 5, id="delete: the size of the deleted item"),
        pytest.param(0, 0, 1, id="delete of a missing item"),
    ],
)
def test_a_write_is_charged_by_the_larger_image(before: int, after: int, units: float) -> None:
    assert write_units(before, after) == units
    assert write_units(before, after, transactional=True) == 2 * units


def test_a_query_page_is_rounded_once_as_a_whole() -> None:
    assert read_units(round(40.8 * KB), STRONG) == 44 / 4
    assert read_units(round(40.8 * KB), EVENTUAL) == 44 / 4 / 2


def test_the_items_of_a_batch_are_rounded_one_by_one() -> None:
    assert batch_read_units([1536, 6656], STRONG) == 12 / 4
    assert batch_write_units([(0, 500), (0, 3584)]) == 5


def test_a_transaction_of_three_500_byte_puts_costs_6_units() -> None:
    assert sum(write_units(0, 500, transactional=True) for _ in range(3)) == 6


def test_a_transactional_read_costs_two_units_for_each_4_kb_of_each_item() -> None:
    assert batch_read_units([1, 5 * KB], TRANSACTIONAL) == 2 + 4


@pytest.mark.parametrize(
    ("rule", "existing", "absent"), [("larger", 310, 310), ("existing", 300, 1), ("one_if_absent", 310, 1)]
)
def test_a_failed_condition_is_charged_by_the_chosen_rule(rule: str, existing: float, absent: float) -> None:
    settings = Settings(failed_write=rule)  # type: ignore[arg-type]
    assert failed_write_units(300 * KB, 310 * KB, settings) == existing
    assert failed_write_units(0, 310 * KB, settings) == absent


def test_a_repeated_transaction_reads_its_items_and_writes_nothing() -> None:
    assert replayed_transaction_units([100, 5 * KB], Settings()) == 2 + 4
    assert replayed_transaction_units([100, 5 * KB], Settings(replayed_transaction="strong")) == 1 + 2


def test_a_condition_check_is_a_transactional_write_or_read_of_its_item() -> None:
    item = {"id": {"S": "a"}, "x": {"S": "y" * 2 * KB}}
    write = condition_check_charge(SCHEMA, Settings(), key={"id": {"S": "a"}}, item=item)
    read = condition_check_charge(SCHEMA, Settings(condition_check="read"), key={"id": {"S": "a"}}, item=item)
    assert write.units == 2 * 3
    assert read.units == 2


def test_a_local_index_query_rounds_entries_together_and_fetched_items_alone() -> None:
    assert local_index_read_units(6 * KB, [100, 5 * KB], STRONG) == (2, 1 + 2)
    charge = local_index_read_charge({"S": "a"}, 6 * KB, EVENTUAL, local_index="byDate", fetched_sizes=[100, 5 * KB])
    assert charge.units == 2.5
    assert charge.local_units == (("byDate", 1.0),)


def test_global_index_reads_are_eventually_consistent_only() -> None:
    assert read_charge({"S": "a"}, 5 * KB, EVENTUAL, global_index="byName").units == 1
    with pytest.raises(ValueError, match="byName"):
        read_charge({"S": "a"}, 5 * KB, STRONG, global_index="byName")


def test_a_write_needs_an_image_and_a_missing_delete_its_key() -> None:
    with pytest.raises(ValueError, match="missing_delete_charge"):
        write_charge(SCHEMA, Settings(), before={}, after={})
    key = {"id": {"S": "a"}}
    deleted = missing_delete_charge(SCHEMA, Settings(), key=key, transactional=True)
    assert deleted.units == 2
    assert deleted.position == write_charge(SCHEMA, Settings(), before={}, after=key).position


def test_a_failed_condition_writes_no_index() -> None:
    after = {"id": {"S": "a"}, "x": {"S": "y" * 2 * KB}}
    charge = failed_write_charge(SCHEMA, Settings(), key={"id": {"S": "a"}}, before={}, attempted=after)
    assert charge.units == 3
    assert charge.global_writes == ()
