"""Batches that are alike, and those of them that wait for their next attempt at the table."""

from collections import deque
from dataclasses import dataclass, field

from rydelab.simulator.aggregate.ladder import Pause, Reach


@dataclass(slots=True)
class Cohort:
    """Batches that are alike; all but their number are sums over them."""

    number: float = 0.0
    left: float = 0.0
    """Rides still to be written, with the present one."""
    done: float = 0.0
    failed: float = 0.0
    elapsed_s: float = 0.0
    """When the present ride was begun, from the begin of the batch."""

    def add(self, other: "Cohort", factor: float = 1.0) -> None:
        """Add *factor* times *other*."""
        self.number += other.number * factor
        self.left += other.left * factor
        self.done += other.done * factor
        self.failed += other.failed * factor
        self.elapsed_s += other.elapsed_s * factor

    @property
    def rides(self) -> float:
        """How many rides there are in them."""
        return self.left + self.done + self.failed


@dataclass(slots=True)
class Later:
    """What is due later: cohorts, each spread evenly between two moments."""

    segments: deque[tuple[float, float, Cohort]] = field(default_factory=deque)
    held: float = 0.0

    def push(self, start_s: float, end_s: float, cohort: Cohort) -> None:
        """Have *cohort* due between two moments."""
        if cohort.number > 0.0:
            self.segments.append((start_s, end_s, cohort))
            self.held += cohort.number

    def take(self, until_s: float) -> Cohort:
        """Take out what is due by *until_s*."""
        taken = Cohort()
        segments = self.segments
        for at, (start_s, end_s, cohort) in enumerate(segments):
            if start_s >= until_s:
                break
            part = min(1.0, (until_s - start_s) / (end_s - start_s)) if end_s > start_s else 1.0
            taken.add(cohort, part)
            rest = Cohort()
            rest.add(cohort, 1.0 - part)
            segments[at] = (min(until_s, end_s), end_s, rest)
        while segments and segments[0][1] <= until_s:
            segments.popleft()
        self.held = self.held - taken.number if segments else 0.0
        return taken


@dataclass(frozen=True, slots=True)
class Rules:
    """How a batch is written."""

    pauses: tuple[Pause, ...]
    own_s: float
    put_s: float
    answer_s: float
    timeout_s: float
    last_begin_s: float
    """No ride is begun that long after the begin of the batch."""

    @property
    def late_s(self) -> float:
        """From when on a ride is begun too late for its last attempt: the function's time is over before."""
        return self.timeout_s - self.own_s - sum(pause.mean_s for pause in self.pauses)

    @property
    def each_s(self) -> float:
        """How long a ride takes that is admitted at once."""
        return self.own_s + self.put_s


class Track:
    """Batches whose present ride was begun early enough for a number of attempts."""

    def __init__(self, rules: Rules, attempts: int) -> None:
        self.pauses = rules.pauses[: attempts - 1]
        offsets_s = [0.0]
        for pause in self.pauses:
            offsets_s.append(offsets_s[-1] + pause.mean_s)
        self.offsets_s = tuple(offsets_s)
        self.reach = Reach(self.pauses)
        self.rows = self.reach.rows(1.0)
        self.lines = [Later() for _ in self.pauses]
        self.due: dict[int, Cohort] = {}

    @property
    def held(self) -> float:
        """How many batches wait."""
        return sum(line.held for line in self.lines)

    def begin(self, start_s: float, until_s: float) -> None:
        """Take out what is due in a step."""
        self.rows = self.reach.rows(until_s - start_s)
        self.due = {}
        for attempt, line in enumerate(self.lines, 1):
            if line.held and (cohort := line.take(until_s)).number > 0.0:
                self.due[attempt] = cohort
