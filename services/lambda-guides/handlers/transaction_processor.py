"""TransactionProcessor: processes the transaction in the query string of ``GET /transactions``."""

import json
import re
from collections.abc import Mapping
from typing import Any, TypedDict

from .log import logger

# As JSON writes numbers, without an exponent: an amount of money.
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class ProcessedTransaction(TypedDict):
    """What the client is told."""

    transactionId: str
    type: str
    transactionAmount: str
    """As it was given: a number would lose the digits that a binary fraction cannot hold."""
    message: str


class MalformedTransactionError(ValueError):
    """The query string has no transaction; the message says why, for the one who sent it."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer API Gateway: 200 and the transaction, 400 and the reason if it is malformed."""
    try:
        transaction = process(event.get("queryStringParameters") or {})
    except MalformedTransactionError as error:
        logger().info("400: %s", error)
        return _response(400, {"message": str(error)})
    logger().info("%s", transaction)
    return _response(200, transaction)


def process(query: Mapping[str, str]) -> ProcessedTransaction:
    """Process the transaction in *query*, or raise MalformedTransactionError."""
    transaction_id, kind, amount = (_given(query, name) for name in ("transactionId", "type", "amount"))
    if not _AMOUNT.fullmatch(amount):
        raise MalformedTransactionError(f"amount must be a number such as 12.50, got {json.dumps(amount)}")
    return {"transactionId": transaction_id, "type": kind, "transactionAmount": amount, "message": "Success"}


def _given(query: Mapping[str, str], name: str) -> str:
    if not query.get(name):
        raise MalformedTransactionError(f"the query parameter {name} is missing")
    return query[name]


def _response(status: int, document: object) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(document, separators=(",", ":")),
    }
