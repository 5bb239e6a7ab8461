"""At-least-once delivery, made visible: a share of messages and events that are handled come a second time.

AWS promises at least once and mostly delivers once; a service that is not idempotent then fails rarely and late. With
``RYDELAB_DUPLICATE_RATE`` above 0 it fails soon. ``RYDELAB_DUPLICATE_SEED`` chooses which: with the same seed the n-th
message of a queue, and the n-th event of a function, comes twice in each run.
"""

import os
import random
import threading
from functools import cache
from typing import Final

RATE_VARIABLE: Final = "RYDELAB_DUPLICATE_RATE"
SEED_VARIABLE: Final = "RYDELAB_DUPLICATE_SEED"


@cache
def rate() -> float:
    """Return the share that comes twice, 0 to 1; 0 unless set. Raises ValueError for a setting that is none."""
    text = os.environ.get(RATE_VARIABLE) or "0"
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError(f"{RATE_VARIABLE} must be a number from 0 to 1, got {text!r}")
    return value


class Choice:
    """Which messages of each queue, and events of each function, come twice. Safe to use from many threads."""

    def __init__(self, rate: float, seed: str) -> None:
        self._rate = rate
        self._seed = seed
        self._lock = threading.Lock()
        self._sources: dict[str, random.Random] = {}

    def comes_twice(self, source: str) -> bool:
        """Decide for the next message or event of *source*, a name that stays the same from run to run."""
        if self._rate == 0:
            return False
        with self._lock:
            draws = self._sources.get(source)
            if draws is None:
                draws = self._sources[source] = random.Random(f"{self._seed}/{source}")  # noqa: S311 (no secret)
            return draws.random() < self._rate


@cache
def choice() -> Choice:
    """Return the lab's choice. Raises ValueError as `rate` does."""
    return Choice(rate(), os.environ.get(SEED_VARIABLE) or "0")
