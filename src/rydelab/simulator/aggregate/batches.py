"""Batches that PutRideRecordSqs writes, ride by ride.

A batch is known by averages: how many rides it has left, how many it has written, and how long it has run when it began
with the present one. With little time left a batch begins no further ride. A ride that is begun late may not be through
with its attempts when the function's time is over: the whole batch then comes back, with what it has written.
"""

from collections import deque
from dataclasses import dataclass, field
from math import inf

from rydelab.simulator.aggregate.ladder import Pause, Reach, polynomial

_LEAST = 1e-4
"""Fewer batches than this, and than this part of all, between two attempts, are taken for ended."""
_ROUNDING = 1e-12


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
class Played:
    """What became of batches in one step; numbers of rides, but for `ended`."""

    attempts: float = 0.0
    written: float = 0.0
    handled: float = 0.0
    """Rides of batches that ended in time, and were written."""
    returned: float = 0.0
    """Rides that come back: failed, or not begun; with those of batches whose time was over."""
    returned_written: float = 0.0
    """Of them those that this very batch has written."""
    ended: float = 0.0
    """Batches."""
    ended_s: float = 0.0
    """How long batches of which something comes back have run, summed over the rides that do."""
    first: float = 0.0
    """Written at their first attempt; and attempts that followed a refusal."""
    again: float = 0.0
    after_s: float = 0.0
    """How long the writes took from the begin of their batch, summed up."""


@dataclass(slots=True)
class _Later:
    """What is due later: cohorts, each spread evenly between two moments."""

    segments: deque[tuple[float, float, Cohort]] = field(default_factory=deque)
    held: float = 0.0

    def push(self, start_s: float, end_s: float, cohort: Cohort) -> None:
        if cohort.number > 0.0:
            self.segments.append((start_s, end_s, cohort))
            self.held += cohort.number

    def take(self, until_s: float) -> Cohort:
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
    def each_s(self) -> float:
        """How long a ride takes that is admitted at once."""
        return self.own_s + self.put_s


class _Track:
    """Batches whose present ride was begun early enough for a number of attempts."""

    def __init__(self, rules: Rules, attempts: int) -> None:
        self.pauses = rules.pauses[: attempts - 1]
        offsets_s = [0.0]
        for pause in self.pauses:
            offsets_s.append(offsets_s[-1] + pause.mean_s)
        self.offsets_s = tuple(offsets_s)
        self.reach = Reach(self.pauses)
        self.rows = self.reach.rows(1.0)
        self.lines = [_Later() for _ in self.pauses]
        self.due: dict[int, Cohort] = {}

    @property
    def held(self) -> float:
        return sum(line.held for line in self.lines)

    def begin(self, start_s: float, until_s: float) -> None:
        self.rows = self.reach.rows(until_s - start_s)
        self.due = {}
        for attempt, line in enumerate(self.lines, 1):
            if line.held and (cohort := line.take(until_s)).number > 0.0:
                self.due[attempt] = cohort


class Batches:
    """In a step: `begin`, any number of `play`, `commit`."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        # A ride that is begun late meets the function's end before its last attempt.
        longest_s = rules.own_s + sum(pause.mean_s for pause in rules.pauses)
        self._late_s = rules.timeout_s - longest_s
        self._tracks = [_Track(rules, len(rules.pauses) + 1)]
        if self._late_s < rules.last_begin_s:
            self._tracks.append(_Track(rules, len(rules.pauses)))
        self._doomed = _Later()
        """Batches that wait for the function's end."""
        self._doomed_due = Cohort()
        self._start_s = self._end_s = 0.0

    @property
    def held(self) -> float:
        """How many batches wait."""
        return sum(track.held for track in self._tracks) + self._doomed.held

    def begin(self, start_s: float, end_s: float) -> None:
        """Begin a step: take out what is due."""
        self._start_s, self._end_s = start_s, end_s
        for track in self._tracks:
            track.begin(start_s, end_s)
        self._doomed_due = self._doomed.take(end_s) if self._doomed.held else Cohort()

    def waiting(self, chance: float, persistence: float) -> float:
        """Return how many batches wait at the end of the step if no further ride is begun."""
        again = (1.0 - chance) * persistence
        waiting = self.held
        if again:
            for track in self._tracks:
                for attempt, cohort in track.due.items():
                    waiting += cohort.number * again * polynomial(track.rows[attempt].stays, again)
        return waiting

    def staying(self, size: float, chance: float, persistence: float) -> float:
        """Return what part of the batches of *size* rides that begin in the step wait at its end."""
        again = (1.0 - chance) * persistence
        if not again:
            return 0.0
        row = self._tracks[0].rows[0]
        passing = chance * polynomial(row.parts, again)
        begun = (1.0 - passing**size) / (1.0 - passing) if passing < 1.0 - _ROUNDING else size
        return begun * again * polynomial(row.stays, again)

    def play(self, new: Cohort, chance: float, persistence: float) -> Played:
        """Return what becomes of the step's batches if *new* ones begin. Changes nothing."""
        return _Play(self, chance, persistence).run(new)

    def commit(self, new: Cohort, chance: float, persistence: float) -> Played:
        """Make it so."""
        play = _Play(self, chance, persistence)
        played = play.run(new)
        for track, waits in zip(self._tracks, play.waits, strict=True):
            for attempt, cohort in waits.items():
                pause, line = track.pauses[attempt - 1], track.lines[attempt - 1]
                begin_s = max(self._end_s, self._start_s + pause.least_s)
                line.push(begin_s, max(begin_s, self._end_s + pause.most_s), cohort)
        doomed = play.doomed
        if doomed.number > 0.0:
            left_s = max(0.0, self._rules.timeout_s - doomed.elapsed_s / doomed.number)
            begin_s = max(self._end_s, self._start_s + left_s)
            self._doomed.push(begin_s, max(begin_s, self._end_s + left_s), doomed)
        return played

    @property
    def tracks(self) -> "list[_Track]":
        """Early and late."""
        return self._tracks

    @property
    def doomed_due(self) -> Cohort:
        """Those whose time is over in this step."""
        return self._doomed_due

    @property
    def rules(self) -> Rules:
        """How a batch is written."""
        return self._rules

    @property
    def step_s(self) -> float:
        """The length of the step."""
        return self._end_s - self._start_s

    @property
    def late_s(self) -> float:
        """From when on a ride is late."""
        return self._late_s


class _Play:
    """One step, played through."""

    def __init__(self, batches: Batches, chance: float, persistence: float) -> None:
        self._rules = rules = batches.rules
        self._tracks = batches.tracks
        self._doomed_due = batches.doomed_due
        self._late_s = batches.late_s if len(self._tracks) > 1 else inf
        self._chance = chance
        self._again = (1.0 - chance) * persistence
        self._lost = (1.0 - chance) * (1.0 - persistence)
        self._last_begin_s = rules.last_begin_s
        self._few = max(_LEAST, _LEAST * batches.held)
        self.waits: list[dict[int, Cohort]] = [{} for _ in self._tracks]
        self.doomed = Cohort()
        self._next = [Cohort() for _ in self._tracks]
        self._played = Played()

    def run(self, new: Cohort) -> Played:
        played = self._played
        due = self._doomed_due
        if due.number:
            played.ended += due.number
            played.returned += due.rides
            played.returned_written += due.done
            played.ended_s += due.rides * self._rules.timeout_s
        for number, track in enumerate(self._tracks):
            for attempt, cohort in track.due.items():
                self._go_on(number, attempt, cohort)
        self._next[0].add(new)
        for number, cohort in enumerate(self._next):
            if cohort.number > 0.0:
                self._begin_rides(number, cohort)
        for waits in self.waits:
            for attempt in [attempt for attempt, cohort in waits.items() if cohort.number < self._few]:
                few = waits.pop(attempt)
                if few.number > 0.0:
                    self._end(few.number, few.done / few.number, (few.failed + few.left) / few.number, 0.0)
        return played

    def _go_on(self, number: int, attempt: int, cohort: Cohort) -> None:
        """Make the next attempts at the present rides of *cohort*."""
        rules, track, chance, again = self._rules, self._tracks[number], self._chance, self._again
        offsets_s = track.offsets_s
        row = track.rows[attempt]
        last = len(offsets_s) - 1
        batches = cohort.number
        left, done, failed = cohort.left / batches, cohort.done / batches, cohort.failed / batches
        begun_s = cohort.elapsed_s / batches + rules.own_s
        early = late = over = early_s = late_s = over_s = 0.0
        share, tried_in_all = 1.0, 0.0
        for at, part in enumerate(row.parts, attempt):
            tried = share * part
            tried_in_all += tried
            success = tried * chance
            ready_s = begun_s + offsets_s[at] + rules.put_s
            if ready_s > self._last_begin_s:
                over += success
                over_s += success * ready_s
            elif ready_s > self._late_s:
                late += success
                late_s += success * ready_s
            else:
                early += success
                early_s += success * ready_s
            given_up = tried * (self._lost if at < last else 1.0 - chance)
            if given_up:
                self._give_up(number, cohort, given_up, begun_s + offsets_s[at])
            share *= again
            if at < last and (stays := share * row.stays[at - attempt]):
                self._wait(number, at + 1, cohort, stays)
        played = self._played
        written = batches * (early + late + over)
        played.attempts += batches * tried_in_all
        played.again += batches * tried_in_all
        played.written += written
        played.after_s += batches * (early_s + late_s + over_s) - written * rules.put_s
        if early:
            self._move_on(batches * early, left, done + 1.0, failed, early_s / early)
        if late:
            self._move_on(batches * late, left, done + 1.0, failed, late_s / late)
        if over:
            self._end(batches * over, done + 1.0, failed + left - 1.0, over_s / over)

    def _wait(self, number: int, attempt: int, cohort: Cohort, factor: float) -> None:
        waits = self.waits[number]
        if attempt not in waits:
            waits[attempt] = Cohort()
        waits[attempt].add(cohort, factor)

    def _give_up(self, number: int, cohort: Cohort, part: float, after_s: float) -> None:
        """Fail the present ride of *part* of a cohort."""
        batches = cohort.number * part
        if number:
            self.doomed.add(cohort, part)
            self.doomed.elapsed_s += batches * after_s - cohort.elapsed_s * part
            return
        left, done, failed = (sums / cohort.number for sums in (cohort.left, cohort.done, cohort.failed))
        self._move_on(batches, left, done, failed + 1.0, after_s + self._rules.answer_s)

    def _move_on(self, batches: float, left: float, done: float, failed: float, at_s: float) -> None:
        """Go on with the next ride of each batch, if there is one and time for it."""
        if at_s > self._last_begin_s:
            self._end(batches, done, failed + left - 1.0, at_s)
            return
        # An average of 1.3 rides left is one for most, and two for the others.
        going_on = min(1.0, max(0.0, left - 1.0))
        if going_on < 1.0:
            self._end(batches * (1.0 - going_on), done, failed, at_s)
        if going_on > 0.0:
            number, rest = batches * going_on, max(2.0, left)
            one = Cohort(number, number * (rest - 1.0), number * done, number * failed, number * at_s)
            self._next[at_s > self._late_s].add(one)

    def _end(self, batches: float, done: float, returned: float, at_s: float) -> None:
        played = self._played
        played.ended += batches
        played.handled += batches * done
        played.returned += batches * returned
        played.ended_s += batches * returned * at_s

    def _begin_rides(self, number: int, cohort: Cohort) -> None:
        """Begin the next ride of each batch, and the one after that, as far as they get in this step."""
        rules, offsets_s = self._rules, self._tracks[number].offsets_s
        row = self._tracks[number].rows[0]
        parts, last = row.parts, len(offsets_s) - 1
        share, attempts, success_s, tried = 1.0, 0.0, 0.0, 0.0
        stays: list[float] = []
        for at, part in enumerate(parts):
            tried = share * part
            attempts += tried
            success_s += tried * self._chance * (rules.own_s + offsets_s[at])
            share *= self._again
            if at < last:
                stays.append(share * row.stays[at])
        successes = attempts * self._chance
        at_last = tried if len(parts) == last + 1 else 0.0
        given_up = at_last * (1.0 - self._chance) + (attempts - at_last) * self._lost
        # A ride that failed is followed by the next, unless its failure took so long that no time is left.
        batches = cohort.number
        elapsed_s = cohort.elapsed_s / batches
        fails_s = elapsed_s + rules.own_s + offsets_s[-1] + rules.answer_s
        is_followed = not number and fails_s <= self._last_begin_s
        passing = successes + given_up if is_followed else successes
        each_s = success_s / successes + rules.put_s if successes else rules.each_s
        rides = cohort.left / batches
        able = min(rides, max(1.0, 1.0 + (self._last_begin_s - elapsed_s) / each_s)) if each_s else rides
        through = passing**able if passing < 1.0 else 1.0
        begun = batches * ((1.0 - through) / (1.0 - passing) if passing < 1.0 - _ROUNDING else able)
        played = self._played
        played.attempts += begun * attempts
        played.again += begun * (attempts - 1.0)
        played.written += begun * successes
        played.first += begun * self._chance
        played.after_s += begun * (success_s + successes * elapsed_s)
        completed = batches * through
        written_each = able * successes / passing if passing else 0.0
        done, failed = cohort.done / batches, cohort.failed / batches
        self._end(completed, done + written_each, failed + rides - written_each, elapsed_s + able * each_s)
        stopped = batches - completed
        if stopped <= _ROUNDING * batches:
            return
        written = max(0.0, begun * successes - completed * written_each)
        failing = max(0.0, begun * (passing - successes) - completed * (able - written_each))
        left = cohort.left - completed * rides - written - failing
        one = Cohort(
            1.0,
            left / stopped,
            done + written / stopped,
            failed + failing / stopped,
            elapsed_s + written * each_s / stopped,
        )
        for at, stay in enumerate(stays):
            if stay:
                self._wait(number, at + 1, one, begun * stay)
        if is_followed or not given_up:
            return
        if number:
            self.doomed.add(one, begun * given_up)
            self.doomed.elapsed_s += begun * given_up * (rules.own_s + offsets_s[-1])
        else:
            self._end(begun * given_up, one.done, one.failed + one.left, fails_s)
