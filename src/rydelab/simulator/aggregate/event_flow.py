"""Design event-driven: Lambda's queue of asynchronous events in front of PutRideRecordSns.

An event has a number of failures (of the function) and a number of refusals (of Lambda, for want of concurrency). Which
of the writes under way have been refused how often is not looked at: each is as likely as any other to end.
"""

import math
from dataclasses import dataclass
from operator import mul

from rydelab.simulator.aggregate.delay_line import VectorLine, summed
from rydelab.simulator.aggregate.mixture import rounded
from rydelab.simulator.aggregate.refusals import Refusals
from rydelab.simulator.aggregate.scene import Scene
from rydelab.simulator.aggregate.workers import WorkersFlow
from rydelab.simulator.aggregate.writes import Chance, Writes

_RETRY_S = 60.0
"""After the first failure; twice as long after the second."""
_ROUNDING = 1e-9


@dataclass(slots=True)
class _Stage:
    """Events with one number of failures."""

    refusals: Refusals
    failed: VectorLine
    """Those that have just failed so often, until their time has come; by refusals."""
    pause_s: float
    """How long that is."""
    begun_after_s: float
    """When an event comes here from its begin, if it is never refused."""
    writes: list[float]
    """Those that are being written, by refusals."""
    come: float = 0.0
    """Those that wait for a worker, or come in the step, and were never refused."""
    begun: float = 0.0
    """Invocations in the step."""


class EventFlow:
    """The events between Publish and the record or the dead-letter queue."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        templates = scene.templates
        reserved = scene.cell.record_concurrency
        self._is_given_up_untried = reserved == 0
        takes_s = scene.mean_s("put_ride_record", "put_item")
        self.function = scene.function("PutRideRecordSns", reserved=reserved, takes_s=takes_s)
        number = templates.max_event_retries + 1
        self._writes = Writes(scene, self.function, timeout_s=templates.function_timeout_s, ladders=number)
        self._stages = [self._stage(failures) for failures in range(number)]
        limits = scene.profile.limits
        patience_s = limits["async_patience_s"]
        self._workers = WorkersFlow(patience_s, most=limits["account_concurrency"]) if patience_s else None
        self._spread = scene.spread("sns_to_lambda", "put_ride_record")
        self._answer_s = scene.mean_s("gateway")
        """How long the client's answer is under way while the ride goes on."""
        self._published = 0.0
        self._taken = 1.0
        """The part of those that come that find a worker; and of those again the part that Lambda lets in."""
        self._accepted = 1.0

    def _stage(self, failures: int) -> _Stage:
        scene = self._scene
        speed = scene.conditions.clock_speed
        failing_s = self._writes.own_s + self._writes.given_up_after_s
        after_s = failures * failing_s + sum(range(failures + 1)) * _RETRY_S / speed
        refusals = Refusals(scene.steps, most_age_s=scene.templates.max_event_age_s, after_s=after_s, speed=speed)
        return _Stage(
            refusals=refusals,
            failed=VectorLine(scene.steps),
            pause_s=failures * _RETRY_S / speed,
            begun_after_s=after_s,
            writes=[],
        )

    @property
    def backlog(self) -> float:
        """How many events there are."""
        return self._writes.held + sum(one.refusals.held + one.failed.held + one.come for one in self._stages)

    @property
    def unwritten(self) -> float:
        """All of them: an event that was written has ended."""
        return self.backlog

    @property
    def latest_end_s(self) -> float:
        """No later than when the SDK's quotas are spent; and no pause may begin and end within the next step."""
        quota_s = self._writes.quota.holds_out_s if self._writes.quota is not None else math.inf
        return self._scene.end_s + min(quota_s, _RETRY_S / self._scene.conditions.clock_speed)

    def begin(self) -> None:
        """Begin the step."""
        scene = self._scene
        self._writes.begin()
        for stage in self._stages:
            stage.refusals.begin(scene.start_s, scene.end_s)
            due = stage.failed.take(scene.end_s) if stage.failed.held else None
            for refusals, mass in enumerate(due or ()):
                if not refusals:
                    stage.come += mass
                elif mass:
                    stage.refusals.add(refusals, mass)

    def plan(self, published: float, accepted: float, chance: Chance) -> None:
        """Plan the step: how many events find a worker, and how many of them are let in."""
        self._published, self._accepted = published, accepted
        waiting = published + sum(stage.come for stage in self._stages)
        self._taken = 1.0
        if self._workers is not None and waiting > 0.0:
            persistence = self._writes.persistence(is_final=chance.is_final)
            base = self.function.running.held + self._writes.waiting(0.0, chance.share, persistence)
            room = max(0.0, self._workers.most(self._scene.step_s) - base)
            self._taken = min(1.0, room / (waiting * self._busy_each(chance, persistence)))
        for failures, stage in enumerate(self._stages):
            stage.begun = stage.refusals.attempts(self._first(failures), accepted) * accepted

    def _first(self, failures: int) -> float:
        """Return how many events with this number of failures come to Lambda that it has never refused."""
        return (self._stages[failures].come + (0.0 if failures else self._published)) * self._taken

    def _busy_each(self, chance: Chance, persistence: float) -> float:
        """Return how much one event that begins in the step adds to what is under way at its end."""
        own = self.function.adds(1.0, self._scene.step_s)
        return self._writes.ladders[0].staying(chance.share, persistence) + own

    def attempts(self, share: float, *, is_final: bool) -> float:
        """Return how many attempts at the table the plan makes."""
        return self._writes.attempts([stage.begun for stage in self._stages], share, is_final=is_final)

    def busy(self, chance: Chance) -> tuple[float, float]:
        """Return how many invocations are under way at the end of the step, with and without new ones."""
        persistence = self._writes.persistence(is_final=chance.is_final)
        base = self.function.running.held + self._writes.waiting(0.0, chance.share, persistence)
        begun = sum(stage.begun for stage in self._stages)
        return base + begun * self._busy_each(chance, persistence), base

    def commit(self, chance: Chance) -> None:
        """Carry out the plan."""
        scene, tally = self._scene, self._scene.tally
        if self._is_given_up_untried:
            self._bury(self._published)
            return
        busy, _ = self.busy(chance)
        asked_in_all = begun = 0.0
        retried = -self._first(0)
        for failures, stage in enumerate(self._stages):
            first = self._first(failures)
            stage.come = first / self._taken * (1.0 - self._taken) if 0.0 < self._taken < 1.0 else 0.0
            begin, asked, given_up = stage.refusals.commit(first, self._accepted)
            self._bury(given_up)
            stage.writes = summed(stage.writes, begin)
            stage.begun = sum(begin)
            asked_in_all += asked
            begun += stage.begun
        tally.count(tally.retries, max(0.0, retried + asked_in_all))
        self.function.settle(
            begun=begun, refused=asked_in_all - begun, busy=busy, now_s=scene.end_s, step_s=scene.step_s
        )
        if self._workers is not None:
            self._workers.settle(scene.step_s, busy=busy, handled=begun, waits=self._taken < 1.0)
        self._write(chance)

    def _write(self, chance: Chance) -> None:
        """Make the attempts at the table."""
        scene, tally = self._scene, self._scene.tally
        tried_by_stage = self._writes.commit([stage.begun for stage in self._stages], chance)
        for failures, (stage, tried) in enumerate(zip(self._stages, tried_by_stage, strict=True)):
            whole = sum(stage.writes)
            if whole <= 0.0:
                self._fail(failures, [])
                continue
            written = sum(tried.successes)
            if written:
                tally.last_end_s = scene.end_s
                tally.count(tally.recorded, written)
                waited = sum(map(mul, stage.refusals.waited_s, stage.writes)) if len(stage.writes) > 1 else 0.0
                waited_s = stage.begun_after_s + waited / whole
                for offset_s, mass in zip(self._writes.offsets_s, tried.successes, strict=True):
                    tally.to_record[self._spread, rounded(waited_s + offset_s) - self._answer_s] += mass
            self._fail(failures, [mass * tried.given_up / whole for mass in stage.writes])
            left = self._writes.ladders[failures].held / whole
            stage.writes = [mass * left for mass in stage.writes] if left > _ROUNDING else []

    def _fail(self, failures: int, masses: list[float]) -> None:
        """Have events whose function failed come back, or give them up."""
        if failures + 1 == len(self._stages):
            self._bury(sum(masses))
            return
        later = self._stages[failures + 1]
        later.failed.push(self._scene.start_s + later.pause_s, self._scene.end_s + later.pause_s, masses)

    def _bury(self, mass: float) -> None:
        if mass > _ROUNDING:
            self._scene.tally.bury(mass, mass)
