"""How the throughput of on-demand grows with the traffic (A10)."""

import math

from rydelab.capacity.settings import Settings


class PeakTracker:
    """Finds the previous peak of one access: the highest level that traffic sustained, 30 minutes ago or earlier.

    Traffic is averaged over windows of ``on_demand_peak_window_s``. A higher average than the previous peak
    starts a rise; when ``on_demand_growth_s`` have passed since, the highest average of the rise is the new peak.
    """

    __slots__ = ("_consumed_before", "_rise", "_rise_since", "_settings", "_window_end", "peak")

    def __init__(self, settings: Settings, *, peak: float, consumed_units: float, now: float) -> None:
        self._settings = settings
        self._consumed_before = consumed_units
        self._rise = 0.0
        self._rise_since = math.inf
        self._window_end = now + settings.on_demand_peak_window_s
        self.peak = peak

    @property
    def due_at(self) -> float:
        """When :meth:`advance` has something to do: a window ends, or a rise becomes the peak."""
        return min(self._window_end, self._rise_since + self._settings.on_demand_growth_s)

    def advance(self, consumed_units: float, now: float) -> None:
        """Do what is due by *now*; *consumed_units* is what was consumed since the beginning."""
        settings = self._settings
        if now >= self._window_end:
            average = (consumed_units - self._consumed_before) / settings.on_demand_peak_window_s
            if average > self.peak:
                self._rise = max(self._rise, average)
                self._rise_since = min(self._rise_since, self._window_end - settings.on_demand_peak_window_s)
            self._consumed_before = consumed_units
            self._window_end = now + settings.on_demand_peak_window_s
        if now >= self._rise_since + settings.on_demand_growth_s:
            self.peak, self._rise, self._rise_since = self._rise, 0.0, math.inf
