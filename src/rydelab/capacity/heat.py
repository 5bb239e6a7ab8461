"""Which keys make a partition hot, in memory that does not grow with the number of keys or requests."""


class KeyHeat:
    """Units by position within one partition's range [first, end): a histogram, and the heaviest keys.

    The heaviest keys are kept by Misra and Gries' algorithm: with *keys* counters, every key with more than
    1/(keys + 1) of the units is among them, and its count is too low by at most that share.
    """

    __slots__ = ("_bins", "_counts", "_end", "_first", "_keys", "_width", "total")

    def __init__(self, first: int, end: int, *, bins: int, keys: int) -> None:
        self._first = first
        self._end = end
        self._width = max(1, -(-(end - first) // bins))
        self._bins = [0.0] * bins
        self._keys = keys
        self._counts: dict[int, float] = {}
        self.total = 0.0

    def record(self, position: int | None, units: float) -> None:
        """Count *units* consumed at *position*, which lies within the range, or evenly over the range if it is None."""
        self.total += units
        if position is None:
            part = units / len(self._bins)
            self._bins = [units_here + part for units_here in self._bins]
            return
        self._bins[(position - self._first) // self._width] += units
        counts = self._counts
        if position in counts:
            counts[position] += units
        elif len(counts) < self._keys:
            counts[position] = units
        else:
            paid = min(units, *counts.values())
            self._counts = {key: left for key, count in counts.items() if (left := count - paid) > 0.0}
            if units > paid:
                self._counts[position] = units - paid

    def split_point(self, min_share: float) -> int | None:
        """Return the position that divides the units most evenly, or None if no split would help.

        A split helps when its lighter side has at least *min_share* of the units. A key that has most of them
        is cut off from its neighbours, and ends alone; once it is alone there is nothing left to divide.
        """
        if self.total <= 0.0:
            return None
        rest = self._bins.copy()
        for key, count in self._counts.items():
            place = (key - self._first) // self._width
            rest[place] = max(0.0, rest[place] - count)
        edges = {self._first + number * self._width for number in range(1, len(rest))}
        edges.update(self._counts)
        edges.update(key + 1 for key in self._counts)
        best, best_share = None, max(min_share, 1e-12)
        total = sum(rest) + sum(self._counts.values())
        for edge in sorted(edges):
            if self._first < edge < self._end:
                left = self._units_below(edge, rest) / total
                lighter = min(left, 1.0 - left)
                if lighter >= best_share:
                    best, best_share = edge, lighter
        return best

    def _units_below(self, edge: int, rest: list[float]) -> float:
        place, offset = divmod(edge - self._first, self._width)
        partial = rest[place] * offset / self._width if offset else 0.0
        return sum(rest[:place]) + partial + sum(count for key, count in self._counts.items() if key < edge)
