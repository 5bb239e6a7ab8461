"""Query and Scan: one page, which costs what it reads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rydelab.plugins.dynamodb.store.conditions import Condition, Predicate, attributes_of
from rydelab.plugins.dynamodb.store.errors import DynamoError, invalid, invalid_parameters
from rydelab.plugins.dynamodb.store.expressions import Expressions
from rydelab.plugins.dynamodb.store.indexes import Index
from rydelab.plugins.dynamodb.store.key_conditions import KeyCondition, key_condition
from rydelab.plugins.dynamodb.store.keys import KeyRange, KeySchema, segment_bounds
from rydelab.plugins.dynamodb.store.legacy import filter_condition, key_conditions
from rydelab.plugins.dynamodb.store.projections import Projection
from rydelab.plugins.dynamodb.store.reads import projection_of
from rydelab.plugins.dynamodb.store.table import OrderedTable
from rydelab.plugins.dynamodb.store.values import AttributeValue, Item, canonical_item, type_of

MAX_PAGE_BYTES = 1024 * 1024
MAX_SEGMENTS = 1_000_000
WHOLE = KeyRange(b"", b"\xff" * 9)

type Request = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a Query or Scan, and what reading it touched.

    *evaluated_bytes* is the size of what was read before filtering, on the table or on *index*. *fetched_sizes* are
    the sizes of the items that a local index's page had to fetch from the table besides. *partition_key* is the
    one partition key that a Query read, None for a Scan. *items* is None when only the count was asked for.
    """

    table: OrderedTable
    index: Index | None
    partition_key: AttributeValue | None
    items: tuple[Item, ...] | None
    count: int
    scanned_count: int
    evaluated_bytes: int
    fetched_sizes: tuple[int, ...]
    last_evaluated_key: Item | None
    consistent: bool

    def response(self) -> dict[str, Any]:
        """Return the members of the operation's response."""
        answer: dict[str, Any] = {"Count": self.count, "ScannedCount": self.scanned_count}
        if self.items is not None:
            answer["Items"] = list(self.items)
        if self.last_evaluated_key is not None:
            answer["LastEvaluatedKey"] = self.last_evaluated_key
        return answer


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A checked request for a page."""

    table: OrderedTable
    index: Index | None
    partition_key: AttributeValue | None
    within: KeyRange
    forward: bool
    limit: int | None
    predicate: Predicate
    projection: Projection | None
    counts_only: bool
    fetches: bool
    consistent: bool

    def read(self) -> Page:
        """Read the page as the table is now."""
        with self.table.lock:
            if self.index is not None:
                index_named(self.table, self.index.name)  # it may be deleted since the request was checked
            items, sizes, is_full = self._evaluate()
        entries = items
        if self.index is not None and not self.fetches:
            entries = [self.index.project(item) for item in items]
        kept = [entry for entry in entries if self.predicate.holds(entry)]
        shown = kept if self.projection is None else [self.projection.apply(item) for item in kept]
        return Page(
            table=self.table,
            index=self.index,
            partition_key=self.partition_key,
            items=None if self.counts_only else tuple(shown),
            count=len(kept),
            scanned_count=len(items),
            evaluated_bytes=sum(sizes),
            fetched_sizes=tuple(map(self.table.collection.item_size, items)) if self.fetches else (),
            last_evaluated_key=position_of(items[-1], self.table, self.index) if is_full else None,
            consistent=self.consistent,
        )

    def _evaluate(self) -> tuple[list[Item], list[int], bool]:
        """Return the items read, their sizes where they were read, and whether the page ended before the data."""
        items: list[Item] = []
        sizes: list[int] = []
        total = 0
        for item, size in islice(self._candidates(), self.limit):
            total += size
            if total > MAX_PAGE_BYTES:
                return items, sizes, True
            items.append(item)
            sizes.append(size)
        return items, sizes, len(items) == self.limit

    def _candidates(self) -> Iterator[tuple[Item, int]]:
        collection = self.table.collection
        if self.index is None:
            yield from collection.read(self.within, forward=self.forward)
            return
        for item, size in collection.read_index(self.index.name, self.within, forward=self.forward):
            if self.index.projected is None:
                yield item, size
            else:
                yield item, collection.item_size(self.index.project(item))


def position_of(item: Item, table: OrderedTable, index: Index | None) -> Item:
    """Return the key from which a next page continues after *item*."""
    key = table.key_schema.key_of(item)
    return key if index is None else key | index.schema.key_of(item)


def prepare_query(table: OrderedTable, request: Request) -> PageRequest:
    """Check a Query."""
    index = index_named(table, request.get("IndexName"))
    schema = table.key_schema if index is None else index.schema
    expressions = Expressions(request, parameters=("FilterExpression", "KeyConditionExpression"))
    projection = projection_of(request, expressions)
    condition = _key_condition(request, expressions, schema)
    filtered = expressions.condition("FilterExpression")
    if filtered is None:
        filtered = filter_condition(request.get("QueryFilter"), request.get("ConditionalOperator"))
    expressions.check_all_used()
    for name in attributes_of(filtered):
        if name in schema.names:
            if request.get("FilterExpression") is None:
                raise invalid(f"QueryFilter can only contain non-primary key attributes: Primary key attribute: {name}")
            raise invalid(
                f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
            )
    forward = request.get("ScanIndexForward") is not False
    within = condition.range_in(schema)
    start = request.get("ExclusiveStartKey")
    if start:
        within = after_start(table, index, start, within, forward=forward, is_query=True)
    return _page_request(
        table,
        index,
        request,
        partition_key=condition.partition,
        within=within,
        forward=forward,
        predicate=Predicate(filtered, expressions.values),
        projection=projection,
    )


def prepare_scan(table: OrderedTable, request: Request) -> PageRequest:
    """Check a Scan."""
    index = index_named(table, request.get("IndexName"))
    expressions = Expressions(request, parameters=("FilterExpression",))
    projection = projection_of(request, expressions)
    filtered = expressions.condition("FilterExpression")
    if filtered is None:
        filtered = filter_condition(request.get("ScanFilter"), request.get("ConditionalOperator"))
    expressions.check_all_used()
    within = _segment(request)
    start = request.get("ExclusiveStartKey")
    if start:
        within = after_start(table, index, start, within, forward=True, is_query=False, request=request)
    return _page_request(
        table,
        index,
        request,
        partition_key=None,
        within=within,
        forward=True,
        predicate=Predicate(filtered, expressions.values),
        projection=projection,
    )


def _page_request(
    table: OrderedTable,
    index: Index | None,
    request: Request,
    *,
    partition_key: AttributeValue | None,
    within: KeyRange,
    forward: bool,
    predicate: Predicate,
    projection: Projection | None,
) -> PageRequest:
    return PageRequest(
        table=table,
        index=index,
        partition_key=partition_key,
        within=within,
        forward=forward,
        limit=checked_limit(request),
        predicate=predicate,
        projection=projection,
        counts_only=request.get("Select") == "COUNT",
        fetches=_fetches(index, request, projection, predicate.condition),
        consistent=checked_consistency(request, index),
    )


def checked_limit(request: Request) -> int | None:
    """Return a request's Limit; raise a ValidationException if it is not positive."""
    limit: int | None = request.get("Limit")
    if limit is not None and limit < 1:
        raise invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )
    return limit


def checked_consistency(request: Request, index: Index | None) -> bool:
    """Return a request's ConsistentRead; raise a ValidationException if its index cannot do that."""
    consistent = bool(request.get("ConsistentRead"))
    if consistent and index is not None and index.is_global:
        raise invalid("Consistent reads are not supported on global secondary indexes")
    return consistent


def index_named(table: OrderedTable, name: str | None) -> Index | None:
    """Return the index that a request names, None if it names none; raise a ValidationException if it is not there."""
    if name is None:
        return None
    index = table.collection.index(name)
    if index is None:
        raise invalid(f"The table does not have the specified index: {name}")
    return index


def _key_condition(request: Request, expressions: Expressions, schema: KeySchema) -> KeyCondition:
    condition = expressions.condition("KeyConditionExpression")
    if condition is not None:
        return key_condition(condition, expressions.values, schema)
    if not request.get("KeyConditions"):
        raise invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
    return key_conditions(request["KeyConditions"], schema)


def _fetches(index: Index | None, request: Request, projection: Projection | None, filtered: Condition | None) -> bool:
    """Check Select, and tell whether a local index's page needs attributes that only the table has."""
    select = request.get("Select")
    if projection is not None and select not in (None, "SPECIFIC_ATTRIBUTES"):
        what = "AttributesToGet" if request.get("AttributesToGet") else "ProjectionExpression"
        raise invalid(
            f"Cannot specify the {what} when choosing to get {'only the Count' if select == 'COUNT' else select}"
        )
    if select == "SPECIFIC_ATTRIBUTES" and projection is None:
        raise invalid(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )
    if index is None:
        if select == "ALL_PROJECTED_ATTRIBUTES":
            raise invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
        return False
    if index.projected is None:
        return False
    if select == "ALL_ATTRIBUTES":
        if index.is_global:
            raise invalid_parameters(
                f"Select type ALL_ATTRIBUTES is not supported for global secondary index {index.name} "
                "because its projection type is not ALL"
            )
        return True
    wanted = (projection.attributes if projection else set()) | attributes_of(filtered)
    missing = sorted(wanted - index.projected)
    if missing and index.is_global and projection and projection.attributes - index.projected:
        raise invalid_parameters(f"Global secondary index {index.name} does not project [{', '.join(missing)}]")
    return bool(missing) and not index.is_global


def _segment(request: Request) -> KeyRange:
    segment, total = request.get("Segment"), request.get("TotalSegments")
    if segment is None and total is None:
        return WHOLE
    if total is None:
        raise invalid(
            "The TotalSegments parameter is required but was not present in the request "
            "when Segment parameter is present"
        )
    if segment is None:
        raise invalid(
            "The Segment parameter is required but was not present in the request "
            "when parameter TotalSegments is present"
        )
    if not 1 <= total <= MAX_SEGMENTS:
        bound = "greater than or equal to 1" if total < 1 else f"less than or equal to {MAX_SEGMENTS}"
        raise invalid(
            f"1 validation error detected: Value '{total}' at 'totalSegments' failed to satisfy constraint: "
            f"Member must have value {bound}"
        )
    if segment >= total:
        raise invalid(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )
    return KeyRange(*segment_bounds(segment, total))


def after_start(
    table: OrderedTable,
    index: Index | None,
    start: Any,
    within: KeyRange,
    *,
    forward: bool,
    is_query: bool,
    request: Request | None = None,
) -> KeyRange:
    """Return the part of *within* that lies behind an ExclusiveStartKey."""
    key = _start_key(table, index, start)
    encoded = table.key_schema.encode(key)
    if index is not None:
        encoded = index.schema.encode(key) + encoded
    if not within.low <= encoded < within.high:
        if is_query:
            raise invalid("The provided starting key is outside query boundaries based on provided conditions")
        segment, total = (request or {}).get("Segment"), (request or {}).get("TotalSegments")
        raise invalid(
            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey "
            f"with correct Segment. TotalSegments: {total} Segment: {segment}"
        )
    return KeyRange(encoded + b"\x00", within.high) if forward else KeyRange(within.low, encoded)


def _start_key(table: OrderedTable, index: Index | None, start: Any) -> Item:
    schemas = [table.key_schema] if index is None else [table.key_schema, index.schema]
    types = dict(pair for schema in schemas for pair in schema.types)
    if set(start) != set(types):
        raise invalid("The provided starting key is invalid")
    try:
        key = canonical_item(start)
    except DynamoError as error:
        raise invalid(f"The provided starting key is invalid: {error.message}") from error
    for name, kind in types.items():
        if type_of(key[name]) != kind:
            raise invalid("The provided starting key is invalid: The provided key element does not match the schema")
    return key
