"""Capacity units of every operation (A1, A3). Sizes are bytes; an item that does not exist has 0 bytes."""

from collections.abc import Iterable
from enum import StrEnum

from rydelab.capacity.settings import Settings

READ_STEP_BYTES = 4 * 1024
WRITE_STEP_BYTES = 1024
PAGE_BYTES = 1024 * 1024  # a Query or Scan page: what is read before the filter

TRANSACTION_FACTOR = 2  # prepare and commit


class Consistency(StrEnum):
    """How a read is done, which is also how it is charged."""

    EVENTUAL = "eventual"
    STRONG = "strong"
    TRANSACTIONAL = "transactional"


_READ_FACTOR = {Consistency.EVENTUAL: 0.5, Consistency.STRONG: 1.0, Consistency.TRANSACTIONAL: 2.0}


def read_units(evaluated_bytes: int, consistency: Consistency) -> float:
    """Return the units of one read: GetItem, one item of a batch or transaction, or a whole Query or Scan page.

    *evaluated_bytes* is what was read before filters, projections and ``Select=COUNT``. A Query or Scan
    page is rounded up once, as a whole. A missing item or empty page costs the minimum of its kind.
    """
    steps = -(-evaluated_bytes // READ_STEP_BYTES) or 1
    return steps * _READ_FACTOR[consistency]


def batch_read_units(item_sizes: Iterable[int], consistency: Consistency) -> float:
    """Return the units of BatchGetItem or TransactGetItems: each item rounded alone, then summed."""
    return sum(read_units(size, consistency) for size in item_sizes)


def local_index_read_units(
    entry_bytes: int, fetched_sizes: Iterable[int], consistency: Consistency
) -> tuple[float, float]:
    """Return (index units, table units) of a Query page on a local secondary index.

    Entries are rounded together; each base item fetched for attributes outside the projection is rounded alone.
    """
    return read_units(entry_bytes, consistency), batch_read_units(fetched_sizes, consistency)


def write_units(before_bytes: int, after_bytes: int, *, transactional: bool = False) -> float:
    """Return the units of PutItem, UpdateItem or DeleteItem by the larger of the images before and after.

    A delete has ``after_bytes=0``. Deleting what does not exist costs the minimum, one unit.
    """
    steps = -(-max(before_bytes, after_bytes) // WRITE_STEP_BYTES) or 1
    return float(steps * TRANSACTION_FACTOR if transactional else steps)


def batch_write_units(images: Iterable[tuple[int, int]]) -> float:
    """Return the units of BatchWriteItem: each (before, after) pair rounded alone, then summed."""
    return sum(write_units(before, after) for before, after in images)


def failed_write_units(
    before_bytes: int, attempted_bytes: int, settings: Settings, *, transactional: bool = False
) -> float:
    """Return the units of a conditional write whose condition failed: they are consumed although nothing is written."""
    if settings.failed_write == "existing" or (settings.failed_write == "one_if_absent" and before_bytes == 0):
        attempted_bytes = 0
    return write_units(before_bytes, attempted_bytes, transactional=transactional)


def replayed_transaction_units(item_sizes: Iterable[int], settings: Settings) -> float:
    """Return the READ units of a TransactWriteItems repeated with the same ClientRequestToken: it writes nothing."""
    return batch_read_units(item_sizes, Consistency(settings.replayed_transaction))
