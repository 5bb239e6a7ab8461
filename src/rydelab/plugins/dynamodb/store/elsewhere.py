"""Tables whose items somebody else keeps: a DynamoDB that can read and write single items, and list them.

The store does all the rest here too: conditions, updates, transactions, pages, PartiQL. A write costs two requests, a
Query of a table reads its partition, and a Scan or a Query of an index the whole table.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rydelab.capacity.settings import Settings
from rydelab.plugins.dynamodb.store.backend import OrderedBackend
from rydelab.plugins.dynamodb.store.collection import Collection, ItemSize
from rydelab.plugins.dynamodb.store.indexes import Index
from rydelab.plugins.dynamodb.store.keys import KeyRange, KeySchema
from rydelab.plugins.dynamodb.store.ordered import Entries
from rydelab.plugins.dynamodb.store.table import OrderedTable
from rydelab.plugins.dynamodb.store.values import Item, canonical_item

type Keeper = Callable[[str, dict[str, Any]], Mapping[str, Any]]
"""Does an operation of the API, by its name, for one account and region, and returns its response."""


class KeptElsewhere(Collection):
    """The items of one table, as *keeper* has them."""

    def __init__(self, schema: KeySchema, item_size: ItemSize, *, table_name: str, keeper: Keeper) -> None:
        super().__init__(schema, item_size)
        self._table_name = table_name
        self._keeper = keeper
        self._last_read: tuple[bytes, Item | None] | None = None

    def __len__(self) -> int:
        return int(self._described()["ItemCount"])

    @property
    def size_bytes(self) -> int:
        """The sum of the items' sizes, as the keeper tells it."""
        return int(self._described()["TableSizeBytes"])

    def index_length(self, name: str) -> int:
        """Return the number of entries in the index *name*."""
        return self._copy().index_length(name)

    def get(self, key: bytes) -> Item | None:
        """Return a copy of the item with this primary key."""
        request = {"Key": self.schema.decode(key), "ConsistentRead": True}
        found = self._keeper("GetItem", {"TableName": self._table_name, **request}).get("Item")
        item = None if found is None else canonical_item(found)
        self._last_read = (key, item)
        return item

    def size_of(self, key: bytes) -> int:
        """Return the size of the item with this primary key, 0 if there is none."""
        known = self._last_read
        item = known[1] if known is not None and known[0] == key else self.get(key)
        return 0 if item is None else self.item_size(item)

    def put(self, key: bytes, item: Item, size_bytes: int, *, before: Item | None) -> None:
        """Store *item*."""
        del key, size_bytes, before
        self._last_read = None
        self._keeper("PutItem", {"TableName": self._table_name, "Item": item})

    def delete(self, key: bytes, *, before: Item) -> None:
        """Remove the item *before*."""
        del before
        self._last_read = None
        self._keeper("DeleteItem", {"TableName": self._table_name, "Key": self.schema.decode(key)})

    def items(self) -> Iterator[Item]:
        """Iterate over all items in Scan order."""
        return self._copy().items()

    def keyed_items(self) -> Iterator[tuple[bytes, Item]]:
        """Iterate over all items in Scan order, each with its key."""
        return self._copy().keyed_items()

    def read(self, within: KeyRange | None, *, forward: bool) -> Iterator[tuple[Item, int]]:
        """Iterate over the items in a range of keys, each with its size."""
        return self._copy(within).read(within, forward=forward)

    def read_index(self, name: str, within: KeyRange | None, *, forward: bool) -> Iterator[tuple[Item, int]]:
        """Iterate over the items whose entries in the index are in a range, whole, each with its full size."""
        return self._copy().read_index(name, within, forward=forward)

    def snapshot(self) -> Collection:
        """Return a copy that later writes do not change."""
        return self._copy()

    def _filled(self, index: Index) -> Entries:
        return Entries(index.schema)  # no entry is kept here

    def _copy(self, within: KeyRange | None = None) -> Collection:
        """Read the partition that a range belongs to, or all items, into memory."""
        partition = None if within is None else self.schema.partition_within(within)
        request: dict[str, Any] = {"TableName": self._table_name, "ConsistentRead": True}
        if partition is not None:
            request |= {
                "KeyConditionExpression": "#p = :p",
                "ExpressionAttributeNames": {"#p": self.schema.partition_name},
                "ExpressionAttributeValues": {":p": partition},
            }
        found = Collection(self.schema, self.item_size)
        found.set_indexes(self.indexes)
        while True:
            page = self._keeper("Scan" if partition is None else "Query", request)
            for item in map(canonical_item, page["Items"]):
                found.put(self.schema.encode(item), item, self.item_size(item), before=None)
            if not page.get("LastEvaluatedKey"):
                return found
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _described(self) -> Mapping[str, Any]:
        described: Mapping[str, Any] = self._keeper("DescribeTable", {"TableName": self._table_name})["Table"]
        return described


class BackendElsewhere(OrderedBackend):
    """moto's knowledge of the tables of one account and region, whose items *keeper_of* that place keeps."""

    def __init__(
        self, region_name: str, account_id: str, *, settings: Settings, keeper_of: Callable[[str, str], Keeper]
    ) -> None:
        self._keeper_of = keeper_of
        super().__init__(region_name, account_id, settings=settings)

    def reset(self) -> None:
        """Forget all tables."""
        self.__init__(  # type: ignore[misc]
            self.region_name, self.account_id, settings=self.settings, keeper_of=self._keeper_of
        )

    def create_table(self, name: str, **description: Any) -> OrderedTable:
        """Create what moto knows of a table. It is empty until :meth:`hand_over`."""
        # The keeper has the streams; moto's would keep every record.
        return super().create_table(name, **description | {"streams": None})

    def hand_over(self, table: OrderedTable) -> None:
        """Take a table's items from the keeper, which has made it, from now on."""
        known = table.collection
        table.collection = KeptElsewhere(
            known.schema,
            known.item_size,
            table_name=table.name,
            keeper=self._keeper_of(self.account_id, self.region_name),
        )
        table.collection.set_indexes(known.indexes)

    def update_table_streams(self, table: OrderedTable, stream_specification: dict[str, Any]) -> None:
        """Leave streams to the keeper."""
