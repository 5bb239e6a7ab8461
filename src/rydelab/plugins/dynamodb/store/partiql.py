"""PartiQL statements as the operations that they stand for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rydelab.plugins.dynamodb.store.conditions import Condition, Function, Literal, Path, Predicate, joined
from rydelab.plugins.dynamodb.store.errors import DynamoError, invalid
from rydelab.plugins.dynamodb.store.expressions import Expressions
from rydelab.plugins.dynamodb.store.keys import PrimaryKey
from rydelab.plugins.dynamodb.store.partiql_parser import parse
from rydelab.plugins.dynamodb.store.reads import TableOf
from rydelab.plugins.dynamodb.store.selections import Selection, key_equalities, prepare_selection
from rydelab.plugins.dynamodb.store.statements import (
    Arithmetic,
    Call,
    Delete,
    Exists,
    Expression,
    Insert,
    Select,
    Update,
)
from rydelab.plugins.dynamodb.store.table import OrderedTable
from rydelab.plugins.dynamodb.store.updates import UpdateExpression
from rydelab.plugins.dynamodb.store.values import AttributeValue, Item
from rydelab.plugins.dynamodb.store.writes import (
    Change,
    CheckWrite,
    DeleteWrite,
    Guard,
    PutWrite,
    UpdateWrite,
    Write,
    check_no_key,
    checked_key,
    put_write,
)

type Request = Mapping[str, Any]

NEEDS_KEY = "Where clause does not contain a mandatory equality on all key attributes"


@dataclass(frozen=True, slots=True)
class StatementWrite:
    """A statement that writes one item, or in a transaction checks one."""

    table_name: str
    write: Write


@dataclass(frozen=True, slots=True)
class _InsertWrite:
    """INSERT: a put that fails on an item that is there."""

    put: PutWrite

    @property
    def table(self) -> OrderedTable:
        return self.put.table

    @property
    def target(self) -> PrimaryKey:
        return self.put.target

    def evaluate(self, before: Item | None) -> Change:
        change = self.put.evaluate(before)
        if before is None:
            return change
        return replace(change, failure=DynamoError("DuplicateItemException", "Duplicate primary key exists in table"))


def prepare_statement(
    table_of: TableOf, request: Request, *, transactional: bool = False
) -> StatementWrite | Selection:
    """Check one statement; EXISTS is one only in a transaction."""
    statement = parse(request["Statement"], request.get("Parameters") or ())
    shows_old = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    match statement:
        case Select():
            return prepare_selection(table_of(statement.table), statement, request)
        case Insert():
            table = table_of(statement.table)
            return StatementWrite(statement.table, _InsertWrite(put_write(table, statement.item, Guard(Predicate()))))
        case Exists(select=select):
            if not transactional:
                raise invalid("EXISTS can only be used in a transaction")
            table = table_of(select.table)
            key, predicate = _target(table, select.where, must_exist=True)
            return StatementWrite(select.table, CheckWrite(table, key, Guard(predicate, shows_old)))
        case Delete():
            table = table_of(statement.table)
            key, predicate = _target(table, statement.where, must_exist=False)
            if statement.returning not in (None, "ALL_OLD"):
                raise invalid("DELETE can only return ALL OLD *")
            guard = Guard(predicate, shows_old)
            return StatementWrite(statement.table, DeleteWrite(table, key, guard, statement.returning or "NONE"))
        case Update():
            table = table_of(statement.table)
            key, predicate = _target(table, statement.where, must_exist=True)
            update = _update_expression(statement)
            check_no_key(table, update.updated)
            guard = Guard(predicate, shows_old)
            returns = statement.returning or "NONE"
            return StatementWrite(statement.table, UpdateWrite(table, key, guard, update, None, returns))


def _target(table: OrderedTable, where: Condition | None, *, must_exist: bool) -> tuple[PrimaryKey, Predicate]:
    """Return the key of the one item that a WHERE names, and what else it asks of the item."""
    schema = table.key_schema
    found, rest = key_equalities(schema, where)
    if len(found) < len(schema.names):
        raise invalid(NEEDS_KEY)
    if must_exist:
        rest = [Function("attribute_exists", (Path((schema.partition_name,)),)), *rest]
    return checked_key(table, found), Predicate(joined(rest))


class _ExpressionWriter:
    """Writes a statement's paths and values as an UpdateExpression's, with placeholders for all names and values."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, AttributeValue] = {}

    def path(self, path: Path) -> str:
        text = ""
        for part in path.parts:
            if isinstance(part, int):
                text += f"[{part}]"
            else:
                placeholder = f"#n{len(self.names)}"
                self.names[placeholder] = part
                text += f".{placeholder}" if text else placeholder
        return text

    def expression(self, expression: Expression) -> str:
        match expression:
            case Path():
                return self.path(expression)
            case Literal(value=value):
                placeholder = f":v{len(self.values)}"
                self.values[placeholder] = value
                return placeholder
            case Call(name=name, arguments=arguments):
                return f"{name}({', '.join(map(self.expression, arguments))})"
            case Arithmetic():
                left, right = self.expression(expression.left), self.expression(expression.right)
                return f"{left} {expression.operator} {right}"


def _update_expression(statement: Update) -> UpdateExpression:
    """Write a statement's SET and REMOVE as an UpdateExpression."""
    writer = _ExpressionWriter()
    clauses: dict[str, list[str]] = {"SET": [], "REMOVE": [], "ADD": [], "DELETE": []}
    for target, expression in statement.sets:
        match expression:
            case Call(name="set_add" | "set_delete" as name, arguments=(_, members)):
                verb = "ADD" if name == "set_add" else "DELETE"
                clauses[verb].append(f"{writer.path(target)} {writer.expression(members)}")
            case _:
                clauses["SET"].append(f"{writer.path(target)} = {writer.expression(expression)}")
    clauses["REMOVE"].extend(map(writer.path, statement.removes))
    text = " ".join(f"{verb} {', '.join(actions)}" for verb, actions in clauses.items() if actions)
    request: dict[str, Any] = {"UpdateExpression": text, "ExpressionAttributeNames": writer.names}
    if writer.values:
        request["ExpressionAttributeValues"] = writer.values
    return UpdateExpression(text, Expressions(request, parameters=("UpdateExpression",)))
