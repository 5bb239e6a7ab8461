"""Requests of several items: batches decide each item alone, transactions all or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from rydelab.capacity.bucket import Undo, roll_back
from rydelab.capacity.charges import WriteCharge
from rydelab.capacity.table import Charge, Table
from rydelab.capacity.throttling import ADMITTED, Decision


@dataclass(frozen=True, slots=True)
class TransactionDecision:
    """The answer to a transaction, with one decision for each item in request order.

    If it was refused, nothing was taken, not even for the items whose own decision is ADMITTED.
    """

    items: tuple[Decision, ...]

    @property
    def admitted(self) -> bool:
        """True when every item was admitted."""
        return all(decision.admitted for decision in self.items)


def admit_batch(requests: Sequence[tuple[Table, Charge]], now: float) -> list[Decision]:
    """Decide each item of BatchGetItem or BatchWriteItem alone, in order; what is refused goes back unprocessed."""
    return [
        table.admit_write(charge, now) if isinstance(charge, WriteCharge) else table.admit_read(charge, now)
        for table, charge in requests
    ]


def admit_transaction(requests: Sequence[tuple[Table, Charge]], now: float) -> TransactionDecision:
    """Admit every item of a transaction, over one or several tables, or refuse it whole and take nothing."""
    undo: Undo = []
    decisions: list[Decision] = []
    for table, charge in requests:
        throttles = table.reserve(charge, now, undo)
        decisions.append(Decision(throttles) if throttles else ADMITTED)
    answer = TransactionDecision(tuple(decisions))
    if answer.admitted:
        for table, charge in requests:
            table.count(charge, now)
        return answer
    roll_back(undo)
    for (table, _), decision in zip(requests, decisions, strict=True):
        table.refuse(decision.throttles)
    return answer
