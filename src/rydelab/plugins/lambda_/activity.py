"""What each function has done since the lab started, as counters that only grow, for the observation."""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

RETRIED: Final = "RetriedEvents"
"""Events and messages that were handed to the function again, after a failure or for want of concurrency."""
REFUSED_POLLS: Final = "RefusedPolls"
"""How often a queue was not asked for messages, because the function's role may not take any."""
RUNNING: Final = "Running"
"""Invocations that have begun and not ended: the one number that also goes down."""
BILLED: Final = "BilledMilliseconds"
LOGGED: Final = "LogBytes"
"""What the function wrote to its log, in UTF-8."""

_lock = threading.Lock()
_counts: defaultdict[str, Counter[str]] = defaultdict(Counter)


def add(function_name: str, what: str, number: float = 1) -> None:
    """Count *number* more of *what*; the names are those of Lambda's metrics where there is one."""
    with _lock:
        _counts[function_name][what] += int(number)


@contextmanager
def running(function_name: str) -> Iterator[None]:
    """Count one invocation as running while the block runs."""
    add(function_name, RUNNING)
    try:
        yield
    finally:
        add(function_name, RUNNING, -1)


def counts() -> dict[str, dict[str, int]]:
    """Return all counters, by function name."""
    with _lock:
        return {name: dict(counter) for name, counter in _counts.items()}
