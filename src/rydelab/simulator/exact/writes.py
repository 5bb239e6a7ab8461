"""A function that writes rides to the table: what the ways there have in common, and what the SDK makes of refusals."""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappush
from typing import Any

from rydelab.capacity.throttling import ADMITTED, Decision
from rydelab.simulator.exact.sdk import Quota
from rydelab.simulator.exact.tally import GHOST, IN_FLIGHT, RECORDED
from rydelab.simulator.exact.world import World

TIMED_OUT = "Task timed out"

type Done = Callable[["Write", float, str], None]
"""Is called with a write, when its function knows of the end, and why it failed (else empty)."""


@dataclass(slots=True)
class Write:
    """One ride that a function writes."""

    ride: int
    begun_s: float
    """When the invocation began to run."""
    deadline_s: float
    """When Lambda ends it."""
    quota: Quota | None
    """Of the environment's SDK client; None in legacy mode, which has none."""
    done: Done
    about: Any = None
    """What the path needs to know of it."""
    attempts: int = 0


class Writer:
    """Makes attempts until one is admitted, the SDK gives up, or the function's time is over."""

    def __init__(self, world: World) -> None:
        self._agenda = world.agenda
        self._tally = world.tally
        self._retries = world.retries
        self._limiter = world.table.writes
        self._units = world.table.units_per_ride
        self._positions = world.positions
        self._mask = len(world.positions) - 1
        self._put_item_s = world.times("put_item")
        self._throttled_s = world.times("throttled_put_item")

    def attempt(self, now_s: float, write: Write) -> None:
        """Send the write to the table, if its function still runs."""
        if now_s > write.deadline_s:
            self._finish(write, now_s, "")
            return
        decision = self._limiter.admit(self._units, self._positions[write.ride & self._mask], now_s)
        if decision is ADMITTED:
            self._tally.record(write.ride, now_s)
            self._retries.succeeded(write.attempts + 1, write.quota)
            self._finish(write, now_s + self._put_item_s(), "")
        else:
            self.refused(now_s, write, decision)

    def refused(self, now_s: float, write: Write, decision: Decision) -> None:
        """Go on after an attempt that *decision* refused."""
        throttle = decision.throttles[0]
        self._tally.throttle(throttle.reason, now_s)
        write.attempts += 1
        told_s = now_s + self._throttled_s()
        pause_s = self._retries.dynamodb_pause_s(write.attempts, throttle.limit, write.quota)
        if pause_s is None:
            self._finish(write, told_s, throttle.reason)
        elif told_s + pause_s > write.deadline_s:
            self._finish(write, write.deadline_s, TIMED_OUT)
        else:
            self._agenda.at(told_s + pause_s, self.attempt, write)

    def _finish(self, write: Write, at_s: float, failure: str) -> None:
        if at_s > write.deadline_s:  # what the table did before stays done
            at_s, failure = write.deadline_s, TIMED_OUT
        write.done(write, at_s, failure)


class Recording:
    """A function that records rides, with what it needs at hand: every ride of its design comes by."""

    def __init__(self, world: World, name: str, *, reserved: int | None) -> None:
        self.tally = world.tally
        self.agenda = world.agenda
        self.heap, self.number = world.agenda.heap, world.agenda.number
        self.templates = world.templates
        self.retries = world.retries
        self.limiter = world.table.writes
        self.units = world.table.units_per_ride
        self.positions = world.positions
        self.mask = len(world.positions) - 1
        self.own_s = world.times("put_ride_record")
        self.put_item_s = world.times("put_item")
        self.writer = Writer(world)
        self.function = world.function(name, reserved=reserved, writes=True)

    def record_event(self, ride: int, begun_s: float, now_s: float) -> float:
        """Note that a ride whose client was answered before is in the table; return when the function knows.

        What `Tally.record`, `Tally.end` and `Function.end` come to at a first attempt, without their calls.
        """
        tally, function = self.tally, self.function
        tally.recorded_s[ride] = now_s
        tally.fates[ride] = RECORDED if tally.fates[ride] == IN_FLIGHT else GHOST
        tally.open -= 1
        end_s = now_s + self.put_item_s()
        if function.quota is None:
            heappush(function.ends_s, end_s)
            function.total_s += end_s - begun_s
        else:
            self.retries.succeeded(1, function.quota)
            function.end(begun_s, end_s, function.quota)
        return end_s
