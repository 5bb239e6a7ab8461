"""PutRideRecordHttp, PutRideRecordSns and PutRideRecordSqs: three event sources of one function, put_ride_record."""

import base64
import functools
import json
import logging
import os
from collections.abc import Callable
from typing import Any

import boto3

from .ride import MalformedRideError, read_ride
from .storage import RideRecordTable, UnrecordedError

logger = logging.getLogger(__name__)

# With less time left than this no further ride of a batch is begun. A throttled write can take longer still, but being
# cut off is not fatal: the whole batch comes back, and what was written already is written again as the same items.
_LEAST_TIME_LEFT_MS = 10_000


def handler_http(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer ``POST /record`` through API Gateway."""
    return from_http(event, _table())


def handler_sns(event: dict[str, Any], _context: object) -> None:
    """Record what the topic delivers."""
    from_sns(event, _table())


def handler_sqs(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Record a batch from the queue and report which of its messages must come back."""
    return from_sqs(event, _table(), context.get_remaining_time_in_millis)


def put_ride_record(text: str | None, table: RideRecordTable) -> str:
    """Record the ride in the JSON *text* and return its id. Raises MalformedRideError or UnrecordedError."""
    ride = read_ride(text)
    table.put(ride)
    return str(ride["RideId"])


def from_http(event: dict[str, Any], table: RideRecordTable) -> dict[str, Any]:
    """Return API Gateway's response: 201 recorded, 400 malformed, 502 if the table did not take the ride."""
    try:
        ride_id = put_ride_record(_body(event), table)
    except MalformedRideError as error:
        logger.info("400: %s", error)
        return _response(400, {"message": str(error)})
    except UnrecordedError as error:
        logger.error("502: %s", error)  # noqa: TRY400 (the reason is the message; a trace adds nothing)
        return _response(502, {"message": str(error), "error": error.code})
    logger.info("ride %s recorded", ride_id)
    return _response(201, {"success": True})


def from_sns(event: dict[str, Any], table: RideRecordTable) -> None:
    """Record each ride of the event; the first error becomes the function's.

    Lambda then tries the whole event again, and after its last attempt leaves it in the dead-letter queue.
    """
    ride_ids = [put_ride_record(record["Sns"]["Message"], table) for record in event["Records"]]
    logger.info("ride %s recorded", ", ".join(ride_ids))


def from_sqs(
    event: dict[str, Any], table: RideRecordTable, time_left_ms: Callable[[], float]
) -> dict[str, list[dict[str, str]]]:
    """Record each ride of the batch; return the failures, for Lambda to delete only the other messages.

    A failed message becomes visible again after the queue's visibility timeout, and moves to the dead-letter queue
    when it was received too often. A malformed ride takes that way too: it must not hold up the others.
    """
    failures: dict[str, str] = {}
    for record in event["Records"]:
        if time_left_ms() < _LEAST_TIME_LEFT_MS:
            failures[record["messageId"]] = "no time left"
            continue
        try:
            put_ride_record(record["body"], table)
        except (MalformedRideError, UnrecordedError) as error:
            failures[record["messageId"]] = str(error)
    recorded = len(event["Records"]) - len(failures)
    if failures:
        logger.error("%d rides recorded, %d failed: %s", recorded, len(failures), failures)
    else:
        logger.info("%d rides recorded", recorded)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failures]}


def _body(event: dict[str, Any]) -> str | None:
    body: str | None = event.get("body")
    if body and event.get("isBase64Encoded"):
        try:
            return base64.b64decode(body, validate=True).decode()
        except ValueError as error:
            raise MalformedRideError(f"the body is not base64 of UTF-8 text: {error}") from error
    return body


def _response(status: int, document: object) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(document, separators=(",", ":")),
    }


@functools.cache
def _table() -> RideRecordTable:
    """Connect to the table; once per execution environment."""
    logging.getLogger(__package__).setLevel(os.environ.get("LOG_LEVEL", "INFO"))
    return RideRecordTable(boto3.client("dynamodb"), os.environ["DDB_TABLE_NAME"])
