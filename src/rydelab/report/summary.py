"""What a run came to, as values: the content of ``summary.json`` and of every report. Pure.

A field that a run has nothing for keeps its default, and the report says that it was not measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rydelab.capacity.usage import Usage
from rydelab.report.latency import Latency


@dataclass(frozen=True, slots=True)
class CellId:
    """Which cell of a run: its design and table mode, what else sets it apart, and which repeat of it."""

    design: str
    table_mode: str
    variant: str = ""
    """What sets it apart from a cell of the same design and table mode, such as ``write_units=5``."""
    repeat: int = 1
    """From 1."""

    def __str__(self) -> str:
        variant = f" {self.variant}" if self.variant else ""
        repeat = f" (repeat {self.repeat})" if self.repeat > 1 else ""
        return f"{self.design} {self.table_mode}{variant}{repeat}"


@dataclass(frozen=True, slots=True)
class ThresholdResult:
    """A condition that the scenario or the command line set for a cell, and whether it held."""

    expression: str
    """As it was written, such as ``p95_ms < 300``."""
    measured: float | None
    """The value on its left side; None where there was nothing to measure."""
    passed: bool


@dataclass(frozen=True, slots=True)
class Saturation:
    """Evidence of whether the lab, rather than the design, limited a cell."""

    limited: bool
    """Whether it did. Such a cell is marked everywhere and not compared."""
    reasons: tuple[str, ...] = ()
    """Why that was concluded, each a sentence without its full stop."""
    gateway_busy_ratio: float | None = None
    """The share of the load's time in which every gateway thread was busy, from 0 to 1."""
    cpu_busy_ratio: float | None = None
    """The share of this machine's processor time that was in use during the load, from 0 to 1."""
    probe_p95_ms: float | None = None
    """The 95th percentile of the time of a request that does no work, sent all through the load."""
    probe_at_rest_ms: float | None = None
    """The median time of the same request before the load."""


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """What was done to a cell on purpose."""

    kind: str
    """Such as ``function-error``."""
    target: str
    """The function, table, queue or topic, by its name in the template; empty for the lab as a whole."""
    label: str
    """What it is called, such as ``PutRideRecordSns fails``."""
    parameters: Mapping[str, str | float] = field(default_factory=dict)
    start_s: float | None = None
    """From the start of the load; None if it never came, since the cell's design has no such target."""
    end_s: float | None = None
    hits: int = 0
    """How many requests it met."""


@dataclass(frozen=True, slots=True)
class CellSummary:
    """One design with one table mode: what became of its arrivals, and how long people waited."""

    design: str
    table_mode: str
    arrivals: int
    rows: Mapping[str, int]
    """The ledger: refused, recorded, dead_lettered, in_flight, lost and ghost.

    Their sum is `arrivals`; else see `mismatches`.
    """
    rewrites: int | None
    """Records that were written more than once; None where the lab cannot tell."""
    mismatches: tuple[str, ...]
    """Why the ledger cannot be trusted, each a sentence; empty when it adds up."""
    latency: Latency
    """Of accepted rides, from the moment each was due until its answer."""
    late_starts: int
    """Arrivals that the load generator sent more than `late_start_s` after they were due."""
    late_start_s: float
    errors: Mapping[str, int] = field(default_factory=dict)
    """How often each reason for an arrival not being accepted was given, most frequent first."""
    began_at: float | None = None
    """The Unix time of the load's begin; None if it had none."""
    interrupted: bool = False
    """Whether it was stopped before its last arrival or before its drain was over."""
    durations_s: Mapping[str, float] = field(default_factory=dict)
    """How long deploy, warm_up, load and drain took."""
    variant: str = ""
    repeat: int = 1
    """With `variant`, see `CellId`."""
    error_latency: Latency | None = None
    """Of arrivals that were not accepted, from the moment each was due until the error; None if not measured."""
    time_to_record: Latency | None = None
    """Of recorded rides, from the answer until the first write of the record, 0 where it was written before.

    None if not measured.
    """
    throttles: Mapping[str, int] | None = None
    """How many requests were throttled, by DynamoDB's reason (``TableWriteProvisionedThroughputExceeded``).

    A function that had no concurrency left is ``FunctionConcurrency``. None if not measured.
    """
    retries: int | None = None
    """How often an event was tried again after a failed or throttled invocation; None if not measured."""
    thresholds: tuple[ThresholdResult, ...] = ()
    faults: tuple[InjectedFault, ...] = ()
    saturation: Saturation | None = None
    """None if the lab did not watch itself."""
    settings: Mapping[str, str | float] = field(default_factory=dict)
    """What this cell was deployed with, such as ``{"write_units": 1, "memory_mb": 256, "retry_mode": "standard"}``."""
    usage: Usage | None = None
    """What a bill is made of, from the begin of the load to the end of the drain; None if not measured."""

    @property
    def id(self) -> CellId:
        """Which cell of its run this is."""
        return CellId(self.design, self.table_mode, self.variant, self.repeat)

    @property
    def accepted(self) -> int:
        """How many arrivals were promised a ride."""
        return self.arrivals - self.rows["refused"] - self.rows["ghost"]

    @property
    def throttled(self) -> int | None:
        """How many requests were throttled, for whatever reason; None if not measured."""
        return None if self.throttles is None else sum(self.throttles.values())

    @property
    def lab_limited(self) -> bool:
        """Whether the lab itself limited this cell."""
        return self.saturation is not None and self.saturation.limited


@dataclass(frozen=True, slots=True)
class Simulated:
    """How a run was simulated: nothing in it was measured."""

    engine: str
    """``exact``: each arrival on its own, or ``aggregate``: many equal ones together."""
    profile: str
    """Where the times of each step are from: ``local``, ``aws`` or the name of a file."""
    seed: int
    scale: float = 1.0
    """How many times as many arrivals as the scenario has."""

    @property
    def words(self) -> str:
        """Say it in one sentence."""
        scaled = "" if self.scale == 1 else f", {self.scale:g} times the scenario's arrivals"
        return (
            f"Simulated, not measured: engine {self.engine}, service times of profile {self.profile}, "
            f"seed {self.seed}{scaled}."
        )


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A whole run."""

    name: str
    """The scenario's name."""
    started_at: str
    """ISO 8601, with the offset from UTC."""
    cells: tuple[CellSummary, ...]
    failures: tuple[str, ...] = ()
    """Cells that could not be run to their end, and why; each a sentence."""
    notes: tuple[str, ...] = ()
    """What these numbers do not mean."""
    simulated: Simulated | None = None
    """None for a run that was measured."""

    @property
    def succeeded(self) -> bool:
        """Whether every cell was run to its end and every ledger adds up."""
        return not self.failures and self.adds_up

    @property
    def adds_up(self) -> bool:
        """Whether every cell's ledger does."""
        return not any(cell.mismatches for cell in self.cells)
