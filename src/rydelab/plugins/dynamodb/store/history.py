"""When the items of a table were written, and how often: what no client can see, and a ledger needs to know."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Written:
    """The writes of one item since it was last put where there was none."""

    first_at: float
    """Unix time, as `last_at`."""
    last_at: float
    writes: int


class WriteHistory:
    """Notes the writes of the items that a table holds.

    Memory grows with the items, not with the writes. Not thread-safe: the caller holds the table's lock.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._written: dict[bytes, Written] = {}

    def put(self, key: bytes) -> None:
        """Note that the item with this key was written."""
        now = self._clock()
        if (known := self._written.get(key)) is None:
            self._written[key] = Written(now, now, 1)
        else:
            known.last_at = now
            known.writes += 1

    def delete(self, key: bytes) -> None:
        """Forget an item that is gone."""
        self._written.pop(key, None)

    def of(self, key: bytes) -> Written | None:
        """Return what is known of an item; None if it was not written since the history began."""
        return self._written.get(key)
