"""Conditions and filters as trees, evaluated on items as DynamoDB does: types never mix, what is missing never matches.

The trees come from expressions (``expressions.py``), from the API's old parameters (``legacy.py``) and from PartiQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rydelab.plugins.dynamodb.store.errors import invalid
from rydelab.plugins.dynamodb.store.values import SCALAR_TYPES, AttributeValue, Item, equal, order, type_of

type Values = Mapping[str, AttributeValue]

SIZED_TYPES = frozenset({"S", "B", "SS", "NS", "BS", "L", "M"})


@dataclass(frozen=True, slots=True)
class Path:
    """A document path: a top-level attribute, then map keys and list indexes."""

    parts: tuple[str | int, ...]

    def resolve(self, item: Item, _values: Values) -> AttributeValue | None:
        """Return the value at this path of *item*, or None."""
        value: AttributeValue | None = item.get(str(self.parts[0]))
        for part in self.parts[1:]:
            if value is None:
                return None
            if isinstance(part, str):
                value = value["M"].get(part) if "M" in value else None
            else:
                members = value.get("L", ())
                value = members[part] if part < len(members) else None
        return value

    def __str__(self) -> str:
        return f"[{', '.join(f'[{part}]' if isinstance(part, int) else part for part in self.parts)}]"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value given beside the expression, such as ``:v``."""

    name: str

    def resolve(self, _item: Item, values: Values) -> AttributeValue | None:
        """Return the value given for this name."""
        return values[self.name]


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the statement itself."""

    value: AttributeValue

    def resolve(self, _item: Item, _values: Values) -> AttributeValue | None:
        """Return the value."""
        return self.value


@dataclass(frozen=True, slots=True)
class Size:
    """``size(path)``: characters of a string, bytes of a binary, members of a set, list or map."""

    path: Path

    def resolve(self, item: Item, values: Values) -> AttributeValue | None:
        """Return the size as a number, or None for what has none."""
        value = self.path.resolve(item, values)
        if value is None or type_of(value) not in SIZED_TYPES:
            return None
        return {"N": str(len(value[type_of(value)]))}


type Operand = Path | Placeholder | Literal | Size


@dataclass(frozen=True, slots=True)
class Comparison:
    """``=``, ``<>``, ``<``, ``<=``, ``>`` or ``>=``. Only ``<>`` holds when an operand is missing."""

    operator: str
    left: Operand
    right: Operand

    def holds(self, item: Item, values: Values) -> bool:
        """Tell whether *item* meets this condition."""
        left, right = self.left.resolve(item, values), self.right.resolve(item, values)
        if left is None or right is None:
            return self.operator == "<>"
        if self.operator in ("=", "<>"):
            return equal(left, right) is (self.operator == "=")
        sign = order(left, right)
        if sign is None:
            return False
        return {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[self.operator]


@dataclass(frozen=True, slots=True)
class Between:
    """``operand BETWEEN low AND high``, both ends included."""

    operand: Operand
    low: Operand
    high: Operand

    def holds(self, item: Item, values: Values) -> bool:
        """Tell whether *item* meets this condition."""
        return (
            Comparison(">=", self.operand, self.low).holds(item, values)
            and Comparison("<=", self.operand, self.high).holds(item, values)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class In:
    """``operand IN (a, b, ...)``."""

    operand: Operand
    options: tuple[Operand, ...]

    def holds(self, item: Item, values: Values) -> bool:
        """Tell whether *item* meets this condition."""
        return any(Comparison("=", self.operand, option).holds(item, values) for option in self.options)


@dataclass(frozen=True, slots=True)
class Function:
    """``attribute_exists``, ``attribute_not_exists``, ``attribute_type``, ``begins_with`` or ``contains``."""

    name: str
    arguments: tuple[Operand, ...]

    def holds(self, item: Item, values: Values) -> bool:
        """Tell whether *item* meets this condition."""
        subject = self.arguments[0].resolve(item, values)
        if self.name == "attribute_exists":
            return subject is not None
        if self.name == "attribute_not_exists":
            return subject is None
        other = self.arguments[1].resolve(item, values)
        if subject is None or other is None:
            return False
        if self.name == "attribute_type":
            return other.get("S") == type_of(subject)
        return _begins_with(subject, other) if self.name == "begins_with" else _contains(subject, other)


def _begins_with(subject: AttributeValue, start: AttributeValue) -> bool:
    kind = type_of(subject)
    return kind in ("S", "B") and kind == type_of(start) and bool(subject[kind].startswith(start[kind]))


def _contains(subject: AttributeValue, member: AttributeValue) -> bool:
    kind, sought = type_of(subject), type_of(member)
    if kind == "L":
        return any(equal(element, member) for element in subject["L"])
    if (kind == sought and kind in ("S", "B")) or (kind == sought + "S" and sought in SCALAR_TYPES):
        return member[sought] in subject[kind]
    return False


@dataclass(frozen=True, slots=True)
class Not:
    """``NOT condition``."""

    condition: "Condition"

    def holds(self, item: Item, values: Values) -> bool:
        """Tell whether *item* meets this condition."""
        return not self.condition.holds(item, values)


@dataclass(frozen=True, slots=True)
class And:
    """Both conditions."""

    left: "Condition"
    right: "Condition"

    def holds(self, item: Item, values: Values) -> bool:
        """Tell whether *item* meets this condition."""
        return self.left.holds(item, values) and self.right.holds(item, values)


@dataclass(frozen=True, slots=True)
class Or:
    """Either condition."""

    left: "Condition"
    right: "Condition"

    def holds(self, item: Item, values: Values) -> bool:
        """Tell whether *item* meets this condition."""
        return self.left.holds(item, values) or self.right.holds(item, values)


type Condition = Comparison | Between | In | Function | Not | And | Or


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition with the values that its placeholders stand for; no condition always holds."""

    condition: Condition | None = None
    values: Values | None = None

    def holds(self, item: Item | None) -> bool:
        """Tell whether *item* (None: there is no such item) meets the condition."""
        return self.condition is None or self.condition.holds(item or {}, self.values or {})


def conjuncts(condition: Condition | None) -> list[Condition]:
    """Return the conditions that *condition* joins with AND."""
    if condition is None:
        return []
    if isinstance(condition, And):
        return [*conjuncts(condition.left), *conjuncts(condition.right)]
    return [condition]


def joined(conditions: list[Condition]) -> Condition | None:
    """Return one condition that holds where all of *conditions* hold."""
    whole: Condition | None = None
    for condition in conditions:
        whole = condition if whole is None else And(whole, condition)
    return whole


def operands_of(condition: Condition | None) -> list[Operand]:
    """Return every operand in *condition*."""
    found: list[Operand] = []
    match condition:
        case Comparison():
            found = [condition.left, condition.right]
        case Between():
            found = [condition.operand, condition.low, condition.high]
        case In():
            found = [condition.operand, *condition.options]
        case Function():
            found = list(condition.arguments)
        case Not():
            found = operands_of(condition.condition)
        case And() | Or():
            found = [*operands_of(condition.left), *operands_of(condition.right)]
    return found


def attributes_of(condition: Condition | None) -> set[str]:
    """Return the top-level attributes that *condition* looks at."""
    paths = (operand.path if isinstance(operand, Size) else operand for operand in operands_of(condition))
    return {str(path.parts[0]) for path in paths if isinstance(path, Path)}


def check_betweens(condition: Condition | None, values: Values, parameter: str) -> None:
    """Raise a ValidationException for a BETWEEN whose bounds are of different types or the wrong way round."""
    match condition:
        case Between(low=Placeholder(name=low), high=Placeholder(name=high)):
            sign = order(values[low], values[high])
            if sign is None:
                raise invalid(
                    f"Invalid {parameter}: The BETWEEN operator requires same data type for lower and upper bounds; "
                    f"lower bound operand: AttributeValue: {_shown(values[low])}, "
                    f"upper bound operand: AttributeValue: {_shown(values[high])}"
                )
            if sign > 0:
                raise invalid(
                    f"Invalid {parameter}: The BETWEEN operator requires upper bound to be greater than or equal to "
                    f"lower bound; lower bound operand: AttributeValue: {_shown(values[low])}, "
                    f"upper bound operand: AttributeValue: {_shown(values[high])}"
                )
        case Not():
            check_betweens(condition.condition, values, parameter)
        case And() | Or():
            check_betweens(condition.left, values, parameter)
            check_betweens(condition.right, values, parameter)


def _shown(value: AttributeValue) -> str:
    kind = type_of(value)
    return f"{{{kind}:{value[kind]}}}"
