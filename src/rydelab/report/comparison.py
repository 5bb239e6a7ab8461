"""Compares two runs: what got better, what got worse, and what is only noise. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rydelab.report.latency import Latency
from rydelab.report.noise import difference
from rydelab.report.repeats import RepeatedCell, repeated_cells
from rydelab.report.run import Run
from rydelab.report.summary import CellSummary

LEAST_CHANGE_RATIO = 0.10
LEAST_CHANGE_MS = 5.0
"""A time must change by more than both to count: whoever waits feels neither 3 ms nor 3 % more."""
LEAST_CHANGE_OF_RIDES = 0.01
"""The same for a row of the ledger, as a share of the arrivals. Lost rides have no such allowance."""


class Verdict(StrEnum):
    """What a difference amounts to."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that is compared."""

    name: str
    unit: str
    """``ms``, ``rides`` (a share of the arrivals, from 0 to 1) or ``per ride``."""
    of: Callable[[CellSummary], float | None]
    more_is_better: bool = False
    least_change: float = 0.0
    """A change up to this is none."""
    least_change_ratio: float = 0.0
    """Nor is one up to this share of the value before."""
    must_be_zero: bool = False
    """Whether any at all where there was none is worse, whatever chance may do."""


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of one cell in both runs."""

    cell: str
    metric: Metric
    before: float
    """The mean of the repeats, as `after`."""
    after: float
    noise: float | None
    """What repeats of one and the same thing may differ by; None if neither run repeated the cell."""
    allowance: float
    """Up to here a difference counts as none: the noise, and never less than the metric's least change."""
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side."""

    changes: tuple[Change, ...]
    """Of every cell that is in both, and of every metric that both have."""
    not_compared: tuple[str, ...]
    """Cells that cannot be compared, and why; each a sentence without its full stop."""
    circumstances: tuple[str, ...]
    """What else differs between the runs; each a sentence without its full stop."""

    def with_verdict(self, verdict: Verdict) -> tuple[Change, ...]:
        """Return the changes that amount to *verdict*."""
        return tuple(change for change in self.changes if change.verdict is verdict)

    @property
    def is_worse(self) -> bool:
        """Whether anything is worse beyond the noise."""
        return bool(self.with_verdict(Verdict.WORSE))

    @property
    def noise_is_known(self) -> bool:
        """Whether every change was held against repeats."""
        return all(change.noise is not None for change in self.changes)


def compare_runs(before: Run, after: Run) -> Comparison:
    """Compare every cell that is in both runs."""
    earlier = {str(cell): cell for cell in repeated_cells(before.summary)}
    later = {str(cell): cell for cell in repeated_cells(after.summary)}
    changes: list[Change] = []
    not_compared: list[str] = []
    for name, cell in earlier.items():
        if name not in later:
            not_compared.append(f"{name} is only in the first run")
        elif spoilt := [*_spoilt(cell, "first"), *_spoilt(later[name], "second")]:
            not_compared += spoilt
        else:
            changes += _changes(cell, later[name])
    not_compared += [f"{name} is only in the second run" for name in later if name not in earlier]
    return Comparison(tuple(changes), tuple(not_compared), tuple(_circumstances(before, after)))


def _spoilt(cell: RepeatedCell, which: str) -> Iterator[str]:
    total = cell.total
    if total.mismatches:
        yield f"{cell}: its ledger does not add up in the {which} run"
    if total.lab_limited:
        yield f"{cell}: the lab itself limited it in the {which} run"
    if total.interrupted:
        yield f"{cell}: it was stopped early in the {which} run"
    if not total.arrivals:
        yield f"{cell}: it has no arrivals in the {which} run"


def _changes(before: RepeatedCell, after: RepeatedCell) -> Iterator[Change]:
    for metric in METRICS:
        earlier, later = _values(metric, before.repeats), _values(metric, after.repeats)
        if earlier and later:
            yield _change(str(before), metric, earlier, later)


def _values(metric: Metric, repeats: Sequence[CellSummary]) -> list[float]:
    return [value for cell in repeats if (value := metric.of(cell)) is not None]


def _change(cell: str, metric: Metric, before: Sequence[float], after: Sequence[float]) -> Change:
    found = difference(before, after)
    # Both must be exceeded: on 20 ms, 10 % is nothing that anybody feels; on 20 s, 5 ms is not.
    least = max(metric.least_change, metric.least_change_ratio * found.before)
    allowance = max(least, found.noise or 0.0)
    verdict = Verdict.SAME
    if metric.must_be_zero and not any(before):
        allowance = 0.0
    if abs(found.change) > allowance:
        verdict = Verdict.BETTER if (found.change > 0) == metric.more_is_better else Verdict.WORSE
    return Change(cell, metric, found.before, found.after, found.noise, allowance, verdict)


def _circumstances(before: Run, after: Run) -> Iterator[str]:
    if before.summary.simulated != after.summary.simulated:
        yield f"The first run was {_origin(before)}, the second {_origin(after)}"
    if before.summary.name != after.summary.name:
        yield f"The scenarios differ: {before.summary.name} and {after.summary.name}"
    elif _load(before) != _load(after):
        yield f"The scenario {before.summary.name} was changed in between"
    parts: dict[str, Callable[[Run], Mapping[str, Any]]] = {
        "version of": lambda run: run.setup.versions,
        "machine's": lambda run: run.setup.machine,
        "setting": lambda run: run.setup.settings,
    }
    for kind, of in parts.items():
        earlier, later = of(before), of(after)
        for name in [*earlier, *(name for name in later if name not in earlier)]:
            if earlier.get(name) != later.get(name):
                values = f"{earlier.get(name, 'unknown')}, then {later.get(name, 'unknown')}"
                yield f"The {kind} {name.replace('_', ' ')} differs: {values}"


def _origin(run: Run) -> str:
    simulated = run.summary.simulated
    return "measured" if simulated is None else f"simulated (engine {simulated.engine}, profile {simulated.profile})"


def _load(run: Run) -> dict[str, Any]:
    # Other cells are told one by one; another description changes nothing.
    told = {"cells", "description", "thresholds"}
    return {name: value for name, value in run.setup.scenario.items() if name not in told}


def _row(row: str) -> Callable[[CellSummary], float | None]:
    return lambda cell: cell.rows[row] / cell.arrivals


def _time(of: Callable[[CellSummary], Latency | None], percentile: str) -> Callable[[CellSummary], float | None]:
    def value(cell: CellSummary) -> float | None:
        latency = of(cell)
        found: float | None = None if latency is None else getattr(latency, percentile)
        return found

    return value


def _times(name: str, of: Callable[[CellSummary], Latency | None], *percentiles: str) -> Iterator[Metric]:
    for percentile in percentiles:
        yield Metric(
            f"{name} {percentile.removesuffix('_ms')}",
            "ms",
            _time(of, percentile),
            least_change=LEAST_CHANGE_MS,
            least_change_ratio=LEAST_CHANGE_RATIO,
        )


METRICS = (
    Metric("recorded", "rides", _row("recorded"), more_is_better=True, least_change=LEAST_CHANGE_OF_RIDES),
    Metric("in flight", "rides", _row("in_flight"), least_change=LEAST_CHANGE_OF_RIDES),
    Metric("dead-lettered", "rides", _row("dead_lettered"), least_change=LEAST_CHANGE_OF_RIDES),
    Metric("refused", "rides", _row("refused"), least_change=LEAST_CHANGE_OF_RIDES),
    Metric("lost", "rides", _row("lost"), must_be_zero=True),
    Metric("ghost", "rides", _row("ghost"), least_change=LEAST_CHANGE_OF_RIDES),
    *_times("answer", lambda cell: cell.latency, "p50_ms", "p95_ms", "p99_ms"),
    *_times("time to record", lambda cell: cell.time_to_record, "p50_ms", "p95_ms"),
    Metric(
        "throttled",
        "per ride",
        lambda cell: None if cell.throttled is None else cell.throttled / cell.arrivals,
        least_change=LEAST_CHANGE_OF_RIDES,
        least_change_ratio=LEAST_CHANGE_RATIO,
    ),
)
"""What is compared, in the order in which it is shown."""
