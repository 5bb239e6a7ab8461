"""GetRideRecord: ``GET /record/{RideId}`` through API Gateway, for a page that waits for a ride's record."""

import functools
import json
import logging
import os
from decimal import Decimal
from typing import Any

import boto3

from .storage import RideRecordTable, UnreadError

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer ``GET /record/{RideId}``."""
    return respond(event["pathParameters"]["RideId"], _table())


def respond(ride_id: str, table: RideRecordTable) -> dict[str, Any]:
    """Return API Gateway's response: 200 and the record, 404 if there is none yet, 502 if the table failed."""
    try:
        ride = table.get(ride_id)
    except UnreadError as error:
        logger.error("502: %s", error)  # noqa: TRY400 (the reason is the message; a trace adds nothing)
        return _response(502, {"message": str(error), "error": error.code})
    if ride is None:
        return _response(404, {"message": f"there is no record of ride {ride_id}"})
    return _response(200, ride)


def _response(status: int, document: object) -> dict[str, Any]:
    return {
        "statusCode": status,
        # A page from another origin may read the answer. It need not ask beforehand: a GET without headers of its own
        # is one that any page may send.
        "headers": {"Access-Control-Allow-Origin": "*", "Content-Type": "application/json"},
        "body": json.dumps(document, separators=(",", ":"), default=_number),
    }


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


@functools.cache
def _table() -> RideRecordTable:
    """Connect to the table; once per execution environment."""
    logging.getLogger(__package__).setLevel(os.environ.get("LOG_LEVEL", "INFO"))
    return RideRecordTable(boto3.client("dynamodb"), os.environ["DDB_TABLE_NAME"])
