"""The steps of the data operations: plan in the store, charge, admit, commit, under the locks of the tables concerned.

What is refused writes nothing and costs nothing. What is admitted is on the bill, also when its condition fails.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from rydelab.capacity.admission import TransactionDecision, admit_transaction
from rydelab.capacity.table import Charge
from rydelab.capacity.throttling import Decision, cancellation_reasons, throttling_error
from rydelab.plugins.dynamodb.bill import Bill
from rydelab.plugins.dynamodb.charging import (
    CHARGED_FAILURES,
    change_charge,
    item_charge,
    page_charge,
    repeat_charge,
    unwritten_charge,
)
from rydelab.plugins.dynamodb.metered import MeteredTable, MeteredTables, locked
from rydelab.plugins.dynamodb.refusals import RefusedError, cancelled, throttled
from rydelab.plugins.dynamodb.store.errors import invalid
from rydelab.plugins.dynamodb.store.pages import Page, PageRequest
from rydelab.plugins.dynamodb.store.reads import ItemLookup, ItemRead
from rydelab.plugins.dynamodb.store.selections import Selection, SelectionResult
from rydelab.plugins.dynamodb.store.store import Store
from rydelab.plugins.dynamodb.store.transactions import PlannedTransaction, Transaction, reason
from rydelab.plugins.dynamodb.store.writes import Change, Write

CONDITION_FAILED_METRIC = "ConditionalCheckFailedRequests"


class Steps:
    """What operations do with the tables of one backend. *names* are the request's for its tables."""

    def __init__(self, store: Store, tables: MeteredTables) -> None:
        self._store = store
        self._tables = tables

    def write(self, write: Write, name: str, bill: Bill) -> Change:
        """Do one write, or raise why not."""
        metered = self._tables.of(write.table)
        with self._store.lock([write]) as session:
            change = session.plan(write)
            if change.failure is not None and change.failure.code not in CHARGED_FAILURES:
                raise change.failure
            charge = change_charge(metered.capacity, change)
            decision = metered.admit(charge)
            if change.failure is None and decision.admitted:
                session.commit(change)
        if not decision.admitted:
            raise refusal(metered, decision)
        bill.add(metered, name, charge)
        if change.failure is not None:
            metered.note(None, CONDITION_FAILED_METRIC, 1.0)
            raise change.failure
        return change

    def read_item(self, read: ItemRead, name: str, bill: Bill) -> ItemRead:
        """Charge an item that was read; raise if it must not be returned."""
        metered = self._tables.of(read.table)
        charge = item_charge(metered.capacity, read)
        with metered.lock:
            decision = metered.admit(charge)
        if not decision.admitted:
            raise refusal(metered, decision)
        bill.add(metered, name, charge)
        return read

    def read_page(self, request: PageRequest, name: str, bill: Bill) -> Page:
        """Read one page of a Query or Scan."""
        metered = self._open_pages([request])
        page = request.read()
        self._close_page(metered, page, name, bill)
        metered.note(bill.operation, "ReturnedItemCount", page.count)
        return page

    def read_selection(self, selection: Selection, bill: Bill) -> SelectionResult:
        """Read the pages of a PartiQL SELECT."""
        metered = self._open_pages(selection.requests[selection.position :])
        result = selection.read()
        for page in result.pages:
            self._close_page(metered, page, selection.table_name, bill)
        metered.note(bill.operation, "ReturnedItemCount", len(result.items))
        return result

    def _open_pages(self, requests: Sequence[PageRequest]) -> MeteredTable:
        metered = self._tables.of(requests[0].table)
        with metered.lock:
            metered.status()
            index = requests[0].index
            if index is not None and index.name in metered.index_changes:
                raise invalid(f"Cannot read from backfilling global secondary index: {index.name}")
            for request in requests:
                decision = metered.open_page(request)
                if not decision.admitted:
                    raise refusal(metered, decision)
        return metered

    def _close_page(self, metered: MeteredTable, page: Page, name: str, bill: Bill) -> None:
        charge = page_charge(page)
        with metered.lock:
            decision = metered.close_page(charge)
        if not decision.admitted:
            raise refusal(metered, decision)
        bill.add(metered, name, charge)

    def write_together(self, transaction: Transaction, names: Sequence[str], bill: Bill) -> tuple[Change, ...]:
        """Do all writes of a transaction, or raise why it is cancelled."""
        tables = [self._tables.of(write.table) for write in transaction.writes]
        with self._store.lock(transaction.writes) as session:
            planned = session.plan_transaction(transaction)
            if planned.failure is not None and not _is_charged(planned):
                raise planned.failure
            charges = _transaction_charges(planned, tables)
            decision = _admit_together(tables, charges)
            if planned.failure is None and decision.admitted:
                session.commit_transaction(planned)
        if not decision.admitted:
            failures = [None if planned.is_repeat else change.failure for change in planned.changes]
            raise _cancellation(decision, tables, [reason(failure) for failure in failures])
        for metered, name, charge in zip(tables, names, charges, strict=True):
            bill.add(metered, name, charge)
        if planned.failure is not None:
            for metered, change in zip(tables, planned.changes, strict=True):
                if change.failure is not None:
                    metered.note(None, CONDITION_FAILED_METRIC, 1.0)
            raise planned.failure
        return planned.changes

    def read_together(self, lookups: Sequence[ItemLookup], names: Sequence[str], bill: Bill) -> tuple[ItemRead, ...]:
        """Do all reads of a transaction, or raise why it is cancelled."""
        tables = [self._tables.of(lookup.table) for lookup in lookups]
        with locked(tables):
            reads = self._store.read_statements(lookups)
            charges = [
                item_charge(metered.capacity, read, transactional=True)
                for metered, read in zip(tables, reads, strict=True)
            ]
            decision = _admit_together(tables, charges)
        if not decision.admitted:
            raise _cancellation(decision, tables, [reason(None)] * len(reads))
        for metered, name, charge in zip(tables, names, charges, strict=True):
            bill.add(metered, name, charge)
        return reads


def refusal(metered: MeteredTable, decision: Decision) -> RefusedError:
    """Return what a refused request on one table answers."""
    return throttled(throttling_error(decision.throttles, metered.capacity.settings), [metered])


def _is_charged(planned: PlannedTransaction) -> bool:
    return all(change.failure is None or change.failure.code in CHARGED_FAILURES for change in planned.changes)


def _transaction_charges(planned: PlannedTransaction, tables: Sequence[MeteredTable]) -> list[Charge]:
    """Return the charges of a transaction's actions. Cancelled by a condition, none of them writes to an index."""
    pairs = [(metered.capacity, change) for metered, change in zip(tables, planned.changes, strict=True)]
    if planned.is_repeat:
        return [repeat_charge(capacity, change) for capacity, change in pairs]
    return [
        change_charge(capacity, change, transactional=True)
        if planned.failure is None or change.kind == "check"
        else unwritten_charge(capacity, change, transactional=True)
        for capacity, change in pairs
    ]


def _admit_together(tables: Sequence[MeteredTable], charges: Iterable[Charge]) -> TransactionDecision:
    now = max(metered.now() for metered in set(tables))
    requests = [(metered.capacity, charge) for metered, charge in zip(tables, charges, strict=True)]
    return admit_transaction(requests, now)


def _cancellation(
    decision: TransactionDecision, tables: Sequence[MeteredTable], otherwise: Sequence[dict[str, Any]]
) -> RefusedError:
    """Return the cancellation of a refused transaction; *otherwise* are the reasons that are not about capacity."""
    throttles = cancellation_reasons(decision.items, tables[0].capacity.settings)
    reasons = [
        other if item.admitted else throttle
        for item, throttle, other in zip(decision.items, throttles, otherwise, strict=True)
    ]
    refused = [metered for metered, item in zip(tables, decision.items, strict=True) if not item.admitted]
    return cancelled(reasons, refused)
