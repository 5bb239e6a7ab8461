"""A run that never was, but could have been: the workshop's load on a table with one write unit.

Nothing here measures anything. It gives the report's tests a run with throttles, a backlog, retries and dead letters.
"""

import csv
import heapq
import json
import random
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from rydelab.report.folder import series_document
from rydelab.report.latency import latency
from rydelab.report.run import Run, Setup
from rydelab.report.series import CapacitySeries, CellSeries, Outcome, of_outcomes, times_to_record_s
from rydelab.report.summary import CellId, CellSummary, RunSummary, Saturation, ThresholdResult

DESIGNS = ("microservices", "direct-invoke", "event-driven", "queued")
TABLE_MODES = ("provisioned", "autoscaled", "on-demand")
RETRY_AFTER_S = (60.0, 120.0)


@dataclass
class _Table:
    """A token bucket by the second, with capacity that auto scaling raises too late."""

    table_mode: str
    seconds: int
    burst: float = 300.0
    consumed: list[float] = field(default_factory=list)
    throttles: list[int] = field(default_factory=list)
    burst_left: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.consumed = [0.0] * self.seconds
        self.throttles = [0] * self.seconds
        self.burst_left = [self.burst] * self.seconds

    def capacity(self, second: int) -> float:
        if self.table_mode == "autoscaled":
            return 1.0 if second < 135 else 4.0 if second < 165 else 14.0
        return 1.0

    def write(self, at_s: float) -> bool:
        second = min(int(at_s), self.seconds - 1)
        if self.table_mode != "on-demand":
            spent = self.consumed[second] - self.capacity(second)
            if spent >= 0 and self.burst_left[second] < 1:
                self.throttles[second] += 1
                return False
            if spent >= 0:
                self.burst_left[second:] = [self.burst_left[second] - 1] * (self.seconds - second)
        self.consumed[second] += 1
        return True


@dataclass
class _Cell:
    outcomes: list[Outcome] = field(default_factory=list)
    fates: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    events: list[tuple[str, float]] = field(default_factory=list)
    """What happened behind the answers, and when: queued, retried, dead-lettered, done."""

    def add(self, outcome: Outcome, fate: str, error: str = "") -> None:
        self.outcomes.append(outcome)
        self.fates.append(fate)
        self.errors.append(error)


def made_up_run(
    *, seed: int = 1, load_s: int = 180, per_s: float = 10.0, drain_s: int = 120, repeats: int = 1, slower: float = 1.0
) -> Run:
    """Make up a run of all designs and table modes. *slower* stretches every latency."""
    cells: list[CellSummary] = []
    series: dict[CellId, CellSeries] = {}
    for design in DESIGNS:
        for table_mode in TABLE_MODES:
            for repeat in range(1, repeats + 1):
                # The same numbers for the same cell, whichever cells there are besides.
                chance = random.Random(f"{seed} {design} {table_mode} {repeat}")  # noqa: S311 (numbers, not secrets)
                cell, own = _cell(
                    CellId(design, table_mode, repeat=repeat),
                    chance,
                    load_s=load_s,
                    per_s=per_s,
                    drain_s=drain_s,
                    slower=slower,
                )
                cells.append(cell)
                series[cell.id] = own
    summary = RunSummary(
        name="made-up",
        started_at="2026-11-20T10:00:00+00:00",
        cells=tuple(cells),
        notes=("These numbers are made up.",),
    )
    phases = [{"kind": "constant", "duration_s": float(load_s), "arrivals_per_s": per_s}]
    setup = Setup(
        scenario={"name": "made-up", "description": "A run that never was.", "phases": phases, "drain_s": drain_s},
        settings={"endpoint_url": "http://127.0.0.1:4566", "clock_speed": 1},
        versions={"python": "3.13.0", "rydelab": "0.1.0", "localstack-core": "4.14.0", "locust": "2.46.6"},
        machine={"system": "Linux", "processor": "made up", "cpus": 2, "memory_bytes": 8 << 30},
    )
    return Run(summary, series, setup)


def only(run: Run, *designs: str, table_modes: tuple[str, ...] = TABLE_MODES) -> Run:
    """Keep only some cells of *run*."""
    cells = tuple(cell for cell in run.summary.cells if cell.design in designs and cell.table_mode in table_modes)
    return replace(run, summary=replace(run.summary, cells=cells))


def save(run: Run, folder: Path, *, requests: list[tuple[CellId, list[Outcome]]] | None = None) -> None:
    """Write *run* into *folder*, as the lab does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(asdict(run.summary) | {"adds_up": run.summary.adds_up}))
    (folder / "run.json").write_text(json.dumps({"started_at": run.summary.started_at} | asdict(run.setup)))
    (folder / "series.json").write_text(json.dumps(series_document(tuple(run.series.values()))))
    if requests is not None:
        with (folder / "requests.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["design", "table_mode", "variant", "repeat", "due_s", "latency_s", "error", "recorded_s"])
            for cell, outcomes in requests:
                for one in outcomes:
                    error = "" if one.accepted else "502"
                    recorded = "" if one.recorded_s is None else f"{one.recorded_s:.6f}"
                    times = (f"{one.due_s:.6f}", f"{one.latency_s:.6f}", error, recorded)
                    rows.writerow([cell.design, cell.table_mode, cell.variant, cell.repeat, *times])


def _cell(
    cell: CellId, chance: random.Random, *, load_s: int, per_s: float, drain_s: int, slower: float
) -> tuple[CellSummary, CellSeries]:
    seconds = load_s + drain_s
    table = _Table(cell.table_mode, seconds)
    due = [number / per_s for number in range(int(load_s * per_s))]
    answers_first = cell.design in {"event-driven", "queued"}
    make = _recorded_behind if answers_first else _recorded_before
    told = make(cell.design, table, due, chance, slower=slower)
    fates = Counter(told.fates)
    rows = {row: fates[row] for row in ("refused", "recorded", "dead_lettered", "in_flight", "lost", "ghost")}
    series = of_outcomes(cell, told.outcomes)
    capacity = CapacitySeries(
        "RideRecordTable writes",
        consumed=tuple(table.consumed),
        provisioned=() if cell.table_mode == "on-demand" else tuple(table.capacity(at) for at in range(seconds)),
        burst_left=() if cell.table_mode == "on-demand" else tuple(table.burst_left),
        throttles=tuple(table.throttles),
    )
    series = replace(series, capacity=(capacity,))
    if answers_first:
        series = replace(
            series,
            backlog=_levels(told.events, seconds),
            retries=_per_second(told.events, "retried", seconds),
            dead_letters=_per_second(told.events, "dead-lettered", seconds),
        )
    times = latency(one.latency_s for one in told.outcomes if one.accepted)
    summary = CellSummary(
        design=cell.design,
        table_mode=cell.table_mode,
        repeat=cell.repeat,
        arrivals=len(due),
        rows=rows,
        rewrites=0,
        mismatches=(),
        latency=times,
        late_starts=0,
        late_start_s=0.05,
        errors=dict(Counter(error for error in told.errors if error).most_common()),
        durations_s={"deploy": 5.1, "warm_up": 1.2, "load": float(load_s), "drain": float(drain_s)},
        error_latency=latency(one.latency_s for one in told.outcomes if not one.accepted),
        time_to_record=latency(times_to_record_s(told.outcomes)),
        throttles={"TableWriteProvisionedThroughputExceeded": sum(table.throttles)},
        retries=sum(kind == "retried" for kind, _ in told.events) if answers_first else None,
        thresholds=(
            ThresholdResult("lost == 0", rows["lost"], passed=True),
            ThresholdResult("p95_ms < 300", times.p95_ms, passed=times.p95_ms is not None and times.p95_ms < 300),
        ),
        saturation=Saturation(limited=False, gateway_busy_ratio=0.02, cpu_busy_ratio=0.41, probe_p95_ms=3.1),
        settings={"write_units": 1, "memory_mb": 256} if cell.table_mode != "on-demand" else {"memory_mb": 256},
    )
    return summary, series


def _recorded_before(design: str, table: _Table, due: list[float], chance: random.Random, *, slower: float) -> _Cell:
    """Record before the answer: the SDK tries again a few times, then the client gets an error."""
    told = _Cell()
    base_s = 0.030 if design == "microservices" else 0.022
    for due_s in due:
        took_s = base_s * chance.lognormvariate(0, 0.25) * slower
        recorded_s = None
        for attempt in range(7):
            if table.write(due_s + took_s):
                recorded_s = due_s + took_s
                break
            took_s += chance.uniform(0.4, 1.0) * 0.05 * 2**attempt
        error = "" if recorded_s is not None else "502 the ride could not be recorded"
        told.add(Outcome(due_s, took_s, not error, recorded_s), "refused" if error else "recorded", error)
    return told


def _recorded_behind(design: str, table: _Table, due: list[float], chance: random.Random, *, slower: float) -> _Cell:
    """Answer first; then try until the record is written, or give up after three attempts."""
    told = _Cell()
    answers = [0.026 * chance.lognormvariate(0, 0.3) * slower for _ in due]
    work = [
        (at + took + 0.03 * chance.lognormvariate(0, 0.4), number, 0)
        for number, (at, took) in enumerate(zip(due, answers, strict=True))
    ]
    heapq.heapify(work)
    recorded: dict[int, float] = {}
    fates = dict.fromkeys(range(len(due)), "in_flight")
    told.events += [("queued", at + took) for at, took in zip(due, answers, strict=True)]
    while work:
        at_s, number, attempt = heapq.heappop(work)
        if at_s >= table.seconds:
            continue
        if attempt:
            told.events.append(("retried", at_s))
        if table.write(at_s):
            recorded[number], fates[number] = at_s, "recorded"
            told.events.append(("done", at_s))
        elif attempt < len(RETRY_AFTER_S) and design == "event-driven":
            heapq.heappush(work, (at_s + RETRY_AFTER_S[attempt] * chance.uniform(0.9, 1.1), number, attempt + 1))
        elif attempt < 3 and design == "queued":
            heapq.heappush(work, (at_s + 30.0 * chance.uniform(0.9, 1.1), number, attempt + 1))
        else:
            fates[number] = "dead_lettered"
            told.events += [("dead-lettered", at_s), ("done", at_s)]
    for number, (at, took) in enumerate(zip(due, answers, strict=True)):
        told.add(Outcome(at, took, accepted=True, recorded_s=recorded.get(number)), fates[number])
    return told


def _per_second(events: list[tuple[str, float]], kind: str, seconds: int) -> tuple[int, ...]:
    counts = Counter(int(at_s) for event, at_s in events if event == kind)
    return tuple(counts[second] for second in range(seconds))


def _levels(events: list[tuple[str, float]], seconds: int) -> tuple[int, ...]:
    queued, done = _per_second(events, "queued", seconds), _per_second(events, "done", seconds)
    level, levels = 0, []
    for more, less in zip(queued, done, strict=True):
        level += more - less
        levels.append(level)
    return tuple(levels)
