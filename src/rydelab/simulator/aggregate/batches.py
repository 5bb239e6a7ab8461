"""The batches that PutRideRecordSqs writes, ride by ride."""

from rydelab.simulator.aggregate.batch_step import BatchStep, Played
from rydelab.simulator.aggregate.cohorts import Cohort, Later, Rules, Track
from rydelab.simulator.aggregate.ladder import add_to, polynomial

_FEW = 1e-4
"""This part of the batches, or of one, is taken for ended instead of being carried along."""
_ROUNDING = 1e-12


class Batches:
    """In a step: `begin`, any number of questions, `commit`."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._tracks = [Track(rules, len(rules.pauses) + 1)]
        if rules.late_s < rules.last_begin_s:
            self._tracks.append(Track(rules, len(rules.pauses)))
        self._doomed = Later()
        """Batches that wait for the function's end."""
        self._timed_out = Cohort()
        self._start_s = self._end_s = 0.0
        self._attempts: list[float] = []
        self._stays: list[float] = []
        self._go_on: list[float] = []
        """Those whose batch goes on after a success, and the rides that these have left then."""
        self._left: list[float] = []

    @property
    def held(self) -> float:
        """How many batches wait."""
        return sum(track.held for track in self._tracks) + self._doomed.held

    def begin(self, start_s: float, end_s: float) -> None:
        """Begin a step: take out what is due."""
        self._start_s, self._end_s = start_s, end_s
        for track in self._tracks:
            track.begin(start_s, end_s)
        self._timed_out = self._doomed.take(end_s) if self._doomed.held else Cohort()
        self._sum_up()

    def _sum_up(self) -> None:
        """Sum up what is due, as polynomials: by how often it was refused in the step before."""
        self._attempts, self._stays, self._go_on, self._left = [], [], [], []
        for track in self._tracks:
            for attempt, cohort in track.due.items():
                row = track.rows[attempt]
                add_to(self._attempts, row.parts, cohort.number)
                add_to(self._stays, row.stays, cohort.number)
                left = cohort.left / cohort.number
                if left > 1.0 and track.offsets_s[attempt] <= self._rules.last_begin_s:
                    going_on = cohort.number * min(1.0, left - 1.0)
                    add_to(self._go_on, row.parts, going_on)
                    add_to(self._left, row.parts, going_on * (max(2.0, left) - 1.0))

    def waiting(self, chance: float, persistence: float) -> float:
        """Return how many batches wait at the end of the step if no further ride is begun."""
        again = (1.0 - chance) * persistence
        return self.held + again * polynomial(self._stays, again)

    def staying(self, size: float, chance: float, persistence: float) -> float:
        """Return what part of the batches of *size* rides that begin in the step wait at its end."""
        again = (1.0 - chance) * persistence
        if not again:
            return 0.0
        row = self._tracks[0].rows[0]
        passing = chance * polynomial(row.parts, again)
        begun = (1.0 - passing**size) / (1.0 - passing) if passing < 1.0 - _ROUNDING else size
        return begun * again * polynomial(row.stays, again)

    def attempts(self, new: Cohort, chance: float, persistence: float) -> float:
        """Return about how many attempts there are in the step if *new* batches begin."""
        again = (1.0 - chance) * persistence
        attempts = polynomial(self._attempts, again)
        batches = new.number + chance * polynomial(self._go_on, again)
        if batches <= 0.0:
            return attempts
        rides = (new.left + chance * polynomial(self._left, again)) / batches
        each = polynomial(self._tracks[0].rows[0].parts, again)
        passing = chance * each
        begun = (1.0 - passing**rides) / (1.0 - passing) if passing < 1.0 - _ROUNDING else rides
        return attempts + batches * begun * each

    def commit(self, new: Cohort, chance: float, persistence: float) -> Played:
        """Let *new* batches begin, and make the attempts."""
        few = _FEW * max(1.0, self.held)
        step = BatchStep(self._rules, self._tracks, few=few, chance=chance, persistence=persistence)
        played = step.run(new, self._timed_out)
        for track, waits in zip(self._tracks, step.waits, strict=True):
            for attempt, cohort in waits.items():
                pause, line = track.pauses[attempt - 1], track.lines[attempt - 1]
                begin_s = max(self._end_s, self._start_s + pause.least_s)
                line.push(begin_s, max(begin_s, self._end_s + pause.most_s), cohort)
        doomed = step.doomed
        if doomed.number > 0.0:
            left_s = max(0.0, self._rules.timeout_s - doomed.elapsed_s / doomed.number)
            begin_s = max(self._end_s, self._start_s + left_s)
            self._doomed.push(begin_s, max(begin_s, self._end_s + left_s), doomed)
        return played
