"""Items and index entries in the order in which DynamoDB reads them.

Nothing here locks or knows moto: the caller holds the table's lock.
"""

import marshal
from collections.abc import Iterator

from sortedcontainers import SortedList

from rydelab.plugins.dynamodb.store.keys import KeyRange, KeySchema
from rydelab.plugins.dynamodb.store.values import Item

_SIZE_BYTES = 4


class Records:
    """The items of one table by key, in key order.

    An item is kept as bytes: its size in DynamoDB's sense, then its attribute values marshalled. A dictionary per
    attribute value would take five times the memory, and what is read is a copy that the reader may change.
    """

    def __init__(self) -> None:
        self._by_key: dict[bytes, bytes] = {}
        self._keys = SortedList()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._by_key)

    def __copy__(self) -> "Records":
        """Return a snapshot; records are immutable and shared."""
        twin = Records()
        twin._by_key = dict(self._by_key)
        twin._keys = self._keys.copy()
        twin.size_bytes = self.size_bytes
        return twin

    def get(self, key: bytes) -> bytes | None:
        """Return the record of *key*."""
        return self._by_key.get(key)

    def __getitem__(self, key: bytes) -> bytes:
        return self._by_key[key]

    def put(self, key: bytes, record: bytes) -> None:
        """Store *record*, in the place of the one that is there."""
        old = self._by_key.get(key)
        if old is None:
            self._keys.add(key)
        else:
            self.size_bytes -= record_size(old)
        self._by_key[key] = record
        self.size_bytes += record_size(record)

    def delete(self, key: bytes) -> None:
        """Remove the record of *key* if there is one."""
        old = self._by_key.pop(key, None)
        if old is not None:
            self._keys.remove(key)
            self.size_bytes -= record_size(old)

    def keys_within(self, within: KeyRange | None = None, *, forward: bool = True) -> Iterator[bytes]:
        """Iterate over the keys in a range, or all of them; costs what is taken from it."""
        return _range(self._keys, within, forward=forward)


class Entries:
    """The keys of one index's entries, in order. What an entry shows is projected from its item when it is read."""

    def __init__(self, schema: KeySchema) -> None:
        self.schema = schema
        self._keys = SortedList()

    def __len__(self) -> int:
        return len(self._keys)

    def __copy__(self) -> "Entries":
        twin = Entries(self.schema)
        twin._keys = self._keys.copy()
        return twin

    def entry_key(self, item: Item, item_key: bytes) -> bytes | None:
        """Return the key of *item*'s entry, or None if the index does not hold it."""
        return self.schema.encode(item) + item_key if self.schema.has_key(item) else None

    def item_key(self, entry_key: bytes) -> bytes:
        """Return the key of the item that an entry stands for."""
        return self.schema.tail(entry_key)

    def replace(self, old: bytes | None, new: bytes | None) -> None:
        """Take one entry out and put one in; None is no entry."""
        if old == new:
            return
        if old is not None:
            self._keys.remove(old)
        if new is not None:
            self._keys.add(new)

    def fill(self, keys: list[bytes]) -> None:
        """Put all of an index's entries in at once."""
        self._keys = SortedList(keys)

    def keys_within(self, within: KeyRange | None = None, *, forward: bool = True) -> Iterator[bytes]:
        """Iterate over the entries' keys in a range, or all of them; costs what is taken from it."""
        return _range(self._keys, within, forward=forward)


def _range(keys: SortedList, within: KeyRange | None, *, forward: bool) -> Iterator[bytes]:
    if within is None:
        return iter(keys) if forward else reversed(keys)
    found: Iterator[bytes] = keys.irange(within.low, within.high, inclusive=(True, False), reverse=not forward)
    return found


def to_record(item: Item, size_bytes: int) -> bytes:
    """Pack an item and its size."""
    return size_bytes.to_bytes(_SIZE_BYTES) + marshal.dumps(item)


def record_size(record: bytes) -> int:
    """Return the size, in DynamoDB's sense, of a packed item."""
    return int.from_bytes(record[:_SIZE_BYTES])


def from_record(record: bytes) -> Item:
    """Unpack an item: a new one each time, the caller's to change."""
    item: Item = marshal.loads(memoryview(record)[_SIZE_BYTES:])  # noqa: S302 - only ever our own to_record's bytes
    return item
