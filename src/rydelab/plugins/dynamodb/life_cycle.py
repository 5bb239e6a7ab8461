"""CreateTable, UpdateTable, DeleteTable and DescribeTable: moto's tables, with a capacity that follows them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from rydelab.capacity.schema import IndexScope
from rydelab.capacity.throttling import BillingMode
from rydelab.capacity.update import Update
from rydelab.plugins.dynamodb.description import describe, limits
from rydelab.plugins.dynamodb.metered import MeteredTable, MeteredTables, Place, capacity_errors
from rydelab.plugins.dynamodb.store.errors import DynamoError, invalid, invalid_parameters, resource_not_found
from rydelab.plugins.dynamodb.store.table import OrderedTable
from rydelab.plugins.dynamodb.terms import index_of, throughput_of, update_of

type Request = Mapping[str, Any]
type Response = dict[str, Any]
type Do = Callable[[], Response]
"""Does the request as moto does it, or who keeps the items, and returns the response."""


class TableLifeCycle:
    """The operations on tables. Each takes the request, a way to have moto do it, and one for who keeps the items.

    Without a *keeper* moto has everything; with one, its answer is the answer, and moto follows. *on_delete* is called
    with a table that is about to be forgotten.
    """

    def __init__(self, tables: MeteredTables, *, on_delete: Callable[[MeteredTable], None]) -> None:
        self._tables = tables
        self._on_delete = on_delete

    def create(self, place: Place, request: Request, moto: Do, keeper: Do | None = None) -> Response:
        """CreateTable. The table can be used at once; the answer says CREATING, as AWS's does."""
        with self._tables.control:
            response = moto()
            backend = dynamodb_backends[place[0]][place[1]]
            table = backend.tables[response["TableDescription"]["TableName"]]
            try:
                metered = self._tables.add(table, request)
                if keeper is not None:
                    response = keeper()
                    backend.hand_over(table)
            except Exception:
                del backend.tables[table.name]
                self._tables.all()  # forgets its capacity
                raise
            return _described(metered, response, "TableDescription", status="CREATING")

    def describe(self, place: Place, request: Request, moto: Do, keeper: Do | None = None) -> Response:
        """DescribeTable."""
        response = (keeper or moto)()
        return _described(self._tables.of(_table(place, request)), response, "Table")

    def limits(self) -> Response:
        """DescribeLimits."""
        return limits(self._tables.settings.capacity)

    def delete(self, place: Place, request: Request, moto: Do, keeper: Do | None = None, *, waits: bool) -> Response:
        """DeleteTable. A table that is being updated is refused, unless the caller would wait for it on AWS."""
        with self._tables.control:
            table = _table(place, request)
            metered = self._tables.of(table)
            if not waits:
                with metered.lock:
                    _refuse_while_updating(metered)
            self._on_delete(metered)
            kept = None if keeper is None else keeper()
            response = moto() if kept is None else kept
            if kept is not None:
                dynamodb_backends[place[0]][place[1]].tables.pop(table.name)
            described = _described(metered, response, "TableDescription", status="DELETING")
            self._tables.remove(metered)
            return described

    def update(self, place: Place, request: Request, moto: Do, keeper: Do | None = None) -> Response:
        """UpdateTable. New throughput takes effect after a delay, until when the table is UPDATING."""
        with self._tables.control:
            table = _table(place, request)
            metered = self._tables.of(table)
            with metered.lock:
                _refuse_while_updating(metered)
                self._change(metered, request)
                kept = None if keeper is None else keeper()
                response = moto()
                return _described(metered, kept or response, "TableDescription", status="UPDATING")

    def _change(self, metered: MeteredTable, request: Request) -> None:
        """Check an UpdateTable and make its capacity follow; moto does the rest."""
        index_updates: Sequence[Request] = request.get("GlobalSecondaryIndexUpdates") or ()
        created = [one["Create"] for one in index_updates if one.get("Create")]
        deleted = [one["Delete"] for one in index_updates if one.get("Delete")]
        wanted = update_of(request)
        _check(metered, request, created, deleted, wanted)
        now = metered.now()
        with capacity_errors():
            if wanted != Update():
                metered.capacity.update(wanted, now)
            for description in created:
                throughput = throughput_of(description)
                metered.capacity.add_index(index_of(description, IndexScope.GLOBAL), now, throughput)
            for description in deleted:
                metered.capacity.remove_index(description["IndexName"], now)
        for description in (*created, *deleted):
            ready_at = now + self._tables.settings.capacity.update_delay_s
            metered.index_changes[description["IndexName"]] = ready_at
        metered.series.follow_indexes()


def _check(
    metered: MeteredTable, request: Request, created: Sequence[Request], deleted: Sequence[Request], wanted: Update
) -> None:
    """Raise what AWS says to an UpdateTable that cannot be done. moto must not fail after this."""
    table = metered.table
    others = ("StreamSpecification", "SSESpecification", "ReplicaUpdates", "DeletionProtectionEnabled", "TableClass")
    if wanted == Update() and not created and not deleted and all(request.get(name) is None for name in others):
        raise invalid(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or "
            "SSESpecification or ReplicaUpdates is required"
        )
    if len(created) + len(deleted) > 1:
        raise DynamoError(
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        )
    names = {index.name for index in (*table.global_indexes, *table.indexes)}
    for index in created:
        if index["IndexName"] in names:
            raise invalid("Attempting to create an index which already exists")
        _check_keys(table, request, index)
    known = {index.name for index in table.global_indexes}
    for name in (*wanted.index_throughput, *(index["IndexName"] for index in deleted)):
        if name not in known:
            raise resource_not_found(f"Requested resource not found: Index: {name} of table {table.name} not found")
    stream = request.get("StreamSpecification") or {}
    if stream.get("StreamEnabled") and table.latest_stream_label:
        raise invalid("Table already has an enabled stream: TableName: " + table.name)
    if request.get("BillingMode") == BillingMode.ON_DEMAND and request.get("ProvisionedThroughput"):
        raise invalid_parameters(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
        )


def _check_keys(table: OrderedTable, request: Request, index: Request) -> None:
    defined = {one["AttributeName"] for one in (*table.attr, *(request.get("AttributeDefinitions") or ()))}
    missing = [key["AttributeName"] for key in index["KeySchema"] if key["AttributeName"] not in defined]
    if missing:
        raise invalid_parameters(
            "Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: [{', '.join(missing)}], AttributeDefinitions: [{', '.join(sorted(defined))}]"
        )


def _refuse_while_updating(metered: MeteredTable) -> None:
    if metered.status() != "ACTIVE":
        raise DynamoError(
            "ResourceInUseException",
            f"Attempt to change a resource which is still in use: Table is being updated: {metered.table.name}",
        )


def _table(place: Place, request: Request) -> OrderedTable:
    account, region = place
    backend = dynamodb_backends[account][region]
    name = request["TableName"].rpartition("/")[2]
    if name not in backend.tables:
        raise resource_not_found(f"Requested resource not found: Table: {name} not found")
    table: OrderedTable = backend.store.table(name)
    return table


def _described(metered: MeteredTable, response: Response, member: str, *, status: str | None = None) -> Response:
    with metered.lock:
        describe(metered, response[member], status=status)
    return response
