"""What the store did, or would do, as charges of the capacity model."""

from rydelab.capacity.charges import (
    ReadCharge,
    WriteCharge,
    condition_check_charge,
    failed_write_charge,
    local_index_read_charge,
    missing_delete_charge,
    read_charge,
    write_charge,
)
from rydelab.capacity.table import Charge, Table
from rydelab.capacity.units import Consistency
from rydelab.plugins.dynamodb.store.pages import Page
from rydelab.plugins.dynamodb.store.reads import ItemRead
from rydelab.plugins.dynamodb.store.values import Item
from rydelab.plugins.dynamodb.store.writes import Change

CHARGED_FAILURES = frozenset({"ConditionalCheckFailedException", "DuplicateItemException"})
"""A condition that fails has used its units; a request that is wrong in itself has used none."""

_NO_ITEM: Item = {}


def change_charge(capacity: Table, change: Change, *, transactional: bool = False) -> Charge:
    """Return the charge of one write that is planned and not committed, or of the condition that failed in it."""
    schema, settings = capacity.schema, capacity.settings
    before, after = change.before or _NO_ITEM, change.after or _NO_ITEM
    if change.kind == "check":
        return condition_check_charge(schema, settings, key=change.key, item=before)
    if change.failure is not None:
        return unwritten_charge(capacity, change, transactional=transactional)
    if not before and not after:
        return missing_delete_charge(schema, settings, key=change.key, transactional=transactional)
    sizes = (change.table.collection.size_of(change.target.encoded), change.after_bytes)
    return write_charge(schema, settings, before=before, after=after, transactional=transactional, sizes=sizes)


def unwritten_charge(capacity: Table, change: Change, *, transactional: bool = False) -> WriteCharge:
    """Return the charge of a write that is not done, because its condition or another of its transaction failed."""
    return failed_write_charge(
        capacity.schema,
        capacity.settings,
        key=change.key,
        before=change.before or _NO_ITEM,
        attempted=change.after or _NO_ITEM,
        transactional=transactional,
    )


def item_charge(capacity: Table, read: ItemRead, *, transactional: bool = False) -> ReadCharge:
    """Return the charge of reading one item by its key."""
    consistency = Consistency.STRONG if read.consistent else Consistency.EVENTUAL
    if transactional:
        consistency = Consistency.TRANSACTIONAL
    return read_charge(read.key[capacity.schema.partition_key], read.size_bytes, consistency)


def repeat_charge(capacity: Table, change: Change) -> ReadCharge:
    """Return the charge of one item of a transaction that was done before: it is read."""
    size = change.table.collection.item_size(change.before) if change.before else 0
    consistency = Consistency(capacity.settings.replayed_transaction)
    return read_charge(change.key[capacity.schema.partition_key], size, consistency)


def page_charge(page: Page) -> ReadCharge:
    """Return the charge of a page of a Query or Scan."""
    consistency = Consistency.STRONG if page.consistent else Consistency.EVENTUAL
    if page.index is None:
        return read_charge(page.partition_key, page.evaluated_bytes, consistency)
    if page.index.is_global:
        return read_charge(page.partition_key, page.evaluated_bytes, consistency, global_index=page.index.name)
    return local_index_read_charge(
        page.partition_key,
        page.evaluated_bytes,
        consistency,
        local_index=page.index.name,
        fetched_sizes=page.fetched_sizes,
    )
