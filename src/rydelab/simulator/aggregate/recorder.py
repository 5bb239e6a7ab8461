"""What the asynchronous ways to the table have in common."""

from typing import Protocol

from rydelab.simulator.aggregate.function_flow import FunctionFlow
from rydelab.simulator.aggregate.writes import Chance


class Recorder(Protocol):
    """Takes rides that were published. In a step: `begin`, any number of plans with their questions, `commit`."""

    function: FunctionFlow

    def begin(self) -> None:
        """Begin the step: take out what is due in it."""

    def plan(self, published: float, accepted: float, chance: Chance) -> None:
        """Take *published* rides; Lambda lets in the part *accepted* of the invocations. Nothing is changed yet."""

    def attempts(self, share: float, *, is_final: bool) -> float:
        """Return how many attempts at the table the plan makes if this share is admitted."""

    def busy(self, chance: Chance) -> tuple[float, float]:
        """Return how many invocations are under way at the end of the step, and how many if none begins in it."""

    def commit(self, chance: Chance) -> None:
        """Carry out the plan."""

    @property
    def backlog(self) -> float:
        """How many rides are on their way."""

    @property
    def unwritten(self) -> float:
        """How many of them have no record."""

    @property
    def latest_end_s(self) -> float:
        """Until when the next step may last; infinity if the recorder does not mind."""
