"""The thread that moves capacity, on the lab's clock."""

import threading
import time
from collections.abc import Callable, Iterable

from rydelab.plugins.autoscaling.fleet import Fleet

STEP_S = 1.0
"""How often, in lab seconds, an activity in progress is looked at."""
SHORTEST_STEP_S = 0.05
"""The least real time between two looks."""
STOP_TIMEOUT_S = 2.0
"""How long a stop waits for a call of the thread to the emulator, which is being stopped too."""


class Loop:
    """Calls the fleets at each end of a scaling period, when a scheduled action is due, and while something scales.

    Periods are those of CloudWatch: they end with the minutes of the Unix clock. At a clock speed of N they are N times
    as short.
    """

    def __init__(self, fleets: Callable[[], Iterable[Fleet]], *, period_s: float, clock_speed: float) -> None:
        """*fleets* is asked each time; *period_s* is in real seconds, shortened already by *clock_speed*."""
        self._fleets = fleets
        self._period_s = period_s
        self._step_s = max(STEP_S / clock_speed, SHORTEST_STEP_S)
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="auto-scaling", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, and wait until what it is doing is done."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)

    def wake(self) -> None:
        """Look at once at what is due: something was asked for."""
        self._wake.set()

    def _run(self) -> None:
        period = int(time.time() // self._period_s)
        while not self._stopping:
            self._wake.wait(self._pause_s(time.time()))
            self._wake.clear()
            now = time.time()
            ended = int(now // self._period_s) - period
            if ended > 0:
                period += ended
            for fleet in self._fleets():
                with fleet.lock:
                    if ended > 0:
                        fleet.observe(periods=ended, now=now)
                    fleet.carry_on(now)

    def _pause_s(self, now: float) -> float:
        ends_at = (now // self._period_s + 1) * self._period_s
        wake_at = [ends_at]
        for fleet in self._fleets():
            with fleet.lock:
                if fleet.is_scaling:
                    wake_at.append(now + self._step_s)
                if fleet.due is not None:
                    wake_at.append(fleet.due)
        return max(0.0, min(wake_at) - now)
