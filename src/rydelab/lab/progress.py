"""Says on standard error what a run does, and on a terminal how far it is and how long it will take."""

import time

from rich.console import Console
from rich.text import Text

from rydelab.report.quantities import duration


class TerminalProgress:
    """Lines that stay, and on a terminal one line that changes."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("")
        self._rest_s = 0.0
        self._prefix = ""

    def begin(self, number: int, of: int, *, rest_s: float) -> None:
        """Begin cell *number* of *of*; those after it will take about *rest_s*."""
        self._prefix = f"[{number}/{of}] "
        self._rest_s = rest_s

    def say(self, line: str) -> None:
        """Print *line*."""
        self._console.print(f"{self._prefix}{line}", markup=False, soft_wrap=True)

    def show(self, line: str, left_s: float = 0.0) -> None:
        """Replace the changing line; on something that is no terminal, do nothing."""
        if self._console.is_terminal:
            left = f", about {duration((left_s + self._rest_s) * 1000)} left" if left_s + self._rest_s >= 1 else ""
            # One line, beside the spinner: what wraps cannot be replaced cleanly.
            text = Text(f"{self._prefix}{line}{left}")
            text.truncate(self._console.width - 3, overflow="ellipsis")
            self._status.update(text)
            self._status.start()

    def done(self) -> None:
        """Take the changing line away; what is said from now on belongs to no cell."""
        self._status.stop()
        self._prefix = ""


class Estimate:
    """How long the cells that are left will take, by how long those before took."""

    def __init__(self, planned_s: float) -> None:
        self._planned_s = planned_s
        self._taken_s: list[float] = []
        self._began = time.monotonic()

    def begin(self) -> None:
        """Note that a cell begins."""
        self._began = time.monotonic()

    def end(self) -> None:
        """Note that it has ended."""
        self._taken_s.append(time.monotonic() - self._began)

    def of(self, cells: int) -> float:
        """Return about how long *cells* more will take, in seconds."""
        each_s = sum(self._taken_s) / len(self._taken_s) if self._taken_s else self._planned_s
        return cells * each_s
