"""What a run came to, as values: the content of ``summary.json`` and of every report. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rydelab.report.latency import Latency


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
    interrupted: bool = False
    """Whether it was stopped before its last arrival or before its drain was over."""
    durations_s: Mapping[str, float] = field(default_factory=dict)
    """How long deploy, warm_up, load and drain took."""


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

    @property
    def succeeded(self) -> bool:
        """Whether every cell was run to its end and every ledger adds up."""
        return not self.failures and self.adds_up

    @property
    def adds_up(self) -> bool:
        """Whether every cell's ledger does."""
        return not any(cell.mismatches for cell in self.cells)
