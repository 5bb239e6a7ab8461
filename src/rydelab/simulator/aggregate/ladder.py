"""Attempts with pauses between them: how many are made, and what becomes of them, when each has the same chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rydelab.simulator.aggregate.delay_line import DelayLine
from rydelab.simulator.aggregate.steps import Steps


@dataclass(frozen=True, slots=True)
class Pause:
    """Between two attempts: evenly distributed between two times."""

    least_s: float
    most_s: float

    @property
    def mean_s(self) -> float:
        """The expected value."""
        return (self.least_s + self.most_s) / 2


@dataclass(slots=True)
class Tried:
    """What became of the attempts of one step."""

    successes: list[float]
    """By the number of the attempt, from 0."""
    attempts: float
    given_up: float
    """Those whose last attempt failed."""
    again: float
    """Further attempts that the failures have led to, now or later."""


@lru_cache(maxsize=4096)
def reach(pauses: tuple[Pause, ...], step_s: float) -> tuple[tuple[float, ...], ...]:
    """Return for each attempt what part of it comes to the following ones in the same step, if all are refused.

    First attempts are spread evenly over the step, others over its begin, for as long as the pause before them: later
    ones are still to come. The first of each row is 1, for the attempt itself; rows end where nothing arrives.
    """
    rows = []
    for start in range(len(pauses) + 1):
        spread_s = min(step_s, pauses[start - 1].most_s) if start else step_s
        parts, after_s = [1.0], 0.0
        for pause in pauses[start:]:
            after_s += pause.mean_s
            if after_s >= step_s:
                break
            parts.append(min(1.0, (step_s - after_s) / spread_s))
        rows.append(tuple(parts))
    return tuple(rows)


class Ladder:
    """Everybody who is between two attempts. In a step: `begin`, any number of `attempts` and `waiting`, `commit`.

    *chance* is the probability of success of one attempt, *persistence* that of another attempt after a failure if
    there is one left. Masses that come in begin with attempt 0.
    """

    def __init__(self, pauses: Sequence[Pause], steps: Steps) -> None:
        self.pauses = tuple(pauses)
        offsets_s = [0.0]
        for pause in self.pauses:
            offsets_s.append(offsets_s[-1] + pause.mean_s)
        self.offsets_s = tuple(offsets_s)
        """When each attempt comes, from the first, on average."""
        self.held = 0.0
        """The mass that waits for its next attempt."""
        self._lines = [DelayLine(pause.mean_s, steps) for pause in self.pauses]
        self._busy: list[int] = []
        """The lines that have something, or had in the last step."""
        self._start_s = self._end_s = 0.0
        self._reach: tuple[tuple[float, ...], ...] = ()
        self._due: dict[int, float] = {}
        self._attempts: list[float] = []
        """What is due, as a polynomial: by how often it was refused in the step before."""
        self._stays: list[float] = []
        self._first_stays: tuple[float, ...] = ()

    @property
    def due(self) -> float:
        """The mass whose next attempt is in the step, without what comes in."""
        return sum(self._due.values())

    @property
    def is_empty(self) -> bool:
        """Whether nothing is due in the step, and nothing waits for later."""
        return not self._due and self.held <= 0.0

    def begin(self, start_s: float, end_s: float) -> None:
        """Take out what is due in the step."""
        self._start_s, self._end_s = start_s, end_s
        self._reach = reach(self.pauses, end_s - start_s)
        self._first_stays = stays_of(self._reach[0], len(self.pauses))
        self._due = {}
        self._attempts, self._stays = [], []
        for number in self._busy:
            line = self._lines[number]
            if line.held and (mass := line.take(end_s)):
                self.held -= mass
                self.add(number + 1, mass)
        if not any(self._lines[number].held for number in self._busy):
            self.held = 0.0

    def add(self, number: int, mass: float) -> None:
        """Let *mass* come in with attempt *number* instead of the first."""
        self._due[number] = self._due.get(number, 0.0) + mass
        parts = self._reach[number]
        _add_to(self._attempts, parts, mass)
        _add_to(self._stays, stays_of(parts, len(self.pauses) - number), mass)

    def attempts(self, mass: float, chance: float, persistence: float = 1.0) -> float:
        """Return how many attempts there are in the step if *mass* comes in."""
        again = (1.0 - chance) * persistence
        own = polynomial(self._attempts, again)
        return own + mass * polynomial(self._reach[0], again) if mass else own

    def waiting(self, mass: float, chance: float, persistence: float = 1.0) -> float:
        """Return how much waits for its next attempt when the step ends."""
        again = (1.0 - chance) * persistence
        waiting = self.held + again * polynomial(self._stays, again)
        return waiting + mass * again * polynomial(self._first_stays, again) if mass else waiting

    def staying(self, chance: float, persistence: float = 1.0) -> float:
        """Return what part of the mass that comes in waits for its next attempt when the step ends."""
        again = (1.0 - chance) * persistence
        return again * polynomial(self._first_stays, again) if again else 0.0

    def commit(self, mass: float, chance: float, persistence: float = 1.0) -> Tried:
        """Let *mass* come in, and make the attempts."""
        due = self._due
        if mass:
            due[0] = due.get(0, 0.0) + mass
        last = len(self.pauses)
        again = (1.0 - chance) * persistence
        tried = [0.0] * (last + 1)
        later: dict[int, float] = dict.fromkeys(self._busy, 0.0)
        for start, come in due.items():
            left = come
            parts = self._reach[start]
            for at, part in enumerate(parts, start):
                tried[at] += left * part
                left *= again
                if at < last and left:
                    further = parts[at - start + 1] if at - start + 1 < len(parts) else 0.0
                    later[at] = later.get(at, 0.0) + left * (part - further)
        self._busy = []
        for number, waiting in later.items():
            pause, line = self.pauses[number], self._lines[number]
            begin_s = max(self._end_s, self._start_s + pause.least_s)
            line.push(begin_s, max(begin_s, self._end_s + pause.most_s), waiting)
            self.held += waiting
            if line.held or waiting:
                self._busy.append(number)
        attempts = sum(tried)
        not_last = attempts - tried[-1]
        return Tried(
            successes=[number * chance for number in tried] if chance < 1.0 else tried,
            attempts=attempts,
            given_up=tried[-1] * (1.0 - chance) + not_last * (1.0 - chance) * (1.0 - persistence),
            again=not_last * again,
        )


@lru_cache(maxsize=4096)
def stays_of(parts: tuple[float, ...], pauses: int) -> tuple[float, ...]:
    """Return what part of each attempt waits beyond the step for the next one, if it is refused; *pauses* are left."""
    return tuple(part - (parts[at + 1] if at + 1 < len(parts) else 0.0) for at, part in enumerate(parts) if at < pauses)


def _add_to(polynomial: list[float], parts: Sequence[float], factor: float) -> None:
    polynomial.extend([0.0] * (len(parts) - len(polynomial)))
    for power, part in enumerate(parts):
        polynomial[power] += factor * part


def polynomial(coefficients: Sequence[float], at: float) -> float:
    """Return the value of a polynomial; its coefficients are in ascending order."""
    if not at:
        return coefficients[0] if coefficients else 0.0
    total = 0.0
    for coefficient in reversed(coefficients):
        total = total * at + coefficient
    return total
