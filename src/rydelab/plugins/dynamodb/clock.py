"""The time that the capacity model is given."""

import time


class Clock:
    """Unix time that does not step: the wall clock when this was made, then as steady as the machine can.

    So a correction of the machine's clock makes no units and takes none. It may drift from the wall clock by what
    that is corrected while the emulator runs.
    """

    def __init__(self) -> None:
        self._offset_s = time.time() - time.monotonic()

    def now(self) -> float:
        """Return seconds since the Unix epoch."""
        return self._offset_s + time.monotonic()
