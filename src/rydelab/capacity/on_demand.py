"""How the throughput of on-demand grows with the traffic (A10)."""

import math

from rydelab.capacity.settings import Settings


class PeakTracker:
    """Finds the previous peak of one access: the highest level that traffic sustained, 30 minutes ago or earlier.

    Traffic is averaged over windows of ``on_demand_peak_window_s``. A higher average than the previous peak
    starts a rise; when ``on_demand_growth_s`` have passed since, the highest average of the rise is the new peak.
    """

    __slots__ = ("_consumed_before", "_rise", "_rise_since", "_settings", "peak", "window_end")

    def __init__(self, settings: Settings, *, peak: float, consumed_units: float, now: float) -> None:
        self._settings = settings
        self._consumed_before = consumed_units
        self._rise = 0.0
        self._rise_since = math.inf
        self.peak = peak
        self.window_end = now + settings.on_demand_peak_window_s

    def close_window(self, consumed_units: float, now: float) -> None:
        """Take the units consumed since the beginning, at the end of a window, and begin the next at *now*."""
        settings = self._settings
        average = (consumed_units - self._consumed_before) / settings.on_demand_peak_window_s
        began = self.window_end - settings.on_demand_peak_window_s
        if average > self.peak:
            self._rise = max(self._rise, average)
            self._rise_since = min(self._rise_since, began)
        if now - self._rise_since >= settings.on_demand_growth_s:
            self.peak = max(self.peak, self._rise)
            self._rise, self._rise_since = 0.0, math.inf
        self._consumed_before = consumed_units
        self.window_end = now + settings.on_demand_peak_window_s
