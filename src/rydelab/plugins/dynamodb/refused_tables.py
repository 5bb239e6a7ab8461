"""Tables that refuse every request for their items, because a fault says so."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from rydelab.plugins.dynamodb.store.errors import DynamoError
from rydelab.plugins.dynamodb.store.partiql_parser import parse
from rydelab.plugins.dynamodb.store.statements import Exists
from rydelab.plugins.faults.registry import faults

METRICS: Final[Mapping[str, str]] = {
    "InternalServerError": "SystemErrors",
    "ProvisionedThroughputExceededException": "ThrottledRequests",
}
"""Which of CloudWatch's metrics counts each error."""

_MESSAGES: Final[Mapping[str, str]] = {
    "InternalServerError": "Internal server error",
    "ProvisionedThroughputExceededException": (
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
        "provisioning level with the UpdateTable API."
    ),
}


class TableFaultError(DynamoError):
    """The error that a fault has a table answer."""

    def __init__(self, code: str, table_name: str) -> None:
        super().__init__(code, _MESSAGES[code])
        self.table_name = table_name
        if code == "InternalServerError":
            self.status = HTTPStatus.INTERNAL_SERVER_ERROR


def check(request: Mapping[str, Any]) -> None:
    """Raise TableFaultError if one of the tables of *request*, a data operation's, refuses it."""
    if not faults.any:
        return
    for name in dict.fromkeys(_table_names(request)):
        for met in faults.meeting("table-refused", name):
            raise TableFaultError(met.fault.value("error"), name)


def _table_names(request: Mapping[str, Any]) -> Iterator[str]:
    for named in _tables(request):
        yield named.rpartition("/")[2]  # it may be an ARN


def _tables(request: Mapping[str, Any]) -> Iterator[str]:
    if name := request.get("TableName"):
        yield name
    yield from request.get("RequestItems") or ()
    for action in request.get("TransactItems") or ():
        yield from (body["TableName"] for body in action.values())
    statements: Sequence[Mapping[str, Any]] = [
        *([request] if "Statement" in request else []),
        *(request.get("Statements") or ()),
        *(request.get("TransactStatements") or ()),
    ]
    for one in statements:
        try:
            statement = parse(one["Statement"], one.get("Parameters") or ())
        except DynamoError:  # the operation itself says so
            continue
        yield statement.select.table if isinstance(statement, Exists) else statement.table
