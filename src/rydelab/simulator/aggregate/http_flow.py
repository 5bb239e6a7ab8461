"""PutRideRecordHttp behind API Gateway: RequestRide waits for it, or whoever asks for ``POST /record`` alone."""

from collections.abc import Sequence

from rydelab.simulator.aggregate.function_flow import FunctionFlow
from rydelab.simulator.aggregate.mixture import Spread
from rydelab.simulator.aggregate.scene import Scene
from rydelab.simulator.aggregate.writes import Chance, Writes

_LATE = "502 the ride could not be recorded: no answer in time"


class HttpFlow:
    """The design's way to the table, and that of single records."""

    def __init__(self, scene: Scene, function: FunctionFlow, ride_names: tuple[str, ...]) -> None:
        """*ride_names* are the times of a ride's way up to here and back, without this function's."""
        self._scene = scene
        self._templates = scene.templates
        self.writes = Writes(scene, function, timeout_s=scene.templates.function_timeout_s)
        here = ("gateway", "put_ride_record", "put_item")
        self._ride_names = (*ride_names, *here)
        self.ride_spread = scene.spread(*ride_names, *here)
        self._alone_spread = scene.spread(*here)
        self._answer_s = scene.mean_s(*here)
        self._way_s = scene.mean_s(*ride_names)
        self._alone = 0.0
        """Of the writes that wait, those of single records."""

    @property
    def share_of_rides(self) -> float:
        """The part of the waiting writes for which a RequestRide waits."""
        waiting = self.writes.held + self.writes.ladders[0].due
        return 1.0 - self._alone / waiting if waiting > 0.0 else 1.0

    def commit(self, rides: float, alone: float, chance: Chance, cold: Sequence[tuple[Spread, float]]) -> None:
        """Begin *rides* and *alone* invocations, and answer all that end in the step.

        *cold* is the distribution of a ride that met new environments, and the part of the rides that did.
        """
        tally = self._scene.tally
        waiting = self.writes.held + self.writes.ladders[0].due
        come = waiting + rides + alone
        of_rides = (waiting - self._alone + rides) / come if come else 1.0
        [tried] = self.writes.commit([rides + alone], chance)
        self._alone = self.writes.held * (1.0 - of_rides)
        written = sum(tried.successes)
        tally.count(tally.recorded, written)
        for number, mass in enumerate(tried.successes):
            if mass <= 0.0:
                continue
            after_s = self.writes.offsets_s[number]
            tally.accept(mass * (1 - of_rides), self._alone_spread, after_s, row="recorded")
            if after_s + self._answer_s > self._templates.http_timeout_s:
                self._too_late("recorded", "ghost", mass * of_rides)
                continue
            warm = 1.0
            if number == 0:
                for spread, part in cold:
                    warm -= part
                    tally.accept(mass * of_rides * part, spread, 0.0, row="recorded")
            tally.accept(mass * of_rides * max(0.0, warm), self.ride_spread, after_s, row="recorded")
        self._give_up(tried.given_up, of_rides, chance.reason)

    def refuse(self, rides: float, alone: float, failure: str) -> None:
        """Answer requests that the gateway or Lambda did not let in."""
        scene = self._scene
        scene.tally.fail(alone, failure, scene.spread("gateway"), 0.0)
        self._fail(rides, failure, 0.0)

    def cold_spread(self, inits: int) -> Spread:
        """Return how long a ride takes that meets *inits* new environments."""
        return self._scene.spread(*self._ride_names, *["init"] * inits)

    def _give_up(self, mass: float, of_rides: float, reason: str) -> None:
        if mass <= 0.0:
            return
        scene, after_s = self._scene, self.writes.given_up_after_s
        failure = f"502 {reason}"
        scene.tally.fail(mass * (1 - of_rides), failure, self._alone_spread, after_s)
        if after_s + self._answer_s > self._templates.http_timeout_s:
            self._too_late("lost", "refused", mass * of_rides)
        else:
            self._fail(mass * of_rides, failure, after_s)

    def _fail(self, rides: float, failure: str, after_s: float) -> None:
        """Answer rides whose record failed."""
        scene = self._scene
        if scene.cell.on_record_failure == "ignore":
            scene.tally.accept(rides, self.ride_spread, after_s, row="lost")
        else:
            error = f"502 the ride could not be recorded: {failure}"
            scene.tally.fail(rides, error, self.ride_spread, after_s)

    def _too_late(self, ignored: str, failed: str, rides: float) -> None:
        """Answer rides for which RequestRide no longer waits."""
        scene = self._scene
        after_s = self._templates.http_timeout_s
        spread = scene.spread(*self._ride_names[:-3])
        if scene.cell.on_record_failure == "ignore":
            scene.tally.accept(rides, spread, after_s, row=ignored)
        else:
            scene.tally.fail(rides, _LATE, spread, after_s, row=failed)
