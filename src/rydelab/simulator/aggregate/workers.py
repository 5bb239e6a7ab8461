"""The lab's workers for asynchronous events: as `exact.event_record` has them, for flows."""

_LINGER_S = 2.0
"""A worker without an event for this long ends; they take turns."""


class WorkersFlow:
    """Two more for each patience, while the first event that waits is impatient. AWS has no such limit."""

    def __init__(self, patience_s: float, *, most: float) -> None:
        self._growth_per_s = 2.0 / patience_s
        self._most = most
        self._number = 1.0

    def most(self, step_s: float) -> float:
        """Return how many there may be at the end of a step."""
        return min(self._most, self._number + self._growth_per_s * step_s)

    def settle(self, step_s: float, *, busy: float, handled: float, waits: bool) -> None:
        """Note a step: how many were busy at its end, how many events were handled, and whether others wait."""
        if waits:
            self._number = max(self.most(step_s), busy)
        else:
            self._number = max(1.0, busy, min(self._number, handled / step_s * _LINGER_S))
