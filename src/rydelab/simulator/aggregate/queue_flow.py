"""Design queued: RideQueue, Lambda's pollers, and the batches that PutRideRecordSqs writes."""

import math
from dataclasses import dataclass
from itertools import accumulate

from rydelab.simulator.aggregate.batch_step import Played
from rydelab.simulator.aggregate.batches import Batches
from rydelab.simulator.aggregate.cohorts import Cohort, Rules
from rydelab.simulator.aggregate.delay_line import DelayLine
from rydelab.simulator.aggregate.ladder import Ladder, Pause
from rydelab.simulator.aggregate.mixture import rounded
from rydelab.simulator.aggregate.pollers import PollersFlow
from rydelab.simulator.aggregate.quota import QuotaFlow
from rydelab.simulator.aggregate.scene import Scene
from rydelab.simulator.aggregate.sdk_flow import dynamodb_pauses
from rydelab.simulator.aggregate.writes import Chance

_FIRST_REFUSED_S, _LAST_REFUSED_S = 0.1, 5.0
_LEAST = 1e-9
_ROUNDING = 1e-12


@dataclass(slots=True)
class _Messages:
    """Messages that were received equally often."""

    visible: float = 0.0
    written: float = 0.0
    """Of the visible, those that a batch has written whose time was over then."""
    groups: float = 0.0
    """How many groups they came in: messages of a batch come back together."""


class QueueFlow:
    """The messages between Publish and the record or the dead-letter queue."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        cell, templates = scene.cell, scene.templates
        self.function = scene.function("PutRideRecordSqs", reserved=cell.record_concurrency)
        answer_s = scene.mean_s("throttled_put_item")
        timeout_s = templates.sqs_function_timeout_s
        self._rules = Rules(
            pauses=dynamodb_pauses(
                cell.sdk_retry_mode, answer_s=answer_s, before_s=scene.mean_s("put_ride_record"), deadline_s=timeout_s
            ),
            own_s=scene.mean_s("put_ride_record"),
            put_s=scene.mean_s("put_item"),
            answer_s=answer_s,
            timeout_s=timeout_s,
            last_begin_s=timeout_s - templates.least_time_left_s,
        )
        self._is_standard = cell.sdk_retry_mode == "standard"
        self._quota = QuotaFlow() if self._is_standard else None
        receives = range(templates.max_receive_count)
        self._messages = [_Messages() for _ in range(templates.max_receive_count + 1)]
        """By how often they were received."""
        self._batches = Batches(self._rules)
        self._inside = [0.0 for _ in receives]
        """The messages in batches, by how often they were received before; and of them those written before."""
        self._inside_written = [0.0 for _ in receives]
        self._hidden = [DelayLine(templates.visibility_timeout_s, scene.steps) for _ in receives]
        """Messages that come back from their n-th receive; and of those lines, the groups and what is written."""
        self._hidden_groups = [DelayLine(0.0, scene.steps) for _ in receives]
        self._hidden_written = [DelayLine(0.0, scene.steps) for _ in receives]
        self._pollers = PollersFlow(scene.profile)
        self._to_lambda_s = scene.mean_s("sqs_to_lambda")
        self._spread = scene.spread("sns_to_sqs", "sqs_to_lambda")
        self._answer_s = scene.mean_s("gateway")
        """How long the client's answer is under way while the message goes on."""
        self._refused = Ladder(_refused_pauses(templates.visibility_timeout_s), scene.steps)
        self._waiting = [0.0 for _ in receives]
        """The messages of batches that were received and have not begun, as Lambda refused them."""
        self._waiting_size = 1.0
        self._published = 0.0
        self._accepted = 1.0
        self._taken = 0.0
        """How many batches are received in the step, and how many messages each has."""
        self._size = 1.0
        self._asked = 0.0
        self._new = Cohort()
        self.receive_calls = self.delete_calls = self.poller_s = 0.0
        self.sent = 0.0

    @property
    def backlog(self) -> float:
        """How many messages there are."""
        visible = sum(one.visible for one in self._messages)
        hidden = sum(line.held for line in self._hidden)
        return visible + hidden + sum(self._inside) + sum(self._waiting)

    @property
    def unwritten(self) -> float:
        """Those of them that have no record."""
        written = sum(one.written for one in self._messages) + sum(line.held for line in self._hidden_written)
        return max(0.0, self.backlog - written - sum(self._inside_written))

    @property
    def latest_end_s(self) -> float:
        """When the SDK's quotas will be spent."""
        return self._scene.end_s + self._quota.holds_out_s if self._quota is not None else math.inf

    def begin(self) -> None:
        """Begin the step."""
        scene = self._scene
        for received, (line, groups, written) in enumerate(
            zip(self._hidden, self._hidden_groups, self._hidden_written, strict=True), start=1
        ):
            messages = self._messages[received]
            if line.held:
                messages.visible += line.take(scene.end_s)
            messages.groups += groups.take(scene.end_s) if groups.held else 0.0
            messages.written += written.take(scene.end_s) if written.held else 0.0
        self._bury()
        self._refused.begin(scene.start_s, scene.end_s)
        self._batches.begin(scene.start_s, scene.end_s)

    def _bury(self) -> None:
        """Move what was received too often to the dead-letter queue."""
        dead = self._messages[-1]
        if dead.visible > _LEAST:
            self._scene.tally.bury(dead.visible, max(0.0, dead.visible - dead.written))
        self._messages[-1] = _Messages()

    # Planning

    def plan(self, published: float, accepted: float, chance: Chance) -> None:
        """Plan the step: how many batches are received, of how many messages, and how many begin."""
        self._published, self._accepted = published, accepted
        waiting = sum(one.visible for one in self._messages) + published
        groups = sum(one.groups for one in self._messages[1:]) + self._messages[0].groups + published
        self._choose(waiting, groups, chance)
        self._asked = self._refused.attempts(self._taken, accepted)
        begun = self._asked * accepted
        batches = self._refused.held + self._refused.due + self._taken
        messages = sum(self._waiting) + self._taken * self._size
        self._waiting_size = max(1.0, messages / batches) if batches > _LEAST else 1.0
        self._new = Cohort(begun, min(begun * self._waiting_size, messages))

    def _choose(self, waiting: float, groups: float, chance: Chance) -> None:
        """Choose number and size of the batches: as large as needed for the pollers to get along."""
        if waiting <= _LEAST:
            self._taken, self._size = 0.0, 1.0
            return
        most = float(self._scene.templates.batch_size)
        natural = min(most, max(1.0, waiting / groups)) if groups > _LEAST else most
        room = max(0.0, self._pollers.most(self._scene.step_s) - self._held(chance))
        size = natural
        if waiting / size * self._busy_each(size, chance) > room:
            low, high = natural, most
            if waiting / most * self._busy_each(most, chance) < room:
                for _ in range(12):
                    size = (low + high) / 2
                    fits = waiting / size * self._busy_each(size, chance) <= room
                    low, high = (low, size) if fits else (size, high)
            size = high
        self._size = size
        self._taken = min(waiting / size, room / self._busy_each(size, chance))

    def _held(self, chance: Chance) -> float:
        """Return how many pollers are busy at the end of the step, without new batches."""
        persistence = self._persistence(is_final=chance.is_final)
        return self._batches.waiting(chance.share, persistence) + self._refused.waiting(0.0, self._accepted)

    def _busy_each(self, size: float, chance: Chance) -> float:
        """Return how much one new batch adds to the busy pollers at the end of the step."""
        step_s = self._scene.step_s
        own_s = self._to_lambda_s + size * self._rules.each_s
        persistence = self._persistence(is_final=chance.is_final)
        return self._batches.staying(size, chance.share, persistence) + min(1.0, own_s / step_s) + _ROUNDING

    def _persistence(self, *, is_final: bool) -> float:
        if self._quota is not None:
            return self._quota.persistence
        return 0.0 if is_final else 1.0

    def attempts(self, share: float, *, is_final: bool) -> float:
        """Return how many attempts at the table the plan makes."""

        def number(persistence: float) -> float:
            return self._batches.attempts(self._new, share, persistence)

        def busy(persistence: float) -> float:
            batches, new = self._batches, self._new
            size = new.left / new.number if new.number > 0.0 else 1.0
            return batches.waiting(share, persistence) + new.number * batches.staying(size, share, persistence)

        if self._quota is not None:
            return self._quota.attempts(number, busy, share, self._scene.step_s)
        return number(self._persistence(is_final=is_final))

    def busy(self, chance: Chance) -> tuple[float, float]:
        """Return how many invocations are under way at the end of the step, with and without new ones."""
        base, refused = self._held(chance), self._refused.held
        begun = self._asked * self._accepted
        return base - refused + begun * self._busy_each(self._size, chance), base - refused

    # Carrying it out

    def commit(self, chance: Chance) -> None:
        """Carry out the plan."""
        scene, step_s = self._scene, self._scene.step_s
        busy, _ = self.busy(chance)
        refused, given_up = self._refuse()
        played = self._batches.commit(self._new, chance.share, self._persistence(is_final=chance.is_final))
        self._receive(given_up)
        self._let_go(played)
        begun, waiting = self._new.number, self._batches.held
        self.function.settle(begun=begun, refused=refused, busy=busy, now_s=scene.end_s, step_s=step_s)
        self.function.busy_s += waiting * step_s + self._new.left * self._rules.each_s
        at_work = begun * min(1.0, self._size * self._rules.each_s / step_s)
        self._pollers.settle(step_s, busy=waiting + self._refused.held + at_work, refused=refused)
        self._count(played, chance)

    def _refuse(self) -> tuple[float, float]:
        """Make the invocations of the step's batches; return how many were refused, and how many for the last time."""
        if self._accepted >= 1.0 and self._refused.is_empty:
            return 0.0, 0.0
        tried = self._refused.commit(self._taken, self._accepted)
        refused = tried.attempts - sum(tried.successes)
        tally = self._scene.tally
        tally.count(tally.retries, refused * self._waiting_size)
        return refused, tried.given_up

    def _receive(self, given_up: float) -> None:
        """Move the messages of the step's batches out of the queue; those of refused batches wait with them."""
        tally, messages = self._scene.tally, self._messages[:-1]
        messages[0].visible += self._published
        messages[0].groups += self._published
        whole = sum(one.visible for one in messages)
        part = min(1.0, self._taken * self._size / whole) if whole > _LEAST else 0.0
        self.receive_calls += self._taken
        repeated = 0.0
        for received, one in enumerate(messages):
            taken = one.visible * part
            self._waiting[received] += taken
            self._inside_written[received] += one.written * part
            one.written *= 1.0 - part
            one.groups *= 1.0 - part
            one.visible -= taken
            repeated += taken if received else 0.0
        tally.count(tally.retries, repeated)
        waiting = sum(self._waiting)
        if waiting <= _LEAST:
            return
        begun = min(1.0, self._new.left / waiting)
        back = min(1.0 - begun, given_up * self._waiting_size / waiting)
        for received, mass in enumerate(self._waiting):
            self._inside[received] += mass * begun
            # Their visibility timeout is over: they are in the queue again, received once more.
            self._messages[received + 1].visible += mass * back
            self._messages[received + 1].groups += mass * back / self._waiting_size
            self._waiting[received] = mass * (1.0 - begun - back) if begun + back < 1.0 else 0.0

    def _let_go(self, played: Played) -> None:
        """Note what was written; what was handled is gone, the rest is hidden until its visibility timeout.

        Which of the messages in batches these are is not looked at: each is as likely as any other.
        """
        scene, tally = self._scene, self._scene.tally
        timeout_s = scene.templates.visibility_timeout_s
        inside = sum(self._inside)
        ran_s = played.ended_s / played.returned if played.returned > _LEAST else self._rules.timeout_s
        hidden_s = max(0.0, timeout_s - ran_s)
        start_s, end_s = scene.start_s + hidden_s, scene.end_s + hidden_s
        gone = min(1.0, (played.handled + played.returned) / inside) if inside > _LEAST else 0.0
        if not self._batches.held:
            gone = 1.0
        returned = played.returned / max(played.handled + played.returned, _LEAST)
        after_s = played.after_s / played.written if played.written > _LEAST else 0.0
        for received, mass in enumerate(self._inside):
            share = mass / inside if inside > _LEAST else 0.0
            before = min(1.0, self._inside_written[received] / mass) if mass > _LEAST else 0.0
            written = played.written * share
            tally.rewrites += written * before
            tally.count(tally.recorded, written * (1.0 - before))
            if written > _LEAST:
                waited_s = rounded(received * timeout_s + after_s) - self._answer_s
                tally.to_record[self._spread, waited_s] += written * (1.0 - before)
            back = mass * gone * returned
            back_written = min(back, played.returned_written * share + back * before)
            self._hidden[received].push(start_s, end_s, back)
            self._hidden_groups[received].push(start_s, end_s, min(played.ended, played.returned) * share)
            self._hidden_written[received].push(start_s, end_s, back_written)
            self._inside[received] -= mass * gone
            self._inside_written[received] *= 1.0 - gone
        if played.handled > _LEAST or played.returned > _LEAST:
            tally.last_end_s = scene.end_s
        self.delete_calls += min(played.ended, played.handled)

    def _count(self, played: Played, chance: Chance) -> None:
        """Count the requests to the table."""
        scene = self._scene
        refused = played.attempts - played.written
        scene.tally.requests(played.written, refused, chance.reason)
        if self._quota is not None and played.attempts > _LEAST:
            self._quota.settle(
                busy=self._batches.held,
                refused=refused,
                made=played.again,
                first=played.first,
                later=max(0.0, played.written - played.first),
                step_s=scene.step_s,
            )


def _refused_pauses(hidden_s: float) -> list[Pause]:
    """Return the pauses of a batch that Lambda refuses, as long as its messages are hidden."""
    pauses: list[Pause] = []
    for at_s in accumulate(min(_FIRST_REFUSED_S * 2**number, _LAST_REFUSED_S) for number in range(1000)):
        if at_s >= hidden_s:
            break
        pause_s = min(_FIRST_REFUSED_S * 2 ** len(pauses), _LAST_REFUSED_S)
        pauses.append(Pause(pause_s, pause_s))
    return pauses
