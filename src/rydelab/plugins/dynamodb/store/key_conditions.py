"""From the condition of a Query to one partition key and a range of sort keys."""

from collections.abc import Mapping
from dataclasses import dataclass

from rydelab.plugins.dynamodb.store.conditions import (
    Between,
    Comparison,
    Condition,
    Function,
    In,
    Literal,
    Not,
    Operand,
    Or,
    Path,
    Placeholder,
    conjuncts,
)
from rydelab.plugins.dynamodb.store.errors import DynamoError, invalid, invalid_parameters
from rydelab.plugins.dynamodb.store.keys import KeyRange, KeySchema, SortCondition
from rydelab.plugins.dynamodb.store.values import AttributeValue, type_of

_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
NOT_SUPPORTED = "Query key condition not supported"


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """What a Query asks for: one partition key and, if it says so, which sort keys."""

    partition: AttributeValue
    sort: SortCondition | None

    def range_in(self, schema: KeySchema) -> KeyRange:
        """Return the range of keys in a table or index of *schema*."""
        return schema.range_of(self.partition, self.sort)


@dataclass(frozen=True, slots=True)
class _OneKey:
    name: str
    condition: SortCondition


def key_condition(condition: Condition, values: Mapping[str, AttributeValue], schema: KeySchema) -> KeyCondition:
    """Read a key condition; raise a ValidationException for what DynamoDB does not take as one."""
    found: dict[str, SortCondition] = {}
    for part in conjuncts(condition):
        one = _one_key(part, values)
        if one.name in found:
            raise invalid(
                "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key"
            )
        found[one.name] = one.condition
    return checked(found, schema)


def checked(found: Mapping[str, SortCondition], schema: KeySchema) -> KeyCondition:
    """Return the key condition made of one condition per key, after checking it against the keys' names and types."""
    partition = found.get(schema.partition_name)
    if partition is None:
        raise invalid(f"Query condition missed key schema element: {schema.partition_name}")
    others = {name: condition for name, condition in found.items() if name != schema.partition_name}
    if others and schema.sort_name not in others:
        if schema.sort_name is not None:
            raise invalid(f"Query condition missed key schema element: {schema.sort_name}")
        raise invalid(NOT_SUPPORTED)
    if len(others) > 1 or partition.operator != "=":
        raise invalid(NOT_SUPPORTED)
    for name, kind in schema.types:
        for operand in found[name].operands if name in found else ():
            _check_operand(name, kind, operand)
    return KeyCondition(partition.operands[0], others[schema.sort_name] if others and schema.sort_name else None)


def _check_operand(name: str, kind: str, operand: AttributeValue) -> None:
    if type_of(operand) != kind:
        raise invalid_parameters("Condition parameter type does not match schema type")
    if kind in ("S", "B") and not operand[kind]:
        raise invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            f"cannot contain an empty {'string' if kind == 'S' else 'binary'} value. Key: {name}"
        )


def _one_key(condition: Condition, values: Mapping[str, AttributeValue]) -> _OneKey:
    match condition:
        case Comparison(operator=operator, left=Path() as path, right=(Placeholder() | Literal()) as given):
            return _OneKey(_name(path), SortCondition(_operator(operator), (_value(given, values),)))
        case Comparison(operator=operator, left=(Placeholder() | Literal()) as given, right=Path() as path):
            return _OneKey(_name(path), SortCondition(_MIRRORED[_operator(operator)], (_value(given, values),)))
        case Between(operand=Path() as path, low=low, high=high):
            return _OneKey(_name(path), SortCondition("between", (_value(low, values), _value(high, values))))
        case Function(name="begins_with", arguments=(Path() as path, start)):
            return _OneKey(_name(path), SortCondition("begins_with", (_start(start, values),)))
    if isinstance(condition, Comparison) and isinstance(condition.left, Path) and isinstance(condition.right, Path):
        raise invalid("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
    if isinstance(condition, Function | Or | Not | In):
        raise _operator_error(condition.name if isinstance(condition, Function) else type(condition).__name__.upper())
    raise invalid(NOT_SUPPORTED)


def _operator(operator: str) -> str:
    if operator not in _MIRRORED:
        raise _operator_error(operator)
    return operator


def _operator_error(operator: str) -> DynamoError:
    return invalid(f"Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: {operator}")


def _start(operand: Operand, values: Mapping[str, AttributeValue]) -> AttributeValue:
    value = _value(operand, values)
    if type_of(value) == "N":
        raise invalid(
            "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
            "operator or function: begins_with, operand type: N"
        )
    return value


def _name(path: Path) -> str:
    if len(path.parts) > 1:
        raise invalid(
            "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes"
        )
    return str(path.parts[0])


def _value(operand: Operand, values: Mapping[str, AttributeValue]) -> AttributeValue:
    match operand:
        case Placeholder(name=name):
            return values[name]
        case Literal(value=value):
            return value
    raise invalid(NOT_SUPPORTED)
