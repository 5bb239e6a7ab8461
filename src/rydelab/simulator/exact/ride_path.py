"""RequestRide: from the arrival to the moment at which the ride is handed over to be recorded, and its answer."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush

from rydelab.capacity.schema import TableSchema
from rydelab.capacity.table import Table
from rydelab.capacity.throttling import BillingMode
from rydelab.simulator.exact.functions import REFUSED
from rydelab.simulator.exact.tally import AFTER_AN_ERROR, ANSWERED, FAILED
from rydelab.simulator.exact.tally import REFUSED as REFUSED_RIDE
from rydelab.simulator.exact.world import World

NO_CONCURRENCY = "500 the function has no concurrency left"
TOO_MANY_REQUESTS = "429 Too Many Requests"
TOO_LATE = "504 Endpoint request timed out"
_FLEET_MAY_THROTTLE_PER_S = 12_000
"""Scans a second of UnicornsTable from which its throughput is looked at: half of what a new table serves."""


class RidePath:
    """The way of one ride. All methods take times that may be some milliseconds ahead of the agenda's."""

    def __init__(self, world: World, *, most_per_s: float) -> None:
        """*most_per_s* is the highest rate of arrivals."""
        cell = world.cell
        self.world = world
        self.tally = world.tally
        self.agenda = world.agenda
        self.gateway = world.gateway
        self.began_s = array("d", bytes(8 * len(world.tally.due_s)))
        """When RequestRide began to run for a ride."""
        self.function = world.function("RequestRide", reserved=cell.ride_concurrency)
        self.timeout_s = world.templates.function_timeout_s
        self.gateway_s = world.times("gateway")
        self.own_s = world.times("request_ride")
        unicorns = _unicorns_table(world) if most_per_s > _FLEET_MAY_THROTTLE_PER_S else None
        self.fleet = _Fleet(world, over_http=cell.fleet_over_http, table=unicorns)
        self.take: Callable[[float, int], None]
        """Takes a ride that RequestRide hands over to be recorded, at a moment that may not have come yet."""

    def arrive(self, now_s: float, ride: int) -> None:
        """Begin a ride."""
        # `Function.begin` for RequestRide and for the fleet's function, without calls: every ride comes here. Whatever
        # is not plainly let in goes the long way.
        gateway, function, fleet = self.gateway, self.function, self.fleet
        if gateway is not None and not gateway.admits(now_s):
            self.tally.answer(ride, now_s + self.gateway_s(), REFUSED_RIDE, TOO_MANY_REQUESTS)
            return
        ends_s = function.ends_s
        while ends_s and ends_s[0] <= now_s:
            heappop(ends_s)
            function.busy -= 1
        busy = function.busy
        if busy >= function.calm:
            self._arrive_closely(now_s, ride)
            return
        function.busy = busy = busy + 1
        if busy > function.peak:  # noqa: PLR1730 (max() is a call)
            function.peak = busy
        function.invocations += 1
        self.began_s[ride] = now_s
        now_s += self.own_s()
        function = fleet.function
        ends_s = function.ends_s
        while ends_s and ends_s[0] <= now_s:
            heappop(ends_s)
            function.busy -= 1
        busy = function.busy
        if busy >= function.calm or not fleet.is_calm:
            fleet.ask(now_s, _Question(ride, self._told))
            return
        function.busy = busy = busy + 1
        if busy > function.peak:  # noqa: PLR1730 (max() is a call)
            function.peak = busy
        function.invocations += 1
        scan_s = fleet.scan_s()
        end_s = now_s + scan_s
        heappush(ends_s, end_s)
        function.total_s += scan_s
        self.take(end_s + fleet.around_s(), ride)

    def _arrive_closely(self, now_s: float, ride: int) -> None:
        wait_s = self.function.begin(now_s)
        if wait_s == REFUSED:
            self.tally.refuse_invocation()
            self.tally.answer(ride, now_s + self.gateway_s(), REFUSED_RIDE, NO_CONCURRENCY)
            return
        self.began_s[ride] = now_s + wait_s
        asks_s = now_s + wait_s + self.own_s()
        if wait_s:
            self.agenda.at(asks_s, self._ask, ride)
        else:
            self._ask(asks_s, ride)

    def _ask(self, now_s: float, ride: int) -> None:
        self.fleet.ask(now_s, _Question(ride, self._told))

    def _told(self, ride: int, at_s: float, failure: str) -> None:
        if failure:
            self.answer(ride, at_s, REFUSED_RIDE, f"502 the fleet gave no unicorn: {failure}")
        else:
            self.take(at_s, ride)

    def answer(self, ride: int, at_s: float, fate: int, error: str = "") -> None:
        """Have RequestRide answer at *at_s*. *fate* is the ride's if its client is told nothing else."""
        began_s = self.began_s[ride]
        if at_s - began_s > self.timeout_s:
            at_s, error = began_s + self.timeout_s, TOO_LATE
            self.function.lose_environment()
            fate = AFTER_AN_ERROR[fate]
        self.function.end(began_s, at_s)
        self.tally.answer(ride, at_s + self.gateway_s(), fate, error)

    def arrive_for_a_unicorn(self, now_s: float, arrival: int) -> None:
        """Answer ``GET /unicorn``, which is not in the ledger."""
        gateway = self.gateway
        if gateway is not None and not gateway.admits(now_s):
            self.tally.answer(arrival, now_s + self.gateway_s(), FAILED, TOO_MANY_REQUESTS)
        else:
            self.fleet.over_the_gateway.ask(now_s, _Question(arrival, self._unicorn_found))

    def _unicorn_found(self, arrival: int, at_s: float, failure: str) -> None:
        error = f"502 {failure}" if failure else ""
        self.tally.answer(arrival, at_s, FAILED if failure else ANSWERED, error)


@dataclass(slots=True)
class _Question:
    """Somebody waits for a unicorn."""

    arrival: int
    told: Callable[[int, float, str], None]
    """Gets the arrival, the time, and why there is no unicorn (else empty)."""
    attempts: int = 0
    begun_s: float = 0.0


class _Fleet:
    """RequestUnicornApig or RequestUnicornInvoke, and UnicornsTable behind it."""

    def __init__(self, world: World, *, over_http: bool, table: Table | None) -> None:
        """*table* is UnicornsTable; None if it cannot throttle."""
        self._world = world
        self._agenda = world.agenda
        self._gateway = world.gateway if over_http else None
        self._over_http = over_http
        self._table = table
        self.function = world.function("RequestUnicornApig" if over_http else "RequestUnicornInvoke")
        self.scan_s = world.times("request_unicorn")
        self.around_s = world.times("gateway" if over_http else "invoke")
        self._throttled_s = world.times("throttled_put_item")
        self._units = world.templates.unicorn_read_units
        self._timeout_s = world.templates.function_timeout_s
        self.is_calm = self._table is None and self._gateway is None
        """Whether nothing can refuse but Lambda."""
        self._other: _Fleet | None = None

    @property
    def over_the_gateway(self) -> "_Fleet":
        """The function behind ``GET /unicorn``."""
        if self._over_http:
            return self
        if self._other is None:
            self._other = _Fleet(self._world, over_http=True, table=self._table)
            self._world.pool_is_complete()
        return self._other

    def ask(self, now_s: float, question: _Question) -> None:
        """Take a question that meets a limit, or may meet one."""
        if self._gateway is not None and not self._gateway.admits(now_s):
            question.told(question.arrival, now_s + self.around_s(), TOO_MANY_REQUESTS)
            return
        wait_s = self.function.begin(now_s)
        if wait_s != REFUSED:
            self._answer_after(now_s + wait_s, question)
            return
        question.attempts += 1
        told_s = now_s + self.around_s()
        pause_s = None if self._over_http else self._world.retries.lambda_pause_s(question.attempts)
        if pause_s is None:
            question.told(question.arrival, told_s, NO_CONCURRENCY)
        else:
            self._agenda.at(told_s + pause_s, self.ask, question)

    def _answer_after(self, begun_s: float, question: _Question) -> None:
        """Answer a question for which the function begins to run at *begun_s*."""
        question.begun_s = begun_s
        question.attempts = 0
        if self._table is None:
            self._answer(begun_s + self.scan_s(), question, "")
        else:
            self._agenda.at(begun_s + self.scan_s(), self._scan, question)

    def _scan(self, now_s: float, question: _Question) -> None:
        assert self._table is not None  # noqa: S101 (it is only called with one)
        limiter = self._table.resource().read
        throttle = limiter.open_page(None, now_s)
        if throttle is None:
            limiter.charge(self._units, None, now_s)
            self._answer(now_s, question, "")
            return
        question.attempts += 1
        told_s = now_s + self._throttled_s()
        pause_s = self._world.retries.dynamodb_pause_s(question.attempts, throttle.limit, None)
        if pause_s is None:
            self._answer(told_s, question, throttle.reason)
        elif told_s + pause_s > question.begun_s + self._timeout_s:
            self._answer(question.begun_s + self._timeout_s, question, "Task timed out")
        else:
            self._agenda.at(told_s + pause_s, self._scan, question)

    def _answer(self, at_s: float, question: _Question, failure: str) -> None:
        self.function.end(question.begun_s, at_s)
        question.told(question.arrival, at_s + self.around_s(), failure)


def _unicorns_table(world: World) -> Table:
    return Table(
        TableSchema("UnicornsTable", "Name"),
        mode=BillingMode.ON_DEMAND,
        settings=world.conditions.loop_settings,
        now=world.tally.begin_s,
    )
