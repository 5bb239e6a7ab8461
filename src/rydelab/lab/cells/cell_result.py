"""What a cell came to: its ledger, its latency, its series and its verdicts. Pure: what was measured in, values out."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from rydelab.capacity.usage import Usage
from rydelab.lab.cells import saturation
from rydelab.lab.cells.cell_faults import CellFault
from rydelab.lab.cells.cell_series import cell_series, throttled
from rydelab.lab.cells.drain import Drained
from rydelab.lab.cells.ledger import ROWS, fate, settle
from rydelab.lab.cells.measured_usage import usage_between
from rydelab.lab.cells.meters import Meters
from rydelab.lab.cells.watch import Busy, Probe, Sample, between
from rydelab.lab.emulation.observation import TableActivity
from rydelab.lab.loading.load import Load
from rydelab.lab.loading.requests_file import Request
from rydelab.lab.scenarios.cell import LEAST_MEMORY_MB
from rydelab.lab.scenarios.scenario import LEDGER_KINDS
from rydelab.lab.scenarios.thresholds import Threshold, judge
from rydelab.report.latency import Latency, latency
from rydelab.report.series import Band, CellSeries, Outcome, times_to_record_s
from rydelab.report.summary import CellId, CellSummary, InjectedFault, Saturation

LATE_START_S = 0.050
FUNCTION_CONCURRENCY = "FunctionConcurrency"
"""The reason of a refused invocation, beside DynamoDB's reasons."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that was measured in a cell."""

    load: Load
    drained: Drained
    samples: Sequence[Sample]
    probes: Sequence[Probe]
    busy: Sequence[Busy]
    tables: Sequence[TableActivity]
    """Empty from a lab that does not enforce capacity."""
    clock_difference_s: float
    """How far the lab's clock is ahead of this machine's."""
    durations_s: Mapping[str, float]
    has_backlog: bool
    """Whether rides wait anywhere on the way to their record."""
    faults: Sequence[CellFault] = ()
    meters: tuple[Meters, Meters] | None = None
    """Before the load and after the drain; None from a lab that does not meter its tables."""
    scheduled_s: float = 0.0
    """How long arrivals were to come."""

    @property
    def load_ends_at(self) -> float:
        """When the last answer came, or was given up, by this machine's clock."""
        ends_s = (request.due_s + request.latency_s for request in self.load.requests)
        return self.load.began_at + max(ends_s, default=0.0)


@dataclass(frozen=True, slots=True)
class Arrived:
    """One arrival, and what became of it."""

    request: Request
    fate: str
    """A row of the ledger; ``answered`` or ``failed`` for what is not in the ledger."""
    recorded_s: float | None
    """When its record was first written, in seconds from the begin of the load."""

    @property
    def is_ride(self) -> bool:
        """Whether the ledger counts it."""
        return self.request.kind in LEDGER_KINDS

    @property
    def outcome(self) -> Outcome:
        """What the report needs of it."""
        request = self.request
        return Outcome(request.due_s, request.latency_s, request.accepted, self.recorded_s)


@dataclass(frozen=True, slots=True)
class CellResult:
    """What was measured, and what was found."""

    summary: CellSummary
    series: CellSeries
    arrived: tuple[Arrived, ...]
    """Every arrival, in the order of the schedule."""

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it early."""
        return self.summary.interrupted


def cell_result(
    cell: CellId, measured: Measured, *, settings: Mapping[str, str | int], thresholds: Iterable[Threshold] = ()
) -> CellResult:
    """Put together what *cell*, which was deployed with *settings*, came to."""
    load, drained = measured.load, measured.drained
    lab_began_at = load.began_at + measured.clock_difference_s
    every = _arrived(load, drained, lab_began_at)
    rides = [one for one in every if one.is_ride]
    ledger = settle(started=load.rides, answers=[one.request.answer for one in rides], evidence=drained.evidence)
    rows = asdict(ledger)
    refused = [one.request for one in rides if not one.request.accepted]
    faults = tuple(_injected(one, lab_began_at) for one in measured.faults)
    summary = CellSummary(
        design=cell.design,
        table_mode=cell.table_mode,
        variant=cell.variant,
        repeat=cell.repeat,
        arrivals=ledger.arrivals,
        rows={row: rows[row] for row in ROWS},
        rewrites=ledger.rewrites,
        mismatches=ledger.mismatches,
        latency=latency(one.request.latency_s for one in rides if one.request.accepted),
        error_latency=latency(request.latency_s for request in refused),
        time_to_record=_time_to_record(drained, rides),
        late_starts=sum(one.request.late_s > LATE_START_S for one in every),
        late_start_s=LATE_START_S,
        errors=dict(Counter(without_ids(request.error) for request in refused).most_common()),
        began_at=load.began_at,
        interrupted=load.interrupted or drained.interrupted,
        durations_s={step: round(elapsed_s, 3) for step, elapsed_s in measured.durations_s.items()},
        throttles=_throttles(measured, lab_began_at),
        retries=_grown(measured, lambda sample: sample.activity.retried) if measured.has_backlog else None,
        faults=faults,
        saturation=_saturation(measured),
        settings=settings,
        usage=_usage(cell, measured, rows=rows, memory_mb=int(settings.get("memory_mb", LEAST_MEMORY_MB))),
    )
    series = cell_series(
        cell,
        [one.outcome for one in rides],
        samples=measured.samples,
        tables=measured.tables,
        began_at=load.began_at,
        clock_difference_s=measured.clock_difference_s,
        has_backlog=measured.has_backlog,
    )
    series = replace(
        series,
        bands=tuple(
            Band(one.label, one.start_s, one.end_s)
            for one in faults
            if one.start_s is not None and one.end_s is not None
        ),
    )
    return CellResult(replace(summary, thresholds=judge(thresholds, summary)), series, every)


def without_ids(error: str) -> str:
    """Take the UUIDs out of *error*, so that errors that differ in nothing else are one reason."""
    return re.sub(r"\b[0-9a-f]{8}-[0-9a-f-]{3,27}", "…", error)


def _arrived(load: Load, drained: Drained, lab_began_at: float) -> tuple[Arrived, ...]:
    rows = []
    for request in sorted(load.requests, key=lambda request: request.arrival):
        if request.kind in LEDGER_KINDS:
            first_at = drained.first_at.get(request.ride_id or "")
            recorded_s = None if first_at is None else round(first_at - lab_began_at, 6)
            rows.append(Arrived(request, fate(request.answer, drained.evidence), recorded_s))
        else:
            rows.append(Arrived(request, "answered" if request.accepted else "failed", None))
    return tuple(rows)


def _injected(one: CellFault, lab_began_at: float) -> InjectedFault:
    fault, came = one.fault, one.came
    return InjectedFault(
        kind=fault.kind,
        target=fault.target,
        label=fault.label,
        parameters=fault.parameters,
        # One of second 0 may begin a moment late or, by two clocks, early.
        start_s=None if came is None else max(0.0, round(came.begins_at - lab_began_at, 3)),
        end_s=None if came is None else round(came.ends_at - lab_began_at, 3),
        hits=0 if came is None else came.hits,
    )


def _time_to_record(drained: Drained, rides: Iterable[Arrived]) -> Latency | None:
    # A lab that cannot tell how often a ride was written cannot tell when, either.
    if drained.evidence.writes is None:
        return None
    return latency(times_to_record_s(one.outcome for one in rides))


def _throttles(measured: Measured, lab_began_at: float) -> dict[str, int] | None:
    """Count what was throttled from the begin of the load on: requests to the table, and invocations."""
    if not measured.tables:
        return None
    counts = throttled(measured.tables, began_at=lab_began_at)
    invocations = _grown(measured, lambda sample: sample.activity.throttles + sample.ride_throttles)
    return counts | ({FUNCTION_CONCURRENCY: invocations} if invocations else {})


def _usage(cell: CellId, measured: Measured, *, rows: Mapping[str, int], memory_mb: int) -> Usage | None:
    if measured.meters is None:
        return None
    load = measured.load
    before, after = measured.meters
    return usage_between(
        before,
        after,
        cell=cell,
        memory_mb=memory_mb,
        rows=rows,
        rides=sum(request.accepted for request in load.ride_requests if request.kind == "ride"),
        tables=measured.tables,
        load_s=max((request.due_s for request in load.requests), default=0.0)
        if load.interrupted
        else measured.scheduled_s,
    )


def _grown(measured: Measured, counter: Callable[[Sample], int]) -> int:
    """Return by how much a counter has grown since the last look before the load."""
    samples = measured.samples
    before = [sample for sample in samples if sample.at < measured.load.began_at] or samples[:1]
    return counter(samples[-1]) - counter(before[-1]) if samples else 0


def _saturation(measured: Measured) -> Saturation:
    began_at, ended_at = measured.load.began_at, measured.load_ends_at
    requests = measured.load.requests
    return saturation.judge(
        arrivals=len(requests),
        late=sum(request.late_s > LATE_START_S for request in requests),
        late_s=LATE_START_S,
        at_rest=between(measured.probes, 0.0, began_at),
        probes=between(measured.probes, began_at, ended_at),
        busy=between(measured.busy, began_at, ended_at),
    )
