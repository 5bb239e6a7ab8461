"""Functions that each write one ride: their attempts at the table, with the SDK's retries."""

from dataclasses import dataclass

from rydelab.simulator.aggregate.function_flow import FunctionFlow
from rydelab.simulator.aggregate.ladder import Ladder, Tried
from rydelab.simulator.aggregate.quota import QuotaFlow
from rydelab.simulator.aggregate.scene import Scene
from rydelab.simulator.aggregate.sdk_flow import dynamodb_pauses


@dataclass(frozen=True, slots=True)
class Chance:
    """The chance of an attempt at the table in a step, and why the others are refused."""

    share: float
    reason: str = ""
    is_final: bool = False
    """Whether the SDK's mode ``legacy`` does not try again after this reason."""


class Writes:
    """The writes that one function makes, one by each invocation. *ladders* tell them apart by what they did before."""

    def __init__(self, scene: Scene, function: FunctionFlow, *, timeout_s: float, ladders: int = 1) -> None:
        self._scene = scene
        self.function = function
        self.own_s = scene.mean_s("put_ride_record")
        self.put_s = scene.mean_s("put_item")
        self.answer_s = scene.mean_s("throttled_put_item")
        pauses = dynamodb_pauses(
            scene.cell.sdk_retry_mode, answer_s=self.answer_s, before_s=self.own_s, deadline_s=timeout_s
        )
        self.ladders = [Ladder(pauses, scene.steps) for _ in range(ladders)]
        self.offsets_s = self.ladders[0].offsets_s
        self.given_up_after_s = self.offsets_s[-1] + self.answer_s
        self._is_standard = scene.cell.sdk_retry_mode == "standard"
        self.quota = QuotaFlow() if self._is_standard else None

    @property
    def held(self) -> float:
        """How many wait between two attempts."""
        return sum(ladder.held for ladder in self.ladders)

    def begin(self) -> None:
        """Begin the step."""
        for ladder in self.ladders:
            ladder.begin(self._scene.start_s, self._scene.end_s)

    def persistence(self, *, is_final: bool) -> float:
        """Return the part of the failures that may be tried again."""
        if self.quota is not None:
            return self.quota.persistence
        return 0.0 if is_final else 1.0

    def attempts(self, begun: list[float], chance: float, *, is_final: bool) -> float:
        """Return how many attempts there are if *begun* invocations begin, by ladder."""

        def number(persistence: float) -> float:
            each = zip(self.ladders, begun, strict=True)
            return sum(ladder.attempts(mass, chance, persistence) for ladder, mass in each)

        if self.quota is not None:
            whole = sum(begun)
            return self.quota.attempts(
                number, lambda persistence: self.waiting(whole, chance, persistence), chance, self._scene.step_s
            )
        return number(self.persistence(is_final=is_final))

    def waiting(self, begun: float, chance: float, persistence: float) -> float:
        """Return how many invocations wait between attempts at the end of the step."""
        total = begun * self.ladders[0].staying(chance, persistence)
        return total + sum(ladder.waiting(0.0, chance, persistence) for ladder in self.ladders)

    def commit(self, begun: list[float], chance: Chance) -> list[Tried]:
        """Make the attempts of the step; return what became of them by ladder."""
        scene = self._scene
        held_before = self.held
        persistence = self.persistence(is_final=chance.is_final)
        tried = [
            ladder.commit(mass, chance.share, persistence) for ladder, mass in zip(self.ladders, begun, strict=True)
        ]
        ended = sum(sum(one.successes) + one.given_up for one in tried)
        waited_s = (held_before + self.held) / 2 * scene.step_s
        self.function.busy_s += sum(begun) * (self.own_s + self.put_s) + waited_s
        refused = sum(one.attempts - sum(one.successes) for one in tried)
        written = sum(sum(one.successes) for one in tried)
        scene.tally.requests(written, refused, chance.reason)
        if self.quota is not None and (ended or refused):
            again = sum(one.again for one in tried)
            first = sum(one.successes[0] for one in tried)
            self.quota.settle(
                busy=self.held,
                refused=refused,
                made=again,
                first=first,
                later=sum(sum(one.successes) for one in tried) - first,
                step_s=scene.step_s,
            )
        return tried
