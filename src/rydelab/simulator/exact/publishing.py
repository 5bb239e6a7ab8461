"""RequestRide publishes its ride, and answers: the client is told before the ride is recorded."""

from heapq import heappush

from rydelab.simulator.exact.ride_path import RidePath
from rydelab.simulator.exact.tally import IN_FLIGHT
from rydelab.simulator.exact.world import World

_UNHURRIED_S = 20.0
"""A ride that is answered within this meets no timeout."""


class Publisher:
    """The topic's side of RequestRide."""

    def __init__(self, world: World, rides: RidePath) -> None:
        self.tally = world.tally
        self.rides = rides
        self.publish_s = world.times("publish")
        self.unhurried_s = min(_UNHURRIED_S, world.conditions.timeout_s, world.templates.function_timeout_s)

    def publish(self, now_s: float, ride: int) -> float:
        """Publish a ride and answer its client; return when the topic has it."""
        tally, rides = self.tally, self.rides
        end_s = now_s + self.publish_s()
        tally.publishes += 1
        tally.open += 1
        latency_s = end_s + rides.gateway_s() - tally.due_s[ride]
        if latency_s > self.unhurried_s:
            rides.answer(ride, end_s, IN_FLIGHT)
            return end_s
        # What `answer` comes to when nothing is special, without its calls.
        heappush(rides.function.ends_s, end_s)
        rides.function.total_s += end_s - rides.began_s[ride]
        tally.latency_s[ride] = latency_s
        tally.fates[ride] = IN_FLIGHT
        tally.unanswered -= 1
        return end_s
