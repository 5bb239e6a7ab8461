"""The repeats of one cell, taken together. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from statistics import median

from rydelab.capacity.usage import Usage, summed
from rydelab.report.designs import DESIGNS, TABLE_MODES, in_order
from rydelab.report.latency import Latency
from rydelab.report.summary import CellSummary, RunSummary


@dataclass(frozen=True, slots=True)
class RepeatedCell:
    """One cell of a scenario with all its repeats, at least one."""

    design: str
    table_mode: str
    variant: str
    repeats: tuple[CellSummary, ...]

    def __str__(self) -> str:
        return f"{self.design} {self.table_mode}" + (f" {self.variant}" if self.variant else "")

    @property
    def total(self) -> CellSummary:
        """All repeats in one: counts are summed, each percentile and duration is the median of the repeats'.

        A part that one of them lacks counts as not measured.
        """
        first = self.repeats[0]
        if len(self.repeats) == 1:
            return first
        cells = self.repeats
        return replace(
            first,
            repeat=1,
            arrivals=sum(cell.arrivals for cell in cells),
            rows=_sums(cell.rows for cell in cells),
            rewrites=_sum([cell.rewrites for cell in cells]),
            mismatches=tuple(mismatch for cell in cells for mismatch in cell.mismatches),
            latency=_median_latency([cell.latency for cell in cells]) or Latency(count=0),
            late_starts=sum(cell.late_starts for cell in cells),
            errors=dict(Counter(_sums(cell.errors for cell in cells)).most_common()),
            interrupted=any(cell.interrupted for cell in cells),
            durations_s=_median_durations(cells),
            error_latency=_median_latency([cell.error_latency for cell in cells]),
            time_to_record=_median_latency([cell.time_to_record for cell in cells]),
            throttles=_sums_of_all([cell.throttles for cell in cells]),
            retries=_sum([cell.retries for cell in cells]),
            thresholds=tuple(result for cell in cells for result in cell.thresholds),
            # One repeat that the lab limited spoils the median.
            saturation=next((cell.saturation for cell in cells if cell.lab_limited), first.saturation),
            usage=_total_usage([cell.usage for cell in cells]),
        )


def repeated_cells(run: RunSummary) -> tuple[RepeatedCell, ...]:
    """Group the cells of *run*, by design and table mode in their usual order, then in the run's."""
    groups: dict[tuple[str, str, str], list[CellSummary]] = {}
    for cell in run.cells:
        groups.setdefault((cell.design, cell.table_mode, cell.variant), []).append(cell)
    grouped = (RepeatedCell(*key, tuple(sorted(cells, key=lambda cell: cell.repeat))) for key, cells in groups.items())
    return tuple(
        sorted(grouped, key=lambda cell: (in_order(cell.design, DESIGNS), in_order(cell.table_mode, TABLE_MODES)))
    )


def _sums(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    # Unlike the sum of two Counters, this keeps what is 0.
    total: dict[str, int] = {}
    for part in counts:
        for name, number in part.items():
            total[name] = total.get(name, 0) + number
    return total


def _sums_of_all(counts: Sequence[Mapping[str, int] | None]) -> dict[str, int] | None:
    known = [part for part in counts if part is not None]
    return _sums(known) if len(known) == len(counts) else None


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _total_usage(usages: Sequence[Usage | None]) -> Usage | None:
    known = [usage for usage in usages if usage is not None]
    return summed(known) if len(known) == len(usages) else None


def _median_latency(latencies: Sequence[Latency | None]) -> Latency | None:
    known = [latency for latency in latencies if latency is not None]
    if len(known) < len(latencies):
        return None

    def middle(name: str) -> float | None:
        values = [value for latency in known if (value := getattr(latency, name)) is not None]
        return median(values) if values else None

    percentiles = {field.name: middle(field.name) for field in fields(Latency) if field.name != "count"}
    return Latency(count=sum(latency.count for latency in known), **percentiles)


def _median_durations(cells: Sequence[CellSummary]) -> dict[str, float]:
    steps = {step: None for cell in cells for step in cell.durations_s}
    return {step: median(cell.durations_s[step] for cell in cells if step in cell.durations_s) for step in steps}
