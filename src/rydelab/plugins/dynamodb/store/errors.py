"""What DynamoDB refuses, as one exception that knows its wire name, message and extra members."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from moto.core.exceptions import JsonRESTError

CONDITION_FAILED_MESSAGE = "The conditional request failed"


class DynamoError(Exception):
    """An error response of DynamoDB, HTTP 400 unless `status` is something else.

    *code* is the shape's name without a prefix (``ValidationException``), *members* are the fields next to
    ``message`` (``Item``, ``CancellationReasons``).
    """

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, code: str, message: str, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.members = dict(members or {})


def invalid(message: str) -> DynamoError:
    """Return a ValidationException with exactly this message."""
    return DynamoError("ValidationException", message)


def invalid_parameters(message: str) -> DynamoError:
    """Return a ValidationException with the prefix that DynamoDB gives to wrong parameter values."""
    return invalid(f"One or more parameter values were invalid: {message}")


def resource_not_found(message: str = "Requested resource not found") -> DynamoError:
    """Return the error for a table (or an index in PartiQL) that does not exist."""
    return DynamoError("ResourceNotFoundException", message)


def condition_failed(item: Mapping[str, Any] | None = None) -> DynamoError:
    """Return the failure of a condition, with the item's old image if the caller asked for it."""
    members = {} if item is None else {"Item": item}
    return DynamoError("ConditionalCheckFailedException", CONDITION_FAILED_MESSAGE, members)


def transaction_cancelled(reasons: Sequence[Mapping[str, Any]]) -> DynamoError:
    """Return the cancellation of a transaction; *reasons* are in the order of its actions."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    return DynamoError(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        {"CancellationReasons": list(reasons)},
    )


@contextmanager
def moto_errors() -> Iterator[None]:
    """Translate what moto raises inside the block into :class:`DynamoError`."""
    try:
        yield
    except JsonRESTError as error:
        members = json.loads(error.description)
        code = str(error.error_type).rpartition("#")[2]
        extra = {name: members[name] for name in ("Item", "CancellationReasons") if name in members}
        raise DynamoError(code, error.message, extra) from error
