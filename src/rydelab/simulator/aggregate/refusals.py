"""Asynchronous events that Lambda refuses for want of concurrency, and tries again: 1 s later, 2 s, 4 s … 5 minutes.

The first pauses are those of a ladder. All further ones are equally long: a line of masses, by their number.
"""

from itertools import accumulate

from rydelab.simulator.aggregate.delay_line import VectorLine
from rydelab.simulator.aggregate.ladder import Ladder, Pause
from rydelab.simulator.aggregate.steps import Steps

_FIRST_S, _LAST_S = 1.0, 300.0


class Refusals:
    """Events with one number of failures, by how often they were refused. Used as a ladder."""

    def __init__(self, steps: Steps, *, most_age_s: float, after_s: float, speed: float) -> None:
        """They come *after_s* after they began, and are given up when their next attempt would be after *most_age_s*.

        *speed* is that of AWS's loops.
        """
        pauses_s = list(_pauses_s(most_age_s - after_s * speed))
        growing = [pause_s / speed for pause_s in pauses_s if pause_s < _LAST_S]
        self._ladder = Ladder([Pause(pause_s, pause_s) for pause_s in growing], steps)
        self._pause_s = _LAST_S / speed
        self._line = VectorLine(steps)
        self._further = len(pauses_s) - len(growing)
        self._due = [0.0] * self._further
        self._start_s = self._end_s = 0.0
        self._first = len(growing) + 1
        """The number of the first attempt after a longest pause."""
        self.waited_s = tuple(accumulate((pause_s / speed for pause_s in pauses_s), initial=0.0))
        """How long an event has waited that was refused so often."""

    @property
    def held(self) -> float:
        """The events that wait for their next attempt."""
        return self._ladder.held + self._line.held

    def begin(self, start_s: float, end_s: float) -> None:
        """Take out what is due in the step."""
        self._start_s, self._end_s = start_s, end_s
        self._ladder.begin(start_s, end_s)
        due = self._line.take(end_s) if self._line.held else None
        self._due = due if due is not None else [0.0] * self._further

    def add(self, refusals: int, mass: float) -> None:
        """Let events come in that were refused so often before."""
        if refusals < self._first:
            self._ladder.add(refusals, mass)
        elif self._further:
            self._due[min(refusals - self._first, self._further - 1)] += mass
        else:
            self._ladder.add(self._first - 1, mass)

    def attempts(self, mass: float, chance: float) -> float:
        """Return how many invocations are asked for in the step if *mass* comes in."""
        return self._ladder.attempts(mass, chance) + sum(self._due)

    def commit(self, mass: float, chance: float) -> tuple[list[float], float, float]:
        """Ask for the invocations: return those that begin, by refusals, how many were asked for, and the given up."""
        tried = self._ladder.commit(mass, chance)
        due, again = self._due, 1.0 - chance
        asked = tried.attempts + sum(due)
        if not self._further:
            return tried.successes, asked, tried.given_up
        refused = [mass * again for mass in due]
        later = [tried.given_up, *refused[:-1]]
        self._line.push(self._start_s + self._pause_s, self._end_s + self._pause_s, later)
        return [*tried.successes, *(mass * chance for mass in due)], asked, refused[-1]


def _pauses_s(most_s: float) -> list[float]:
    """Return the pauses after refusals, at AWS's speed, until an event would be too old."""
    pauses_s: list[float] = []
    left_s = most_s
    while (pause_s := min(_FIRST_S * 2 ** len(pauses_s), _LAST_S)) <= left_s:
        pauses_s.append(pause_s)
        left_s -= pause_s
    return pauses_s
