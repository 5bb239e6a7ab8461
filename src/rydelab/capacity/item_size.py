"""How many bytes DynamoDB counts for an item (A2), given in the JSON form of the wire."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from rydelab.capacity.settings import Settings

type AttributeValue = Mapping[str, Any]
"""One typed value: ``{"S": "text"}``, ``{"N": "12.5"}``, ``{"B": base64 text or bytes}``, ``{"L": [...]}`` ..."""

type Item = Mapping[str, AttributeValue]

MAX_ITEM_BYTES = 400 * 1024
DOCUMENT_BYTES = 3  # an empty list or map
ELEMENT_BYTES = 1  # each element of a list or map
BASE64_GROUP = 4


def item_bytes(item: Item, settings: Settings) -> int:
    """Return the size of *item*: UTF-8 names plus values. An absent item is ``{}`` and has 0 bytes."""
    return sum(_utf8_bytes(name) + value_bytes(value, settings) for name, value in item.items())


def value_bytes(value: AttributeValue, settings: Settings) -> int:
    """Return the size of one typed value; raise ValueError for a type that DynamoDB does not have."""
    if len(value) != 1:
        raise ValueError(f"an attribute value has exactly one type, got {sorted(value)}")
    ((kind, content),) = value.items()
    scalar = _SCALARS.get(kind)
    if scalar is not None:
        return scalar(content, settings)
    if kind in _SETS:
        return settings.set_overhead_bytes + sum(_SCALARS[_SETS[kind]](member, settings) for member in content)
    if kind == "L":
        return DOCUMENT_BYTES + sum(ELEMENT_BYTES + value_bytes(element, settings) for element in content)
    if kind == "M":
        return DOCUMENT_BYTES + ELEMENT_BYTES * len(content) + item_bytes(content, settings)
    raise ValueError(f"unknown attribute type {kind!r}")


def significant_digits(number: str) -> tuple[str, int, bool]:
    """Return the digits of *number* without outer zeros, its power-of-ten exponent (d.ddd x 10^e), and its sign."""
    parsed = Decimal(number)
    if not parsed.is_finite():
        raise ValueError(f"not a DynamoDB number: {number!r}")
    digits = "".join(map(str, parsed.as_tuple().digits)).lstrip("0").rstrip("0")
    return digits, parsed.adjusted() if digits else 0, parsed < 0


def _number_bytes(number: str, settings: Settings) -> int:
    digits, exponent, negative = significant_digits(number)
    if not digits:
        return 1
    count = len(digits)
    half = (count + 1) // 2
    if settings.number_size == "documented":
        return half + 1
    # dynalite's rule, found by measuring AWS: digits are stored in pairs that start at even exponents.
    unpaired = 1 if count % 2 == 0 and exponent % 2 == 0 else 0
    return 1 + half + unpaired + negative


def _utf8_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _binary_bytes(content: str | bytes | bytearray) -> int:
    if isinstance(content, str):  # base64, as in the wire's JSON
        padding = content[-2:].count("=")
        return len(content) // BASE64_GROUP * 3 - padding
    return len(content)


_SCALARS: Mapping[str, Callable[[Any, Settings], int]] = {
    "S": lambda content, _: _utf8_bytes(content),
    "N": _number_bytes,
    "B": lambda content, _: _binary_bytes(content),
    "BOOL": lambda _content, _: 1,
    "NULL": lambda _content, _: 1,
}
_SETS = {"SS": "S", "NS": "N", "BS": "B"}
