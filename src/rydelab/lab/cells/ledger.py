"""What became of every arrival. Pure: sets of RideIds in, a ledger that adds up (or says that it does not) out."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

ROWS = ("refused", "recorded", "dead_lettered", "in_flight", "lost", "ghost")
"""The rows of a ledger, in the order in which they are shown. Every arrival ends in exactly one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client learned about one arrival."""

    arrival: int
    """The arrival's number in the schedule, from 0."""
    accepted: bool
    """Whether the ride was promised (201). False for an error or no answer."""
    ride_id: str | None = None
    """The RideId in the answer. An error may name one too; no answer at all cannot."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found behind the services when the drain ended, by RideId. Rides from before the load are not in it."""

    recorded: AbstractSet[str]
    """In RideRecordTable."""
    dead_lettered: AbstractSet[str] = frozenset()
    """In a dead-letter queue."""
    in_flight: AbstractSet[str] = frozenset()
    """May still be queued or retrying."""
    writes: Mapping[str, int] | None = None
    """How often each ride was written, where the lab can tell; else None."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Each arrival in exactly one row. A row counts arrivals (refused) or distinct RideIds (the others).

    So two answers with one RideId, an arrival without an answer, or a record that nobody can have asked for, make the
    rows add up to something other than `arrivals`.
    """

    arrivals: int
    refused: int
    """The client got an error or no answer, and no record exists."""
    recorded: int
    """Accepted, and in RideRecordTable (even if its event also reached a dead-letter queue)."""
    dead_lettered: int
    """Accepted, and its event waits in a dead-letter queue."""
    in_flight: int
    """Accepted, and may still have been queued or retrying when the drain's deadline came."""
    lost: int
    """Accepted, and nowhere to be found."""
    ghost: int
    """The client got an error, yet a record exists."""
    rewrites: int | None
    """Records that were written more than once; None where the lab cannot tell."""
    mismatches: tuple[str, ...]
    """Why the ledger cannot be trusted, each a sentence; empty when it adds up."""

    @property
    def adds_up(self) -> bool:
        """Whether every arrival is in exactly one row."""
        return not self.mismatches


def settle(*, started: int, answers: Iterable[Answer], evidence: Evidence) -> Ledger:
    """Settle what became of a load of which *started* arrivals were sent.

    *started* is counted apart from *answers*, so that an answer that got lost on the way to the ledger shows.
    """
    answers = list(answers)
    accepted = {answer.ride_id for answer in answers if answer.accepted and answer.ride_id is not None}
    errors = sum(not answer.accepted for answer in answers)

    recorded = accepted & evidence.recorded
    dead_lettered = (accepted & evidence.dead_lettered) - recorded
    in_flight = (accepted & evidence.in_flight) - recorded - dead_lettered
    lost = accepted - recorded - dead_lettered - in_flight
    ghost = evidence.recorded - accepted
    refused = max(0, errors - len(ghost))
    rows = refused + len(recorded) + len(dead_lettered) + len(in_flight) + len(lost) + len(ghost)
    return Ledger(
        arrivals=started,
        refused=refused,
        recorded=len(recorded),
        dead_lettered=len(dead_lettered),
        in_flight=len(in_flight),
        lost=len(lost),
        ghost=len(ghost),
        rewrites=None if evidence.writes is None else sum(writes > 1 for writes in evidence.writes.values()),
        mismatches=tuple(_mismatches(started, answers, errors=errors, ghosts=len(ghost), rows=rows)),
    )


def fate(answer: Answer, evidence: Evidence) -> str:
    """Name the row of one answer.

    An error without a RideId is `refused` here even where the ledger counts a ghost: which of them left the record
    behind cannot be told.
    """
    ride_id = answer.ride_id
    is_recorded = ride_id in evidence.recorded
    if not answer.accepted:
        return "ghost" if is_recorded else "refused"
    if is_recorded:
        return "recorded"
    if ride_id in evidence.dead_lettered:
        return "dead_lettered"
    return "in_flight" if ride_id in evidence.in_flight else "lost"


def _mismatches(started: int, answers: list[Answer], *, errors: int, ghosts: int, rows: int) -> Iterable[str]:
    if rows != started:
        yield f"the rows add up to {rows}, but {started} arrivals were sent"
    if len(answers) != started:
        yield f"{started} arrivals were sent, but {len(answers)} outcomes were saved"
    if arrivals := _repeated(answer.arrival for answer in answers):
        yield f"arrivals with more than one outcome: {_some(arrivals)}"
    if ride_ids := _repeated(answer.ride_id for answer in answers if answer.accepted):
        yield f"RideIds that more than one arrival was given: {_some(ride_ids)}"
    if ghosts > errors:
        yield f"{ghosts} records belong to no accepted ride, but only {errors} arrivals ended in an error"


def _repeated[T](values: Iterable[T]) -> list[T]:
    seen: set[T] = set()
    repeated: dict[T, None] = {}
    for value in values:
        if value in seen:
            repeated[value] = None
        seen.add(value)
    return list(repeated)


def _some[T](values: list[T], most: int = 3) -> str:
    more = f" and {len(values) - most} more" if len(values) > most else ""
    return ", ".join(str(value) for value in values[:most]) + more
