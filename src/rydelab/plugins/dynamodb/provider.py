"""DynamoDB for LocalStack: data operations on the store under capacity, everything else moto's."""

import os
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from botocore import xform_name
from localstack.aws.api import RequestContext, ServiceException
from localstack.aws.api.core import ServiceRequestHandler
from localstack.aws.api.dynamodb import DynamodbApi
from localstack.aws.skeleton import DispatchTable
from localstack.services.moto import MotoFallbackDispatcher, call_moto
from localstack.services.plugins import Service, aws_provider
from moto.dynamodb.models import dynamodb_backends

from rydelab.plugins import cloudwatch_dimensions, lab_clock
from rydelab.plugins.dynamodb import refused_tables
from rydelab.plugins.dynamodb.clock import Clock
from rydelab.plugins.dynamodb.life_cycle import Do, TableLifeCycle
from rydelab.plugins.dynamodb.metered import MeteredTables, Place
from rydelab.plugins.dynamodb.metrics import DynamoDbMetrics
from rydelab.plugins.dynamodb.operations import MeteredOperations
from rydelab.plugins.dynamodb.settings import DynamoDbSettings, from_environment
from rydelab.plugins.dynamodb.store import backend
from rydelab.plugins.dynamodb.store.direct import DirectOperations
from rydelab.plugins.dynamodb.store.elsewhere import BackendElsewhere
from rydelab.plugins.dynamodb.store.errors import DynamoError
from rydelab.plugins.dynamodb.store.store import Store
from rydelab.plugins.dynamodb.wire import error_response, from_service_exception

DATA_OPERATIONS = (
    *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"),
    *("BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"),
    *("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"),
)

type Operations = DirectOperations | MeteredOperations
type CountError = Callable[[RequestContext, DynamoError], None]


@aws_provider(api="dynamodb", name="rydelab")  # type: ignore[untyped-decorator, unused-ignore]
def dynamodb() -> Service:
    """Make the service that ``PROVIDER_OVERRIDE_DYNAMODB=rydelab`` chooses. Raises DynamoDbSettingError."""
    cloudwatch_dimensions.install()
    if settings().store == "localstack":
        return _service_of_localstack()
    backend.install(settings().capacity)
    return Service.for_provider(
        DynamodbApi(), dispatch_table_factory=lambda api: dispatch_table(MotoFallbackDispatcher(api))
    )


def _service_of_localstack() -> Service:
    """Make the service that keeps its items in LocalStack's own provider."""
    from rydelab.plugins.dynamodb.keeper import LocalStackKeeper  # noqa: PLC0415 (nobody else needs DynamoDB Local)

    keeper = LocalStackKeeper()
    if not settings().enforcement:
        return Service.for_provider(keeper.provider, dispatch_table_factory=lambda _api: keeper.operations)
    backend.install(settings().capacity, backend=partial(BackendElsewhere, keeper_of=keeper.of))
    return Service.for_provider(
        keeper.provider,
        dispatch_table_factory=lambda _api: dispatch_table(dict(keeper.operations), keeper=keeper.forward),
    )


@cache
def settings() -> DynamoDbSettings:
    """Return the settings of this process. Raises DynamoDbSettingError."""
    return from_environment(os.environ, clock_speed=lab_clock.speed())


@cache
def metered_tables() -> MeteredTables:
    """Return the metered tables of this process; it is empty without enforcement."""
    return MeteredTables(settings(), Clock())


@cache
def metrics() -> DynamoDbMetrics:
    """Return what writes the metrics of those tables."""
    return DynamoDbMetrics(metered_tables())


def dispatch_table(operations: DispatchTable, *, keeper: ServiceRequestHandler | None = None) -> DispatchTable:
    """Return what does each operation, by the API's name for it; what is not ours is done by *operations*.

    *keeper* does the operations on tables for who keeps the items, if that is not moto.
    """
    if not settings().enforcement:
        operations |= {name: _data_operation(name, DirectOperations) for name in DATA_OPERATIONS}
        return _refusable(operations, lambda _context, _error: None)
    tables = metered_tables()
    operations |= {
        name: _data_operation(name, lambda store: MeteredOperations(store, tables)) for name in DATA_OPERATIONS
    }
    operations |= _table_operations(TableLifeCycle(tables, on_delete=metrics().collect_table), keeper)
    metrics().writer.start()
    return _refusable(operations, _count_error)


def _refusable(operations: DispatchTable, count: CountError) -> DispatchTable:
    """Return *operations* with data operations that a fault can refuse, and errors as DynamoDB answers them."""
    checked = {name: _checking(operations[name]) for name in DATA_OPERATIONS}
    return {name: _answering(handle, count) for name, handle in {**operations, **checked}.items()}


def _checking(handle: ServiceRequestHandler) -> ServiceRequestHandler:
    def check_and_handle(context: RequestContext, request: Any) -> Any:
        refused_tables.check(request)
        return handle(context, request)

    return check_and_handle


def _count_error(context: RequestContext, error: DynamoError) -> None:
    metrics().count_error(_place(context), context.operation.name, error)


def _data_operation(name: str, operations_of: Callable[[Store], Operations]) -> ServiceRequestHandler:
    method = xform_name(name)

    def handle(context: RequestContext, request: Any) -> Any:
        store = dynamodb_backends[context.account_id][context.region].store
        return getattr(operations_of(store), method)(request)

    return handle


def _table_operations(life_cycle: TableLifeCycle, keeper: ServiceRequestHandler | None) -> DispatchTable:
    def ways(context: RequestContext, request: Any) -> tuple[Do, Do | None]:
        return lambda: call_moto(context), None if keeper is None else lambda: keeper(context, request)

    def create(context: RequestContext, request: Any) -> Any:
        return life_cycle.create(_place(context), request, *ways(context, request))

    def update(context: RequestContext, request: Any) -> Any:
        return life_cycle.update(_place(context), request, *ways(context, request))

    def describe(context: RequestContext, request: Any) -> Any:
        return life_cycle.describe(_place(context), request, *ways(context, request))

    def delete(context: RequestContext, request: Any) -> Any:
        # AWS's CloudFormation waits until a table's update is complete; LocalStack's gives up when it is refused.
        waits = context.is_internal_call
        return life_cycle.delete(_place(context), request, *ways(context, request), waits=waits)

    return {
        "CreateTable": create,
        "UpdateTable": update,
        "DescribeTable": describe,
        "DeleteTable": delete,
        "DescribeLimits": lambda _context, _request: life_cycle.limits(),
    }


def _place(context: RequestContext) -> Place:
    return context.account_id, context.region


def _answering(handle: ServiceRequestHandler, count: CountError) -> ServiceRequestHandler:
    """Return *handle* with errors that are answered as DynamoDB answers them, and counted."""

    def answer(context: RequestContext, request: Any) -> Any:
        try:
            return handle(context, request)
        except DynamoError as error:
            refused = error
        except ServiceException as error:
            if (of_client := from_service_exception(error)) is None:
                raise
            refused = of_client
        count(context, refused)
        return error_response(context, refused)

    return answer
