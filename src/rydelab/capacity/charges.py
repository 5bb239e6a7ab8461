"""What one request asks of a table and its indexes (A3, A4): the value that a table admits or refuses."""

from collections.abc import Iterable
from dataclasses import dataclass

from rydelab.capacity.item_size import AttributeValue, Item, item_bytes
from rydelab.capacity.positions import position_of
from rydelab.capacity.schema import Index, IndexScope, TableSchema
from rydelab.capacity.settings import Settings
from rydelab.capacity.units import Consistency, failed_write_units, local_index_read_units, read_units, write_units


@dataclass(frozen=True, slots=True)
class IndexWrite:
    """One write to a global secondary index: an entry put, deleted or rewritten."""

    index: str
    position: int
    units: float


@dataclass(frozen=True, slots=True)
class WriteCharge:
    """The write units of one item: *units* fall on the base table, *global_writes* on its global indexes.

    *units* includes *local_units*, the part of each local index, which has no capacity of its own.
    """

    units: float
    position: int
    global_writes: tuple[IndexWrite, ...] = ()
    local_units: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ReadCharge:
    """The read units of one item or page, on the base table or on the global index named by *index*.

    *position* is None for a page that belongs to no single partition key; no partition is charged then.
    *local_units* is the part read from a local index, included in *units*.
    """

    units: float
    position: int | None
    index: str | None = None
    local_units: tuple[tuple[str, float], ...] = ()


def write_charge(
    schema: TableSchema,
    settings: Settings,
    *,
    before: Item,
    after: Item,
    transactional: bool = False,
    sizes: tuple[int, int] | None = None,
) -> WriteCharge:
    """Return the charge of PutItem, UpdateItem or DeleteItem from the images before and after (``{}``: no item).

    A transaction doubles the base table's units only. *sizes* are the bytes of both images, if the caller knows them.
    Deleting what does not exist needs the key: see :func:`missing_delete_charge`.
    """
    key_image = after or before
    if not key_image:
        raise ValueError("a write needs an image before or after it; for a missing item use missing_delete_charge")
    before_bytes, after_bytes = sizes or (item_bytes(before, settings), item_bytes(after, settings))
    units = write_units(before_bytes, after_bytes, transactional=transactional)
    global_writes: list[IndexWrite] = []
    local_units: list[tuple[str, float]] = []
    for index in schema.indexes:
        writes = index_writes(schema, index, settings, before=before, after=after)
        if index.scope is IndexScope.GLOBAL:
            global_writes.extend(writes)
        elif writes:
            local_units.append((index.name, sum(write.units for write in writes)))
    units += sum(part for _, part in local_units)
    return WriteCharge(units, position_of(key_image[schema.partition_key]), tuple(global_writes), tuple(local_units))


def index_writes(
    schema: TableSchema, index: Index, settings: Settings, *, before: Item, after: Item
) -> tuple[IndexWrite, ...]:
    """Return the writes that one base-table write causes in *index*: none, one, or a delete and a put."""
    was_in, is_in = index.contains(before), index.contains(after)
    old = schema.entry(index, before) if was_in else {}
    new = schema.entry(index, after) if is_in else {}
    if not was_in and not is_in:
        return ()
    if was_in and is_in and index.key_of(before) == index.key_of(after):
        return () if old == new else (_entry_write(index, settings, old, new),)
    return tuple(_entry_write(index, settings, entry, {}) for entry in (old, new) if entry)


def missing_delete_charge(
    schema: TableSchema, settings: Settings, *, key: Item, transactional: bool = False
) -> WriteCharge:
    """Return the charge of deleting an item that does not exist: one unit (two in a transaction)."""
    return failed_write_charge(schema, settings, key=key, before={}, attempted={}, transactional=transactional)


def failed_write_charge(
    schema: TableSchema, settings: Settings, *, key: Item, before: Item, attempted: Item, transactional: bool = False
) -> WriteCharge:
    """Return the charge of a write whose condition failed; *attempted* is the image it would have left."""
    units = failed_write_units(
        item_bytes(before, settings), item_bytes(attempted, settings), settings, transactional=transactional
    )
    return WriteCharge(units, position_of(key[schema.partition_key]))


def condition_check_charge(
    schema: TableSchema, settings: Settings, *, key: Item, item: Item
) -> WriteCharge | ReadCharge:
    """Return the charge of a ConditionCheck in a transaction, by the size of the item checked."""
    size, position = item_bytes(item, settings), position_of(key[schema.partition_key])
    if settings.condition_check == "write":
        return WriteCharge(write_units(size, 0, transactional=True), position)
    return ReadCharge(read_units(size, Consistency.TRANSACTIONAL), position)


def read_charge(
    partition_key: AttributeValue | None,
    evaluated_bytes: int,
    consistency: Consistency,
    *,
    global_index: str | None = None,
) -> ReadCharge:
    """Return the charge of GetItem, one item of a batch or transaction, or a Query or Scan page.

    *partition_key* is the key's value (the index's on a *global_index*), None for a Scan.
    """
    if global_index is not None and consistency is not Consistency.EVENTUAL:
        raise ValueError(f"global secondary index {global_index} has eventually consistent reads only")
    position = None if partition_key is None else position_of(partition_key)
    return ReadCharge(read_units(evaluated_bytes, consistency), position, global_index)


def local_index_read_charge(
    partition_key: AttributeValue | None,
    entry_bytes: int,
    consistency: Consistency,
    *,
    local_index: str,
    fetched_sizes: Iterable[int] = (),
) -> ReadCharge:
    """Return the charge of a page on a local index; *fetched_sizes* are the base items read besides the entries."""
    position = None if partition_key is None else position_of(partition_key)
    index_units, table_units = local_index_read_units(entry_bytes, fetched_sizes, consistency)
    return ReadCharge(index_units + table_units, position, None, ((local_index, index_units),))


def _entry_write(index: Index, settings: Settings, old: Item, new: Item) -> IndexWrite:
    entry = new or old
    units = write_units(item_bytes(old, settings), item_bytes(new, settings))
    return IndexWrite(index.name, position_of(entry[index.partition_key]), units)
