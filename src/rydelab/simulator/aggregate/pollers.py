"""How many batches of one queue Lambda handles at once: as `exact.pollers`, for flows."""

from rydelab.simulator.profile import Profile

_FEWEST = 2.0
_NOBODY = 0.5


class PollersFlow:
    """Begins with 5, gains 300 a minute while all are busy, and halves with each batch that Lambda refuses."""

    def __init__(self, profile: Profile) -> None:
        self._most = profile.limits["sqs_most_pollers"]
        self._start = min(profile.limits["sqs_pollers"], self._most)
        self._growth_per_s = profile.limits["sqs_growth_per_min"] / 60
        self._level = self._start

    def most(self, step_s: float) -> float:
        """Return how many there may be at the end of a step, if all are busy in it."""
        return min(self._most, self._level + self._growth_per_s * step_s)

    def settle(self, step_s: float, *, busy: float, refused: float) -> None:
        """Note a step: how many were busy at its end, and how many batches Lambda refused."""
        if busy >= int(self._level) - _NOBODY:
            self._level = max(self._level, min(self.most(step_s), busy + 1.0))
        elif busy < _NOBODY:
            self._level = self._start
        if refused > 0.0:
            # Each refusal halves, and between two of them there is growth for a while.
            grown = self._growth_per_s * step_s / refused
            fewest = min(_FEWEST, self._start)
            self._level = max(fewest, min(self._level * 0.5 ** min(refused, 50.0) + 2 * grown, self._level))
