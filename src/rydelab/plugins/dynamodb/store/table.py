"""moto's Table over an ordered collection: what moto's own operations see of a table of ours."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any, Self

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.dynamo_type import Item as MotoItem
from moto.dynamodb.models.table import RestoredPITTable, RestoredTable, SecondaryIndex, Table

from rydelab.capacity.item_size import item_bytes
from rydelab.capacity.settings import Settings
from rydelab.plugins.dynamodb.store.collection import Collection
from rydelab.plugins.dynamodb.store.indexes import Index
from rydelab.plugins.dynamodb.store.keys import KeySchema
from rydelab.plugins.dynamodb.store.moto_items import from_moto_value, from_wire, to_moto
from rydelab.plugins.dynamodb.store.values import Item, canonical_item

if TYPE_CHECKING:
    from rydelab.plugins.dynamodb.store.history import WriteHistory

DEFAULTS = Settings()


class OrderedTable(Table):  # type: ignore[misc] # moto publishes no types
    """A moto table whose items are in a :class:`Collection`.

    ``lock`` guards ``collection``; it may be taken again by the thread that has it. moto reads and writes through
    the methods below (imports, exports, backups, DescribeTable); the data operations of the API do not come here.
    """

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        """Stay out of moto's list of all instances, which would keep a deleted table's items in memory."""
        return object.__new__(cls)

    def __init__(
        self, table_name: str, account_id: str, region: str, *, settings: Settings = DEFAULTS, **description: Any
    ) -> None:
        self.lock = RLock()
        schema = KeySchema.of(description["schema"], description["attr"])
        self.collection = Collection(schema, partial(item_bytes, settings=settings))
        self.history: WriteHistory | None = None  # until somebody asks for it
        self._local: Sequence[SecondaryIndex] = ()
        self._global: Sequence[SecondaryIndex] = ()
        super().__init__(table_name, account_id, region, **description)

    @property
    def key_schema(self) -> KeySchema:
        """The names and types of the primary key."""
        return self.collection.schema

    @property
    def attr(self) -> list[dict[str, str]]:
        """The attribute definitions, by moto's name for them."""
        return list(self._definitions.values())

    @attr.setter
    def attr(self, definitions: Iterable[dict[str, str]]) -> None:
        # UpdateTable names only the attributes of its new index; moto would forget the others.
        known: dict[str, dict[str, str]] = self.__dict__.get("_definitions", {})
        self._definitions = known | {definition["AttributeName"]: definition for definition in definitions}

    @property
    def indexes(self) -> Sequence[SecondaryIndex]:
        """The local secondary indexes, by moto's name for them."""
        return self._local

    @indexes.setter
    def indexes(self, indexes: Sequence[SecondaryIndex]) -> None:
        self._follow_indexes(indexes, self._global)
        self._local = indexes

    @property
    def global_indexes(self) -> Sequence[SecondaryIndex]:
        """The global secondary indexes. UpdateTable sets them; a new one is filled at once."""
        return self._global

    @global_indexes.setter
    def global_indexes(self, indexes: Sequence[SecondaryIndex]) -> None:
        keys_before = {name for index in self.collection.indexes for name in index.schema.names}
        self._follow_indexes(self._local, indexes)
        self._global = indexes
        used = {name for index in self.collection.indexes for name in index.schema.names} | {*self.key_schema.names}
        # Of a restored table moto sets the indexes after its constructor: what was never a key may be one yet.
        self._definitions = {
            name: text for name, text in self._definitions.items() if name in used or name not in keys_before
        }

    def _follow_indexes(self, local: Iterable[SecondaryIndex], global_: Iterable[SecondaryIndex]) -> None:
        def defined(index: SecondaryIndex) -> SecondaryIndex:
            missing = [key["AttributeName"] for key in index.schema if key["AttributeName"] not in self._definitions]
            if missing:
                raise MockValidationException(
                    "One or more parameter values were invalid: Some index key attributes are not defined in "
                    f"AttributeDefinitions. Keys: [{', '.join(missing)}], "
                    f"AttributeDefinitions: [{', '.join(self._definitions)}]"
                )
            return index

        def described(indexes: Iterable[SecondaryIndex], *, is_global: bool) -> list[Index]:
            return [
                Index.of(
                    name=index.name,
                    key_schema=index.schema,
                    projection=index.projection or {},
                    definitions=self.attr,
                    table=self.key_schema,
                    is_global=is_global,
                )
                for index in map(defined, indexes)
            ]

        with self.lock:
            self.collection.set_indexes([*described(local, is_global=False), *described(global_, is_global=True)])

    @property
    def items(self) -> Collection:
        """Where moto's own table has a dictionary of dictionaries."""
        return self.collection

    @items.setter
    def items(self, items: Collection | Mapping[Any, Any]) -> None:
        # moto's constructor sets an empty dictionary; restoring a table sets a copy of the other's items.
        if isinstance(items, Collection):
            self.collection = items
            self._follow_indexes(self._local, self._global)
        elif items:
            raise TypeError(f"an OrderedTable takes its items from a Collection, got {type(items).__name__}")

    def __len__(self) -> int:
        return len(self.collection)

    def __deepcopy__(self, _memo: Any) -> "OrderedTable":
        """Return a snapshot, as CreateBackup takes one; what describes the table is shared until it is replaced."""
        twin = object.__new__(type(self))
        with self.lock:
            twin.__dict__.update(self.__dict__)
            twin.lock = RLock()
            twin.collection = self.collection.snapshot()
            twin.history = None
        return twin

    def describe(self, base_key: str = "TableDescription") -> dict[str, Any]:
        """Describe the table as moto does, with its true size and its indexes' item counts."""
        with self.lock:
            described: dict[str, Any] = super().describe(base_key)
            described[base_key]["TableSizeBytes"] = self.collection.size_bytes
            for kind in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
                for index in described[base_key][kind]:
                    index["ItemCount"] = self.collection.index_length(index["IndexName"])
        return described

    def all_items(self) -> list[MotoItem]:
        """Return every item in Scan order (ExportTableToPointInTime reads a table so)."""
        with self.lock:
            return [to_moto(item, self.key_schema) for item in self.collection.items()]

    def get_item(
        self,
        hash_key: DynamoType,
        range_key: DynamoType | None = None,
        projection_expression: list[list[str]] | None = None,
    ) -> MotoItem | None:
        """Return a copy of one item."""
        with self.lock:
            item = self.collection.get(self._key(hash_key, range_key))
        if item is None:
            return None
        found = to_moto(item, self.key_schema)
        return found.project(projection_expression) if projection_expression else found

    def put_item(self, item_attrs: dict[str, Any], **conditions: Any) -> MotoItem:
        """Store one item unconditionally (ImportTable writes a table so)."""
        if any(conditions.values()):
            raise NotImplementedError("conditional writes go through the store")
        item = canonical_item(from_wire(item_attrs))
        self.key_schema.check_item(item)
        key = self.key_schema.encode(item)
        with self.lock:
            self.apply(key, self.collection.get(key), item, self.collection.item_size(item))
        return to_moto(item, self.key_schema)

    def delete_item(self, hash_key: DynamoType, range_key: DynamoType | None) -> MotoItem | None:
        """Remove one item and return it."""
        key = self._key(hash_key, range_key)
        with self.lock:
            before = self.collection.get(key)
            if before is None:
                return None
            self.apply(key, before, None, 0)
        return to_moto(before, self.key_schema)

    def apply(self, key: bytes, before: Item | None, after: Item | None, after_bytes: int) -> None:
        """Put *after*, of that size, in the place of *before*, and a record in moto's stream.

        The caller holds the lock.
        """
        if after is not None:
            self.collection.put(key, after, after_bytes, before=before)
            if self.history is not None:
                self.history.put(key)
        elif before is not None:
            self.collection.delete(key, before=before)
            if self.history is not None:
                self.history.delete(key)
        if self.stream_shard is not None and before != after:
            self.stream_shard.add(
                None if before is None else to_moto(before, self.key_schema),
                None if after is None else to_moto(after, self.key_schema),
            )

    def _key(self, hash_key: DynamoType, range_key: DynamoType | None) -> bytes:
        values = [from_moto_value(value) for value in (hash_key, range_key) if value is not None]
        return self.key_schema.encode(canonical_item(dict(zip(self.key_schema.names, values, strict=True))))


class RestoredOrderedTable(RestoredTable, OrderedTable):  # type: ignore[misc] # moto publishes no types
    """A table restored from a backup of an :class:`OrderedTable`."""


class RestoredPITOrderedTable(RestoredPITTable, OrderedTable):  # type: ignore[misc] # moto publishes no types
    """A table restored from another :class:`OrderedTable`, as it is now."""
