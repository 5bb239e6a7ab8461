"""What a sweep came to, as values: the same load on the same cells, with one or two settings varied. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from rydelab.capacity.prices import Prices
from rydelab.report.cost import per_million_rides
from rydelab.report.summary import CellSummary, Simulated

type Value = float | str
"""A setting's value: a number, or a word."""

WORDS: Mapping[str, str] = {
    "all": "every ride recorded, nothing throttled",
    "late": "every ride recorded, some after throttled attempts",
    "some": "not every ride recorded",
}
"""What can become of a point's rides, from the best to the worst."""


@dataclass(frozen=True, slots=True)
class SweptAxis:
    """What was varied."""

    name: str
    """A cell's option, or ``arrivals``."""
    values: tuple[Value, ...]

    @property
    def label(self) -> str:
        """What a picture calls it."""
        return {"arrivals": "arrivals a second"}.get(self.name, self.name.replace("_", " "))


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One cell with one value of each axis."""

    values: tuple[Value, ...]
    cell: CellSummary

    @property
    def recorded_share(self) -> float:
        """The part of the arrivals that was recorded, from 0 to 1."""
        return self.cell.rows["recorded"] / self.cell.arrivals if self.cell.arrivals else 1.0

    @property
    def became(self) -> str:
        """What became of its rides: one of `WORDS`."""
        if self.cell.rows["recorded"] < self.cell.arrivals:
            return "some"
        return "late" if self.cell.throttled else "all"

    def cost(self, prices: Prices) -> float | None:
        """Return what a million rides cost; None if it is not known what was used."""
        amount = per_million_rides(self.cell, prices)
        return None if amount is None else float(amount)


@dataclass(frozen=True, slots=True)
class SweptCell:
    """A cell with all its points: by the first axis, then by the second."""

    name: str
    points: tuple[SweepPoint, ...]

    def at(self, *values: Value) -> SweepPoint:
        """Return the point with these *values*."""
        return next(point for point in self.points if point.values == values)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A whole sweep."""

    name: str
    """The scenario's."""
    started_at: str
    axes: tuple[SweptAxis, ...]
    """One or two; the first is drawn from left to right."""
    cells: tuple[SweptCell, ...]
    simulated: Simulated
    load: str
    """What was sent, in words."""
