"""ProcessPurchase and ProcessRefund: the two tasks of the state machine."""

from datetime import UTC, datetime
from typing import Any, TypedDict

from .log import logger


class Processed(TypedDict):
    """The output of the state machine."""

    TransactionType: str
    Timestamp: str
    """``YYYY-MM-DD HH-MM-SS`` in UTC."""
    Message: str


def handler_purchase(event: dict[str, Any], _context: object) -> Processed:
    """Process a purchase."""
    return process(event, by="ProcessPurchase", now=datetime.now(UTC))


def handler_refund(event: dict[str, Any], _context: object) -> Processed:
    """Process a refund."""
    return process(event, by="ProcessRefund", now=datetime.now(UTC))


def process(event: dict[str, Any], *, by: str, now: datetime) -> Processed:
    """Process the transaction in *event*, the state machine's input."""
    logger().info("%s: %s", by, event)
    return {
        "TransactionType": event["TransactionType"],
        "Timestamp": f"{now:%Y-%m-%d %H-%M-%S}",
        "Message": f"Processed by the function {by}",
    }
