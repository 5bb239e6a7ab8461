"""Design event-driven: RequestRide publishes the ride, and Lambda hands the event to PutRideRecordSns.

SNS delivers at the first attempt, since Lambda takes every event; what becomes of it afterwards is Lambda's business:
retries 1 and 2 minutes after an error, 1 s to 5 min after a refusal, then the function's dead-letter queue.
"""

from array import array
from collections import deque
from dataclasses import dataclass
from heapq import heappush

from rydelab.capacity.throttling import ADMITTED
from rydelab.simulator.exact.functions import REFUSED
from rydelab.simulator.exact.publishing import Publisher
from rydelab.simulator.exact.ride_path import RidePath
from rydelab.simulator.exact.world import World
from rydelab.simulator.exact.writes import TIMED_OUT, Recording, Write

_RETRY_S = 60.0
_FIRST_REFUSED_S, _LAST_REFUSED_S = 1.0, 300.0


@dataclass(slots=True)
class _Event:
    """An asynchronous event that was not handled at its first attempt, or had to wait for a worker."""

    ride: int
    received_s: float
    failures: int = 0
    refusals: int = 0


class EventRecord(Recording):
    """PutRideRecordSns and Lambda's queue of asynchronous events."""

    def __init__(self, world: World, rides: RidePath) -> None:
        reserved = world.cell.record_concurrency
        super().__init__(world, "PutRideRecordSns", reserved=reserved)
        self.to_lambda_s = world.times("sns_to_lambda")
        self.publisher = Publisher(world, rides)
        self.speed = world.conditions.clock_speed
        self.is_limited = reserved is not None
        self.is_given_up_untried = reserved == 0
        self.received_s = array("d", bytes(8 * len(world.tally.due_s)))
        """When Lambda got the event of a ride."""
        patience_s = world.profile.limits["async_patience_s"]
        most = world.profile.limits["account_concurrency"]
        self.workers = _Workers(self, patience_s, most=most) if patience_s else None

    def take(self, now_s: float, ride: int) -> None:
        """Publish a ride of RequestRide."""
        received_s = self.publisher.publish(now_s, ride) + self.to_lambda_s()
        if self.is_limited:
            self.agenda.at(received_s, self.again, _Event(ride, received_s))
        else:
            self.received_s[ride] = received_s
            heappush(self.heap, (received_s + self.own_s(), self.number(), self._begin, ride))

    def _begin(self, now_s: float, ride: int) -> None:
        """Begin the function for the first time, and send the ride to the table. Its own time is over at *now_s*."""
        received_s = self.received_s[ride]
        workers = self.workers
        if workers is not None and not workers.one_is_free(received_s):
            workers.wait(now_s, _Event(ride, received_s))
            return
        wait_s = self.function.begin(received_s)
        if wait_s:
            event = _Event(ride, received_s)
            if wait_s == REFUSED:
                self._refused(now_s, event)
            else:
                self.agenda.at(now_s + wait_s, self.writer.attempt, self._write(event, received_s + wait_s))
            return
        decision = self.limiter.admit(self.units, self.positions[ride & self.mask], now_s)
        if decision is not ADMITTED:
            self.writer.refused(now_s, self._write(_Event(ride, received_s), received_s), decision)
            return
        self.record_event(ride, received_s, now_s)

    def invoke(self, now_s: float, event: _Event) -> None:
        """Hand an event to the function that has been waiting for a worker or for its time."""
        if event.failures or event.refusals:
            self.tally.add(self.tally.retries, now_s)
        wait_s = self.function.begin(now_s)
        if wait_s == REFUSED:
            self._refused(now_s, event)
        else:
            begun_s = now_s + wait_s
            self.agenda.at(begun_s + self.own_s(), self.writer.attempt, self._write(event, begun_s))

    def again(self, now_s: float, event: _Event) -> None:
        """Take an event whose time has come."""
        if self.is_given_up_untried:
            self.tally.end(event.ride, now_s, dead=True)
        elif self.workers is None or self.workers.one_is_free(now_s):
            self.invoke(now_s, event)
        else:
            self.workers.wait(now_s, event)

    def _write(self, event: _Event, begun_s: float) -> Write:
        deadline_s = begun_s + self.templates.function_timeout_s
        return Write(event.ride, begun_s, deadline_s, self.function.quota, self._done, about=event)

    def _refused(self, now_s: float, event: _Event) -> None:
        self.tally.refuse_invocation()
        event.refusals += 1
        pause_s = min(_FIRST_REFUSED_S * 2 ** (event.refusals - 1), _LAST_REFUSED_S) / self.speed
        self._later(now_s, pause_s, event)

    def _done(self, write: Write, at_s: float, failure: str) -> None:
        self.function.end(write.begun_s, at_s, write.quota)
        event: _Event = write.about
        if not failure:
            self.tally.end(event.ride, at_s)
            return
        if failure == TIMED_OUT:
            self.function.lose_environment()
        event.failures += 1
        if event.failures > self.templates.max_event_retries:
            self.tally.end(event.ride, at_s, dead=True)
        else:
            self._later(at_s, event.failures * _RETRY_S / self.speed, event)

    def _later(self, now_s: float, pause_s: float, event: _Event) -> None:
        """Try an event again after a pause, or give it up now if it would then be too old: Lambda looks ahead."""
        if (now_s + pause_s - event.received_s) * self.speed > self.templates.max_event_age_s:
            self.tally.end(event.ride, now_s, dead=True)
        else:
            self.agenda.at(now_s + pause_s, self.again, event)


class _Workers:
    """The lab's workers for asynchronous events: one is added when the first that waits has done so for a while.

    AWS adds environments as fast as concurrency allows; in a lab a new one only helps when the present ones wait.
    """

    _LINGER_S = 2.0

    def __init__(self, owner: EventRecord, patience_s: float, *, most: float) -> None:
        self._owner = owner
        self._patience_s = patience_s
        self._most = most
        self._number = 0
        self._waiting: deque[tuple[float, _Event]] = deque()
        self._handled = 0
        self._window_end_s = 0.0

    def one_is_free(self, now_s: float) -> bool:
        """Say whether an event is handled at once."""
        if now_s >= self._window_end_s:
            # A worker without an event for 2 s ends; they take turns.
            self._number = max(self._owner.function.busy, min(self._number, self._handled))
            self._handled = 0
            self._window_end_s = now_s + self._LINGER_S
        if self._waiting:
            return False
        function = self._owner.function
        if function.busy >= self._number:
            function.settle(now_s)
            if function.busy >= self._number > 0:
                return False
            self._number = max(self._number, 1)
        self._handled += 1
        return True

    def wait(self, now_s: float, event: _Event) -> None:
        """Keep an event until a worker is free."""
        self._waiting.append((now_s, event))
        if len(self._waiting) == 1:
            self._owner.agenda.at(now_s + self._patience_s / 2, self._look, now_s + self._patience_s / 2)

    def _look(self, now_s: float, may_add_at_s: float) -> None:
        """Hand out what waits; half a patience apart, add a worker if the first has waited for a whole one."""
        function, waiting = self._owner.function, self._waiting
        function.settle(now_s)
        if now_s >= may_add_at_s:
            if now_s - waiting[0][0] > self._patience_s and self._number < self._most:
                self._number += 1
            may_add_at_s = now_s + self._patience_s / 2
        while waiting and function.busy < self._number:
            self._handled += 1
            self._owner.invoke(now_s, waiting.popleft()[1])
        if waiting:
            soonest_s = function.ends_s[0] if function.ends_s else may_add_at_s
            self._owner.agenda.at(min(soonest_s, may_add_at_s), self._look, may_add_at_s)
