"""A token bucket whose only clock is the ``now`` it is given."""

from rydelab.capacity.settings import Settings

ROUNDING = 1e-9
"""Units lent to a request so that rounding of the refill never refuses it; the loan stays in the bucket as debt."""

type Undo = list[tuple["Bucket", float, float]]
"""What each bucket held, in order, so that a request refused further on changes nothing."""


class Bucket:
    """Holds up to *size* units and gains *rate* a second.

    Not thread-safe: the caller holds the lock. A clock that steps back refills nothing and takes nothing away.
    """

    __slots__ = ("last", "rate", "size", "tokens")

    def __init__(self, *, rate: float, size: float, tokens: float, now: float) -> None:
        self.rate = rate
        self.size = size
        self.tokens = min(tokens, size)
        self.last = now

    def level(self, now: float) -> float:
        """Return the units in the bucket at *now*; negative when a large request left a debt."""
        elapsed = now - self.last
        return min(self.size, self.tokens + elapsed * self.rate) if elapsed > 0.0 else self.tokens

    def affords(self, units: float, now: float, settings: Settings) -> bool:
        """Tell whether *units* may be taken at *now*, if need be by going into debt as *settings* allow."""
        level = self.level(now) + ROUNDING
        return level >= units or (level >= settings.debt_threshold_units and units - level <= settings.max_debt_units)

    def take(self, units: float, now: float) -> None:
        """Take *units*, whatever the bucket holds."""
        self.tokens = self.level(now) - units
        self.last = max(self.last, now)

    def reshape(self, *, rate: float, size: float, now: float) -> None:
        """Change rate and size from *now* on. What was gained so far stays, up to the new size: no unit is made."""
        self.take(0.0, now)
        self.rate = rate
        self.size = size
        self.tokens = min(self.tokens, size)


def roll_back(undo: Undo, *, to: int = 0) -> None:
    """Give every bucket back what it held when *undo* had *to* entries, and forget the later ones."""
    while len(undo) > to:
        bucket, tokens, last = undo.pop()
        bucket.tokens = tokens
        bucket.last = last
