"""Attribute values: checked, in canonical form, compared as DynamoDB compares them.

An attribute value is what LocalStack's parser and boto3's low-level client make of the wire: a dictionary with one
type descriptor, ``{"S": "a"}``, ``{"N": "1.5"}``, ``{"M": {...}}``; binary content is ``bytes``.
"""

import re
from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import Any

from rydelab.plugins.dynamodb.store.errors import DynamoError, invalid, invalid_parameters

type AttributeValue = dict[str, Any]
type Item = dict[str, AttributeValue]

MAX_NESTING_LEVELS = 32
MAX_DIGITS = 38
# Numbers are 1E-130 to 9.99...E+125 in magnitude, and 0.
MAX_EXPONENT = 125
MIN_EXPONENT = -130
SCALAR_TYPES = frozenset({"S", "N", "B"})
SET_NAMES = {"SS": "string", "NS": "number", "BS": "binary"}

_PLAIN = re.compile(r"(?:0|-?[1-9][0-9]{0,37}|-?(?:0|[1-9][0-9]{0,17})\.[0-9]{0,18}[1-9])\Z", re.ASCII)
_NUMERIC = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z", re.ASCII)


def canonical_number(text: object) -> str:
    """Return a number as DynamoDB stores and returns it: plain notation, no leading or trailing zeros.

    Raises a ValidationException for what is not a number, has more than 38 digits or is out of range.
    """
    if not isinstance(text, str):
        raise DynamoError("SerializationException", "NUMBER_VALUE cannot be converted to String")
    if _PLAIN.match(text):
        return text
    if not _NUMERIC.match(text):
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}")
    try:
        number = Decimal(text)
    except DecimalException:  # an exponent beyond what Decimal itself can hold
        raise _out_of_range(overflow=not re.search("[eE]-", text)) from None
    return plain(number)


def plain(number: Decimal) -> str:
    """Write *number* without an exponent, after checking DynamoDB's limits on digits and range."""
    if number.is_zero():
        return "0"
    sign, digits, exponent = number.as_tuple()
    significant = "".join(map(str, digits)).lstrip("0")
    trimmed = significant.rstrip("0")
    if len(trimmed) > MAX_DIGITS:
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    magnitude = len(significant) + int(exponent) - 1
    if magnitude > MAX_EXPONENT:
        raise _out_of_range(overflow=True)
    if magnitude < MIN_EXPONENT:
        raise _out_of_range(overflow=False)
    trailing_zeros = len(significant) - len(trimmed)
    return format(Decimal((sign, tuple(map(int, trimmed)), int(exponent) + trailing_zeros)), "f")


def _out_of_range(*, overflow: bool) -> DynamoError:
    what, than = ("overflow", "larger") if overflow else ("underflow", "smaller")
    return invalid(f"Number {what}. Attempting to store a number with magnitude {than} than supported range")


def canonical(value: Any, depth: int = 1) -> AttributeValue:
    """Check one attribute value and return a copy of it in canonical form.

    Raises a ValidationException with DynamoDB's message.
    """
    if not isinstance(value, dict) or not value:
        raise invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    if len(value) > 1:
        raise invalid(
            "Supplied AttributeValue has more than one datatypes set, "
            "must contain exactly one of the supported datatypes"
        )
    if depth > MAX_NESTING_LEVELS:
        raise invalid(
            "Nesting Levels have exceeded supported limits: "
            "Attributes in the item have nested levels beyond supported limit"
        )
    ((kind, content),) = value.items()
    if kind == "M":
        return {"M": {name: canonical(member, depth + 1) for name, member in content.items()}}
    if kind == "L":
        return {"L": [canonical(member, depth + 1) for member in content]}
    if kind in SET_NAMES:
        return {kind: _canonical_set(kind, content)}
    if kind not in _CANONICAL_SCALARS:
        raise invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    return {kind: _CANONICAL_SCALARS[kind](content)}


def _canonical_string(content: Any) -> str:
    if not isinstance(content, str):
        raise DynamoError("SerializationException", "NUMBER_VALUE cannot be converted to String")
    return content


def _canonical_null(content: Any) -> bool:
    if content is not True:
        raise invalid_parameters("Null attribute value types must have the value of true")
    return True


_CANONICAL_SCALARS: dict[str, Callable[[Any], Any]] = {
    "S": _canonical_string,
    "N": canonical_number,
    "B": bytes,
    "BOOL": bool,
    "NULL": _canonical_null,
}


def _canonical_set(kind: str, members: Any) -> list[Any]:
    if not members:
        raise invalid_parameters(f"An {SET_NAMES[kind]} set  may not be empty")
    kept = [canonical_number(member) for member in members] if kind == "NS" else list(members)
    if len(set(kept)) != len(kept):
        listed = ", ".join(str(member) for member in members)
        raise invalid_parameters(f"Input collection [{listed}] contains duplicates.")
    return kept


def canonical_item(item: Any) -> Item:
    """Check an item's attribute values and return a copy of it in canonical form; keys are checked elsewhere."""
    return {name: canonical(value) for name, value in item.items()}


def type_of(value: AttributeValue) -> str:
    """Return the type descriptor: ``S``, ``N``, ``M``, ..."""
    return next(iter(value))


def equal(left: AttributeValue, right: AttributeValue) -> bool:
    """Tell whether two canonical values are the same to DynamoDB: same type, sets without order."""
    kind = type_of(left)
    if kind != type_of(right):
        return False
    a, b = left[kind], right[kind]
    if kind in SET_NAMES:
        return set(a) == set(b)
    if kind == "L":
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    if kind == "M":
        return a.keys() == b.keys() and all(equal(a[name], b[name]) for name in a)
    return bool(a == b)


def order(left: AttributeValue, right: AttributeValue) -> int | None:
    """Return -1, 0 or 1 for two values of one ordered type, and None where DynamoDB defines no order.

    Strings are ordered by their UTF-8 bytes, which is the order of code points and so of Python's ``str``.
    """
    kind = type_of(left)
    if kind != type_of(right) or kind not in SCALAR_TYPES:
        return None
    a, b = left[kind], right[kind]
    if kind == "N":
        a, b = Decimal(a), Decimal(b)
    return int(a > b) - int(a < b)
