"""RequestRide, the fleet behind it, and what lets them in: API Gateway's and Lambda's limits.

In each step the limits are met together: the parts that they let in, and the table's chance, are found by turns until
they agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rydelab.capacity.schema import TableSchema
from rydelab.capacity.table import Table
from rydelab.capacity.throttling import Access, BillingMode
from rydelab.simulator.aggregate.function_flow import FunctionFlow
from rydelab.simulator.aggregate.gate import Gate
from rydelab.simulator.aggregate.http_flow import HttpFlow
from rydelab.simulator.aggregate.ladder import Ladder
from rydelab.simulator.aggregate.part import Part
from rydelab.simulator.aggregate.recorder import Recorder
from rydelab.simulator.aggregate.scene import Scene
from rydelab.simulator.aggregate.sdk_flow import dynamodb_pauses, lambda_pauses
from rydelab.simulator.aggregate.share import share_of
from rydelab.simulator.aggregate.table_flow import TableFlow
from rydelab.simulator.aggregate.writes import Chance
from rydelab.simulator.exact.ride_path import NO_CONCURRENCY, TOO_MANY_REQUESTS

_MOST_ROUNDS = 30
_AGREED = 5e-3
_LEAST_CHANCE = 1e-6
_FLEET_MAY_THROTTLE_PER_S = 12_000.0
"""Scans a second of UnicornsTable from which its throughput is looked at: half of what a new table serves."""


@dataclass(slots=True)
class _Flow:
    """What comes and goes in one step: numbers of requests."""

    rides: float = 0.0
    records: float = 0.0
    unicorns: float = 0.0
    begun: float = 0.0
    """Invocations of RequestRide; and of the fleet's functions, asked for and begun."""
    asked: float = 0.0
    scans: float = 0.0
    other_scans: float = 0.0
    served: float = 0.0
    """Rides that have a unicorn."""
    unserved: float = 0.0
    handed_over: float = 0.0
    """Rides and single records that Lambda let in over HTTP."""
    alone: float = 0.0
    gateway_requests: float = 0.0
    """Those that API Gateway let through."""


@dataclass(slots=True)
class _Parts:
    """The parts that are let in: by API Gateway, by the account's concurrency."""

    gateway: Part = field(default_factory=Part)
    pool: Part = field(default_factory=Part)
    scans: float = 1.0
    """The chance of a scan at UnicornsTable."""


class RideFlow:
    """All arrivals of one cell, up to where a ride is handed over to be recorded."""

    def __init__(self, scene: Scene, *, most_per_s: float, mix: Mapping[str, float], recorder: Recorder | None) -> None:
        """*most_per_s* is the highest rate of arrivals, *mix* the share of each kind.

        *recorder* takes the rides that are published.
        """
        cell = scene.cell
        self._scene = scene
        self._mix = mix
        self._over_http = cell.fleet_over_http
        around = "gateway" if self._over_http else "invoke"
        self._front = ("gateway", "request_ride", around, "request_unicorn")
        handing_over = ("publish",) if cell.answers_first else ("gateway", "put_ride_record", "put_item")
        takes_s = scene.mean_s(*self._front[1:], *handing_over)
        self.function = scene.function("RequestRide", reserved=cell.ride_concurrency, takes_s=takes_s)
        self._scan_s = scan_s = scene.mean_s("request_unicorn")
        self._fleet = scene.function(cell.fleet_function, takes_s=scan_s)
        self._other_fleet = scene.function("RequestUnicornApig", takes_s=scan_s) if mix.get("unicorn") else None
        self._spread = scene.spread(*self._front)
        reserved = None if cell.answers_first else cell.record_concurrency
        self.http: HttpFlow | None = None
        if mix.get("record") or not cell.answers_first:
            takes_s = scene.mean_s("put_ride_record", "put_item")
            function = scene.function("PutRideRecordHttp", reserved=reserved, takes_s=takes_s)
            self.http = HttpFlow(scene, function, self._front)
        self.recorder = recorder
        self._accepted_spread = scene.spread(*self._front, "publish")
        pauses = () if self._over_http else lambda_pauses(cell.sdk_retry_mode, answer_s=scene.mean_s("invoke"))
        self._invokes = Ladder(pauses, scene.steps)
        self._asked_later = [0.0] * (len(pauses) + 1)
        limits = scene.profile.limits
        per_s = limits["gateway_requests_per_s"]
        self._gate = Gate(per_s=per_s, size=max(1.0, limits["gateway_burst"])) if per_s else None
        self._pool_limit = limits["account_concurrency"]
        self._unicorns: TableFlow | None = None
        self._scans: Ladder | None = None
        self._rides_in_scans = 1.0
        """The part of the waiting scans that are made for a ride."""
        if most_per_s > _FLEET_MAY_THROTTLE_PER_S:
            self._look_at_unicorns_table()
        self._parts = _Parts()
        self._flow = _Flow()
        self._cold: dict[str, float] = {}

    def _look_at_unicorns_table(self) -> None:
        scene = self._scene
        now = scene.conditions.begins_at_s % 86_400.0
        table = Table(
            TableSchema("UnicornsTable", "Name"),
            mode=BillingMode.ON_DEMAND,
            settings=scene.conditions.loop_settings,
            now=now,
        )
        self._unicorns = TableFlow(table, Access.READ, scene.templates.unicorn_read_units, now=now)
        pauses = dynamodb_pauses(
            scene.cell.sdk_retry_mode,
            answer_s=scene.mean_s("throttled_put_item"),
            before_s=self._scan_s,
            deadline_s=scene.templates.function_timeout_s,
        )
        self._scans = Ladder(pauses, scene.steps)

    @property
    def _functions(self) -> list[FunctionFlow]:
        return list(self._scene.functions.values())

    @property
    def open(self) -> float:
        """How many clients wait for an answer because of a retry."""
        scans = self._scans.held if self._scans is not None else 0.0
        return self._invokes.held + scans + (self.http.writes.held if self.http is not None else 0.0)

    @property
    def rates(self) -> list[float]:
        """What tells whether the present step is like the one before, per second."""
        flow, step_s = self._flow, self._scene.step_s
        return [flow.begun / step_s, flow.served / step_s, (flow.handed_over + flow.alone) / step_s]

    def holds_out_s(self) -> float:
        """Return how long a burst that is being spent will last."""
        step_s = self._scene.step_s or 1.0
        ends_s = [float("inf")]
        if self._gate is not None:
            ends_s.append(self._gate.empty_after_s(self._flow.gateway_requests / step_s) or float("inf"))
        if self._unicorns is not None:
            ends_s.append(self._unicorns.holds_out_s((self._flow.scans + self._flow.other_scans) / step_s))
        return min(ends_s)

    def play(self, arrivals: float, table: TableFlow, guess: Chance) -> Chance:
        """Let *arrivals* come in the step, all the way to *table*; return its chance. *guess* is that of the last step.

        The step's `begin` of all parts comes first.
        """
        self._begin(arrivals)
        chance = guess
        for _ in range(_MOST_ROUNDS):
            self._follow(chance)
            before, chance = chance, self._ask_table(table, chance)
            # The plan of the events is made for a chance: another one asks for another plan.
            moved = abs(chance.share - before.share) / max(chance.share, before.share, _LEAST_CHANCE)
            if max(self._adjust(chance), moved if self.recorder is not None else 0.0) < _AGREED:
                break
        else:
            self._follow(chance)
            chance = self._ask_table(table, chance)
        self._commit(chance)
        return chance

    def _begin(self, arrivals: float) -> None:
        scene, flow = self._scene, self._flow
        mix = self._mix
        for function in self._functions:
            function.accepted.begin()
            function.begin(scene.end_s)
        self._parts.gateway.begin()
        self._parts.pool.begin()
        flow.rides, flow.records, flow.unicorns = (
            arrivals * mix.get(kind, 0.0) for kind in ("ride", "record", "unicorn")
        )
        self._invokes.begin(scene.start_s, scene.end_s)
        if self._scans is not None:
            self._scans.begin(scene.start_s, scene.end_s)
        if self.http is not None:
            self.http.writes.begin()
        if self.recorder is not None:
            self.recorder.begin()

    # What the parts come to

    def _accepted(self, function: FunctionFlow) -> float:
        return function.accepted.value * (self._parts.pool.value if function.shares_pool else 1.0)

    def _follow(self, chance: Chance) -> None:
        """Follow the arrivals to the table, with the parts as they are."""
        flow, parts, scene = self._flow, self._parts, self._scene
        through = parts.gateway.value
        flow.begun = flow.rides * through * self._accepted(self.function)
        fleet_part = self._accepted(self._fleet)
        if self._over_http:
            flow.asked = flow.begun * through
            flow.scans = flow.asked * fleet_part
            gateway = flow.asked
        else:
            flow.asked = self._invokes.attempts(flow.begun, fleet_part)
            flow.scans = flow.asked * fleet_part
            gateway = 0.0
        flow.other_scans = 0.0
        if self._other_fleet is not None:
            flow.other_scans = flow.unicorns * through * self._accepted(self._other_fleet)
        flow.served = flow.scans
        if self._scans is not None and self._unicorns is not None:
            flow.served = self._served(self._scans, self._unicorns)
        flow.handed_over = flow.alone = 0.0
        if self.http is not None:
            part = self._accepted(self.http.writes.function) * through
            if not scene.cell.answers_first:
                flow.handed_over = flow.served * part
                gateway += flow.served * through
            flow.alone = flow.records * part
        flow.gateway_requests = gateway + (flow.rides + flow.records + flow.unicorns) * through
        if self.recorder is not None:
            self.recorder.plan(flow.served, self._accepted(self.recorder.function), chance)

    def _served(self, scans: Ladder, table: TableFlow) -> float:
        """Return how many scans of rides are admitted."""
        flow = self._flow
        asked = flow.scans + flow.other_scans
        self._parts.scans = share_of(
            lambda chance: scans.attempts(asked, chance), table.room(self._scene.step_s), self._parts.scans
        )
        return self._parts.scans * scans.attempts(asked, self._parts.scans) * self._scans_of_rides(scans)

    def _scans_of_rides(self, scans: Ladder) -> float:
        """Return the part of the scans that are made for a ride, and not for somebody who asks for a unicorn only."""
        flow, waiting = self._flow, scans.held + scans.due
        come = waiting + flow.scans + flow.other_scans
        return (waiting * self._rides_in_scans + flow.scans) / come if come > 0.0 else 1.0

    def _ask_table(self, table: TableFlow, guess: Chance) -> Chance:
        """Return the chance of the attempts at the record table."""
        room = table.room(self._scene.step_s)
        is_final = table.is_final

        def attempts(share: float) -> float:
            total = 0.0
            if self.http is not None:
                begun = [self._flow.handed_over + self._flow.alone]
                total = self.http.writes.attempts(begun, share, is_final=is_final)
            if self.recorder is not None:
                total += self.recorder.attempts(share, is_final=is_final)
            return total

        return Chance(share_of(attempts, room, guess.share), table.reason, is_final)

    # What the limits say to it

    def _adjust(self, chance: Chance) -> float:
        """Bring the parts nearer to what the limits allow; return the largest relative change."""
        parts, step_s = self._parts, self._scene.step_s
        change = 0.0
        if self._gate is not None:
            change = parts.gateway.adjust(self._flow.gateway_requests, 0.0, self._gate.room(step_s))
        busy_of_pool = base_of_pool = 0.0
        for function, busy, base in self._busy(chance):
            if function.shares_pool:
                busy_of_pool += busy
                base_of_pool += base
            change = max(change, function.accepted.adjust(busy, base, function.most_busy(step_s)))
        return max(change, parts.pool.adjust(busy_of_pool, base_of_pool, self._pool_limit))

    def _busy(self, chance: Chance) -> list[tuple[FunctionFlow, float, float]]:
        """Return for each function how many invocations are under way at the end of the step, and without new ones."""
        flow, step_s = self._flow, self._scene.step_s
        begun = {self.function.name: flow.begun, self._fleet.name: flow.scans}
        waiting = {self.function.name: self._invokes.waiting(0.0, self._accepted(self._fleet))}
        more = {self.function.name: flow.begun * self._invokes.staying(self._accepted(self._fleet))}
        if self._other_fleet is not None:
            begun[self._other_fleet.name] = begun.get(self._other_fleet.name, 0.0) + flow.other_scans
        if self._scans is not None:
            scans, asked = self._scans, flow.scans + flow.other_scans
            for name in (self.function.name, self._fleet.name):
                waiting[name] = waiting.get(name, 0.0) + scans.waiting(0.0, self._parts.scans)
                more[name] = more.get(name, 0.0) + asked * scans.staying(self._parts.scans)
        if self.http is not None:
            writes = self.http.writes
            name, persistence = writes.function.name, writes.persistence(is_final=chance.is_final)
            staying = writes.ladders[0].staying(chance.share, persistence)
            begun[name] = flow.handed_over + flow.alone
            waiting[name] = writes.waiting(0.0, chance.share, persistence)
            more[name] = begun[name] * staying
            waiting[self.function.name] += waiting[name] * self.http.share_of_rides
            more[self.function.name] += flow.handed_over * staying
        found = []
        for function in self._functions:
            if self.recorder is not None and function is self.recorder.function:
                found.append((function, *self.recorder.busy(chance)))
                continue
            base = function.running.held + waiting.get(function.name, 0.0)
            new = function.adds(begun[function.name], step_s) + more.get(function.name, 0.0)
            found.append((function, base + new, base))
        return found

    # Carrying it out

    def _commit(self, chance: Chance) -> None:
        scene, flow, tally = self._scene, self._flow, self._scene.tally
        step_s = scene.step_s
        through = self._parts.gateway.value
        tally.count(tally.arrivals, flow.rides + flow.records)
        tally.gateway_requests += flow.gateway_requests
        gateway = scene.spread("gateway")
        tally.fail(flow.rides * (1 - through), TOO_MANY_REQUESTS, gateway, 0.0)
        tally.fail(flow.rides * through - flow.begun, NO_CONCURRENCY, gateway, 0.0)
        if self._gate is not None:
            self._gate.take(flow.gateway_requests, step_s)
        cold = self._settle_functions(chance)
        self._commit_fleet()
        inits = [(number, part) for number, part in cold if part > 0.0]
        if self.http is not None:
            http, handed = self.http, 0.0 if scene.cell.answers_first else flow.served
            http.refuse(handed * (1 - through), flow.records * (1 - through), TOO_MANY_REQUESTS)
            refused = handed * through - flow.handed_over, flow.records * through - flow.alone
            http.refuse(*refused, NO_CONCURRENCY)
            spreads = [] if scene.cell.answers_first else [(http.cold_spread(number), part) for number, part in inits]
            http.commit(flow.handed_over, flow.alone, chance, spreads)
        if self.recorder is not None:
            self._publish(inits)
            self.recorder.commit(chance)

    def _publish(self, inits: Sequence[tuple[int, float]]) -> None:
        """Answer the rides that were published."""
        scene, tally, mass = self._scene, self._scene.tally, self._flow.served
        tally.published += mass
        warm = mass
        for number, part in inits:
            spread = scene.spread(*self._front, "publish", *["init"] * number)
            tally.published_late += tally.accept(mass * part, spread, 0.0)
            warm -= mass * part
        later = self._asked_later
        whole = sum(later)
        for number, asked in enumerate(later):
            part = warm * asked / whole if whole else (warm if not number else 0.0)
            after_s = self._invokes.offsets_s[number]
            late = tally.accept(part, self._accepted_spread, after_s)
            tally.published_late += late

    def _commit_fleet(self) -> None:
        """Make the invocations of the fleet's functions and their scans."""
        scene, flow, tally = self._scene, self._flow, self._scene.tally
        part = self._accepted(self._fleet)
        error = "502 the fleet gave no unicorn: "
        if self._over_http:
            unasked = flow.begun - flow.asked
            tally.fail(unasked, error + TOO_MANY_REQUESTS, self._spread, 0.0)
            tally.fail(flow.asked - flow.scans, error + NO_CONCURRENCY, self._spread, 0.0)
            self._asked_later = [flow.scans]
        else:
            held_before = self._invokes.held
            tried = self._invokes.commit(flow.begun, part)
            after_s = self._invokes.offsets_s[-1]
            tally.fail(tried.given_up, error + NO_CONCURRENCY, self._spread, after_s)
            self._asked_later = tried.successes
            self.function.busy_s += (held_before + self._invokes.held) / 2 * scene.step_s
        scans = flow.scans + flow.other_scans
        self._fleet.busy_s += flow.scans * self._scan_s
        if self._other_fleet is not None:
            self._other_fleet.busy_s += flow.other_scans * self._scan_s
        if self._scans is not None and self._unicorns is not None:
            self._rides_in_scans = of_rides = self._scans_of_rides(self._scans)
            tried = self._scans.commit(scans, self._parts.scans)
            self._unicorns.admit(sum(tried.successes), tried.attempts - sum(tried.successes), scene.step_s)
            reason = self._unicorns.reason
            tally.fail(
                tried.given_up * of_rides,
                f"{error}502 {reason}",
                self._spread,
                self._scans.offsets_s[-1],
            )

    def _settle_functions(self, chance: Chance) -> list[tuple[int, float]]:
        """Note what each function did; return which parts of the rides met how many new environments."""
        scene, flow = self._scene, self._flow
        through = self._parts.gateway.value
        begun = {self.function.name: (flow.begun, flow.rides * through - flow.begun)}
        begun[self._fleet.name] = (flow.scans, flow.asked - flow.scans)
        if self._other_fleet is not None:
            scans, refused = begun.get(self._other_fleet.name, (0.0, 0.0))
            more = flow.other_scans, flow.unicorns * through - flow.other_scans
            begun[self._other_fleet.name] = (scans + more[0], refused + more[1])
        if self.http is not None:
            asked = (0.0 if scene.cell.answers_first else flow.served * through) + flow.records * through
            came = flow.handed_over + flow.alone
            begun[self.http.writes.function.name] = (came, asked - came)
        parts = []
        for function, busy, _ in self._busy(chance):
            if function.name not in begun:
                continue
            came, refused = begun[function.name]
            cold = function.settle(
                begun=came, refused=max(0.0, refused), busy=busy, now_s=scene.end_s, step_s=scene.step_s
            )
            on_the_way = not scene.cell.answers_first or function.name != "PutRideRecordHttp"
            if came and cold and on_the_way and function is not self._other_fleet:
                parts.append(min(1.0, cold / came))
        self.function.busy_s += flow.begun * self.function.takes_s
        parts.sort()
        # Those that meet a new environment here are those that meet one there: the first to come.
        return [
            (len(parts) - number, part - (parts[number - 1] if number else 0.0)) for number, part in enumerate(parts)
        ]
