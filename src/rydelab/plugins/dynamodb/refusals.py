"""What is answered to a request that was refused for want of capacity."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rydelab.capacity.throttling import Throttle, ThrottlingError
from rydelab.plugins.dynamodb.metered import MeteredTable
from rydelab.plugins.dynamodb.store.errors import DynamoError, transaction_cancelled


class RefusedError(DynamoError):
    """A request that was refused whole, because *tables* (or their indexes) lacked capacity."""

    def __init__(
        self,
        code: str,
        message: str,
        members: Mapping[str, Any],
        *,
        tables: Iterable[MeteredTable],
        throttles: Sequence[Throttle] = (),
        partiql_code: str = "",
    ) -> None:
        super().__init__(code, message, members)
        self.tables = tuple(dict.fromkeys(tables))
        self.throttles = tuple(throttles)
        self.partiql_code = partiql_code
        """The code among the errors of a BatchExecuteStatement."""


def throttled(error: ThrottlingError, tables: Sequence[MeteredTable]) -> RefusedError:
    """Return what the API answers for *error*."""
    account, region = tables[0].place
    members = {error.reasons_key: error.reasons(region, account)}
    return RefusedError(
        error.name,
        error.message,
        members,
        tables=tables,
        throttles=error.throttles,
        partiql_code=error.partiql_code,
    )


def cancelled(reasons: Sequence[Mapping[str, Any]], tables: Iterable[MeteredTable]) -> RefusedError:
    """Return the cancellation of a transaction; *reasons* are in the order of its actions."""
    error = transaction_cancelled(reasons)
    return RefusedError(error.code, error.message, error.members, tables=tables)
