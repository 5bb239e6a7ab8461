"""A token bucket whose only clock is the ``now`` it is given."""

from struct import Struct

from rydelab.capacity.settings import Settings

ROUNDING = 1e-9
"""Units lent to a request so that rounding of the refill never refuses it; the loan stays in the bucket as debt."""

ROW = Struct("6d")
"""A bucket in memory: tokens, ``last``, two numbers of whoever the bucket belongs to, rate and size.

A decision needs two rows, which lie side by side. As Python floats their numbers would lie in a dozen places, and with
thousands of tables each of those would be a miss of the processor's cache (docs/capacity.md, "Cost").
"""

STATE = Struct("4d")
"""The part of a row that a decision changes."""

LEVEL = Struct("2d")
"""The first part of that: tokens and ``last``."""

_NUMBER = Struct("d")

type Undo = list[tuple["Bucket", bytearray]]
"""What each bucket held, in order, so that a request refused further on changes nothing."""


class Number:
    """An attribute of a bucket that is kept in its row: number *place* of the six."""

    def __init__(self, place: int) -> None:
        self._skipped_bytes = place * _NUMBER.size

    def __get__(self, bucket: "Bucket", owner: type) -> float:
        number: float = _NUMBER.unpack_from(bucket.memory, bucket.offset + self._skipped_bytes)[0]
        return number

    def __set__(self, bucket: "Bucket", number: float) -> None:
        _NUMBER.pack_into(bucket.memory, bucket.offset + self._skipped_bytes, number)


class Bucket:
    """Holds up to *size* units and gains *rate* a second: a view of the row at *offset* bytes of *memory*.

    Not thread-safe: the caller holds the lock. A clock that steps back refills nothing and takes nothing away.
    """

    __slots__ = ("memory", "offset")

    tokens = Number(0)
    """Units in the bucket at the moment ``last``; :meth:`level` says how many there are later."""
    last = Number(1)
    rate = Number(4)
    size = Number(5)

    def __init__(self, memory: bytearray, offset: int) -> None:
        self.memory = memory
        self.offset = offset

    @classmethod
    def alone(cls, *, rate: float, size: float, tokens: float, now: float) -> "Bucket":
        """Return a bucket with memory of its own."""
        return cls(bytearray(ROW.pack(min(tokens, size), now, 0.0, 0.0, rate, size)), 0)

    def level(self, now: float) -> float:
        """Return the units in the bucket at *now*; negative when a large request left a debt."""
        return self._at(now)[0]

    def affords(self, units: float, now: float, settings: Settings) -> bool:
        """Tell whether *units* may be taken at *now*, if need be by going into debt as *settings* allow."""
        level = self._at(now)[0] + ROUNDING
        return level >= units or (level >= settings.debt_threshold_units and units - level <= settings.max_debt_units)

    def take(self, units: float, now: float) -> None:
        """Take *units*, whatever the bucket holds."""
        level, last = self._at(now)
        LEVEL.pack_into(self.memory, self.offset, level - units, last)

    def note(self, undo: Undo) -> None:
        """Note in *undo* what the bucket holds."""
        undo.append((self, self.memory[self.offset : self.offset + LEVEL.size]))

    def reshape(self, *, rate: float, size: float, now: float) -> None:
        """Change rate and size from *now* on. What was gained so far stays, up to the new size: no unit is made."""
        self.take(0.0, now)
        self.rate = rate
        self.size = size
        self.tokens = min(self.tokens, size)

    def _at(self, now: float) -> tuple[float, float]:
        """Return the units in the bucket at *now*, and the moment that this is true of: not before ``last``."""
        tokens, last, _, _, rate, size = ROW.unpack_from(self.memory, self.offset)
        elapsed = now - last
        return (min(size, tokens + elapsed * rate), now) if elapsed > 0.0 else (tokens, last)


def roll_back(undo: Undo, *, to: int = 0) -> None:
    """Give every bucket back what it held when *undo* had *to* entries, and forget the later ones."""
    while len(undo) > to:
        bucket, held = undo.pop()
        bucket.memory[bucket.offset : bucket.offset + LEVEL.size] = held
