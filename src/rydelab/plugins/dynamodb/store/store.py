"""The store: DynamoDB's data operations on the tables of one moto backend.

Reads answer with what they evaluated, so that the caller can charge for it. Writes go in steps, so that the caller
can charge for a write, and refuse it, when it knows the item's images and before anything is changed::

    write = store.prepare_put(request)              # parsed and checked; no lock
    with store.lock([write]) as session:
        change = session.plan(write)                # the images before and after, or why it fails
        ...                                         # charge; raise to refuse
        if change.failure is None:
            session.commit(change)
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Self

from moto.dynamodb.models import DynamoDBBackend

from rydelab.plugins.dynamodb.store.errors import invalid, moto_errors, resource_not_found
from rydelab.plugins.dynamodb.store.pages import Page, PageRequest, prepare_query, prepare_scan
from rydelab.plugins.dynamodb.store.partiql import StatementWrite, prepare_statement
from rydelab.plugins.dynamodb.store.reads import BatchRead, ItemLookup, ItemRead, batch_get, has_duplicates, prepare_get
from rydelab.plugins.dynamodb.store.selections import Selection
from rydelab.plugins.dynamodb.store.table import OrderedTable
from rydelab.plugins.dynamodb.store.transactions import (
    PlannedTransaction,
    Tokens,
    Transaction,
    cancellation,
    check_length,
    check_total_size,
    distinct,
    prepare_reads,
    prepare_transaction,
    transaction_of,
)
from rydelab.plugins.dynamodb.store.writes import (
    Change,
    DeleteWrite,
    PutWrite,
    UpdateWrite,
    Write,
    prepare_delete,
    prepare_put,
    prepare_update,
)

MAX_BATCH_WRITES = 25

type Request = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BatchWrite:
    """One write of a BatchWriteItem, with the table name and the WriteRequest that it came as."""

    table_name: str
    write_request: Mapping[str, Any]
    write: Write


class Session:
    """A stretch of time in which only this thread reads and writes some tables; made by :meth:`Store.lock`.

    Each plan must be committed before the next one of the same item is made.
    """

    def __init__(self, store: "Store", writes: Iterable[Write], tokens: Tokens) -> None:
        self._store = store
        self._tokens = tokens
        # In one order for everybody, so that no two sessions wait for each other.
        self._tables = sorted({write.table for write in writes}, key=lambda table: str(table.table_arn))
        self._is_open = False

    def __enter__(self) -> Self:
        for table in self._tables:
            table.lock.acquire()
        self._is_open = True
        if not all(map(self._store.holds, self._tables)):
            self.__exit__()
            raise resource_not_found()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_open = False
        for table in reversed(self._tables):
            table.lock.release()

    def plan(self, write: Write) -> Change:
        """Evaluate a write on the item that is there. Changes nothing."""
        self._check(write.table)
        return write.evaluate(write.table.collection.get(write.target.encoded))

    def commit(self, change: Change) -> None:
        """Do what a plan of this session said."""
        self._check(change.table)
        if change.failure is not None:
            raise ValueError(f"a failed {change.kind} cannot be committed: {change.failure}")
        if change.kind != "check":
            change.table.apply(change.target.encoded, change.before, change.after, change.after_bytes)

    def plan_transaction(self, transaction: Transaction) -> PlannedTransaction:
        """Evaluate all writes of a transaction. Changes nothing.

        Raises if its token was used for another transaction, or if it is too large.
        """
        if self._tokens.is_repeat(transaction):
            reads = tuple(self._read(write) for write in transaction.writes)
            return PlannedTransaction(transaction, reads, None, is_repeat=True)
        changes = tuple(self.plan(write) for write in transaction.writes)
        check_total_size(changes)
        return PlannedTransaction(transaction, changes, cancellation(changes))

    def commit_transaction(self, planned: PlannedTransaction) -> None:
        """Do all writes of a planned transaction."""
        if planned.failure is not None:
            raise ValueError(f"a cancelled transaction cannot be committed: {planned.failure}")
        if not planned.is_repeat:
            for change in planned.changes:
                self.commit(change)
            self._tokens.remember(planned.transaction)

    def _read(self, write: Write) -> Change:
        self._check(write.table)
        item = write.table.collection.get(write.target.encoded)
        return Change(kind="check", table=write.table, target=write.target, before=item, after=item)

    def _check(self, table: OrderedTable) -> None:
        if not self._is_open or table not in self._tables:
            raise RuntimeError(f"table {table.name} is not locked by this session")


class Store:
    """The data operations on one backend's tables. Safe to use from many threads.

    Requests are the API's, as LocalStack's parser makes them (binary content is bytes). What DynamoDB refuses is raised
    as ``DynamoError``. *clock* gives seconds, for the lifetime of transaction tokens.
    """

    def __init__(self, backend: DynamoDBBackend, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._backend = backend
        self._tokens = Tokens(clock)

    def table(self, name: str) -> OrderedTable:
        """Return a table by its name or ARN; raise ResourceNotFoundException if there is none."""
        table = self._backend.tables.get(name)
        if table is None:
            with moto_errors():
                table = self._backend.get_table(name)
        if not isinstance(table, OrderedTable):
            raise TypeError(f"table {name} was not created through the store's backend")
        return table

    def holds(self, table: OrderedTable) -> bool:
        """Tell whether *table* has not been deleted."""
        return self._backend.tables.get(table.name) is table

    def lock(self, writes: Iterable[Write]) -> Session:
        """Return a context in which every other thread is kept away from the tables of *writes*.

        Entering it raises ResourceNotFoundException if one of the tables was deleted since its write was prepared.
        """
        return Session(self, writes, self._tokens)

    def prepare_get(self, request: Request) -> ItemLookup:
        """Check GetItem; its ``read()`` reads."""
        return prepare_get(self.table(request["TableName"]), request)

    def get_item(self, request: Request) -> ItemRead:
        """GetItem."""
        return self.prepare_get(request).read()

    def batch_get_item(self, request: Request) -> BatchRead:
        """BatchGetItem."""
        return batch_get(self.table, request)

    def transact_get_items(self, request: Request) -> tuple[ItemRead, ...]:
        """TransactGetItems: one snapshot over all its tables."""
        return self._read_together(prepare_reads(self.table, request))

    def _read_together(self, lookups: Sequence[ItemLookup]) -> tuple[ItemRead, ...]:
        tables = {lookup.table.table_arn: lookup.table for lookup in lookups}
        with ExitStack() as stack:
            for arn in sorted(tables):
                stack.enter_context(tables[arn].lock)
            return tuple(lookup.read() for lookup in lookups)

    def prepare_query(self, request: Request) -> PageRequest:
        """Check Query; its ``read()`` reads one page."""
        return prepare_query(self.table(request["TableName"]), request)

    def query(self, request: Request) -> Page:
        """Query: one page."""
        return self.prepare_query(request).read()

    def prepare_scan(self, request: Request) -> PageRequest:
        """Check Scan; its ``read()`` reads one page."""
        return prepare_scan(self.table(request["TableName"]), request)

    def scan(self, request: Request) -> Page:
        """Scan: one page, of the whole table or of one segment."""
        return self.prepare_scan(request).read()

    def prepare_put(self, request: Request) -> PutWrite:
        """Check PutItem."""
        return prepare_put(self.table(request["TableName"]), request)

    def prepare_update(self, request: Request) -> UpdateWrite:
        """Check UpdateItem."""
        return prepare_update(self.table(request["TableName"]), request)

    def prepare_delete(self, request: Request) -> DeleteWrite:
        """Check DeleteItem."""
        return prepare_delete(self.table(request["TableName"]), request)

    def prepare_batch_write(self, request: Request) -> tuple[BatchWrite, ...]:
        """Check BatchWriteItem: its writes in order, each to be planned and committed by itself."""
        items: Mapping[str, Sequence[Mapping[str, Any]]] = request["RequestItems"]
        if not 1 <= sum(map(len, items.values())) <= MAX_BATCH_WRITES:
            raise invalid("Too many items requested for the BatchWriteItem call")
        batch: list[BatchWrite] = []
        for name, write_requests in items.items():
            table = self.table(name)
            for write_request in write_requests:
                if len(write_request) != 1:
                    raise invalid(
                        "Supplied AttributeValue has more than one datatypes set, "
                        "must contain exactly one of the supported datatypes"
                    )
                ((kind, body),) = write_request.items()
                write = prepare_put(table, body) if kind == "PutRequest" else prepare_delete(table, body)
                batch.append(BatchWrite(name, write_request, write))
        if has_duplicates(one.write for one in batch):
            raise invalid("Provided list of item keys contains duplicates")
        return tuple(batch)

    def prepare_transaction(self, request: Request) -> Transaction:
        """Check TransactWriteItems."""
        return prepare_transaction(self.table, request)

    def prepare_statement(self, request: Request) -> StatementWrite | Selection:
        """Check ExecuteStatement, or one of BatchExecuteStatement: a write to be planned, or pages to be read."""
        return prepare_statement(self.table, request)

    def prepare_statements_transaction(self, request: Request) -> Transaction | tuple[ItemLookup, ...]:
        """Check ExecuteTransaction: writes to be planned together, or reads for :meth:`read_statements`."""
        statements: Sequence[Mapping[str, Any]] = request["TransactStatements"]
        check_length("transactStatements", len(statements))
        prepared = [prepare_statement(self.table, statement, transactional=True) for statement in statements]
        writes = [one.write for one in prepared if isinstance(one, StatementWrite)]
        if not writes:
            return distinct([one.single_item("ExecuteTransaction") for one in prepared if isinstance(one, Selection)])
        if len(writes) < len(prepared):
            raise invalid(
                "Transactions cannot contain a mixture of read and write statements; use EXISTS to check a condition"
            )
        return transaction_of(writes, request.get("ClientRequestToken"), statements)

    def read_statements(self, lookups: Sequence[ItemLookup]) -> tuple[ItemRead, ...]:
        """Do the reads of an ExecuteTransaction: one snapshot over all its tables."""
        return self._read_together(lookups)
