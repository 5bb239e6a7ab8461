"""What is counted. Masses are numbers of arrivals, not always whole."""

from collections import defaultdict

from rydelab.simulator.aggregate.curve import Curve, Level
from rydelab.simulator.aggregate.mixture import Spread

type Masses = defaultdict[tuple[Spread, float], float]
"""By class: a distribution, and what is added to it in seconds."""


def _masses() -> Masses:
    return defaultdict(float)


class Tally:
    """Counters, distributions and curves of one simulation. A step is told with its begin and end."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        """How long a client waits."""
        self.rows: defaultdict[str, float] = defaultdict(float)
        """Arrivals whose row is known when they are answered."""
        self.errors: defaultdict[str, float] = defaultdict(float)
        self.latency = _masses()
        self.error_latency = _masses()
        self.to_record = _masses()
        self.throttles: defaultdict[str, float] = defaultdict(float)
        self.arrivals, self.accepted, self.recorded = Curve(), Curve(), Curve()
        self.retries, self.dead_letters = Curve(), Curve()
        self.consumed, self.write_throttles = Curve(), Curve()
        self.provisioned, self.burst_left, self.backlog = Level(), Level(), Level()
        self.by_due: defaultdict[tuple[Spread, float], Curve] = defaultdict(Curve)
        """Accepted arrivals by class and by when they were due."""
        self.start_s = self.end_s = 0.0
        """The step under way."""
        self._requests = [0.0, 0.0]
        self.rewrites = 0.0
        self.published = 0.0
        self.published_late = 0.0
        """Of them those whose client had given up."""
        self.ended_dead = 0.0
        """Published rides that ended in a dead-letter queue without a record."""
        self.gateway_requests = 0.0
        self.last_answer_s = 0.0
        self.last_end_s = 0.0
        """When the last ride ended that was answered before it was recorded."""

    def begin_step(self, start_s: float, end_s: float) -> None:
        """Begin a step; what is counted is counted in it."""
        self.start_s, self.end_s = start_s, end_s

    def count(self, curve: Curve, mass: float) -> None:
        """Count *mass*, spread evenly over the step."""
        curve.add(self.start_s, self.end_s, mass)

    def requests(self, admitted: float, refused: float, reason: str) -> None:
        """Count requests to the record table; *reason* is why it refused some."""
        self._requests[0] += admitted
        if refused > 0.0:
            self._requests[1] += refused
            self.throttles[reason] += refused
            self.count(self.write_throttles, refused)

    def take_requests(self) -> tuple[float, float]:
        """Return how many were admitted and refused since the last call."""
        admitted, refused = self._requests
        self._requests = [0.0, 0.0]
        return admitted, refused

    def fail(self, mass: float, error: str, spread: Spread, after_s: float, *, row: str = "refused") -> None:
        """Answer *mass* arrivals with an error, *after_s* and what *spread* says after they were due."""
        if mass <= 0.0:
            return
        late = mass * spread.share_above(self.timeout_s - after_s)
        self.rows[row] += mass
        self.errors[error] += mass - late
        self.error_latency[spread, after_s] += mass - late
        self._give_up(late)
        self._note_answer(spread, after_s)

    def accept(self, mass: float, spread: Spread, after_s: float, *, row: str = "") -> float:
        """Accept *mass* arrivals; return how many of them had given up before.

        Those are no accepted ones: where *row* would be ``recorded`` they are ghosts, else refused. Without a *row* all
        are left to the caller.
        """
        if mass <= 0.0:
            return 0.0
        late = mass * spread.share_above(self.timeout_s - after_s)
        kept = mass - late
        if row:
            self.rows[row] += kept
            self.rows["ghost" if row == "recorded" else "refused"] += late
        self._give_up(late)
        self.latency[spread, after_s] += kept
        self.count(self.accepted, kept)
        due_s = max(0.0, self.start_s - after_s)
        self.by_due[spread, after_s].add(due_s, max(due_s + self.end_s - self.start_s, self.end_s - after_s), kept)
        self._note_answer(spread, after_s)
        return late

    def bury(self, mass: float, unwritten: float) -> None:
        """Count *mass* published rides that reached a dead-letter queue, *unwritten* of them without a record."""
        self.count(self.dead_letters, mass)
        self.ended_dead += unwritten
        self.last_end_s = self.end_s

    def _give_up(self, mass: float) -> None:
        if mass > 0.0:
            self.errors[f"no answer in {self.timeout_s:g} s"] += mass
            self.error_latency[Spread(self.timeout_s, 0.0), 0.0] += mass

    def _note_answer(self, spread: Spread, after_s: float) -> None:
        # What is known in a step was due in it, or earlier by its pauses; a client may have given up before.
        waited_s = min(after_s + spread.median_s, self.timeout_s)
        self.last_answer_s = max(self.last_answer_s, self.end_s - after_s + waited_s)
