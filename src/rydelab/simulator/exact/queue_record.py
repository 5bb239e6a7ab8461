"""Design queued: RequestRide publishes the ride, the topic puts it into RideQueue, Lambda hands batches to a function.

A batch is written ride by ride. What failed of it is visible again after the visibility timeout, and goes to the
dead-letter queue when it would be received once too often.
"""

import math
from array import array
from collections import deque
from dataclasses import dataclass, field
from heapq import heappush

from rydelab.capacity.throttling import ADMITTED
from rydelab.simulator.exact.functions import REFUSED
from rydelab.simulator.exact.pollers import Pollers
from rydelab.simulator.exact.publishing import Publisher
from rydelab.simulator.exact.ride_path import RidePath
from rydelab.simulator.exact.sdk import Quota
from rydelab.simulator.exact.world import World
from rydelab.simulator.exact.writes import TIMED_OUT, Recording, Write

_FIRST_REFUSED_S, _LAST_REFUSED_S = 0.1, 5.0


@dataclass(slots=True)
class _Batch:
    rides: list[int]
    hidden_until_s: float
    begun_s: float = 0.0
    quota: Quota | None = None
    next: int = 0
    """The position of the ride that is written now."""
    failed: list[int] = field(default_factory=list)
    refused_pause_s: float = _FIRST_REFUSED_S


class QueueRecord(Recording):
    """RideQueue, its event source mapping, and PutRideRecordSqs."""

    def __init__(self, world: World, rides: RidePath) -> None:
        super().__init__(world, "PutRideRecordSqs", reserved=world.cell.record_concurrency)
        self.to_queue_s = world.times("sns_to_sqs")
        self.to_lambda_s = world.times("sqs_to_lambda")
        self.publisher = Publisher(world, rides)
        self.takes_lone_messages = world.cell.record_concurrency is None and not world.templates.batch_window_s
        """Whether a message that comes to an empty queue is a batch, and nothing but the account can refuse it."""
        number = len(world.tally.due_s)
        self.taken_s, self.invoked_s = array("d", bytes(8 * number)), array("d", bytes(8 * number))
        """When the batch of one that a ride was had been received, and when it was handed to the function."""
        self.pollers = Pollers(world.profile)
        self.visible: deque[int] = deque()
        self.receives: dict[int, int] = {}
        """Of messages that were received more than once, or came back."""
        self.gathering: _Batch | None = None
        """A batch that waits for more messages, if there is a window."""
        self.looks_at_s = -math.inf
        """When `_receive` is called because messages wait."""

    def take(self, now_s: float, ride: int) -> None:
        """Publish a ride of RequestRide."""
        sent_s = self.publisher.publish(now_s, ride) + self.to_queue_s()
        heappush(self.heap, (sent_s, self.number(), self._arrived, ride))

    def _arrived(self, now_s: float, ride: int) -> None:
        if self.takes_lone_messages and not self.visible and self.pollers.take(now_s):
            self.tally.receive_calls += 1
            self.taken_s[ride] = now_s
            invoked_s = now_s + self.to_lambda_s()
            self.invoked_s[ride] = invoked_s
            heappush(self.heap, (invoked_s + self.own_s(), self.number(), self._write_alone, ride))
        else:
            self.visible.append(ride)
            self._receive(now_s)

    def _write_alone(self, now_s: float, ride: int) -> None:
        """Begin the function for a batch of one, and send the ride to the table. Its own time is over at *now_s*."""
        invoked_s, function = self.invoked_s[ride], self.function
        wait_s = function.begin(invoked_s)
        if wait_s:
            batch = self._batch_of(ride)
            if wait_s == REFUSED:
                self._refused(now_s, batch)
            else:
                batch.begun_s, batch.quota = invoked_s + wait_s, function.quota
                self.agenda.at(now_s + wait_s, self.writer.attempt, self._write(batch))
            return
        decision = self.limiter.admit(self.units, self.positions[ride & self.mask], now_s)
        if decision is not ADMITTED:
            batch = self._batch_of(ride)
            batch.begun_s, batch.quota = invoked_s, function.quota
            self.writer.refused(now_s, self._write(batch), decision)
            return
        self.tally.delete_calls += 1
        end_s = self.record_event(ride, invoked_s, now_s)
        heappush(self.pollers.ends_s, end_s)
        if self.visible:
            self._look_again(now_s)

    def _batch_of(self, ride: int) -> _Batch:
        return _Batch([ride], self.taken_s[ride] + self.templates.visibility_timeout_s)

    def _write(self, batch: _Batch) -> Write:
        """Return the write of the ride that is next in the batch."""
        deadline_s = batch.begun_s + self.templates.sqs_function_timeout_s
        return Write(batch.rides[batch.next], batch.begun_s, deadline_s, batch.quota, self._written, about=batch)

    def _visible_again(self, now_s: float, rides: list[int]) -> None:
        self.visible.extend(rides)
        self._receive(now_s)

    def _receive(self, now_s: float, _about: object = None) -> None:
        """Take as many batches as there are messages and pollers for."""
        if self.gathering is not None:
            self._gather(now_s, self.gathering)
        while self.visible and self.pollers.take(now_s):
            batch = _Batch([], now_s + self.templates.visibility_timeout_s)
            self._fill(now_s, batch)
            if not batch.rides:
                self.pollers.end(now_s)  # they all went to the dead-letter queue
                continue
            window_s = self.templates.batch_window_s
            if window_s and len(batch.rides) < self.templates.batch_size:
                self.gathering = batch
                self.agenda.at(now_s + window_s, self._window_over, batch)
                return
            self._start(now_s, batch)
        self._look_again(now_s)

    def _look_again(self, now_s: float) -> None:
        """Look again when a poller may be free, if messages wait."""
        if self.visible:
            at_s = self.pollers.next_free_s(now_s)
            if not now_s < self.looks_at_s <= at_s:
                self.looks_at_s = at_s
                self.agenda.at(at_s, self._receive)

    def _fill(self, now_s: float, batch: _Batch) -> None:
        """Receive messages until the batch is full; those received too often go to the dead-letter queue."""
        self.tally.receive_calls += 1
        visible, receives = self.visible, self.receives
        while visible and len(batch.rides) < self.templates.batch_size:
            ride = visible.popleft()
            if receives and (times := receives.get(ride, 0)):
                if times >= self.templates.max_receive_count:
                    self.tally.end(ride, now_s, dead=True)
                    continue
                receives[ride] = times + 1
            batch.rides.append(ride)

    def _gather(self, now_s: float, batch: _Batch) -> None:
        self._fill(now_s, batch)
        if len(batch.rides) >= self.templates.batch_size:
            self.gathering = None
            self._start(now_s, batch)

    def _window_over(self, now_s: float, batch: _Batch) -> None:
        if self.gathering is batch:
            self.gathering = None
            self._start(now_s, batch)

    def _start(self, now_s: float, batch: _Batch) -> None:
        repeated = sum(ride in self.receives for ride in batch.rides) if self.receives else 0
        if repeated:
            self.tally.add(self.tally.retries, now_s, repeated)
        self.agenda.at(now_s + self.to_lambda_s(), self._invoke, batch)

    def _invoke(self, now_s: float, batch: _Batch) -> None:
        """Hand a batch to the function; again and again while it is refused and the messages are hidden."""
        wait_s = self.function.begin(now_s)
        if wait_s != REFUSED:
            batch.begun_s = now_s + wait_s
            batch.quota = self.function.quota
            self._write_next(batch.begun_s, batch)
        else:
            self._refused(now_s, batch)

    def _refused(self, now_s: float, batch: _Batch) -> None:
        self.tally.refuse_invocation()
        self.tally.add(self.tally.retries, now_s, len(batch.rides))
        self.pollers.went_badly()
        if now_s + batch.refused_pause_s >= batch.hidden_until_s:
            self._come_back(now_s, batch, batch.rides)
            return
        self.agenda.at(now_s + batch.refused_pause_s, self._invoke, batch)
        batch.refused_pause_s = min(2 * batch.refused_pause_s, _LAST_REFUSED_S)

    def _write_next(self, now_s: float, batch: _Batch) -> None:
        """Write the next ride of the batch, or end it. *now_s* may be some milliseconds ahead."""
        deadline_s = batch.begun_s + self.templates.sqs_function_timeout_s
        if deadline_s - now_s < self.templates.least_time_left_s:
            batch.failed += batch.rides[batch.next :]
            batch.next = len(batch.rides)
        if batch.next == len(batch.rides):
            self._end(now_s, batch, batch.failed)
            return
        self.agenda.at(now_s + self.own_s(), self.writer.attempt, self._write(batch))

    def _written(self, write: Write, at_s: float, failure: str) -> None:
        batch: _Batch = write.about
        if failure == TIMED_OUT:
            self.function.lose_environment()
            self._end(at_s, batch, batch.rides)
            return
        if failure:
            batch.failed.append(write.ride)
        batch.next += 1
        self._write_next(at_s, batch)

    def _end(self, at_s: float, batch: _Batch, failed: list[int]) -> None:
        """Delete what was handled; what failed stays hidden until its visibility timeout."""
        self.function.end(batch.begun_s, at_s, batch.quota)
        if len(failed) < len(batch.rides):
            self.tally.delete_calls += 1
            unhandled = set(failed)
            for ride in batch.rides:
                if ride not in unhandled:
                    self.tally.end(ride, at_s)
        self._come_back(at_s, batch, failed)

    def _come_back(self, now_s: float, batch: _Batch, failed: list[int]) -> None:
        self.pollers.end(now_s)
        for ride in failed:
            self.receives.setdefault(ride, 1)
        if failed:
            self.agenda.at(max(now_s, batch.hidden_until_s), self._visible_again, failed)
        self._look_again(now_s)
