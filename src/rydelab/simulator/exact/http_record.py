"""Designs microservices and direct-invoke: RequestRide waits for ``POST /record``. Also whoever asks for that alone."""

from array import array
from heapq import heappush

from rydelab.capacity.throttling import ADMITTED
from rydelab.simulator.exact.functions import REFUSED
from rydelab.simulator.exact.ride_path import NO_CONCURRENCY, TOO_MANY_REQUESTS, RidePath
from rydelab.simulator.exact.sdk import Quota
from rydelab.simulator.exact.tally import GHOST, LOST, NEVER, RECORDED
from rydelab.simulator.exact.tally import REFUSED as REFUSED_RIDE
from rydelab.simulator.exact.world import World
from rydelab.simulator.exact.writes import TIMED_OUT, Recording, Write

_UNHURRIED_S = 20.0
"""A ride that is answered within this meets no timeout of a service."""


class HttpRecord(Recording):
    """PutRideRecordHttp behind API Gateway."""

    def __init__(self, world: World, rides: RidePath, *, reserved: int | None) -> None:
        super().__init__(world, "PutRideRecordHttp", reserved=reserved)
        self.rides = rides
        self.gateway = world.gateway
        self.gateway_s = world.times("gateway")
        self.timeout_s = world.templates.function_timeout_s
        self.http_timeout_s = world.templates.http_timeout_s
        self.unhurried_s = min(_UNHURRIED_S, world.conditions.timeout_s)
        self.ignores_failures = world.cell.on_record_failure == "ignore"
        self.sent_s = array("d", bytes(8 * len(world.tally.due_s)))
        """When the request for a ride was sent."""
        self.alone = bytearray(len(world.tally.due_s))
        """Whether a ride came as ``POST /record``, with no RequestRide that waits."""

    def take(self, now_s: float, ride: int) -> None:
        """Take a ride of RequestRide."""
        self.sent_s[ride] = now_s
        gateway = self.gateway
        if gateway is not None and not gateway.admits(now_s):
            self._answer(ride, now_s + self.gateway_s(), TOO_MANY_REQUESTS)
            return
        heappush(self.heap, (now_s + self.own_s(), self.number(), self._begin, ride))

    def arrive(self, now_s: float, ride: int) -> None:
        """Take a ride that somebody posts."""
        self.alone[ride] = True
        self.take(now_s, ride)

    def _begin(self, now_s: float, ride: int) -> None:
        """Begin the function, and send the ride to the table. *now_s* is when its own time is over."""
        sent_s = self.sent_s[ride]
        wait_s = self.function.begin(sent_s)
        quota = self.function.quota
        if wait_s:
            if wait_s == REFUSED:
                self.tally.refuse_invocation()
                self._answer(ride, sent_s + self.gateway_s(), NO_CONCURRENCY)
            else:
                self.agenda.at(now_s + wait_s, self.writer.attempt, self._write(ride, sent_s + wait_s, quota))
            return
        decision = self.limiter.admit(self.units, self.positions[ride & self.mask], now_s)
        if decision is not ADMITTED:
            self.writer.refused(now_s, self._write(ride, sent_s, quota), decision)
            return
        tally, rides = self.tally, self.rides
        end_s = now_s + self.put_item_s()
        at_s = end_s + self.gateway_s()
        if quota is not None or self.alone[ride] or at_s - tally.due_s[ride] > self.unhurried_s:
            tally.record(ride, now_s)
            self.retries.succeeded(1, quota)
            self._done(self._write(ride, sent_s, quota), end_s, "")
            return
        # What `_done` and `_answer` come to when nothing is special, without their calls.
        tally.recorded_s[ride] = now_s
        heappush(self.function.ends_s, end_s)
        self.function.total_s += end_s - sent_s
        heappush(rides.function.ends_s, at_s)
        rides.function.total_s += at_s - rides.began_s[ride]
        tally.latency_s[ride] = at_s + rides.gateway_s() - tally.due_s[ride]
        tally.fates[ride] = RECORDED
        tally.unanswered -= 1

    def _write(self, ride: int, begun_s: float, quota: Quota | None) -> Write:
        return Write(ride, begun_s, begun_s + self.timeout_s, quota, self._done)

    def _done(self, write: Write, at_s: float, failure: str) -> None:
        """Answer RequestRide: the function knows the outcome, or was ended, at *at_s*."""
        self.function.end(write.begun_s, at_s, write.quota)
        if failure == TIMED_OUT:
            self.function.lose_environment()
        self._answer(write.ride, at_s + self.gateway_s(), f"502 {failure}" if failure else "")

    def _answer(self, ride: int, at_s: float, failure: str) -> None:
        """Have the answer to ``POST /record`` arrive at *at_s*."""
        is_recorded = self.tally.recorded_s[ride] < NEVER
        if self.alone[ride]:
            fate = RECORDED if not failure else GHOST if is_recorded else REFUSED_RIDE
            self.tally.answer(ride, at_s, fate, failure)
            return
        if at_s - self.sent_s[ride] > self.http_timeout_s:
            at_s, failure = self.sent_s[ride] + self.http_timeout_s, "no answer in time"
        if not failure:
            self.rides.answer(ride, at_s, RECORDED)
        elif self.ignores_failures:
            self.rides.answer(ride, at_s, RECORDED if is_recorded else LOST)
        else:
            error = f"502 the ride could not be recorded: {failure}"
            self.rides.answer(ride, at_s, GHOST if is_recorded else REFUSED_RIDE, error)
