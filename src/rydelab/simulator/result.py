"""What a simulated cell came to. Names are those of the report's summary and series, so that both show alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rydelab.capacity.usage import Usage

ROWS = ("refused", "recorded", "dead_lettered", "in_flight", "lost", "ghost")
"""The rows of a ledger, as in a measured run: every arrival ends in exactly one."""
FATES = (*ROWS, "answered", "failed")
"""What can become of an arrival; the last two of what asks for a unicorn, which is not in the ledger."""
FUNCTION_CONCURRENCY = "FunctionConcurrency"
"""The reason of a refused invocation, beside DynamoDB's reasons."""

type Column = tuple[float | None, ...]
"""One value per interval, the first from the begin of the load; None where there is none. Empty: not measured."""


@dataclass(frozen=True, slots=True)
class Latency:
    """The distribution of some times, in milliseconds; None where there was nothing to measure."""

    count: int
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None


@dataclass(frozen=True, slots=True)
class CapacitySeries:
    """The reads or the writes of RideRecordTable; units and requests as in the report's series of this name."""

    name: str
    consumed: Column
    provisioned: Column = ()
    burst_left: Column = ()
    throttles: Column = ()


@dataclass(frozen=True, slots=True)
class Series:
    """What happened over time, as in the report's `CellSeries`, whose fields these are."""

    interval_s: float = 1.0
    load_s: float | None = None
    """When the last arrival was due."""
    arrivals: Column = ()
    accepted: Column = ()
    recorded: Column = ()
    p50_ms: Column = ()
    p95_ms: Column = ()
    p99_ms: Column = ()
    backlog: Column = ()
    retries: Column = ()
    dead_letters: Column = ()
    capacity: tuple[CapacitySeries, ...] = ()


@dataclass(frozen=True, slots=True)
class Rides:
    """Each arrival and what became of it, in the order of arrival; columns of equal length."""

    due_s: Sequence[float]
    latency_s: Sequence[float]
    fates: bytes
    """Positions in `FATES`."""
    recorded_s: Sequence[float]
    """When its record was first written; infinity where it never was."""
    kinds: bytes = b""
    """Positions in `traffic.KINDS`; empty if all asked for a ride."""
    errors: Sequence[str] = ()
    """The reasons of those that were not accepted, by `error_of`."""
    error_of: Sequence[int] = ()
    """For each arrival a position in `errors`, -1 if it was accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOutcome:
    """What the simulation of one cell came to."""

    engine: str
    """``exact`` or ``aggregate``."""
    profile: str
    seed: int
    arrivals: int
    """Of the ledger: what asked for a ride or a record."""
    rows: Mapping[str, int]
    """By `ROWS`; their sum is `arrivals`. A simulation loses nothing: `lost` is 0."""
    rewrites: int
    """Records that were written more than once."""
    latency: Latency
    """Of accepted rides, from the moment each was due until its answer."""
    error_latency: Latency
    """Of those that were not accepted."""
    time_to_record: Latency
    """From the answer until the first write of the record, 0 where it was written before."""
    errors: Mapping[str, int]
    """How often each reason for an arrival not being accepted was given, most frequent first."""
    throttles: Mapping[str, int]
    """Requests that the table refused, by DynamoDB's reason; invocations as `FUNCTION_CONCURRENCY`."""
    retries: int | None
    """Events and messages that were handed to their function again; None in a design that has none."""
    drain_s: float
    """From the last answer until the last accepted ride had ended, or until the drain's deadline."""
    series: Series
    usage: Usage
    """From the begin of the load to the end of the drain."""
    rides: Rides | None = None
    """From the exact engine only."""
