"""Turns what was counted into the outcome of the cell."""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, compress
from operator import add
from typing import Self

from rydelab.capacity.throttling import Access
from rydelab.capacity.usage import FunctionUse, Usage, empty_receives
from rydelab.simulator.distribution import in_ms, latency, percentile
from rydelab.simulator.exact.sampling import Samples
from rydelab.simulator.exact.tally import (
    ANSWERED,
    DEAD_LETTERED,
    FAILED,
    GHOST,
    IN_FLIGHT,
    LOST,
    NEVER,
    RECORDED,
    REFUSED,
    Counts,
    Tally,
)
from rydelab.simulator.exact.world import World
from rydelab.simulator.result import (
    ROWS,
    CapacitySeries,
    CellOutcome,
    Column,
    Rides,
    Series,
)
from rydelab.simulator.traffic import Arrivals

_BEHIND_THE_GATEWAY = ("RequestRide", "RequestUnicornApig", "PutRideRecordHttp")


@dataclass(frozen=True, slots=True)
class _Columns:
    """What the tally's columns say, arrival by arrival. Times are the simulation's."""

    fates: bytes
    in_ledger: bytes
    """Selectors, as `accepted` and `recorded`."""
    accepted: bytes
    recorded: bytes
    answered_s: array[float]

    @classmethod
    def of(cls, tally: Tally) -> Self:
        fates = bytes(tally.fates)
        return cls(
            fates,
            in_ledger=_are(fates, REFUSED, RECORDED, DEAD_LETTERED, IN_FLIGHT, LOST, GHOST),
            accepted=_are(fates, RECORDED, DEAD_LETTERED, IN_FLIGHT, LOST),
            recorded=_are(fates, RECORDED),
            answered_s=array("d", map(add, tally.due_s, tally.latency_s)),
        )


def outcome(engine: str, seed: int, world: World, arrivals: Arrivals, samples: Samples, *, end_s: float) -> CellOutcome:
    """Return what the cell came to."""
    tally = world.tally
    _settle_what_is_open(tally)
    columns = _Columns.of(tally)
    fates = columns.fates
    latencies_s = _latencies_s(world, arrivals, columns.accepted)
    rows = {row: fates.count(at) for at, row in enumerate(ROWS)}
    names = list(tally.error_names)
    errors = Counter(names[name] for ride, name in tally.error_of.items() if fates[ride] not in {ANSWERED, FAILED})
    return CellOutcome(
        engine=engine,
        profile=world.profile.name,
        seed=seed,
        arrivals=sum(rows.values()),
        rows=rows,
        rewrites=len(tally.rewritten),
        latency=latency(chain.from_iterable(latencies_s)),
        error_latency=latency(compress(tally.latency_s, _are(fates, REFUSED, GHOST))),
        time_to_record=latency(_to_record_s(tally, columns)),
        errors=dict(errors.most_common()),
        throttles=dict(tally.throttles),
        retries=sum(tally.retries.values()) if world.cell.answers_first else None,
        drain_s=world.conditions.drain_s if rows["in_flight"] else _drain_s(tally, columns),
        series=_series(world, arrivals, samples, columns, latencies_s),
        usage=_usage(world, arrivals, end_s=end_s),
        rides=_rides(tally, arrivals, fates),
    )


def _to_record_s(tally: Tally, columns: _Columns) -> Iterator[float]:
    written_s, told_s = compress(tally.recorded_s, columns.recorded), compress(columns.answered_s, columns.recorded)
    return (max(0.0, written - told) for written, told in zip(written_s, told_s, strict=True))


def _drain_s(tally: Tally, columns: _Columns) -> float:
    last_answer_s = max(columns.answered_s, default=0.0)
    last_end_s = max(compress(tally.recorded_s, columns.recorded), default=0.0)
    return max(0.0, last_end_s - last_answer_s, tally.last_end_s - last_answer_s)


def _rides(tally: Tally, arrivals: Arrivals, fates: bytes) -> Rides:
    error_of = array("l", [-1]) * len(fates)
    for ride, name in tally.error_of.items():
        error_of[ride] = name
    return Rides(
        due_s=arrivals.due_s,
        latency_s=tally.latency_s,
        fates=fates,
        recorded_s=array("d", [time_s - tally.begin_s for time_s in tally.recorded_s]),
        kinds=arrivals.kinds,
        errors=tuple(tally.error_names),
        error_of=error_of,
    )


def _settle_what_is_open(tally: Tally) -> None:
    """Name the row of rides that were written while their event or message is still on its way."""
    if not tally.open:
        return
    for ride, fate in enumerate(tally.fates):
        if fate in {IN_FLIGHT, REFUSED} and tally.recorded_s[ride] < NEVER:
            tally.fates[ride] = RECORDED if fate == IN_FLIGHT else GHOST


def _are(fates: bytes, *wanted: int) -> bytes:
    """Return for each arrival whether its fate is one of *wanted*, as a selector."""
    return fates.translate(bytes(fate in wanted for fate in range(256)))


def _series(
    world: World, arrivals: Arrivals, samples: Samples, columns: _Columns, latencies_s: list[list[float]]
) -> Series:
    tally, interval_s = world.tally, world.conditions.interval_s
    begin_s = tally.begin_s
    due_s = list(compress(arrivals.due_s, columns.in_ledger))
    has_backlog = world.cell.answers_first
    recorded_s = [time_s - begin_s for time_s in tally.recorded_s if time_s < NEVER]
    written_s = [*recorded_s, *(time_s - begin_s for time_s in tally.rewrites_s)]
    units = world.table.units_per_ride
    return Series(
        interval_s=interval_s,
        load_s=due_s[-1] if due_s else None,
        arrivals=_counted(due_s, interval_s),
        accepted=_counted((at_s - begin_s for at_s in compress(columns.answered_s, columns.accepted)), interval_s),
        recorded=_counted(recorded_s, interval_s),
        p50_ms=_percentiles(latencies_s, 50),
        p95_ms=_percentiles(latencies_s, 95),
        p99_ms=_percentiles(latencies_s, 99),
        backlog=tuple(samples.backlog) if has_backlog else (),
        retries=_column(tally.retries) if has_backlog else (),
        dead_letters=_column(tally.dead_letters) if has_backlog else (),
        capacity=(
            CapacitySeries(
                name="RideRecordTable writes",
                consumed=tuple(number * units / interval_s for number in _counted(written_s, interval_s)),
                provisioned=() if world.table.is_on_demand else tuple(samples.provisioned),
                burst_left=() if world.table.is_on_demand else tuple(samples.burst_left),
                throttles=_column(tally.write_throttles),
            ),
        ),
    )


def _latencies_s(world: World, arrivals: Arrivals, accepted: bytes) -> list[list[float]]:
    """Return the latencies of the accepted arrivals that were due in each interval, ascending in each."""
    due_s, latency_s = arrivals.due_s, world.tally.latency_s
    interval_s = world.conditions.interval_s
    rows: list[list[float]] = []
    start = 0
    while start < len(due_s):
        end = bisect_left(due_s, (len(rows) + 1) * interval_s, start)
        rows.append(sorted(compress(latency_s[start:end], accepted[start:end])))
        start = end
    return rows


def _percentiles(latencies_s: list[list[float]], percent: float) -> Column:
    return tuple(in_ms(percentile(ordered, percent)) if ordered else None for ordered in latencies_s)


def _counted(times_s: Iterable[float], interval_s: float) -> tuple[int, ...]:
    times_s = times_s if interval_s == 1.0 else (time_s / interval_s for time_s in times_s)
    return _column(Counter(map(int, times_s)))


def _column(counts: Counts) -> tuple[int, ...]:
    return tuple(counts.get(interval, 0) for interval in range(max(counts, default=-1) + 1))


def _usage(world: World, arrivals: Arrivals, *, end_s: float) -> Usage:
    tally, functions, table, design = world.tally, world.functions, world.table, world.cell.design
    table.look(end_s)
    duration_s = end_s - tally.begin_s
    dead_letters = sum(tally.dead_letters.values()) if design == "event-driven" else 0
    sends = tally.publishes if design == "queued" else dead_letters
    empty = empty_receives(tally.receive_calls, duration_s=duration_s) if design == "queued" else 0.0
    items = sum(time_s < NEVER for time_s in tally.recorded_s)
    scans = sum(function.invocations for name, function in functions.items() if "Unicorn" in name)
    invocations = sum(function.invocations for function in functions.values())
    return Usage(
        gateway_requests=sum(functions[name].invocations for name in _BEHIND_THE_GATEWAY if name in functions),
        functions={
            name: FunctionUse(function.invocations, function.total_s + function.total_init_s, function.memory_mb)
            for name, function in functions.items()
            if function.invocations
        },
        sns_publishes=tally.publishes,
        sqs_requests=sends + tally.receive_calls + tally.delete_calls + empty,
        sqs_sends=sends,
        sqs_empty_receives=empty,
        write_units=table.writes.consumed_units - table.warm_up_units,
        read_units=scans * world.templates.unicorn_read_units,
        provisioned_write_unit_s=table.provisioned_unit_s[Access.WRITE],
        provisioned_read_unit_s=table.provisioned_unit_s[Access.READ],
        stored_bytes=float(table.item_bytes * items),
        stored_items=items,
        log_bytes=invocations * world.templates.log_bytes,
        alarms=world.templates.alarms if world.cell.table_mode == "autoscaled" else 0,
        duration_s=duration_s,
        load_s=arrivals.duration_s,
    )
