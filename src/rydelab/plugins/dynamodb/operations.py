"""The data operations under capacity. How each step is admitted is in ``steps.py``."""

from collections.abc import Mapping, Sequence
from typing import Any

from rydelab.capacity.throttling import Throttle, batch_get_error, batch_write_error
from rydelab.plugins.dynamodb.bill import Bill
from rydelab.plugins.dynamodb.metered import MeteredTable, MeteredTables
from rydelab.plugins.dynamodb.refusals import RefusedError, throttled
from rydelab.plugins.dynamodb.steps import Steps
from rydelab.plugins.dynamodb.store.direct import batch_error, batch_statements
from rydelab.plugins.dynamodb.store.errors import DynamoError
from rydelab.plugins.dynamodb.store.pages import prepare_query, prepare_scan
from rydelab.plugins.dynamodb.store.partiql import StatementWrite
from rydelab.plugins.dynamodb.store.store import Store
from rydelab.plugins.dynamodb.store.transactions import Transaction, prepare_reads
from rydelab.plugins.dynamodb.store.writes import Write

THROTTLED_METRIC = "ThrottledRequests"

type Request = Mapping[str, Any]
type Response = dict[str, Any]


class MeteredOperations:
    """Each of the API's data operations: a request in, a response out, with ConsumedCapacity if it was asked for.

    Raises DynamoError as the API would; RefusedError if it lacks capacity.
    """

    def __init__(self, store: Store, tables: MeteredTables) -> None:
        self._store = store
        self._steps = Steps(store, tables)

    def get_item(self, request: Request) -> Response:
        """GetItem."""
        bill = Bill("GetItem", request)
        read = self._steps.read_item(self._store.get_item(request), request["TableName"], bill)
        return bill.close(read.response())

    def put_item(self, request: Request) -> Response:
        """PutItem."""
        return self._write("PutItem", request, self._store.prepare_put(request))

    def update_item(self, request: Request) -> Response:
        """UpdateItem."""
        return self._write("UpdateItem", request, self._store.prepare_update(request))

    def delete_item(self, request: Request) -> Response:
        """DeleteItem."""
        return self._write("DeleteItem", request, self._store.prepare_delete(request))

    def _write(self, operation: str, request: Request, write: Write) -> Response:
        bill = Bill(operation, request)
        return bill.close(self._steps.write(write, request["TableName"], bill).response())

    def query(self, request: Request) -> Response:
        """Query."""
        bill = Bill("Query", request)
        page = prepare_query(self._store.table(request["TableName"]), request)
        return bill.close(self._steps.read_page(page, request["TableName"], bill).response())

    def scan(self, request: Request) -> Response:
        """Scan."""
        bill = Bill("Scan", request)
        page = prepare_scan(self._store.table(request["TableName"]), request)
        return bill.close(self._steps.read_page(page, request["TableName"], bill).response())

    def batch_get_item(self, request: Request) -> Response:
        """BatchGetItem: each key by itself; what is refused comes back in UnprocessedKeys."""
        bill = Bill("BatchGetItem", request)
        batch = self._store.batch_get_item(request)
        refused = []
        refusals: list[RefusedError] = []
        for name, read in batch.reads:
            try:
                self._steps.read_item(read, name, bill)
            except RefusedError as error:
                refused.append(read)
                refusals.append(error)
        if len(refused) == len(batch.reads) and refusals:
            raise throttled(batch_get_error(_throttles(refusals)), _tables(refusals))
        return bill.close_several(batch.response(refused))

    def batch_write_item(self, request: Request) -> Response:
        """BatchWriteItem: each write by itself; what is refused comes back in UnprocessedItems."""
        bill = Bill("BatchWriteItem", request)
        batch = self._store.prepare_batch_write(request)
        unprocessed: dict[str, list[Any]] = {}
        refusals: list[RefusedError] = []
        for one in batch:
            try:
                self._steps.write(one.write, one.table_name, bill)
            except RefusedError as error:
                unprocessed.setdefault(one.table_name, []).append(one.write_request)
                refusals.append(error)
        if len(refusals) == len(batch):
            tables = _tables(refusals)
            raise throttled(batch_write_error(_throttles(refusals), tables[0].capacity.settings), tables)
        return bill.close_several({"UnprocessedItems": unprocessed})

    def transact_get_items(self, request: Request) -> Response:
        """TransactGetItems."""
        bill = Bill("TransactGetItems", request)
        lookups = prepare_reads(self._store.table, request)
        names = [action["Get"]["TableName"] for action in request["TransactItems"]]
        reads = self._steps.read_together(lookups, names, bill)
        return bill.close_several({"Responses": [read.response() for read in reads]}, transactional=True)

    def transact_write_items(self, request: Request) -> Response:
        """TransactWriteItems."""
        bill = Bill("TransactWriteItems", request)
        transaction = self._store.prepare_transaction(request)
        names = [body["TableName"] for action in request["TransactItems"] for body in action.values()]
        self._steps.write_together(transaction, names, bill)
        return bill.close_several({}, transactional=True)

    def execute_statement(self, request: Request) -> Response:
        """ExecuteStatement."""
        bill = Bill("ExecuteStatement", request)
        prepared = self._store.prepare_statement(request)
        if isinstance(prepared, StatementWrite):
            attributes = self._steps.write(prepared.write, prepared.table_name, bill).attributes
            return bill.close({"Items": [] if attributes is None else [attributes]})
        return bill.close(self._steps.read_selection(prepared, bill).response())

    def batch_execute_statement(self, request: Request) -> Response:
        """BatchExecuteStatement: each statement's answer or error, in order."""
        bill = Bill("BatchExecuteStatement", request)
        refusals: list[RefusedError] = []
        answers = [self._batch_statement(statement, bill, refusals) for statement in batch_statements(request)]
        if len(refusals) == len(answers):
            for metered in _tables(refusals):
                metered.note(bill.operation, THROTTLED_METRIC, 1.0)
        return bill.close_several({"Responses": answers})

    def _batch_statement(self, statement: Request, bill: Bill, refusals: list[RefusedError]) -> Response:
        answer: Response = {}
        try:
            prepared = self._store.prepare_statement(statement)
            answer["TableName"] = prepared.table_name
            if isinstance(prepared, StatementWrite):
                attributes = self._steps.write(prepared.write, prepared.table_name, bill).attributes
                return answer | ({} if attributes is None else {"Item": attributes})
            read = prepared.single_item("BatchExecuteStatement").read()
            return answer | self._steps.read_item(read, prepared.table_name, bill).response()
        except RefusedError as error:
            refusals.append(error)
            return answer | {"Error": {"Code": error.partiql_code, "Message": error.message}}
        except DynamoError as error:
            return answer | {"Error": batch_error(error)}

    def execute_transaction(self, request: Request) -> Response:
        """ExecuteTransaction."""
        bill = Bill("ExecuteTransaction", request)
        prepared = self._store.prepare_statements_transaction(request)
        if isinstance(prepared, Transaction):
            names = [write.table.name for write in prepared.writes]
            changes = self._steps.write_together(prepared, names, bill)
            return bill.close_several({"Responses": [change.response() for change in changes]}, transactional=True)
        reads = self._steps.read_together(prepared, [lookup.table.name for lookup in prepared], bill)
        return bill.close_several({"Responses": [read.response() for read in reads]}, transactional=True)


def _throttles(refusals: Sequence[RefusedError]) -> list[Throttle]:
    return [throttle for refusal in refusals for throttle in refusal.throttles]


def _tables(refusals: Sequence[RefusedError]) -> list[MeteredTable]:
    return list(dict.fromkeys(metered for refusal in refusals for metered in refusal.tables))
