"""The API's parameters from before expressions: Expected, KeyConditions, QueryFilter, ScanFilter, AttributeUpdates."""

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Any

from rydelab.plugins.dynamodb.store.conditions import (
    And,
    Between,
    Comparison,
    Condition,
    Function,
    In,
    Literal,
    Not,
    Or,
    Path,
)
from rydelab.plugins.dynamodb.store.errors import invalid, invalid_parameters
from rydelab.plugins.dynamodb.store.key_conditions import KeyCondition, checked
from rydelab.plugins.dynamodb.store.keys import KeySchema, SortCondition
from rydelab.plugins.dynamodb.store.values import SET_NAMES, AttributeValue, Item, canonical, type_of

_COMPARISONS = {"EQ": "=", "NE": "<>", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}
_KEY_OPERATORS = {
    "EQ": "=",
    "LT": "<",
    "LE": "<=",
    "GT": ">",
    "GE": ">=",
    "BETWEEN": "between",
    "BEGINS_WITH": "begins_with",
}
_OPERATORS = (
    *("IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT"),
    *("NOT_NULL", "NE", "LE", "BEGINS_WITH", "GE", "CONTAINS"),
)
_OPERAND_COUNTS = {"NULL": 0, "NOT_NULL": 0, "BETWEEN": 2}
_SUM_DIGITS = 300


def refuse_mixture(request: Mapping[str, Any], old: tuple[str, ...], new: tuple[str, ...]) -> None:
    """Raise a ValidationException if a request has old parameters and expressions."""
    had_old, had_new = ([name for name in names if request.get(name) is not None] for names in (old, new))
    if had_old and had_new:
        raise invalid(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(had_old)}}} Expression parameters: {{{', '.join(had_new)}}}"
        )


def filter_condition(conditions: Mapping[str, Any] | None, operator: str | None) -> Condition | None:
    """Return the condition of an Expected, QueryFilter or ScanFilter; *operator* is the ConditionalOperator."""
    whole: Condition | None = None
    for name, condition in (conditions or {}).items():
        one = _condition(name, condition)
        join = Or if operator == "OR" else And
        whole = one if whole is None else join(whole, one)
    return whole


def _condition(name: str, given: Mapping[str, Any]) -> Condition:
    operator = given.get("ComparisonOperator")
    if operator is None:
        return _expectation(name, given)
    listed = given.get("AttributeValueList") or ([given["Value"]] if "Value" in given else [])
    operands = tuple(Literal(canonical(value)) for value in listed)
    _check_count(operator, len(operands))
    path = Path((name,))
    if operator in _COMPARISONS:
        return Comparison(_COMPARISONS[operator], path, operands[0])
    present, contained = Function("attribute_exists", (path,)), Function("contains", (path, *operands))
    if operator == "IN":
        return In(path, operands)
    if operator == "BETWEEN":
        return Between(path, *operands)
    others: dict[str, Condition] = {
        "NULL": Not(present),
        "NOT_NULL": present,
        "CONTAINS": contained,
        # Unlike NOT contains(), it does not hold for a missing attribute.
        "NOT_CONTAINS": And(present, Not(contained)),
        "BEGINS_WITH": Function("begins_with", (path, *operands)),
    }
    return others[operator]


def _expectation(name: str, given: Mapping[str, Any]) -> Condition:
    """Return the condition of an Expected that has no operator: a value, or Exists."""
    path = Path((name,))
    if not given.get("Exists", True):
        if "Value" in given:
            raise invalid_parameters(f"Value cannot be used when Exists is false for Attribute: {name}")
        return Function("attribute_not_exists", (path,))
    if "Value" not in given:
        raise invalid_parameters(f"Value must be provided when Exists is true for Attribute: {name}")
    return Comparison("=", path, Literal(canonical(given["Value"])))


def _check_count(operator: str, count: int) -> None:
    if operator not in _OPERATORS:
        raise invalid(
            f"1 validation error detected: Value '{operator}' at 'comparisonOperator' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(_OPERATORS)}]"
        )
    if count != _OPERAND_COUNTS.get(operator, 1) and not (operator == "IN" and count):
        raise invalid_parameters(f"Invalid number of argument(s) for the {operator} ComparisonOperator")


def key_conditions(conditions: Mapping[str, Any], schema: KeySchema) -> KeyCondition:
    """Return the key condition in a Query's KeyConditions."""
    found: dict[str, SortCondition] = {}
    for name, given in conditions.items():
        operator = given["ComparisonOperator"]
        if operator not in _KEY_OPERATORS:
            raise invalid("Attempted conditional constraint is not an indexable operation")
        operands = tuple(canonical(value) for value in given.get("AttributeValueList") or ())
        _check_count(operator, len(operands))
        found[name] = SortCondition(_KEY_OPERATORS[operator], operands)
    return checked(found, schema)


def apply_attribute_updates(item: Item, updates: Mapping[str, Any], schema: KeySchema, *, existed: bool) -> Item:
    """Return *item* as UpdateItem's AttributeUpdates leave it; *existed* tells whether it is in the table."""
    after = dict(item)
    for name, update in updates.items():
        if name in schema.names:
            raise invalid_parameters(f"Cannot update attribute {name}. This attribute is part of the key")
        action = update.get("Action", "PUT")
        value = canonical(update["Value"]) if "Value" in update else None
        if action == "DELETE":
            if existed and name in after:
                _delete(after, name, value)
        elif value is None:
            raise invalid_parameters(
                f"Only DELETE action is allowed when no attribute value is specified: Attribute name: {name}"
            )
        elif action == "ADD":
            after[name] = _added(after.get(name), value)
        else:
            after[name] = value
    return after


def _delete(item: Item, name: str, value: AttributeValue | None) -> None:
    if value is None:
        del item[name]
        return
    kind = type_of(value)
    if kind not in SET_NAMES or type_of(item[name]) != kind:
        raise invalid("Type mismatch for attribute to update")
    left = [member for member in item[name][kind] if member not in value[kind]]
    if left:
        item[name] = {kind: left}
    else:
        del item[name]


def _added(old: AttributeValue | None, value: AttributeValue) -> AttributeValue:
    kind = type_of(value)
    if kind not in ("N", "L", *SET_NAMES):
        raise invalid_parameters("ADD action is not supported for the type " + kind)
    if old is None:
        return value
    if type_of(old) != kind:
        raise invalid("Type mismatch for attribute to update")
    if kind == "N":
        with localcontext(prec=_SUM_DIGITS):
            return canonical({"N": format(Decimal(old["N"]) + Decimal(value["N"]), "f")})
    new = [member for member in value[kind] if kind == "L" or member not in old[kind]]
    return {kind: [*old[kind], *new]}
