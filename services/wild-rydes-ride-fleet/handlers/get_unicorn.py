"""RequestUnicornApig and RequestUnicornInvoke: two event sources for one decision, a unicorn at random."""

import functools
import json
import logging
import os
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .unicorns import NoUnicornError, Unicorn, UnicornsTable

logger = logging.getLogger(__name__)


def handler_apig(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer ``GET /unicorn`` through API Gateway."""
    return respond(_table())


def handler_invoke(_event: object, _context: object) -> Unicorn:
    """Answer a caller that invokes the function; a failure is the function's error."""
    unicorn = _table().pick()
    logger.info("unicorn %s", unicorn["Name"])
    return unicorn


def respond(table: UnicornsTable) -> dict[str, Any]:
    """Return API Gateway's response: 200 and a unicorn, 503 if the fleet is empty, 502 if it cannot be read."""
    try:
        unicorn = table.pick()
    except NoUnicornError as error:
        logger.error("503: %s", error)  # noqa: TRY400 (the reason is the message; a trace adds nothing)
        return _response(503, {"message": str(error)})
    except (BotoCoreError, ClientError) as error:
        logger.error("502: %s", error)  # noqa: TRY400 (as above)
        return _response(502, {"message": f"the fleet cannot be read: {error}"})
    logger.info("unicorn %s", unicorn["Name"])
    return _response(200, unicorn)


def _response(status: int, document: object) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(document, separators=(",", ":")),
    }


@functools.cache
def _table() -> UnicornsTable:
    """Connect to the table; once per execution environment."""
    logging.getLogger(__package__).setLevel(os.environ.get("LOG_LEVEL", "INFO"))
    return UnicornsTable(boto3.client("dynamodb"), os.environ["DDB_TABLE_NAME"])
