"""Attempts with pauses between them: how many are made, and what becomes of them, when each has the same chance."""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes, within a step, of attempts of one number if all are refused."""

    parts: tuple[float, ...]
    """What part of them makes this attempt (1), the next, the one after that …; ends where nobody arrives."""
    stays: tuple[float, ...]
    """What part of them has made so many attempts, but the first, when the step ends, and waits for the next."""


class Reach:
    """The rows of some pauses, for steps of any length."""

    _MOST = 512

    def __init__(self, pauses: tuple[Pause, ...]) -> None:
        self._pauses = pauses
        self._known: dict[float, tuple[Row, ...]] = {}

    def rows(self, step_s: float) -> tuple[Row, ...]:
        """Return a row for each attempt.

        First attempts are spread evenly over the step, others over its begin, for as long as the pause before them:
        later ones are still to come.
        """
        found = self._known.get(step_s)
        if found is None:
            if len(self._known) >= self._MOST:
                self._known.clear()
            found = self._known[step_s] = tuple(self._row(start, step_s) for start in range(len(self._pauses) + 1))
        return found

    def _row(self, start: int, step_s: float) -> Row:
        spread_s = min(step_s, self._pauses[start - 1].most_s) if start else step_s
        parts, after_s = [1.0], 0.0
        for pause in self._pauses[start:]:
            after_s += pause.mean_s
            if after_s >= step_s:
                break
            parts.append(min(1.0, (step_s - after_s) / spread_s))
        stays = [part - further for part, further in zip(parts, [*parts[1:], 0.0], strict=True)]
        return Row(tuple(parts), tuple(stays[: len(self._pauses) - start]))


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
        self._reach = Reach(self.pauses)
        self._rows = self._reach.rows(1.0)
        self._due: dict[int, float] = {}
        self._attempts: list[float] = []
        """What is due, as a polynomial: by how often it was refused in the step before."""
        self._stays: list[float] = []

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
        self._rows = self._reach.rows(end_s - start_s)
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
        row = self._rows[number]
        add_to(self._attempts, row.parts, mass)
        add_to(self._stays, row.stays, mass)

    def attempts(self, mass: float, chance: float, persistence: float = 1.0) -> float:
        """Return how many attempts there are in the step if *mass* comes in."""
        again = (1.0 - chance) * persistence
        own = polynomial(self._attempts, again)
        return own + mass * polynomial(self._rows[0].parts, again) if mass else own

    def waiting(self, mass: float, chance: float, persistence: float = 1.0) -> float:
        """Return how much waits for its next attempt when the step ends."""
        again = (1.0 - chance) * persistence
        waiting = self.held + again * polynomial(self._stays, again)
        return waiting + mass * again * polynomial(self._rows[0].stays, again) if mass else waiting

    def staying(self, chance: float, persistence: float = 1.0) -> float:
        """Return what part of the mass that comes in waits for its next attempt when the step ends."""
        again = (1.0 - chance) * persistence
        return again * polynomial(self._rows[0].stays, again) if again else 0.0

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
            left, row = come, self._rows[start]
            for at, part in enumerate(row.parts, start):
                tried[at] += left * part
                left *= again
                if at < last and left:
                    later[at] = later.get(at, 0.0) + left * row.stays[at - start]
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


def add_to(polynomial: list[float], parts: Sequence[float], factor: float) -> None:
    """Add *factor* times *parts* to the coefficients of a polynomial."""
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
