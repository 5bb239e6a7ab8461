"""The lab clock: AWS's slow control loops, N times faster if the lab was started so.

It is for delays of minutes (asynchronous retries, auto scaling), never for units per second or the burst bucket.
"""

import os
import time
from functools import cache
from typing import Final

SPEED_VARIABLE: Final = "RYDELAB_CLOCK_SPEED"


@cache
def speed() -> float:
    """Return lab seconds per real second. Raises ValueError for a setting that is no positive number."""
    text = os.environ.get(SPEED_VARIABLE) or "1"
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError(f"{SPEED_VARIABLE} must be a positive number, got {text!r}")
    return value


def now_s() -> float:
    """Return lab seconds on a clock that never goes back."""
    return time.monotonic() * speed()


def real_s(lab_s: float) -> float:
    """Return how long *lab_s* lab seconds take in reality."""
    return lab_s / speed()
