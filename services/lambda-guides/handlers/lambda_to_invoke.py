"""LambdaToInvoke: makes a transaction for a customer, for a function that invokes it."""

import uuid
from typing import Any, TypedDict

from .log import logger


class Transaction(TypedDict):
    """A transaction that was made."""

    CustomerId: str
    Success: str
    TransactionId: str


class MissingCustomerIdError(ValueError):
    """The event names no customer."""


def handler(event: dict[str, Any], _context: object) -> Transaction:
    """Answer ``{"CustomerId": text}`` with a transaction; without a CustomerId the function fails."""
    customer_id = event.get("CustomerId")
    if not isinstance(customer_id, str) or not customer_id:
        raise MissingCustomerIdError("CustomerId is missing or not a text")
    transaction_id = str(uuid.uuid4())
    logger().info("customer %s: transaction %s", customer_id, transaction_id)
    return {"CustomerId": customer_id, "Success": "true", "TransactionId": transaction_id}
