"""The rows of a ledger as people see them: always in this order, always under these names. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """Where an arrival can end."""

    key: str
    """Its name in `CellSummary.rows`, and in the style sheet of the page."""
    label: str
    meaning: str


LEDGER_ROWS = (
    LedgerRow("recorded", "recorded", "promised (201), and in the record table"),
    LedgerRow("in_flight", "in flight", "promised, but still queued or being retried when the waiting ended"),
    LedgerRow("dead_lettered", "dead-lettered", "promised, given up after all retries, kept in the dead-letter queue"),
    LedgerRow("refused", "refused", "the client got an error or no answer, and there is no record"),
    LedgerRow("lost", "lost", "promised, and nowhere to be found"),
    LedgerRow("ghost", "ghost", "the client got an error, yet there is a record"),
)
"""From the best end to the worst."""
