"""Keys as bytes whose order is DynamoDB's order.

A table's key is ``hash of the partition key, the partition key, the sort key``, so that one sorted list of keys holds
each partition's items together, in sort-key order, and partitions in the order of a Scan. An index entry's key is the
same over the index's attributes, and ends with the key of its item, which makes it unique.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import md5

from rydelab.plugins.dynamodb.store.errors import invalid, invalid_parameters
from rydelab.plugins.dynamodb.store.values import AttributeValue, Item, plain, type_of

MAX_PARTITION_KEY_BYTES = 2048
MAX_SORT_KEY_BYTES = 1024
KEY_MISMATCH = "The provided key element does not match the schema"

_HASH_BYTES = 8
_LENGTH_BYTES = 2
_TERMINATOR = b"\x00\x01"
_NEGATIVE_NUMBER_END = 102
_MAX_NUMBER_PAIRS = 20


def number_bytes(text: str) -> bytes:
    """Encode a canonical number so that bytes sort as numbers do.

    The layout is the one that AWS hashes: an exponent byte in base 100, then two digits per byte; negative numbers
    complemented. Source: architect/dynalite, which compared its Scan order with AWS.
    """
    sign, digits, exponent = Decimal(text).as_tuple()
    mantissa = "".join(map(str, digits)).strip("0")
    if not mantissa:
        return b"\x80"
    leading = len(digits) + int(exponent)
    padded = leading + leading % 2
    mantissa = "0" * (leading % 2) + mantissa
    mantissa += "0" * (len(mantissa) % 2)
    pairs = [int(mantissa[i : i + 2]) for i in range(0, len(mantissa), 2)]
    first = (padded // 2 - 64) & 0xFF
    if not sign:
        return bytes([first, *(pair + 1 for pair in pairs)])
    end = [_NEGATIVE_NUMBER_END] if len(pairs) < _MAX_NUMBER_PAIRS else []
    return bytes([first ^ 0xFF, *(101 - pair for pair in pairs), *end])


def number_text(encoded: bytes) -> str:
    """Return the canonical number that :func:`number_bytes` encoded."""
    if encoded == b"\x80":
        return "0"
    negative = encoded[0] < 0x80  # noqa: PLR2004 -- the highest bit is the inverted sign
    half_exponent = (encoded[0] ^ 0xFF if negative else encoded[0]) - 256 + 64
    pairs = [
        101 - byte if negative else byte - 1 for byte in encoded[1:] if byte != _NEGATIVE_NUMBER_END or not negative
    ]
    digits = tuple(digit for pair in pairs for digit in divmod(pair, 10))
    return plain(Decimal((int(negative), digits, 2 * half_exponent - len(digits))))


def scalar_bytes(value: AttributeValue) -> bytes:
    """Encode a canonical S, N or B value; bytes sort as DynamoDB sorts values of that type."""
    kind = type_of(value)
    if kind == "S":
        return str(value["S"]).encode()
    if kind == "N":
        return number_bytes(value["N"])
    return bytes(value["B"])


def _hash(encoded: bytes) -> bytes:
    return md5(b"Outliers" + encoded, usedforsecurity=False).digest()[:_HASH_BYTES]


def successor(prefix: bytes) -> bytes:
    """Return the smallest key greater than every key that starts with *prefix*."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else b"\xff" * (_HASH_BYTES + 1)


def segment_bounds(segment: int, total_segments: int) -> tuple[bytes, bytes]:
    """Return the half-open range of keys of one segment of a parallel Scan.

    Segments are equal shares of the hash space in steps of 1/4096 (as dynalite found AWS to cut them).
    """
    first, last = (-(-4096 * n // total_segments) for n in (segment, segment + 1))
    end = (last << 4).to_bytes(2) if last < 4096 else b"\xff" * (_HASH_BYTES + 1)  # noqa: PLR2004
    return (first << 4).to_bytes(2) if first < 4096 else end, end  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class KeyRange:
    """A half-open range of keys, ``low <= key < high``."""

    low: bytes
    high: bytes


@dataclass(frozen=True, slots=True)
class SortCondition:
    """A condition on the sort key: ``=``, ``<``, ``<=``, ``>``, ``>=``, ``between``, ``begins_with``."""

    operator: str
    operands: tuple[AttributeValue, ...]


@dataclass(frozen=True, slots=True)
class PrimaryKey:
    """The primary key of one item: its attributes, and the bytes that it is kept under."""

    attributes: Item
    encoded: bytes


@dataclass(frozen=True, slots=True)
class KeySchema:
    """The partition key and, if there is one, the sort key of a table or an index: names and types."""

    partition_name: str
    partition_type: str
    sort_name: str | None
    sort_type: str | None
    # An index entry's sort key is followed by its item's key, so it needs an end that sorts below everything.
    terminated: bool = False

    @classmethod
    def of(
        cls, schema: Iterable[Mapping[str, str]], definitions: Iterable[Mapping[str, str]], *, terminated: bool = False
    ) -> "KeySchema":
        """Read a KeySchema and AttributeDefinitions as the API has them."""
        types = {definition["AttributeName"]: definition["AttributeType"] for definition in definitions}
        names = {key["KeyType"]: key["AttributeName"] for key in schema}
        sort_name = names.get("RANGE")
        return cls(
            partition_name=names["HASH"],
            partition_type=types[names["HASH"]],
            sort_name=sort_name,
            sort_type=types[sort_name] if sort_name else None,
            terminated=terminated,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The key's attribute names."""
        return (self.partition_name,) if self.sort_name is None else (self.partition_name, self.sort_name)

    @property
    def types(self) -> tuple[tuple[str, str], ...]:
        """The key's attribute names, each with its type."""
        if self.sort_name is None or self.sort_type is None:
            return ((self.partition_name, self.partition_type),)
        return ((self.partition_name, self.partition_type), (self.sort_name, self.sort_type))

    def has_key(self, item: Item) -> bool:
        """Tell whether *item* has every attribute of this key, in its type: else an index does not hold it."""
        return all(name in item and kind in item[name] for name, kind in self.types)

    def key_of(self, item: Item) -> Item:
        """Return the key attributes of *item*."""
        return {name: item[name] for name in self.names}

    def primary_key(self, item: Item) -> PrimaryKey:
        """Return the primary key of *item*, in both forms."""
        return PrimaryKey(self.key_of(item), self.encode(item))

    def partition_prefix(self, partition: AttributeValue) -> bytes:
        """Return what the keys of one partition key start with, and no other key."""
        encoded = scalar_bytes(partition)
        return _hash(encoded) + len(encoded).to_bytes(_LENGTH_BYTES) + encoded

    def encode(self, item: Item) -> bytes:
        """Return the key of *item*, which must have the key's attributes in the right types."""
        prefix = self.partition_prefix(item[self.partition_name])
        return prefix if self.sort_name is None else prefix + self._sort_bytes(item[self.sort_name])

    def decode(self, key: bytes) -> Item:
        """Return the attributes that :meth:`encode` made *key* of; not for an index's entries."""
        length_at = _HASH_BYTES + _LENGTH_BYTES
        end = length_at + int.from_bytes(key[_HASH_BYTES:length_at])
        found = {self.partition_name: _scalar(self.partition_type, key[length_at:end])}
        if self.sort_name is not None and self.sort_type is not None:
            found[self.sort_name] = _scalar(self.sort_type, key[end:])
        return found

    def partition_within(self, within: "KeyRange") -> AttributeValue | None:
        """Return the one partition key that a range of keys belongs to; None if it may have several."""
        length_at = _HASH_BYTES + _LENGTH_BYTES
        if len(within.low) <= length_at:
            return None
        end = length_at + int.from_bytes(within.low[_HASH_BYTES:length_at])
        if within.high > successor(within.low[:end]):
            return None
        return _scalar(self.partition_type, within.low[length_at:end])

    def _sort_bytes(self, value: AttributeValue) -> bytes:
        return self._escape(scalar_bytes(value)) + (_TERMINATOR if self.terminated else b"")

    def _escape(self, encoded: bytes) -> bytes:
        return encoded.replace(b"\x00", b"\x00\xff") if self.terminated else encoded

    def tail(self, key: bytes) -> bytes:
        """Return what follows the key proper: in an index entry's key, the key of its item."""
        start = _HASH_BYTES + _LENGTH_BYTES + int.from_bytes(key[_HASH_BYTES : _HASH_BYTES + _LENGTH_BYTES])
        if self.sort_name is not None:
            start = key.index(_TERMINATOR, start) + len(_TERMINATOR)
        return key[start:]

    def range_of(self, partition: AttributeValue, condition: SortCondition | None = None) -> KeyRange:
        """Return the range of keys of one partition key whose sort key meets *condition*."""
        prefix = self.partition_prefix(partition)
        if condition is None:
            return KeyRange(prefix, successor(prefix))
        if condition.operator == "begins_with":
            start = prefix + self._escape(scalar_bytes(condition.operands[0]))
            return KeyRange(start, successor(start))
        keys = [prefix + self._sort_bytes(operand) for operand in condition.operands]
        after = [successor(key) if self.terminated else key + b"\x00" for key in keys]
        ranges = {
            "=": (keys[0], after[0]),
            "<": (prefix, keys[0]),
            "<=": (prefix, after[0]),
            ">": (after[0], successor(prefix)),
            ">=": (keys[0], successor(prefix)),
            "between": (keys[0], after[-1]),
        }
        return KeyRange(*ranges[condition.operator])

    def check_key(self, key: Item) -> None:
        """Raise a ValidationException unless *key* is exactly a primary key of this schema."""
        if len(key) != len(self.names):
            raise invalid(KEY_MISMATCH)
        for name, kind in self.types:
            if name not in key or type_of(key[name]) != kind:
                raise invalid(KEY_MISMATCH)
        self._check_content(key)

    def check_item(self, item: Item) -> None:
        """Raise a ValidationException unless *item* has a primary key of this schema."""
        for name, kind in self.types:
            if name not in item:
                raise invalid_parameters(f"Missing the key {name} in the item")
            actual = type_of(item[name])
            if actual != kind:
                raise invalid_parameters(f"Type mismatch for key {name} expected: {kind} actual: {actual}")
        self._check_content(item)

    def _check_content(self, item: Item) -> None:
        for name, kind in self.types:
            if kind in ("S", "B") and not item[name][kind]:
                raise invalid(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute "
                    f"cannot contain an empty {'string' if kind == 'S' else 'binary'} value. Key: {name}"
                )
        self.check_lengths(item)

    def check_lengths(self, item: Item) -> None:
        """Raise a ValidationException if a key attribute of *item* is longer than DynamoDB allows."""
        if _length(item[self.partition_name]) > MAX_PARTITION_KEY_BYTES:
            raise invalid_parameters("Size of hashkey has exceeded the maximum size limit of2048 bytes")
        if self.sort_name is not None and _length(item[self.sort_name]) > MAX_SORT_KEY_BYTES:
            raise invalid_parameters("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")


def _scalar(kind: str, encoded: bytes) -> AttributeValue:
    if kind == "S":
        return {"S": encoded.decode()}
    return {"N": number_text(encoded)} if kind == "N" else {"B": encoded}


def _length(value: AttributeValue) -> int:
    return 0 if "N" in value else len(scalar_bytes(value))
