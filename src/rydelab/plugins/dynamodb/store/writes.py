"""Writes of one item, in two steps: prepared from a request, then evaluated on the item that is there.

Preparing parses and checks all that needs no item, and takes no lock. Evaluating happens under the table's lock and
changes nothing: it gives a Change, which says what the item was and will be, or why the write fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from rydelab.capacity.item_size import MAX_ITEM_BYTES
from rydelab.plugins.dynamodb.store.conditions import Predicate
from rydelab.plugins.dynamodb.store.errors import DynamoError, condition_failed, invalid, invalid_parameters
from rydelab.plugins.dynamodb.store.expressions import Expressions
from rydelab.plugins.dynamodb.store.keys import PrimaryKey
from rydelab.plugins.dynamodb.store.legacy import apply_attribute_updates, filter_condition, refuse_mixture
from rydelab.plugins.dynamodb.store.projections import Projection
from rydelab.plugins.dynamodb.store.table import OrderedTable
from rydelab.plugins.dynamodb.store.updates import UpdateExpression, UpdateFailedError
from rydelab.plugins.dynamodb.store.values import Item, canonical_item, type_of

type Request = Mapping[str, Any]
type ChangeKind = Literal["put", "update", "delete", "check"]


@dataclass(frozen=True, slots=True)
class Change:
    """What one write finds and leaves.

    *before* and *after* are the item's images (None: no item). A ConditionCheck leaves what it finds. When *failure*
    is set nothing may be committed, and *after* is the item that a failed put would have stored, else *before*.
    *after_bytes* is the size of an *after* that is to be stored. *attributes* are what ReturnValues asks for, None when
    it asks for nothing.
    """

    kind: ChangeKind
    table: OrderedTable
    target: PrimaryKey
    before: Item | None
    after: Item | None
    after_bytes: int = 0
    failure: DynamoError | None = None
    attributes: Item | None = None

    @property
    def key(self) -> Item:
        """The primary key of the item."""
        return self.target.attributes

    def response(self) -> dict[str, Any]:
        """Return the members that the operation's response has because of this change."""
        return {} if self.attributes is None else {"Attributes": self.attributes}


class Write(Protocol):
    """A prepared write."""

    @property
    def table(self) -> OrderedTable:
        """The table that it writes to."""

    @property
    def target(self) -> PrimaryKey:
        """The item that it writes."""

    def evaluate(self, before: Item | None) -> Change:
        """Return what this write makes of the item *before*."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A write's condition, and whether its failure shows the old item."""

    predicate: Predicate
    shows_old: bool = False

    def failure(self, before: Item | None) -> DynamoError | None:
        """Return the condition's failure on the item *before*, or None if it holds."""
        if self.predicate.holds(before):
            return None
        return condition_failed(before if self.shows_old else None)


@dataclass(frozen=True, slots=True)
class PutWrite:
    """PutItem: the whole item."""

    table: OrderedTable
    target: PrimaryKey
    item: Item
    size_bytes: int
    guard: Guard
    returns: str = "NONE"

    def evaluate(self, before: Item | None) -> Change:
        """Return what this put makes of the item *before*."""
        return Change(
            kind="put",
            table=self.table,
            target=self.target,
            before=before,
            after=self.item,
            after_bytes=self.size_bytes,
            failure=self.guard.failure(before),
            attributes=before if self.returns == "ALL_OLD" else None,
        )


@dataclass(frozen=True, slots=True)
class DeleteWrite:
    """DeleteItem."""

    table: OrderedTable
    target: PrimaryKey
    guard: Guard
    returns: str = "NONE"

    def evaluate(self, before: Item | None) -> Change:
        """Return what this delete makes of the item *before*."""
        failure = self.guard.failure(before)
        return Change(
            kind="delete",
            table=self.table,
            target=self.target,
            before=before,
            after=before if failure else None,
            failure=failure,
            attributes=before if self.returns == "ALL_OLD" else None,
        )


@dataclass(frozen=True, slots=True)
class CheckWrite:
    """A transaction's ConditionCheck: it writes nothing."""

    table: OrderedTable
    target: PrimaryKey
    guard: Guard

    def evaluate(self, before: Item | None) -> Change:
        """Return whether the condition holds for the item *before*."""
        return Change(
            kind="check",
            table=self.table,
            target=self.target,
            before=before,
            after=before,
            failure=self.guard.failure(before),
        )


@dataclass(frozen=True, slots=True)
class UpdateWrite:
    """UpdateItem, by an expression or by AttributeUpdates."""

    table: OrderedTable
    target: PrimaryKey
    guard: Guard
    expression: UpdateExpression | None = None
    attribute_updates: Mapping[str, Any] | None = None
    returns: str = "NONE"

    def evaluate(self, before: Item | None) -> Change:
        """Return what this update makes of the item *before*; of None it makes a new item."""
        failure = self.guard.failure(before)
        after, after_bytes = before, 0
        if failure is None:
            try:
                after, after_bytes = self._applied(before)
            except UpdateFailedError as error:
                failure = error.error
        return Change(
            kind="update",
            table=self.table,
            target=self.target,
            before=before,
            after=after,
            after_bytes=after_bytes,
            failure=failure,
            attributes=None if failure or after is None else self._returned(before, after),
        )

    def _applied(self, before: Item | None) -> tuple[Item, int]:
        base = dict(self.target.attributes) if before is None else before
        if self.expression is not None:
            after = self.expression.apply(base, self.table)
        elif self.attribute_updates:
            after = apply_attribute_updates(
                base, self.attribute_updates, self.table.key_schema, existed=before is not None
            )
        else:
            after = dict(base)
        try:
            check_index_keys(self.table, after)
            size = checked_size(self.table, after, "Item size to update has exceeded the maximum allowed size")
        except DynamoError as error:
            raise UpdateFailedError(error) from error
        return after, size

    def _returned(self, before: Item | None, after: Item) -> Item | None:
        if self.returns == "NONE":
            return None
        if self.returns in ("ALL_OLD", "ALL_NEW"):
            return before if self.returns == "ALL_OLD" else after
        image = (before or {}) if self.returns == "UPDATED_OLD" else after
        if self.expression is not None:
            return self.expression.updated.apply(image)
        return {name: image[name] for name in self.attribute_updates or () if name in image}


def check_index_keys(table: OrderedTable, item: Item) -> None:
    """Raise a ValidationException if an attribute that is an index's key cannot be one."""
    for index in table.collection.indexes:
        for name, kind in index.schema.types:
            if name not in item:
                continue
            actual = type_of(item[name])
            if actual != kind:
                raise invalid_parameters(
                    f"Type mismatch for Index Key {name} Expected: {kind} Actual: {actual} IndexName: {index.name}"
                )
            if kind in ("S", "B") and not item[name][kind]:
                raise invalid(
                    "One or more parameter values are not valid. A value specified for a secondary index key is not "
                    "supported. The AttributeValue for a key attribute cannot contain an empty "
                    f"{'string' if kind == 'S' else 'binary'} value. IndexName: {index.name}, IndexKey: {name}"
                )
        if index.schema.has_key(item):
            index.schema.check_lengths(item)


def checked_size(table: OrderedTable, item: Item, message: str) -> int:
    """Return the size of *item* in bytes; raise a ValidationException with *message* if it is over 400 KB."""
    size = table.collection.item_size(item)
    if size > MAX_ITEM_BYTES:
        raise invalid(message)
    return size


def checked_key(table: OrderedTable, given: Any) -> PrimaryKey:
    """Return a primary key in canonical form; raise a ValidationException if it is not one of this table."""
    key = canonical_item(given)
    table.key_schema.check_key(key)
    return table.key_schema.primary_key(key)


def put_write(table: OrderedTable, given: Any, guard: Guard, *, returns: str = "NONE") -> PutWrite:
    """Return the write that stores *given*; raise a ValidationException if it cannot be an item of this table."""
    item = canonical_item(given)
    table.key_schema.check_item(item)
    check_index_keys(table, item)
    size = checked_size(table, item, "Item size has exceeded the maximum allowed size")
    return PutWrite(table, table.key_schema.primary_key(item), item, size, guard, returns)


def prepare_put(table: OrderedTable, request: Request) -> PutWrite:
    """Prepare PutItem, or a transaction's Put."""
    _check_returns(request, ("NONE", "ALL_OLD"))
    expressions = Expressions(request, parameters=("ConditionExpression",))
    guard = _guard(request, expressions)
    expressions.check_all_used()
    return put_write(table, request["Item"], guard, returns=request.get("ReturnValues") or "NONE")


def prepare_delete(table: OrderedTable, request: Request) -> DeleteWrite:
    """Prepare DeleteItem, or a transaction's Delete."""
    _check_returns(request, ("NONE", "ALL_OLD"))
    expressions = Expressions(request, parameters=("ConditionExpression",))
    guard = _guard(request, expressions)
    expressions.check_all_used()
    return DeleteWrite(table, checked_key(table, request["Key"]), guard, request.get("ReturnValues") or "NONE")


def prepare_check(table: OrderedTable, request: Request) -> CheckWrite:
    """Prepare a transaction's ConditionCheck."""
    expressions = Expressions(request, parameters=("ConditionExpression",))
    guard = _guard(request, expressions)
    expressions.check_all_used()
    return CheckWrite(table, checked_key(table, request["Key"]), guard)


def prepare_update(table: OrderedTable, request: Request) -> UpdateWrite:
    """Prepare UpdateItem, or a transaction's Update."""
    _check_returns(request, ("NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"))
    refuse_mixture(request, ("AttributeUpdates",), ("UpdateExpression", "ConditionExpression"))
    expressions = Expressions(request, parameters=("UpdateExpression", "ConditionExpression"))
    text = expressions.text("UpdateExpression")
    expression = None if text is None else UpdateExpression(text.strip(), expressions)
    guard = _guard(request, expressions, others=("UpdateExpression",))
    expressions.check_all_used()
    key = checked_key(table, request["Key"])
    if expression is not None:
        check_no_key(table, expression.updated)
    return UpdateWrite(
        table,
        key,
        guard,
        expression,
        request.get("AttributeUpdates"),
        request.get("ReturnValues") or "NONE",
    )


def _guard(request: Request, expressions: Expressions, *, others: tuple[str, ...] = ()) -> Guard:
    refuse_mixture(request, ("Expected",), ("ConditionExpression", *others))
    condition = expressions.condition("ConditionExpression")
    if condition is None:
        condition = filter_condition(request.get("Expected"), request.get("ConditionalOperator"))
    shows_old = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return Guard(Predicate(condition, expressions.values), shows_old)


def _check_returns(request: Request, allowed: tuple[str, ...]) -> None:
    returns = request.get("ReturnValues") or "NONE"
    if returns in allowed:
        return
    if returns in ("UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"):
        raise invalid("ReturnValues can only be ALL_OLD or NONE")
    raise invalid(
        f"1 validation error detected: Value '{returns}' at 'returnValues' failed to satisfy constraint: "
        "Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
    )


def check_no_key(table: OrderedTable, updated: Projection) -> None:
    """Raise a ValidationException if an update would write a part of the primary key."""
    for name in table.key_schema.names:
        if name in updated.attributes:
            raise invalid_parameters(f"Cannot update attribute {name}. This attribute is part of the key")
