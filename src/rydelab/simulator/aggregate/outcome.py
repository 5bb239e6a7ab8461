"""Turns masses into the outcome of the cell: whole numbers that add up."""

import math
from collections.abc import Mapping

from rydelab.capacity.throttling import Access
from rydelab.capacity.usage import FunctionUse, Usage, empty_receives
from rydelab.simulator.aggregate.mixture import Spread, latency, percentiles_ms
from rydelab.simulator.aggregate.queue_flow import QueueFlow
from rydelab.simulator.aggregate.ride_flow import RideFlow
from rydelab.simulator.aggregate.scene import Scene
from rydelab.simulator.exact.record_table import RecordTable
from rydelab.simulator.result import (
    FUNCTION_CONCURRENCY,
    ROWS,
    CapacitySeries,
    CellOutcome,
    Column,
    Series,
)
from rydelab.simulator.traffic import KINDS, UNICORN, Traffic

NOBODY = 0.5
"""Less than half a ride on its way is none."""


def outcome(
    scene: Scene,
    traffic: Traffic,
    rides: RideFlow,
    table: RecordTable,
    *,
    engine: str,
    seed: int,
    load_s: float,
    end_s: float,
) -> CellOutcome:
    """Return what the cell came to."""
    tally = scene.tally
    arrivals = _arrivals(traffic)
    rows = whole_rows(_masses(scene, rides), arrivals)
    accepted = rows["recorded"] + rows["dead_lettered"] + rows["in_flight"] + rows["lost"]
    refused = rows["refused"] + rows["ghost"]
    answers_first = scene.cell.answers_first
    if not answers_first:  # a ride that is answered when it is recorded has nothing to wait for
        tally.to_record[Spread(0.0, 0.0), 0.0] = 1.0
    throttles = {reason: round(number) for reason, number in tally.throttles.items() if round(number)}
    if refusals := round(sum(function.refused for function in scene.functions.values())):
        throttles[FUNCTION_CONCURRENCY] = refusals
    errors = whole_rows(dict(sorted(tally.errors.items(), key=lambda item: -item[1])), refused)
    duration_s = max(end_s, tally.last_answer_s)
    return CellOutcome(
        engine=engine,
        profile=scene.profile.name,
        seed=seed,
        arrivals=arrivals,
        rows=rows,
        rewrites=round(tally.rewrites),
        latency=latency(tally.latency, accepted, at_most_s=tally.timeout_s),
        error_latency=latency(tally.error_latency, refused, at_most_s=tally.timeout_s),
        time_to_record=latency(tally.to_record, rows["recorded"]),
        errors={error: number for error, number in errors.items() if number},
        throttles=throttles,
        retries=round(tally.retries.total) if answers_first else None,
        drain_s=scene.conditions.drain_s if rows["in_flight"] else max(0.0, tally.last_end_s - tally.last_answer_s),
        series=_series(scene, load_s=load_s, end_s=end_s),
        usage=_usage(scene, rides, traffic, table, duration_s),
    )


def whole_rows(masses: Mapping[str, float], whole: int) -> dict[str, int]:
    """Round *masses*, which come to about *whole*, to whole numbers that come to exactly that."""
    total = sum(masses.values())
    if total <= 0.0:
        return dict.fromkeys(masses, 0)
    shares = {name: mass * whole / total for name, mass in masses.items()}
    rows = {name: math.floor(share) for name, share in shares.items()}
    missing = whole - sum(rows.values())
    for name in sorted(shares, key=lambda name: rows[name] - shares[name])[:missing]:
        rows[name] += 1
    return rows


def _arrivals(traffic: Traffic) -> int:
    """Count the arrivals that the ledger is of."""
    of_ledger = sum(share for kind, share in traffic.mix.items() if kind != KINDS[UNICORN])
    return round(traffic.count * of_ledger / sum(traffic.mix.values()))


def _masses(scene: Scene, rides: RideFlow) -> dict[str, float]:
    """Return the mass of each row of the ledger."""
    tally, recorder = scene.tally, rides.recorder
    masses = {row: tally.rows[row] for row in ROWS}
    if recorder is None:
        masses["recorded"] += rides.open
        return masses
    # A published ride whose client had given up is no accepted one: a record of it is a ghost.
    late = tally.published_late / tally.published if tally.published else 0.0
    unwritten = recorder.unwritten
    written = max(0.0, tally.published - tally.ended_dead - unwritten)
    in_flight = unwritten if recorder.backlog >= NOBODY else 0.0
    written += unwritten - in_flight
    masses["recorded"] += written * (1 - late)
    masses["ghost"] += written * late
    masses["dead_lettered"] += tally.ended_dead * (1 - late)
    masses["in_flight"] += in_flight * (1 - late)
    masses["refused"] += (tally.ended_dead + in_flight) * late
    return masses


def _series(scene: Scene, *, load_s: float, end_s: float) -> Series:
    tally, interval_s = scene.tally, scene.conditions.interval_s
    has_backlog = scene.cell.answers_first
    is_on_demand = scene.cell.table_mode == "on-demand"
    p50_ms, p95_ms, p99_ms = _percentile_columns(scene)
    return Series(
        interval_s=interval_s,
        load_s=load_s or None,
        arrivals=tally.arrivals.column(interval_s),
        accepted=tally.accepted.column(interval_s),
        recorded=tally.recorded.column(interval_s),
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        p99_ms=p99_ms,
        backlog=tally.backlog.column(interval_s, end_s) if has_backlog else (),
        retries=tally.retries.column(interval_s) if has_backlog else (),
        dead_letters=tally.dead_letters.column(interval_s) if has_backlog else (),
        capacity=(
            CapacitySeries(
                name="RideRecordTable writes",
                consumed=tally.consumed.column(interval_s, per_s=True),
                provisioned=() if is_on_demand else tally.provisioned.column(interval_s, end_s),
                burst_left=() if is_on_demand else tally.burst_left.column(interval_s, end_s),
                throttles=tally.write_throttles.column(interval_s),
            ),
        ),
    )


def _percentile_columns(scene: Scene) -> tuple[Column, Column, Column]:
    """Return the percentiles of the latency of the accepted arrivals that were due in each interval."""
    interval_s = scene.conditions.interval_s
    by_due = scene.tally.by_due
    classes = sorted(by_due, key=lambda name: name[0].median_s + name[1])
    columns = [by_due[name].column(interval_s) for name in classes]
    length = max(map(len, columns), default=0)
    padded = [column + (0.0,) * (length - len(column)) for column in columns]
    found: list[tuple[float, float, float] | None] = []
    last: tuple[float | None, ...] = ()
    for masses in zip(*padded, strict=True):
        if found and masses == last:
            found.append(found[-1])
        else:
            last = masses
            found.append(percentiles_ms(classes, masses))
    p50_ms, p95_ms, p99_ms = (tuple(row and row[at] for row in found) for at in range(3))
    return p50_ms, p95_ms, p99_ms


def _usage(scene: Scene, rides: RideFlow, traffic: Traffic, table: RecordTable, duration_s: float) -> Usage:
    tally, templates = scene.tally, scene.templates
    functions = {name: function for name, function in scene.functions.items() if function.invocations > 0.0}
    dead_letters = tally.dead_letters.total if scene.cell.design == "event-driven" else 0.0
    sends, requests, empty = dead_letters, dead_letters, 0.0
    if isinstance(rides.recorder, QueueFlow):
        sends, queue = tally.published, rides.recorder
        empty = empty_receives(queue.receive_calls, duration_s=duration_s)
        requests = sends + queue.receive_calls + queue.delete_calls + empty
    scans = sum(function.invocations for name, function in functions.items() if "Unicorn" in name)
    return Usage(
        gateway_requests=tally.gateway_requests,
        functions={
            name: FunctionUse(function.invocations, function.busy_s, function.memory_mb)
            for name, function in functions.items()
        },
        sns_publishes=tally.published,
        sqs_requests=requests,
        sqs_sends=sends,
        sqs_empty_receives=empty,
        write_units=table.writes.consumed_units - table.warm_up_units,
        read_units=scans * templates.unicorn_read_units,
        provisioned_write_unit_s=table.provisioned_unit_s[Access.WRITE],
        provisioned_read_unit_s=table.provisioned_unit_s[Access.READ],
        stored_bytes=table.item_bytes * tally.recorded.total,
        stored_items=tally.recorded.total,
        log_bytes=sum(function.invocations for function in functions.values()) * templates.log_bytes,
        alarms=templates.alarms if scene.cell.table_mode == "autoscaled" else 0,
        duration_s=duration_s,
        load_s=traffic.duration_s,
    )
