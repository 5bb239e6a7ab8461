"""How many batches of one mapping are handled at once. Pure: it is told what time it is.

Source: AWS Lambda developer guide, "Configuring scaling behavior for SQS event source mappings".
"""

from typing import Final

_START: Final = 5
_FLOOR: Final = 2
_CEILING: Final = 1250
_GROWTH_PER_S: Final = 300 / 60
_PAUSE_S: Final = 1.0


class Concurrency:
    """Starts at 5 batches, grows by 300 a minute while there is more to do, halves when Lambda refuses or fails.

    *maximum* is the mapping's ``MaximumConcurrency``; without it the ceiling is 1,250. Not thread-safe.
    """

    def __init__(self, maximum: int | None = None) -> None:
        self._ceiling = float(_CEILING if maximum is None else maximum)
        self._level = min(float(_START), self._ceiling)
        self._wanted_at_s: float | None = None

    @property
    def limit(self) -> int:
        """The number of batches that may be handled at once."""
        return int(self._level)

    @property
    def ceiling(self) -> int:
        """The highest that `limit` becomes."""
        return int(self._ceiling)

    def wanted_more(self, now_s: float) -> None:
        """Note that messages wait while every batch is taken. Asked again and again, this makes the limit grow."""
        since_s = self._wanted_at_s
        self._wanted_at_s = now_s
        if since_s is not None and 0 <= now_s - since_s <= _PAUSE_S:
            self._level = min(self._level + (now_s - since_s) * _GROWTH_PER_S, self._ceiling)

    def went_badly(self) -> None:
        """Note a batch that Lambda refused for want of concurrency, or that failed as a whole."""
        self._level = max(self._level / 2, min(float(_FLOOR), self._ceiling))

    def is_idle(self) -> None:
        """Note that the queue is empty: back to the start."""
        self._level = min(float(_START), self._ceiling)
        self._wanted_at_s = None
