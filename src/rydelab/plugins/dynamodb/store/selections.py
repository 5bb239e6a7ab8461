"""PartiQL's SELECT: the Query or Scan pages that it stands for."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rydelab.plugins.dynamodb.store.conditions import (
    Between,
    Comparison,
    Condition,
    Function,
    In,
    Literal,
    Or,
    Path,
    Predicate,
    attributes_of,
    conjuncts,
    joined,
)
from rydelab.plugins.dynamodb.store.errors import invalid
from rydelab.plugins.dynamodb.store.keys import KeyRange, KeySchema, SortCondition
from rydelab.plugins.dynamodb.store.moto_items import from_wire, to_wire
from rydelab.plugins.dynamodb.store.pages import (
    WHOLE,
    Page,
    PageRequest,
    after_start,
    checked_consistency,
    checked_limit,
    index_named,
)
from rydelab.plugins.dynamodb.store.reads import ItemLookup
from rydelab.plugins.dynamodb.store.statements import Select
from rydelab.plugins.dynamodb.store.table import OrderedTable
from rydelab.plugins.dynamodb.store.values import AttributeValue, Item, type_of
from rydelab.plugins.dynamodb.store.writes import checked_key

type Request = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SelectionResult:
    """The pages that a SELECT read, the items that it shows, and where it continues."""

    pages: tuple[Page, ...]
    items: tuple[Item, ...]
    last_evaluated_key: Item | None
    next_token: str | None

    def response(self) -> dict[str, Any]:
        """Return the members of ExecuteStatement's response."""
        answer: dict[str, Any] = {"Items": list(self.items)}
        if self.next_token is not None:
            answer |= {"NextToken": self.next_token, "LastEvaluatedKey": self.last_evaluated_key}
        return answer


@dataclass(frozen=True, slots=True)
class Selection:
    """A checked SELECT: the pages to read one after the other, from *position* on."""

    table_name: str
    select: Select
    requests: tuple[PageRequest, ...]
    limit: int | None
    position: int

    def read(self) -> SelectionResult:
        """Read from the tables as they are now, one page's worth at most."""
        pages: list[Page] = []
        shown: list[Item] = []
        left = self.limit
        for position in range(self.position, len(self.requests)):
            page = replace(self.requests[position], limit=left).read()
            pages.append(page)
            shown.extend(_shown(self.select, item) for item in page.items or ())
            if page.last_evaluated_key is not None:
                token = _token(position, page.last_evaluated_key)
                return SelectionResult(tuple(pages), tuple(shown), page.last_evaluated_key, token)
            if left is not None:
                left -= page.scanned_count
        return SelectionResult(tuple(pages), tuple(shown), None, None)

    def single_item(self, operation: str) -> ItemLookup:
        """Return this SELECT as the read of one item, as *operation* wants it; raise if it is not one."""
        table = self.requests[0].table
        found, rest = key_equalities(table.key_schema, self.select.where)
        if self.select.index is not None or len(found) < len(table.key_schema.names) or rest:
            raise invalid(f"Select statements within {operation} must specify the primary key in the where clause.")
        show = _Shown(self.select) if self.select.paths else None
        return ItemLookup(table, checked_key(table, found), show, self.requests[0].consistent)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a SELECT shows of an item, in the place of a projection."""

    select: Select

    def apply(self, item: Item) -> Item:
        return _shown(self.select, item)


def prepare_selection(table: OrderedTable, select: Select, request: Request) -> Selection:
    """Check a SELECT; *request* has the Limit, ConsistentRead and NextToken of its statement."""
    index = index_named(table, select.index)
    schema = table.key_schema if index is None else index.schema
    partitions, sort, rest = _access(schema, select.where)
    forward = _direction(schema, select, partitions)
    wanted = {str(path.parts[0]) for path in select.paths} | attributes_of(joined(rest))
    fetches = (
        index is not None and not index.is_global and index.projected is not None and not wanted <= index.projected
    )
    ranges: list[tuple[AttributeValue | None, KeyRange]] = [(None, WHOLE)]
    if partitions:
        ranges = [(value, schema.range_of(value, sort)) for value in partitions]
    position, start = _position(request.get("NextToken"), len(ranges))
    requests = [
        PageRequest(
            table=table,
            index=index,
            partition_key=value,
            within=within,
            forward=forward,
            limit=checked_limit(request),
            predicate=Predicate(joined(rest)),
            projection=None,
            counts_only=False,
            fetches=fetches,
            consistent=checked_consistency(request, index),
        )
        for value, within in ranges
    ]
    if start is not None:
        within = after_start(table, index, start, ranges[position][1], forward=forward, is_query=bool(partitions))
        requests[position] = replace(requests[position], within=within)
    return Selection(select.table, select, tuple(requests), checked_limit(request), position)


def _access(
    schema: KeySchema, where: Condition | None
) -> tuple[list[AttributeValue], SortCondition | None, list[Condition]]:
    """Split a WHERE into partition keys to read (none: scan everything), a range of sort keys, and a filter."""
    partitions: list[AttributeValue] = []
    sort: SortCondition | None = None
    rest: list[Condition] = []
    for condition in conjuncts(where):
        values = _alternatives(condition, schema.partition_name)
        if values is not None and not partitions:
            for value in values:
                if type_of(value) != schema.partition_type:
                    raise invalid(
                        f"Key attribute {schema.partition_name} must have the type {schema.partition_type}, "
                        f"got {type_of(value)}"
                    )
                if value not in partitions:
                    partitions.append(value)
            continue
        found = _sort_condition(condition, schema)
        if found is not None and sort is None:
            sort = found
        else:
            rest.append(condition)
    if not partitions:
        return [], None, conjuncts(where)
    return partitions, sort, rest


def _alternatives(condition: Condition, name: str) -> list[AttributeValue] | None:
    """Return the values that *condition* lets attribute *name* have, or None if it says something else."""
    match condition:
        case Comparison(operator="=", left=Path(parts=(found,)), right=Literal(value=value)) if found == name:
            return [value]
        case Comparison(operator="=", left=Literal(value=value), right=Path(parts=(found,))) if found == name:
            return [value]
        case In(operand=Path(parts=(found,)), options=options) if found == name:
            literals = [option.value for option in options if isinstance(option, Literal)]
            return literals if len(literals) == len(options) else None
        case Or(left=left, right=right):
            one, other = _alternatives(left, name), _alternatives(right, name)
            return None if one is None or other is None else [*one, *other]
    return None


def _sort_condition(condition: Condition, schema: KeySchema) -> SortCondition | None:
    """Return *condition* as a range of sort keys, or None if it is not one."""
    name, kind = schema.sort_name, schema.sort_type
    operands: tuple[AttributeValue, ...]
    match condition:
        case Comparison(operator=operator, left=Path(parts=(found,)), right=Literal(value=value)) if (
            found == name and operator != "<>"
        ):
            operands = (value,)
        case Between(operand=Path(parts=(found,)), low=Literal(value=low), high=Literal(value=high)) if found == name:
            operator, operands = "between", (low, high)
        case Function(name="begins_with", arguments=(Path(parts=(found,)), Literal(value=value))) if found == name:
            operator, operands = "begins_with", (value,)
        case _:
            return None
    if any(type_of(operand) != kind for operand in operands) or (operator == "begins_with" and kind == "N"):
        return None
    return SortCondition(operator, operands)


def _direction(schema: KeySchema, select: Select, partitions: list[AttributeValue]) -> bool:
    if not select.order_by:
        return True
    if select.where is None:
        raise invalid("Must have WHERE clause in the statement when using ORDER BY clause.")
    if not partitions:
        raise invalid(
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
        )
    for name, _ in select.order_by:
        if name not in schema.names:
            raise invalid(f"Variable reference {name} in ORDER BY clause must be part of the primary key")
    return all(forward for name, forward in select.order_by if name == schema.sort_name)


def _shown(select: Select, item: Item) -> Item:
    if not select.paths:
        return item
    shown: Item = {}
    for path in select.paths:
        value = path.resolve(item, {})
        if value is not None:
            last = max(position for position, part in enumerate(path.parts) if isinstance(part, str))
            shown[str(path.parts[last]) + "".join(f"[{part}]" for part in path.parts[last + 1 :])] = value
    return shown


def _token(position: int, key: Item) -> str:
    return urlsafe_b64encode(json.dumps([position, to_wire(key)]).encode()).decode()


def _position(token: str | None, ranges: int) -> tuple[int, Item | None]:
    if token is None:
        return 0, None
    try:
        position, key = json.loads(urlsafe_b64decode(token))
        start = from_wire(key)
    except (ValueError, AttributeError, TypeError):
        raise invalid("Given NextToken is invalid") from None
    if not isinstance(position, int) or not 0 <= position < ranges:
        raise invalid("Given NextToken is invalid")
    return position, start


def key_equalities(schema: KeySchema, where: Condition | None) -> tuple[Item, list[Condition]]:
    """Split a WHERE into the key attributes that it fixes, and the rest."""
    found: Item = {}
    rest: list[Condition] = []
    for condition in conjuncts(where):
        match condition:
            case (
                Comparison(operator="=", left=Path(parts=(str() as name,)), right=Literal(value=value))
                | Comparison(operator="=", left=Literal(value=value), right=Path(parts=(str() as name,)))
            ) if name in schema.names and name not in found:
                found[name] = value
            case _:
                rest.append(condition)
    return found, rest
