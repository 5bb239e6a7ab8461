"""The engine: builds one simulation, plays it, and says what came of it."""

import gc
from array import array
from collections.abc import Callable
from heapq import heappop
from operator import add

from rydelab.simulator.cell import Cell, Conditions, Templates
from rydelab.simulator.exact.agenda import Agenda
from rydelab.simulator.exact.chance import Chance
from rydelab.simulator.exact.event_record import EventRecord
from rydelab.simulator.exact.functions import Pool
from rydelab.simulator.exact.http_record import HttpRecord
from rydelab.simulator.exact.outcome import outcome
from rydelab.simulator.exact.queue_record import QueueRecord
from rydelab.simulator.exact.record_table import RecordTable
from rydelab.simulator.exact.ride_path import RidePath
from rydelab.simulator.exact.sampling import Samples
from rydelab.simulator.exact.sdk import SdkRetries
from rydelab.simulator.exact.tally import Tally
from rydelab.simulator.exact.world import Gateway, World
from rydelab.simulator.profile import Profile
from rydelab.simulator.result import CellOutcome
from rydelab.simulator.traffic import RIDE, Arrivals, Traffic, each_arrival

NAME = "exact"
_DAY_S = 86_400.0


def simulate(cell: Cell, traffic: Traffic, profile: Profile, *, conditions: Conditions, seed: int) -> CellOutcome:
    """Play *traffic* on *cell*, each arrival on its own."""
    # Millions of tuples that live for a moment, and no cycles among them: the collector would only look for nothing.
    collecting = gc.isenabled()
    gc.disable()
    try:
        arrivals = each_arrival(traffic)
        world = _world(cell, arrivals, profile, conditions, Chance(seed))
        samples = Samples(world)
        end_s = _play(world, arrivals)
        return outcome(NAME, seed, world, arrivals, samples, end_s=end_s)
    finally:
        if collecting:
            gc.enable()


def _world(cell: Cell, arrivals: Arrivals, profile: Profile, conditions: Conditions, chance: Chance) -> World:
    # Unix time less whole days, so that minutes and days begin where they should.
    begin_s = conditions.begins_at_s % _DAY_S
    before_s = begin_s - (conditions.warm_up_before_s if conditions.warm_up_rides else 0.0)
    agenda, templates, limits = Agenda(), Templates(), profile.limits
    gateway_per_s = limits["gateway_requests_per_s"]
    world = World(
        cell=cell,
        templates=templates,
        conditions=conditions,
        profile=profile,
        agenda=agenda,
        chance=chance,
        tally=Tally(
            array("d", [begin_s + due_s for due_s in arrivals.due_s]) if begin_s else arrivals.due_s,
            begin_s=begin_s,
            timeout_s=conditions.timeout_s,
            interval_s=conditions.interval_s,
        ),
        table=RecordTable(cell, templates, conditions, agenda, begin_s=before_s),
        retries=SdkRetries(cell.sdk_retry_mode, chance.random),
        pool=Pool(limits["account_concurrency"]),
        gateway=Gateway(gateway_per_s, limits["gateway_burst"]) if gateway_per_s else None,
        positions=chance.positions(),
    )
    world.table.charge_warm_up(conditions.warm_up_rides, before_s)
    return world


def _paths(world: World, arrivals: Arrivals) -> list[Callable[[float, int], None]]:
    """Build the ways of the design; return what takes an arrival, by what it asks for."""
    cell = world.cell
    rides = RidePath(world, most_per_s=max(arrivals.per_step(1.0), default=0.0))
    over_http = HttpRecord(world, rides, reserved=None if cell.answers_first else cell.record_concurrency)
    if cell.design == "event-driven":
        rides.take = EventRecord(world, rides).take
    elif cell.design == "queued":
        rides.take = QueueRecord(world, rides).take
    else:
        rides.take = over_http.take
    world.pool_is_complete()
    return [rides.arrive, over_http.arrive, rides.arrive_for_a_unicorn]


def _play(world: World, arrivals: Arrivals) -> float:
    """Play everything; return when the last thing happened."""
    takes = _paths(world, arrivals)
    agenda, tally = world.agenda, world.tally
    heap = agenda.heap  # never empty: the samples are in it
    if arrivals.kinds:
        for number, (due_s, kind) in enumerate(zip(tally.due_s, arrivals.kinds, strict=True)):
            agenda.run(until_s=due_s)
            takes[kind](due_s, number)
    else:
        take = takes[RIDE]
        for number, due_s in enumerate(tally.due_s):
            while heap[0][0] <= due_s:  # `Agenda.run`, without the call
                time_s, _, action, about = heappop(heap)
                action(time_s, about)
            take(due_s, number)
    now_s = tally.begin_s
    while tally.unanswered:
        now_s = agenda.step()
    last_answer_s = max(map(add, tally.due_s, tally.latency_s), default=tally.begin_s)
    while tally.open and heap[0][0] <= last_answer_s + world.conditions.drain_s:
        now_s = agenda.step()
    return max(now_s, last_answer_s)
