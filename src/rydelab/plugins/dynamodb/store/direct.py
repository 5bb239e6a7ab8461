"""The data operations straight on the store: nothing is refused for capacity."""

from collections.abc import Mapping, Sequence
from typing import Any

from rydelab.plugins.dynamodb.store.errors import DynamoError, invalid
from rydelab.plugins.dynamodb.store.partiql import StatementWrite
from rydelab.plugins.dynamodb.store.store import Store
from rydelab.plugins.dynamodb.store.transactions import Transaction
from rydelab.plugins.dynamodb.store.writes import Change, Write

MAX_BATCH_STATEMENTS = 25

type Request = Mapping[str, Any]
type Response = dict[str, Any]


class DirectOperations:
    """Each of the API's data operations: a request in, a response without ConsumedCapacity out.

    Raises DynamoError as the API would.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def get_item(self, request: Request) -> Response:
        """GetItem."""
        return self._store.get_item(request).response()

    def batch_get_item(self, request: Request) -> Response:
        """BatchGetItem."""
        return self._store.batch_get_item(request).response()

    def transact_get_items(self, request: Request) -> Response:
        """TransactGetItems."""
        return {"Responses": [read.response() for read in self._store.transact_get_items(request)]}

    def query(self, request: Request) -> Response:
        """Query."""
        return self._store.query(request).response()

    def scan(self, request: Request) -> Response:
        """Scan."""
        return self._store.scan(request).response()

    def put_item(self, request: Request) -> Response:
        """PutItem."""
        return self._write(self._store.prepare_put(request)).response()

    def update_item(self, request: Request) -> Response:
        """UpdateItem."""
        return self._write(self._store.prepare_update(request)).response()

    def delete_item(self, request: Request) -> Response:
        """DeleteItem."""
        return self._write(self._store.prepare_delete(request)).response()

    def _write(self, write: Write) -> Change:
        with self._store.lock([write]) as session:
            change = session.plan(write)
            if change.failure is not None:
                raise change.failure
            session.commit(change)
        return change

    def batch_write_item(self, request: Request) -> Response:
        """BatchWriteItem."""
        for one in self._store.prepare_batch_write(request):
            self._write(one.write)
        return {"UnprocessedItems": {}}

    def transact_write_items(self, request: Request) -> Response:
        """TransactWriteItems."""
        self._write_together(self._store.prepare_transaction(request))
        return {}

    def _write_together(self, transaction: Transaction) -> tuple[Change, ...]:
        with self._store.lock(transaction.writes) as session:
            planned = session.plan_transaction(transaction)
            if planned.failure is not None:
                raise planned.failure
            session.commit_transaction(planned)
        return planned.changes

    def execute_statement(self, request: Request) -> Response:
        """ExecuteStatement."""
        prepared = self._store.prepare_statement(request)
        if isinstance(prepared, StatementWrite):
            attributes = self._write(prepared.write).attributes
            return {"Items": [] if attributes is None else [attributes]}
        return prepared.read().response()

    def batch_execute_statement(self, request: Request) -> Response:
        """BatchExecuteStatement: each statement's answer or error, in order."""
        return {"Responses": [self._batch_statement(statement) for statement in batch_statements(request)]}

    def _batch_statement(self, statement: Request) -> Response:
        answer: Response = {}
        try:
            prepared = self._store.prepare_statement(statement)
            answer["TableName"] = prepared.table_name
            if isinstance(prepared, StatementWrite):
                attributes = self._write(prepared.write).attributes
                shown = {} if attributes is None else {"Item": attributes}
            else:
                shown = prepared.single_item("BatchExecuteStatement").read().response()
        except DynamoError as error:
            return answer | {"Error": batch_error(error)}
        return answer | shown

    def execute_transaction(self, request: Request) -> Response:
        """ExecuteTransaction."""
        prepared = self._store.prepare_statements_transaction(request)
        if isinstance(prepared, Transaction):
            return {"Responses": [change.response() for change in self._write_together(prepared)]}
        return {"Responses": [read.response() for read in self._store.read_statements(prepared)]}


def batch_statements(request: Request) -> Sequence[Request]:
    """Return the statements of a BatchExecuteStatement; raise a ValidationException if they are too many, or none."""
    statements: Sequence[Request] = request["Statements"]
    if not 1 <= len(statements) <= MAX_BATCH_STATEMENTS:
        raise invalid(
            "1 validation error detected: Value at 'statements' failed to satisfy constraint: "
            "Member must have length less than or equal to 25"
        )
    return statements


def batch_error(error: DynamoError) -> dict[str, Any]:
    """Return an error as BatchExecuteStatement lists it: its code without ``Exception``."""
    codes = {"ValidationException": "ValidationError"}
    code = codes.get(error.code, error.code.removesuffix("Exception"))
    return {"Code": code, "Message": error.message, **error.members}
