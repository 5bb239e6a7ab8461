"""What will happen, in the order of time."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any

type Action = Callable[[float, Any], None]
"""Is called with the time and with what it is about."""


class Agenda:
    """Events by time; those of the same time in the order in which they were put there. Never empty while it runs."""

    __slots__ = ("heap", "number")

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, Action, Any]] = []
        self.number = count().__next__

    def at(self, time_s: float, action: Action, about: Any = None) -> None:
        """Have *action* called at *time_s*."""
        heappush(self.heap, (time_s, self.number(), action, about))

    def step(self) -> float:
        """Do what is next, and return its time."""
        time_s, _, action, about = heappop(self.heap)
        action(time_s, about)
        return time_s

    def run(self, *, until_s: float) -> None:
        """Do what is due by *until_s*."""
        while self.heap[0][0] <= until_s:
            self.step()
