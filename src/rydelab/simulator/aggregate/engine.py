"""The engine: goes from step to step, and says what came of it."""

import math

from rydelab.capacity.throttling import Access
from rydelab.simulator.aggregate.event_flow import EventFlow
from rydelab.simulator.aggregate.outcome import NOBODY, outcome
from rydelab.simulator.aggregate.pieces import Piece, pieces_of
from rydelab.simulator.aggregate.queue_flow import QueueFlow
from rydelab.simulator.aggregate.ride_flow import RideFlow
from rydelab.simulator.aggregate.scene import Scene
from rydelab.simulator.aggregate.steps import LONGEST_S, Steps
from rydelab.simulator.aggregate.table_flow import TableFlow
from rydelab.simulator.aggregate.tally import Tally
from rydelab.simulator.aggregate.writes import Chance
from rydelab.simulator.cell import Cell, Conditions, Templates
from rydelab.simulator.exact.agenda import Agenda
from rydelab.simulator.exact.record_table import RecordTable
from rydelab.simulator.profile import Profile
from rydelab.simulator.result import CellOutcome
from rydelab.simulator.traffic import Traffic

NAME = "aggregate"
_DAY_S = 86_400.0
_LONGEST_DRAIN_S = 14 * _DAY_S
"""Messages are kept no longer, and nothing else is on its way for as long."""
_SAME_S = 1e-6


def simulate(cell: Cell, traffic: Traffic, profile: Profile, *, conditions: Conditions, seed: int) -> CellOutcome:
    """Play *traffic* on *cell*, cohort by cohort. Nothing is of chance: *seed* is noted and otherwise ignored."""
    pieces = pieces_of(traffic)
    load_s = max((piece.end_s for piece in pieces if piece.per_s), default=0.0)
    arrivals = sum(piece.per_s * (piece.end_s - piece.start_s) for piece in pieces)
    steps = Steps(arrivals / load_s if load_s else 0.0)
    scene = Scene(cell, Templates(), conditions, profile, steps, Tally(conditions.timeout_s))
    run = _Run(scene, pieces, traffic)
    run.play(load_s)
    return outcome(
        scene, traffic, run.rides, run.record_table, engine=NAME, seed=seed, load_s=load_s, end_s=scene.end_s
    )


class _Run:
    """One simulation under way."""

    def __init__(self, scene: Scene, pieces: list[Piece], traffic: Traffic) -> None:
        cell, conditions = scene.cell, scene.conditions
        self._scene = scene
        self._pieces = pieces
        # Unix time less whole days, so that minutes and days begin where they should.
        self._begin_s = conditions.begins_at_s % _DAY_S
        before_s = self._begin_s - (conditions.warm_up_before_s if conditions.warm_up_rides else 0.0)
        self._agenda = Agenda()
        self.record_table = RecordTable(cell, scene.templates, conditions, self._agenda, begin_s=before_s)
        self.record_table.charge_warm_up(conditions.warm_up_rides, before_s)
        self._agenda.at(math.inf, lambda *_: None)
        table = self.record_table.table
        self._table = TableFlow(table, Access.WRITE, self.record_table.units_per_ride, now=self._begin_s)
        whole = sum(traffic.mix.values())
        mix = {kind: share / whole for kind, share in traffic.mix.items()}
        most_per_s = max((piece.per_s for piece in pieces), default=0.0)
        self.rides = RideFlow(scene, most_per_s=most_per_s, mix=mix, recorder=_recorder(scene))
        self._chance = Chance(1.0)
        self._attempts_per_s = 0.0
        self._rate = self._provisioned = 0.0
        self._burst_ends_s = 0.0

    def play(self, load_s: float) -> None:
        """Play everything: the load, until all are answered, and the drain."""
        self._look(0.0)
        number = 0
        pieces = self._pieces
        while True:
            now_s = self._scene.end_s
            while number < len(pieces) and pieces[number].end_s <= now_s + _SAME_S:
                self._scene.steps.change(
                    now_s, pieces[number].per_s, pieces[number + 1].per_s if number + 1 < len(pieces) else 0.0
                )
                number += 1
            if now_s >= load_s and not self._goes_on():
                return
            piece = pieces[number] if number < len(pieces) else Piece(now_s, math.inf, 0.0)
            self._step(piece)

    def _goes_on(self) -> bool:
        """Say whether somebody waits for an answer, or a ride is on its way and the drain's time is not over."""
        if self.rides.open >= NOBODY:
            return True
        recorder, scene = self.rides.recorder, self._scene
        if recorder is None or recorder.backlog < NOBODY:
            return False
        longest_s = min(scene.conditions.drain_s, _LONGEST_DRAIN_S)
        return scene.end_s < scene.tally.last_answer_s + longest_s - _SAME_S

    def _step(self, piece: Piece) -> None:
        scene, table = self._scene, self._table
        now_s = scene.end_s
        self._agenda.run(until_s=self._begin_s + now_s + _SAME_S)
        table.begin(self._begin_s + now_s)
        if table.limiter.rate != self._rate:
            scene.steps.change(now_s, self._rate, table.limiter.rate)
            self._rate = table.limiter.rate
        elif now_s >= self._burst_ends_s - _SAME_S:
            scene.steps.restart(now_s)
        scene.start_s, scene.end_s = now_s, scene.steps.end_s(now_s, self._latest_end_s(piece, now_s))
        scene.tally.begin_step(scene.start_s, scene.end_s)
        chance = self.rides.play(piece.per_s * scene.step_s, table, self._chance)
        self._settle(chance)

    def _latest_end_s(self, piece: Piece, now_s: float) -> float:
        scene, table, begin_s = self._scene, self._table, self._begin_s
        burst_s = min(table.holds_out_s(self._attempts_per_s), self.rides.holds_out_s())
        if burst_s >= scene.steps.shortest_s(now_s) / 2:
            self._burst_ends_s = now_s + burst_s
        else:
            if self._burst_ends_s < math.inf:  # the rest of a burst ends within a step, which is to be a short one
                scene.steps.restart(now_s)
            self._burst_ends_s = math.inf
        ends_s = [
            piece.end_s,
            now_s + LONGEST_S,
            table.changes_at() - begin_s,
            self._agenda.heap[0][0] - begin_s,
            self._burst_ends_s,
        ]
        if self.rides.recorder is not None:
            ends_s.append(max(self.rides.recorder.latest_end_s, now_s + scene.steps.shortest_s(now_s) / 2))
            if self.rides.recorder.backlog >= NOBODY and now_s < scene.tally.last_answer_s + scene.conditions.drain_s:
                ends_s.append(scene.tally.last_answer_s + scene.conditions.drain_s)
        return max(min(ends_s), now_s + _SAME_S * 10)

    def _settle(self, chance: Chance) -> None:
        """Note what the table has admitted in the step, and how the step compares with the one before."""
        scene, tally = self._scene, self._scene.tally
        step_s = scene.step_s
        admitted, refused = tally.take_requests()
        self._table.admit(admitted, refused, step_s)
        tally.count(tally.consumed, admitted * self._table.units)
        self._attempts_per_s = (admitted + refused) / step_s
        self._look(scene.end_s)
        scene.steps.judge(scene.end_s, [*self.rides.rates, admitted / step_s, refused / step_s])
        self._chance = chance

    def _look(self, at_s: float) -> None:
        """Note the levels at a moment."""
        tally = self._scene.tally
        provisioned, burst_left = self.record_table.look(self._begin_s + at_s)
        if provisioned is not None and burst_left is not None:
            tally.provisioned.note(at_s, self._provisioned or provisioned)  # until now
            tally.provisioned.note(at_s, provisioned)
            self._provisioned = provisioned
            tally.burst_left.note(at_s, max(0.0, burst_left))
        if self.rides.recorder is not None:
            tally.backlog.note(at_s, self.rides.recorder.backlog)


def _recorder(scene: Scene) -> EventFlow | QueueFlow | None:
    """Return what takes the rides that are published; None in a design that publishes none."""
    if scene.cell.design == "event-driven":
        return EventFlow(scene)
    return QueueFlow(scene) if scene.cell.design == "queued" else None
