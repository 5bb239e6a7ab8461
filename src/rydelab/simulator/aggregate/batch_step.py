"""One step of batches, played through.

A batch is known by averages: how many rides it has left, how many it has written, and how long it has run when it began
with the present one. With little time left a batch begins no further ride. A ride that is begun late may not be through
with its attempts when the function's time is over: the whole batch then comes back, with what it has written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from rydelab.simulator.aggregate.cohorts import Cohort, Rules, Track

_ROUNDING = 1e-12


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


class BatchStep:
    """One step, played through."""

    def __init__(self, rules: Rules, tracks: Sequence[Track], *, few: float, chance: float, persistence: float) -> None:
        """Fewer batches than *few*, between two attempts, are taken for ended."""
        self._rules = rules
        self._tracks = tracks
        self._few = few
        self._late_s = rules.late_s if len(tracks) > 1 else inf
        self._chance = chance
        self._again = (1.0 - chance) * persistence
        self._lost = (1.0 - chance) * (1.0 - persistence)
        self._last_begin_s = rules.last_begin_s
        self.waits: list[dict[int, Cohort]] = [{} for _ in self._tracks]
        self.doomed = Cohort()
        self._next = [Cohort() for _ in self._tracks]
        self._played = Played()

    def run(self, new: Cohort, timed_out: Cohort) -> Played:
        """Play it, with *new* batches, and those whose function's time is over."""
        played = self._played
        played.ended += timed_out.number
        played.returned += timed_out.rides
        played.returned_written += timed_out.done
        played.ended_s += timed_out.rides * self._rules.timeout_s
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
