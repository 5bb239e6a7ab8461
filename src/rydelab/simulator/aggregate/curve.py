"""What is kept of a run over time, in memory that depends on the number of changes and not on the time."""

from itertools import pairwise
from math import ceil

from rydelab.simulator.result import Column

_ROUNDING = 1e-9
_DIGITS = 3


class Curve:
    """Something that is counted: amounts, each spread evenly between two moments."""

    __slots__ = ("_changes", "total")

    def __init__(self) -> None:
        self._changes: dict[float, float] = {}
        self.total = 0.0

    def add(self, start_s: float, end_s: float, amount: float) -> None:
        """Add *amount* between two moments."""
        if amount <= 0.0:
            return
        self.total += amount
        per_s = amount / (end_s - start_s)
        changes = self._changes
        changes[start_s] = changes.get(start_s, 0.0) + per_s
        changes[end_s] = changes.get(end_s, 0.0) - per_s

    def column(self, interval_s: float, *, per_s: bool = False) -> Column:
        """Return the amount of each interval, up to the last that has one; or its mean *per_s*."""
        values = self._amounts(interval_s)
        if per_s and interval_s != 1.0:
            values = [value / interval_s for value in values]
        while values and not values[-1]:
            values.pop()
        return tuple(values)

    def _amounts(self, interval_s: float) -> list[float]:
        times_s = sorted(self._changes)
        if not times_s:
            return []
        values = [0.0] * (int(times_s[-1] / interval_s) + 1)
        # What is left of rates that came and went is not a rate.
        floor = _ROUNDING * max(map(abs, self._changes.values()))
        per_s = 0.0
        for start_s, end_s in pairwise(times_s):
            per_s += self._changes[start_s]
            if per_s <= floor:
                continue
            first, last = int(start_s / interval_s), int(end_s / interval_s)
            if first == last:
                values[first] += per_s * (end_s - start_s)
                continue
            values[first] += per_s * ((first + 1) * interval_s - start_s)
            values[last] += per_s * (end_s - last * interval_s)
            values[first + 1 : last] = [round(per_s * interval_s, _DIGITS)] * (last - first - 1)
            values[first] = round(values[first], _DIGITS)
        values[-1] = round(values[-1], _DIGITS)
        return values


class Level:
    """Something that has a value at every moment: straight lines between those that are known."""

    __slots__ = ("_points",)

    def __init__(self) -> None:
        self._points: list[tuple[float, float]] = []

    def note(self, at_s: float, value: float) -> None:
        """Note the value at a moment, no earlier than the one before. A second value at a moment is a jump."""
        points = self._points
        if len(points) > 1 and points[-1][1] == value == points[-2][1]:
            points[-1] = (at_s, value)
        else:
            points.append((at_s, value))

    def column(self, interval_s: float, until_s: float) -> Column:
        """Return the value at the end of each interval that ends by *until_s*."""
        values: list[float | None] = []
        intervals = int(until_s / interval_s + _ROUNDING)
        for (start_s, first), (end_s, last) in pairwise(self._points):
            if end_s <= start_s:
                continue
            begin = max(len(values), ceil(start_s / interval_s - 1 - _ROUNDING))
            end = min(intervals, int(end_s / interval_s + _ROUNDING))
            if first == last:
                values.extend([round(first, _DIGITS)] * (end - begin))
            else:
                growth = (last - first) / (end_s - start_s)
                offset = first - growth * start_s
                values.extend(
                    round(offset + growth * (number + 1) * interval_s, _DIGITS) for number in range(begin, end)
                )
        return tuple(values)
