"""One table's items with the entries of its indexes, always in step."""

from collections.abc import Callable, Iterable, Iterator
from copy import copy

from rydelab.plugins.dynamodb.store.indexes import Index
from rydelab.plugins.dynamodb.store.keys import KeyRange, KeySchema
from rydelab.plugins.dynamodb.store.ordered import Entries, Records, from_record, record_size, to_record
from rydelab.plugins.dynamodb.store.values import Item

type ItemSize = Callable[[Item], int]


class Collection:
    """The items of one table.

    Does not lock: the caller holds the table's lock for every call, and while it iterates.
    """

    def __init__(self, schema: KeySchema, item_size: ItemSize) -> None:
        self.schema = schema
        self.item_size = item_size
        self._records = Records()
        self._indexes: dict[str, Index] = {}
        self._entries: dict[str, Entries] = {}

    def __len__(self) -> int:
        return len(self._records)

    @property
    def size_bytes(self) -> int:
        """The sum of the items' sizes."""
        return self._records.size_bytes

    @property
    def indexes(self) -> Iterable[Index]:
        """The table's indexes, in no particular order."""
        return self._indexes.values()

    def index(self, name: str) -> Index | None:
        """Return the index *name*."""
        return self._indexes.get(name)

    def index_length(self, name: str) -> int:
        """Return the number of entries in the index *name*."""
        return len(self._entries[name])

    def snapshot(self) -> "Collection":
        """Return a copy that later writes do not change."""
        twin = Collection(self.schema, self.item_size)
        twin._records = copy(self._records)
        twin._indexes = dict(self._indexes)
        twin._entries = {name: copy(entries) for name, entries in self._entries.items()}
        return twin

    def __deepcopy__(self, _memo: object) -> "Collection":
        return self.snapshot()

    def set_indexes(self, indexes: Iterable[Index]) -> None:
        """Keep exactly these indexes; a new or changed one is filled from the items that are there."""
        wanted = {index.name: index for index in indexes}
        kept = {name: entries for name, entries in self._entries.items() if wanted.get(name) == self._indexes[name]}
        # Replaced, not changed: requests are checked against the indexes without the lock.
        self._entries = {name: kept[name] if name in kept else self._filled(index) for name, index in wanted.items()}
        self._indexes = wanted

    def _filled(self, index: Index) -> Entries:
        entries = Entries(index.schema)
        keys = (entries.entry_key(item, key) for key, item in self.keyed_items())
        entries.fill([key for key in keys if key is not None])
        return entries

    def get(self, key: bytes) -> Item | None:
        """Return a copy of the item with this primary key."""
        record = self._records.get(key)
        return None if record is None else from_record(record)

    def size_of(self, key: bytes) -> int:
        """Return the size of the item with this primary key, 0 if there is none."""
        record = self._records.get(key)
        return 0 if record is None else record_size(record)

    def put(self, key: bytes, item: Item, size_bytes: int, *, before: Item | None) -> None:
        """Store *item*, whose key and size these are; *before* is the item that it replaces."""
        self._records.put(key, to_record(item, size_bytes))
        self._update_entries(key, before, item)

    def delete(self, key: bytes, *, before: Item) -> None:
        """Remove the item *before*, which must be what is stored."""
        self._records.delete(key)
        self._update_entries(key, before, None)

    def _update_entries(self, key: bytes, before: Item | None, after: Item | None) -> None:
        for entries in self._entries.values():
            old = None if before is None else entries.entry_key(before, key)
            new = None if after is None else entries.entry_key(after, key)
            entries.replace(old, new)

    def items(self) -> Iterator[Item]:
        """Iterate over copies of all items in Scan order."""
        return (from_record(self._records[key]) for key in self._records.keys_within())

    def keyed_items(self) -> Iterator[tuple[bytes, Item]]:
        """Iterate over copies of all items in Scan order, each with its key."""
        return ((key, from_record(self._records[key])) for key in self._records.keys_within())

    def read(self, within: KeyRange | None, *, forward: bool) -> Iterator[tuple[Item, int]]:
        """Iterate over the items in a range of keys, each with its size; costs what is taken."""
        for key in self._records.keys_within(within, forward=forward):
            record = self._records[key]
            yield from_record(record), record_size(record)

    def read_index(self, name: str, within: KeyRange | None, *, forward: bool) -> Iterator[tuple[Item, int]]:
        """Iterate over the items whose entries in the index are in a range, whole, each with its full size."""
        entries = self._entries[name]
        for entry_key in entries.keys_within(within, forward=forward):
            record = self._records[entries.item_key(entry_key)]
            yield from_record(record), record_size(record)
