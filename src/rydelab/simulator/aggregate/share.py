"""Which share of the attempts finds room, when the others try again and so make more attempts."""

from collections.abc import Callable

_PRECISION = 1e-3
"""Of the room. What is admitted too much or too little is missing or left in the bucket of the next step."""
_MOST_ROUNDS = 40


def share_of(attempts: Callable[[float], float], room: float, guess: float) -> float:
    """Return the chance of an attempt, so that as many succeed as there is *room* for; 1 if there is room for all.

    *attempts* says how many there are for a chance: the more, the lower it is, but never so many more that the
    successes become more as well. *guess* is where to look first.
    """
    if room <= 0.0:
        return 0.0 if attempts(1.0) > 0.0 else 1.0
    low, high = 0.0, 1.0
    chance = guess if guess > 0.0 else 1.0
    before: tuple[float, float] | None = None
    for _ in range(_MOST_ROUNDS):
        come = chance * attempts(chance)
        missed = come - room
        if come <= 0.0 or (missed <= 0.0 and chance >= 1.0):
            return 1.0
        if abs(missed) <= _PRECISION * room:
            break
        low, high = (low, chance) if missed > 0.0 else (chance, high)
        # Where a line through the last two leads to, else where it would be if the attempts stayed as they are.
        wanted = chance * room / come
        if before is not None and before[1] != missed:
            wanted = chance - missed * (chance - before[0]) / (missed - before[1])
        before = chance, missed
        if wanted >= high:
            wanted = 1.0 if high >= 1.0 else (low + high) / 2
        elif wanted <= low:
            wanted = (low + high) / 2
        chance = wanted
    return chance
