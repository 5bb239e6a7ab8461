"""What became of each arrival, and what else is counted."""

from array import array
from collections.abc import Sequence
from math import inf

from rydelab.simulator.result import FATES

REFUSED, RECORDED, DEAD_LETTERED, IN_FLIGHT, LOST, GHOST, ANSWERED, FAILED = range(len(FATES))
"""Positions in `FATES`."""
PENDING = 255
"""No answer yet."""
AFTER_AN_ERROR = (REFUSED, GHOST, REFUSED, REFUSED, REFUSED, GHOST, FAILED, FAILED)
"""What each fate is if the client was told of an error, or of nothing."""

NEVER = inf

type Counts = dict[int, int]
"""By interval."""


class Tally:
    """Columns with a value for each arrival, and counters. Times are the simulation's."""

    def __init__(self, due_s: Sequence[float], *, begin_s: float, timeout_s: float, interval_s: float) -> None:
        number = len(due_s)
        self.due_s = due_s
        self.begin_s = begin_s
        self.timeout_s = timeout_s
        self.interval_s = interval_s
        self.latency_s = array("d", bytes(8 * number))
        self.fates = bytearray([PENDING]) * number
        self.recorded_s = array("d", [NEVER]) * number
        self.unanswered = number
        self.open = 0
        """Published rides on their way to the table: their events and messages wait, or are being worked on."""
        self.error_names: dict[str, int] = {}
        self.error_of: dict[int, int] = {}
        self.rewritten: set[int] = set()
        self.rewrites_s: list[float] = []
        """When records were written again."""
        self.dead_letters: Counts = {}
        self.retries: Counts = {}
        self.throttles: dict[str, int] = {}
        self.write_throttles: Counts = {}
        self.last_end_s = 0.0
        """When the last ride ended that had been answered before."""
        self.publishes = 0
        self.receive_calls = 0
        self.delete_calls = 0

    def answer(self, ride: int, at_s: float, fate: int, error: str = "") -> None:
        """Note the answer to an arrival; *error* says why it was not accepted, *fate* what is known by then.

        A client that has given up has no answer: what was accepted ends as `REFUSED`, or `GHOST` if it is recorded.
        """
        latency_s = at_s - self.due_s[ride]
        if latency_s > self.timeout_s:
            latency_s = self.timeout_s
            error = f"no answer in {self.timeout_s:g} s"
            fate = AFTER_AN_ERROR[fate]
        self.latency_s[ride] = latency_s
        self.fates[ride] = fate
        self.unanswered -= 1
        if error:
            self.error_of[ride] = self.error_names.setdefault(error, len(self.error_names))

    def record(self, ride: int, at_s: float) -> None:
        """Note that a ride was written, for whatever time."""
        if self.recorded_s[ride] < NEVER:
            self.rewritten.add(ride)
            self.rewrites_s.append(at_s)
        else:
            self.recorded_s[ride] = at_s

    def end(self, ride: int, at_s: float, *, dead: bool = False) -> None:
        """Note that a ride is on its way no more: it is in the table, or in the dead-letter queue."""
        self.open -= 1
        self.last_end_s = max(self.last_end_s, at_s)
        if dead:
            self.add(self.dead_letters, at_s)
        is_recorded = self.recorded_s[ride] < NEVER
        if self.fates[ride] == IN_FLIGHT:
            self.fates[ride] = RECORDED if is_recorded else DEAD_LETTERED
        elif is_recorded:
            self.fates[ride] = GHOST

    def add(self, counts: Counts, at_s: float, number: int = 1) -> None:
        """Count something in the interval of *at_s*."""
        interval = int((at_s - self.begin_s) / self.interval_s)
        counts[interval] = counts.get(interval, 0) + number

    def throttle(self, reason: str, at_s: float) -> None:
        """Count a refused request of the table."""
        self.throttles[reason] = self.throttles.get(reason, 0) + 1
        self.add(self.write_throttles, at_s)

    def refuse_invocation(self) -> None:
        """Count an invocation that found no concurrency."""
        self.throttles["FunctionConcurrency"] = self.throttles.get("FunctionConcurrency", 0) + 1
