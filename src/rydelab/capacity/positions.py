"""Where a partition key lies among a table's partitions."""

from base64 import b64decode
from zlib import crc32

from rydelab.capacity.item_size import AttributeValue, significant_digits

POSITIONS = 2**32
"""Positions are integers in [0, POSITIONS). The same key has the same position in every process."""

_GOLDEN_RATIO = 0x9E3779B1  # spreads the CRCs of keys that differ in their last characters only


def position_of_bytes(key: bytes) -> int:
    """Return the position of a key given as bytes."""
    return crc32(key) * _GOLDEN_RATIO & (POSITIONS - 1)


def position_of(value: AttributeValue) -> int:
    """Return the position of a partition-key value (S, N or B) in its JSON form; equal numbers have equal positions."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return position_of_bytes(content.encode())
        case "B":
            return position_of_bytes(b64decode(content) if isinstance(content, str) else bytes(content))
        case "N":
            digits, exponent, negative = significant_digits(content)
            return position_of_bytes(f"{'-' if negative else ''}{digits}e{exponent}".encode())
        case _:
            raise ValueError(f"a partition key is of type S, N or B, got {kind!r}")
