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
    *attributes* are what ReturnValues asks for, None when it asks for nothing.
    """

    kind: ChangeKind
    table: OrderedTable
    key: Item
    before: Item | None
    after: Item | None
    failure: DynamoError | None = None
    attributes: Item | None = None

    def response(self) -> dict[str, Any]:
        """Return the members that the operation's response has because of this change."""
        return {} if self.attributes is None else {"Attributes": self.attributes}


class Write(Protocol):
    """A prepared write."""

    @property
    def table(self) -> OrderedTable:
        """The table that it writes to."""

    @property
    def key(self) -> Item:
        """The primary key of the item that it writes."""

    def evaluate(self, before: Item | None) -> Change:
        """Return what this write makes of the item *before*."""


@dataclass(frozen=True, slots=True)
class _Guard:
    """A write's condition, and whether its failure shows the old item."""

    predicate: Predicate
    shows_old: bool

    def failure(self, before: Item | None) -> DynamoError | None:
        if self.predicate.holds(before):
            return None
        return condition_failed(before if self.shows_old else None)


@dataclass(frozen=True, slots=True)
class PutWrite:
    """PutItem: the whole item."""

    table: OrderedTable
    key: Item
    item: Item
    guard: _Guard
    returns: str = "NONE"

    def evaluate(self, before: Item | None) -> Change:
        """Return what this put makes of the item *before*."""
        return Change(
            kind="put",
            table=self.table,
            key=self.key,
            before=before,
            after=self.item,
            failure=self.guard.failure(before),
            attributes=before if self.returns == "ALL_OLD" else None,
        )


@dataclass(frozen=True, slots=True)
class DeleteWrite:
    """DeleteItem."""

    table: OrderedTable
    key: Item
    guard: _Guard
    returns: str = "NONE"

    def evaluate(self, before: Item | None) -> Change:
        """Return what this delete makes of the item *before*."""
        failure = self.guard.failure(before)
        return Change(
            kind="delete",
            table=self.table,
            key=self.key,
            before=before,
            after=before if failure else None,
            failure=failure,
            attributes=before if self.returns == "ALL_OLD" else None,
        )


@dataclass(frozen=True, slots=True)
class CheckWrite:
    """A transaction's ConditionCheck: it writes nothing."""

    table: OrderedTable
    key: Item
    guard: _Guard

    def evaluate(self, before: Item | None) -> Change:
        """Return whether the condition holds for the item *before*."""
        return Change(
            kind="check",
            table=self.table,
            key=self.key,
            before=before,
            after=before,
            failure=self.guard.failure(before),
        )


@dataclass(frozen=True, slots=True)
class UpdateWrite:
    """UpdateItem, by an expression or by AttributeUpdates."""

    table: OrderedTable
    key: Item
    guard: _Guard
    expression: UpdateExpression | None = None
    attribute_updates: Mapping[str, Any] | None = None
    returns: str = "NONE"

    def evaluate(self, before: Item | None) -> Change:
        """Return what this update makes of the item *before*; of None it makes a new item."""
        failure = self.guard.failure(before)
        after = before
        if failure is None:
            try:
                after = self._applied(before)
            except UpdateFailedError as error:
                failure = error.error
        return Change(
            kind="update",
            table=self.table,
            key=self.key,
            before=before,
            after=after,
            failure=failure,
            attributes=None if failure or after is None else self._returned(before, after),
        )

    def _applied(self, before: Item | None) -> Item:
        base = dict(self.key) if before is None else before
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
            check_size(self.table, after, "Item size to update has exceeded the maximum allowed size")
        except DynamoError as error:
            raise UpdateFailedError(error) from error
        return after

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


def check_size(table: OrderedTable, item: Item, message: str) -> None:
    """Raise a ValidationException with *message* if *item* is larger than 400 KB."""
    if table.collection.item_size(item) > MAX_ITEM_BYTES:
        raise invalid(message)


def checked_item(table: OrderedTable, given: Any) -> Item:
    """Return an item to be stored, in canonical form; raise a ValidationException if it cannot be."""
    item = canonical_item(given)
    table.key_schema.check_item(item)
    check_index_keys(table, item)
    check_size(table, item, "Item size has exceeded the maximum allowed size")
    return item


def checked_key(table: OrderedTable, given: Any) -> Item:
    """Return a primary key in canonical form; raise a ValidationException if it is not one of this table."""
    key = canonical_item(given)
    table.key_schema.check_key(key)
    return key


def prepare_put(table: OrderedTable, request: Request) -> PutWrite:
    """Prepare PutItem, or a transaction's Put."""
    _check_returns(request, ("NONE", "ALL_OLD"))
    expressions = Expressions(request, parameters=("ConditionExpression",))
    guard = _guard(request, expressions)
    expressions.check_all_used()
    item = checked_item(table, request["Item"])
    return PutWrite(table, table.key_schema.key_of(item), item, guard, request.get("ReturnValues") or "NONE")


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


def guard_of(predicate: Predicate, *, shows_old: bool = False) -> _Guard:
    """Return the guard of a write that comes from a statement instead of a request."""
    return _Guard(predicate, shows_old)


def _guard(request: Request, expressions: Expressions, *, others: tuple[str, ...] = ()) -> _Guard:
    refuse_mixture(request, ("Expected",), ("ConditionExpression", *others))
    condition = expressions.condition("ConditionExpression")
    if condition is None:
        condition = filter_condition(request.get("Expected"), request.get("ConditionalOperator"))
    shows_old = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return _Guard(Predicate(condition, expressions.values), shows_old)


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
