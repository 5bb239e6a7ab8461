"""The AWS SDK's pauses as those of a ladder."""

from itertools import accumulate

from rydelab.simulator.aggregate.ladder import Pause
from rydelab.simulator.cell import RetryMode
from rydelab.simulator.exact.sdk import LEGACY_DYNAMODB_PAUSES_S

_STANDARD_PAUSES_S = (1.0, 2.0)
_LEGACY_LAMBDA_PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Up to these: the pause is of chance."""


def dynamodb_pauses(mode: RetryMode, *, answer_s: float, before_s: float, deadline_s: float) -> tuple[Pause, ...]:
    """Return the pauses between attempts at a table whose refusal takes *answer_s*.

    The first attempt is *before_s* after the begin of the function, which ends after *deadline_s*: no attempt is later.
    """
    if mode == "standard":
        pauses = [Pause(answer_s, answer_s + most_s) for most_s in _STANDARD_PAUSES_S]
    else:
        pauses = [Pause(answer_s + pause_s, answer_s + pause_s) for pause_s in LEGACY_DYNAMODB_PAUSES_S]
    at_s = accumulate(pause.mean_s for pause in pauses)
    return tuple(pause for pause, time_s in zip(pauses, at_s, strict=True) if before_s + time_s <= deadline_s)


def lambda_pauses(mode: RetryMode, *, answer_s: float) -> tuple[Pause, ...]:
    """Return the pauses between attempts of an Invoke that finds no concurrency."""
    longest_s = _STANDARD_PAUSES_S if mode == "standard" else _LEGACY_LAMBDA_PAUSES_S
    return tuple(Pause(answer_s, answer_s + most_s) for most_s in longest_s)
