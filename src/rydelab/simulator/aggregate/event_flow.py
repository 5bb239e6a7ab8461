"""Design event-driven: Lambda's queue of asynchronous events in front of PutRideRecordSns.

An event has a number of failures (of the function) and a number of refusals (of Lambda, for want of concurrency). A
ladder for each number of failures has the events that wait after a refusal; another has their writes.
"""

import math
from itertools import accumulate

from rydelab.simulator.aggregate.delay_line import DelayLine
from rydelab.simulator.aggregate.ladder import Ladder, Pause
from rydelab.simulator.aggregate.scene import Scene
from rydelab.simulator.aggregate.writes import Chance, Writes

_RETRY_S = 60.0
"""After the first failure; twice as long after the second."""
_FIRST_REFUSED_S, _LAST_REFUSED_S = 1.0, 300.0
_LINGER_S = 2.0
_ROUNDING = 1e-9

type ByRefusals = dict[int, float]
"""Masses of events, by how often they were refused."""


class EventFlow:
    """The events between Publish and the record or the dead-letter queue."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        templates, speed = scene.templates, scene.conditions.clock_speed
        reserved = scene.cell.record_concurrency
        self._is_given_up_untried = reserved == 0
        self.function = scene.function("PutRideRecordSns", reserved=reserved)
        attempts = range(templates.max_event_retries + 1)
        self._writes = Writes(scene, self.function, timeout_s=templates.function_timeout_s, ladders=len(attempts))
        self._pauses_s = [0.0]
        """Before each number of failures: how long after the one before."""
        for failures in attempts[1:]:
            self._pauses_s.append(failures * _RETRY_S / speed)
        failing_s = self._writes.own_s + self._writes.given_up_after_s
        self._begun_after_s = list(
            accumulate(pause_s + failing_s * (at > 0) for at, pause_s in enumerate(self._pauses_s))
        )
        """When an event comes to each number of failures, if it is never refused."""
        self._refusals = [
            Ladder(_refusal_pauses(templates.max_event_age_s, after_s, speed), scene.steps)
            for after_s in self._begun_after_s
        ]
        self._failed: list[dict[int, DelayLine]] = [{} for _ in attempts]
        """Events that wait for the time after a failure, by refusals."""
        self._in_writes: list[ByRefusals] = [{} for _ in attempts]
        """The masses of the writes under way, by refusals."""
        patience_s = scene.profile.limits["async_patience_s"]
        self._workers = _Workers(patience_s) if patience_s else None
        self._spread = scene.spread("sns_to_lambda", "put_ride_record")
        self._come = [0.0 for _ in attempts]
        """What waits for a worker, or comes in the step and was never refused."""
        self._published = 0.0
        self._taken = 1.0
        self._accepted = 1.0
        self._begun = [0.0 for _ in attempts]

    @property
    def backlog(self) -> float:
        """How many events there are."""
        failed = sum(line.held for lines in self._failed for line in lines.values())
        return failed + self._writes.held + sum(one.held for one in self._refusals) + sum(self._come)

    @property
    def unwritten(self) -> float:
        """All of them: an event that was written has ended."""
        return self.backlog

    @property
    def latest_end_s(self) -> float:
        """When the SDK's quotas will be spent."""
        quota = self._writes.quota
        return self._scene.end_s + quota.holds_out_s if quota is not None else math.inf

    def begin(self) -> None:
        """Begin the step."""
        scene = self._scene
        self._writes.begin()
        for failures, ladder in enumerate(self._refusals):
            ladder.begin(scene.start_s, scene.end_s)
            for refusals, line in self._failed[failures].items():
                if not line.held:
                    continue
                due = line.take(scene.end_s)
                if refusals:
                    ladder.add(min(refusals, len(ladder.pauses)), due)
                else:
                    self._come[failures] += due

    def plan(self, published: float, accepted: float, chance: Chance) -> None:
        """Plan the step: how many events find a worker, and how many of them are let in."""
        self._published, self._accepted = published, accepted
        waiting = sum(self._come) + published
        self._taken = 1.0
        if self._workers is not None and waiting > 0.0:
            persistence = self._writes.persistence(is_final=chance.is_final)
            each = self._busy_each(chance, persistence)
            base = self._writes.waiting(0.0, chance.share, persistence)
            room = self._workers.most(self._scene.step_s) - base
            self._taken = min(1.0, max(0.0, room) / (waiting * each))
        self._begun = [
            ladder.attempts(self._first(failures), accepted) * accepted
            for failures, ladder in enumerate(self._refusals)
        ]

    def _first(self, failures: int) -> float:
        """Return how many events with this number of failures come to Lambda that it has never refused."""
        return (self._come[failures] + (0.0 if failures else self._published)) * self._taken

    def _busy_each(self, chance: Chance, persistence: float) -> float:
        """Return how much one event that begins in the step adds to what is under way at its end."""
        writes = self._writes
        own = (writes.own_s + writes.put_s) / self._scene.step_s
        return writes.ladders[0].staying(chance.share, persistence) + own

    def attempts(self, share: float, *, is_final: bool) -> float:
        """Return how many attempts at the table the plan makes."""
        return self._writes.attempts(self._begun, share, is_final=is_final)

    def busy(self, chance: Chance) -> tuple[float, float]:
        """Return how many invocations are under way at the end of the step, with and without new ones."""
        persistence = self._writes.persistence(is_final=chance.is_final)
        base = self._writes.waiting(0.0, chance.share, persistence)
        return base + sum(self._begun) * self._busy_each(chance, persistence), base

    def commit(self, chance: Chance) -> None:
        """Carry out the plan."""
        scene, tally = self._scene, self._scene.tally
        if self._is_given_up_untried:
            self._end(self._published, dead=True)
            return
        busy, _ = self.busy(chance)
        if self._workers is not None:
            waits = (sum(self._come) + self._published) * (1.0 - self._taken)
            self._workers.settle(scene.step_s, busy=busy, handled=sum(self._begun), waits=waits > _ROUNDING)
        asked = 0.0
        retried = -self._first(0)
        for failures, ladder in enumerate(self._refusals):
            first = self._first(failures)
            self._come[failures] = (self._come[failures] + (0.0 if failures else self._published)) * (1.0 - self._taken)
            tried = ladder.commit(first, self._accepted)
            asked += tried.attempts
            retried += tried.attempts
            self._end(tried.given_up, dead=True)
            in_writes = self._in_writes[failures]
            for refusals, mass in enumerate(tried.successes):
                if mass:
                    in_writes[refusals] = in_writes.get(refusals, 0.0) + mass
            self._begun[failures] = sum(tried.successes)
        begun = sum(self._begun)
        tally.count(tally.retries, max(0.0, retried))
        self.function.settle(begun=begun, refused=asked - begun, busy=busy, now_s=scene.end_s, step_s=scene.step_s)
        self._write(chance)

    def _write(self, chance: Chance) -> None:
        """Make the attempts at the table."""
        tally = self._scene.tally
        for failures, tried in enumerate(self._writes.commit(self._begun, chance)):
            in_writes = self._in_writes[failures]
            whole = sum(in_writes.values())
            written = sum(tried.successes)
            if written:
                self._end(written, dead=False)
                tally.count(tally.recorded, written)
                waited_s = self._begun_after_s[failures] + self._mean_refused_s(failures, whole)
                for number, mass in enumerate(tried.successes):
                    tally.to_record[self._spread, _rounded(waited_s + self._writes.offsets_s[number])] += mass
            self._fail(failures, tried.given_up, whole)
            left = self._writes.ladders[failures].held
            part = left / whole if whole > 0.0 and left > _ROUNDING else 0.0
            for refusals in list(in_writes):
                in_writes[refusals] *= part
                if not part:
                    del in_writes[refusals]

    def _mean_refused_s(self, failures: int, whole: float) -> float:
        """Return how long the writes under way have waited after refusals, on average."""
        in_writes = self._in_writes[failures]
        if len(in_writes) <= 1 and 0 in in_writes:
            return 0.0
        offsets_s = self._refusals[failures].offsets_s
        return sum(offsets_s[refusals] * mass for refusals, mass in in_writes.items()) / whole if whole else 0.0

    def _fail(self, failures: int, mass: float, whole: float) -> None:
        """Have events whose function failed come back, or give them up."""
        scene = self._scene
        if failures + 1 == len(self._failed):
            self._end(mass, dead=True)
            return
        lines, pause_s = self._failed[failures + 1], self._pauses_s[failures + 1]
        if mass and whole:
            for refusals in self._in_writes[failures]:
                if refusals not in lines:
                    lines[refusals] = DelayLine(pause_s, scene.steps)
        for refusals, line in lines.items():
            part = self._in_writes[failures].get(refusals, 0.0) / whole if whole else 0.0
            line.push(scene.start_s + pause_s, scene.end_s + pause_s, mass * part)

    def _end(self, mass: float, *, dead: bool) -> None:
        if mass <= _ROUNDING:
            return
        tally = self._scene.tally
        tally.last_end_s = tally.end_s
        if dead:
            tally.bury(mass, mass)


class _Workers:
    """The lab's workers for asynchronous events: two more for each patience while the first that waits is impatient."""

    def __init__(self, patience_s: float) -> None:
        self._growth_per_s = 2.0 / patience_s
        self._number = 1.0

    def most(self, step_s: float) -> float:
        """Return how many there may be at the end of a step."""
        return self._number + self._growth_per_s * step_s

    def settle(self, step_s: float, *, busy: float, handled: float, waits: bool) -> None:
        """Note a step. Workers without an event for a while end; they take turns."""
        if waits:
            self._number = max(self.most(step_s), busy)
        else:
            self._number = max(1.0, busy, min(self._number, handled / step_s * _LINGER_S))


def _refusal_pauses(most_age_s: float, after_s: float, speed: float) -> list[Pause]:
    """Return the pauses after refusals until an event would be too old, which has come *after_s* after it began."""
    pauses: list[Pause] = []
    age_s = after_s * speed
    while True:
        pause_s = min(_FIRST_REFUSED_S * 2 ** len(pauses), _LAST_REFUSED_S)
        age_s += pause_s
        if age_s > most_age_s:
            return pauses
        pauses.append(Pause(pause_s / speed, pause_s / speed))


def _rounded(time_s: float) -> float:
    """Round to three digits, so that there are few different times."""
    return float(f"{time_s:.3g}")
