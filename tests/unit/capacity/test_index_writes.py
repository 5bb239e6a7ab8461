import pytest

from rydelab.capacity.charges import index_writes, write_charge
from rydelab.capacity.item_size import Item
from rydelab.capacity.positions import position_of
from rydelab.capacity.schema import Index, IndexScope, Projection, TableSchema
from rydelab.capacity.settings import Settings

SETTINGS = Settings()
BASE: Item = {"id": {"S": "1"}}
IN_A: Item = BASE | {"city": {"S": "A"}}
IN_B: Item = BASE | {"city": {"S": "B"}}


def schema(projection: Projection = Projection.ALL, *, sort_key: str | None = None) -> TableSchema:
    index = Index("byCity", "city", sort_key, projection, frozenset({"name"}))
    return TableSchema("Rides", "id", indexes=(index,))


def number_of_writes(table: TableSchema, before: Item, after: Item) -> int:
    return len(index_writes(table, table.indexes[0], SETTINGS, before=before, after=after))


@pytest.mark.parametrize(
    ("before", "after", "writes"),
    [
        pytest.param({}, IN_A, 1, id="new item with the index key"),
        pytest.param(BASE, IN_A, 1, id="item gains the index key"),
        pytest.param(IN_A, IN_B, 2, id="index key changes: delete and put"),
        pytest.param(IN_A, BASE, 1, id="item loses the index key"),
        pytest.param(IN_A, {}, 1, id="item in the index is deleted"),
        pytest.param(BASE, BASE | {"x": {"S": "y"}}, 0, id="never in the index"),
        pytest.param({}, BASE, 0, id="new item without the index key"),
        pytest.param(IN_A, IN_A, 0, id="nothing changes"),
    ],
)
@pytest.mark.parametrize("projection", list(Projection))
def test_writes_by_change_of_index_key(projection: Projection, before: Item, after: Item, writes: int) -> None:
    assert number_of_writes(schema(projection), before, after) == writes


@pytest.mark.parametrize(
    ("projection", "changed", "writes"),
    [
        (Projection.ALL, "name", 1),
        (Projection.ALL, "other", 1),
        (Projection.INCLUDE, "name", 1),
        (Projection.INCLUDE, "other", 0),
        (Projection.KEYS_ONLY, "name", 0),
        (Projection.KEYS_ONLY, "other", 0),
    ],
)
def test_an_attribute_change_is_written_only_if_it_is_projected(
    projection: Projection, changed: str, writes: int
) -> None:
    assert number_of_writes(schema(projection), IN_A, IN_A | {changed: {"S": "new"}}) == writes


def test_an_item_without_part_of_a_composite_index_key_is_not_in_the_index() -> None:
    table = schema(sort_key="date")
    assert number_of_writes(table, {}, IN_A) == 0
    assert number_of_writes(table, IN_A, IN_A | {"date": {"S": "d"}}) == 1


def test_index_writes_are_rounded_by_the_projected_entry_and_placed_by_the_index_key() -> None:
    large = IN_A | {"other": {"S": "x" * 5000}, "name": {"S": "n" * 1500}}
    table = schema(Projection.INCLUDE)
    (put,) = index_writes(table, table.indexes[0], SETTINGS, before={}, after=large)
    assert put.units == 2
    assert put.position == position_of({"S": "A"})
    moved = large | {"city": {"S": "B"}}
    delete, put = index_writes(table, table.indexes[0], SETTINGS, before=large, after=moved)
    assert (delete.position, put.position) == (position_of({"S": "A"}), position_of({"S": "B"}))


def test_a_transaction_doubles_the_base_table_only() -> None:
    charge = write_charge(schema(), SETTINGS, before={}, after=IN_A, transactional=True)
    assert charge.units == 2
    assert [write.units for write in charge.global_writes] == [1]


def test_local_index_writes_are_charged_to_the_base_table() -> None:
    local = Index("byDate", "id", "date", scope=IndexScope.LOCAL)
    table = TableSchema("Rides", "id", indexes=(local,))
    dated = BASE | {"date": {"S": "d1"}}
    charge = write_charge(table, SETTINGS, before={}, after=dated, transactional=True)
    assert charge.units == 2 + 1
    assert charge.local_units == (("byDate", 1.0),)
    assert charge.global_writes == ()
    moved = write_charge(table, SETTINGS, before=dated, after=BASE | {"date": {"S": "d2"}})
    assert moved.units == 1 + 2


def test_an_index_name_is_used_once() -> None:
    with pytest.raises(ValueError, match="byCity is declared twice"):
        TableSchema("Rides", "id", indexes=(Index("byCity", "a"), Index("byCity", "b")))
