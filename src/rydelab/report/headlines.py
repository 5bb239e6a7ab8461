"""What a whole run comes to, in a few sentences. Pure."""

from collections.abc import Iterator
from datetime import datetime

from rydelab.report.quantities import count, things
from rydelab.report.repeats import RepeatedCell, repeated_cells
from rydelab.report.run import Setup
from rydelab.report.summary import RunSummary

# Whatever the reader's locale is.
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
NOTES = (
    "The times are this machine's. They compare designs with each other on it; they do not say how fast AWS would be.",
    "AWS answers faster or slower by region, hour and account. What carries over is where rides wait, fail and end.",
    "Arrivals came on schedule whatever the answers did. People who give up, or try again, would make another load.",
    "A run is one sample. Small differences between cells may be chance: repeat the run to see how much.",
    "A percentile is a time that was measured: as many rides as it says were at most this slow, the others slower.",
)
"""What no measured run's numbers mean. Those of one run are in its summary."""
SIMULATED_NOTES = (
    "Nothing here happened: a model says what would. docs/simulator.md shows how far it is from measured runs.",
    "The times are the profile's, put together by chance. What carries over is where rides wait, fail and end.",
    "A simulated machine has room for every request: a lab, or a client, that is too slow for the load does not show.",
    "Arrivals come on schedule whatever the answers are. People who give up, or try again, would make another load.",
)
"""What no simulated run's numbers mean."""


def notes(run: RunSummary) -> tuple[str, ...]:
    """Return what the numbers of *run* do not mean."""
    return (*run.notes, *(NOTES if run.simulated is None else SIMULATED_NOTES))


def headlines(run: RunSummary) -> Iterator[str]:
    """Yield the answer first: who recorded everything, what was lost, and what spoils the comparison."""
    if run.simulated is not None:
        yield run.simulated.words
    cells = repeated_cells(run)
    if not cells:
        yield "No cell was run to its end."
        return
    whole = [cell for cell in cells if cell.total.arrivals and cell.total.rows["recorded"] == cell.total.arrivals]
    if len(whole) == len(cells):
        where = {1: "the only cell", 2: "both cells"}.get(len(cells), f"all {len(cells)} cells")
        yield f"Every ride was recorded, in {where}."
    elif whole:
        yield f"{len(whole)} of {len(cells)} cells recorded every ride: {_names(whole)}."
    else:
        yield f"No cell recorded every ride ({things(len(cells), 'cell')})."
    lost = [cell for cell in cells if cell.total.rows["lost"]]
    if lost:
        yield f"Rides were promised and lost in {_names(lost)}."
    else:
        yield "No promised ride was lost."
    yield from _doubts(run, cells)


def load_in_words(run: RunSummary, setup: Setup) -> str:
    """Say what was sent to each cell, as far as it is known; empty if it is not."""
    phases = [phase for phase in setup.scenario.get("phases", ()) if isinstance(phase, dict)]
    arrivals = sorted({cell.arrivals for cell in run.cells if not cell.interrupted})
    total = ""
    if arrivals:
        total = things(arrivals[0], "arrival") + (f" to {count(arrivals[-1])}" if len(arrivals) > 1 else "")
        total += " in each cell"
    try:
        parts = [f"{phase['arrivals_per_s']:.3g} a second for {phase['duration_s']:g} s" for phase in phases]
    except (KeyError, TypeError, ValueError):
        parts = []
    if not parts:
        return total
    return f"{', then '.join(parts)}" + (f": {total}" if total else "")


def started_in_words(run: RunSummary) -> str:
    """Say when the run began, on its own machine's clock."""
    try:
        at = datetime.fromisoformat(run.started_at)
    except ValueError:
        return run.started_at
    zone = "" if at.tzinfo is None else f" ({at.tzname()})"
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M}{zone}"


def measured(value: float | None) -> str:
    """Write the value that a threshold was held against."""
    if value is None:
        return "nothing measured"
    return count(value) if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004


def _doubts(run: RunSummary, cells: tuple[RepeatedCell, ...]) -> Iterator[str]:
    results = [result for cell in run.cells for result in cell.thresholds]
    if results:
        failed = sum(not result.passed for result in results)
        yield (
            f"{failed} of {things(len(results), 'threshold')} failed."
            if failed
            else (
                f"All {things(len(results), 'threshold')} passed." if len(results) > 1 else "The only threshold passed."
            )
        )
    if wrong := [cell for cell in cells if cell.total.mismatches]:
        yield f"The ledger does not add up in {_names(wrong)}: do not trust these numbers."
    if limited := [cell for cell in cells if cell.total.lab_limited]:
        yield f"The lab itself was the bottleneck in {_names(limited)}: do not compare these with the others."


def _names(cells: list[RepeatedCell]) -> str:
    return ", ".join(str(cell) for cell in cells)
