"""Reads of single items: GetItem, BatchGetItem and TransactGetItems."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rydelab.plugins.dynamodb.store.conditions import Path
from rydelab.plugins.dynamodb.store.errors import invalid
from rydelab.plugins.dynamodb.store.expressions import Expressions
from rydelab.plugins.dynamodb.store.keys import PrimaryKey
from rydelab.plugins.dynamodb.store.legacy import refuse_mixture
from rydelab.plugins.dynamodb.store.projections import Projection
from rydelab.plugins.dynamodb.store.table import OrderedTable
from rydelab.plugins.dynamodb.store.values import Item
from rydelab.plugins.dynamodb.store.writes import checked_key

MAX_BATCH_GET_KEYS = 100
MAX_BATCH_GET_BYTES = 16 * 1024 * 1024

type TableOf = Callable[[str], OrderedTable]


@dataclass(frozen=True, slots=True)
class ItemRead:
    """One item read by its key.

    *item* is the whole item as it is charged for (None: there is none), *shown* what the caller gets of it.
    """

    table: OrderedTable
    key: Item
    item: Item | None
    shown: Item | None
    consistent: bool = False

    @property
    def size_bytes(self) -> int:
        """The size of the whole item, 0 if there is none."""
        return 0 if self.item is None else self.table.collection.item_size(self.item)

    def response(self) -> dict[str, Any]:
        """Return the members of GetItem's response, or of one of a transaction's responses."""
        return {} if self.shown is None else {"Item": self.shown}


def projection_of(request: Mapping[str, Any], expressions: Expressions) -> Projection | None:
    """Return the ProjectionExpression or the AttributesToGet of a request."""
    refuse_mixture(
        request,
        ("AttributesToGet", "QueryFilter", "ScanFilter", "ConditionalOperator", "KeyConditions"),
        ("ProjectionExpression", "FilterExpression", "KeyConditionExpression"),
    )
    wanted = request.get("AttributesToGet")
    if wanted is None:
        return expressions.projection()
    for name in wanted:
        if wanted.count(name) > 1:
            raise invalid(f"One or more parameter values were invalid: Duplicate value in attribute name: {name}")
    return Projection(tuple(Path((name,)) for name in wanted))


class Shows(Protocol):
    """What picks the part of an item that the caller gets."""

    def apply(self, item: Item) -> Item:
        """Return that part of *item*."""


@dataclass(frozen=True, slots=True)
class ItemLookup:
    """A checked request for one item."""

    table: OrderedTable
    target: PrimaryKey
    projection: Shows | None
    consistent: bool

    def read(self) -> ItemRead:
        """Read the item as it is now."""
        with self.table.lock:
            item = self.table.collection.get(self.target.encoded)
        shown = item if item is None or self.projection is None else self.projection.apply(item)
        return ItemRead(self.table, self.target.attributes, item, shown, self.consistent)


def prepare_get(table: OrderedTable, request: Mapping[str, Any]) -> ItemLookup:
    """Check GetItem, or a transaction's Get."""
    expressions = Expressions(request, parameters=())
    projection = projection_of(request, expressions)
    expressions.check_all_used()
    consistent = bool(request.get("ConsistentRead"))
    return ItemLookup(table, checked_key(table, request["Key"]), projection, consistent)


class Targeted(Protocol):
    """A read or write of one item."""

    @property
    def table(self) -> OrderedTable:
        """The item's table."""

    @property
    def target(self) -> PrimaryKey:
        """The item's key."""


def has_duplicates(requests: Iterable[Targeted]) -> bool:
    """Tell whether two of *requests* are of one item."""
    keys = [(request.table.table_arn, request.target.encoded) for request in requests]
    return len(set(keys)) != len(keys)


@dataclass(frozen=True, slots=True)
class BatchRead:
    """The items of a BatchGetItem, and the keys that it left unread because of the 16 MB limit.

    *reads* are in the order of the request, each with the table name that the request used.
    """

    request_items: Mapping[str, Any]
    reads: tuple[tuple[str, ItemRead], ...]
    unread: tuple[tuple[str, Item], ...]

    def response(self, refused: Iterable[ItemRead] = ()) -> dict[str, Any]:
        """Return the response's Responses and UnprocessedKeys; *refused* reads are not shown but unprocessed."""
        refused_ids = {id(read) for read in refused}
        responses: dict[str, list[Item]] = {name: [] for name in self.request_items}
        unprocessed: list[tuple[str, Item]] = []
        for name, read in self.reads:
            if id(read) in refused_ids:
                unprocessed.append((name, read.key))
            elif read.shown is not None:
                responses[name].append(read.shown)
        unprocessed.extend(self.unread)
        left: dict[str, Any] = {}
        for name, key in unprocessed:
            options = {option: value for option, value in self.request_items[name].items() if option != "Keys"}
            left.setdefault(name, {"Keys": [], **options})["Keys"].append(key)
        return {"Responses": responses, "UnprocessedKeys": left}


def batch_get(table_of: TableOf, request: Mapping[str, Any]) -> BatchRead:
    """Read the items of a BatchGetItem; each is consistent in itself, the batch is not one snapshot."""
    items: Mapping[str, Any] = request["RequestItems"]
    for name, wanted in items.items():
        if len(wanted["Keys"]) > MAX_BATCH_GET_KEYS:
            raise invalid(
                f"1 validation error detected: Value at 'requestItems.{name}.member.keys' failed to satisfy "
                "constraint: Member must have length less than or equal to 100"
            )
    if sum(len(wanted["Keys"]) for wanted in items.values()) > MAX_BATCH_GET_KEYS:
        raise invalid("Too many items requested for the BatchGetItem call")
    lookups: list[tuple[str, ItemLookup]] = []
    for name, wanted in items.items():
        table = table_of(name)
        expressions = Expressions(wanted, parameters=())
        projection = projection_of(wanted, expressions)
        expressions.check_all_used()
        consistent = bool(wanted.get("ConsistentRead"))
        lookups.extend(
            (name, ItemLookup(table, checked_key(table, key), projection, consistent)) for key in wanted["Keys"]
        )
    if has_duplicates(lookup for _, lookup in lookups):
        raise invalid("Provided list of item keys contains duplicates")
    return _within_limit(items, lookups)


def _within_limit(items: Mapping[str, Any], lookups: list[tuple[str, ItemLookup]]) -> BatchRead:
    reads: list[tuple[str, ItemRead]] = []
    total = 0
    for position, (name, lookup) in enumerate(lookups):
        read = lookup.read()
        total += read.size_bytes
        if total > MAX_BATCH_GET_BYTES:
            unread = tuple((left_name, left.target.attributes) for left_name, left in lookups[position:])
            return BatchRead(items, tuple(reads), unread)
        reads.append((name, read))
    return BatchRead(items, tuple(reads), ())
