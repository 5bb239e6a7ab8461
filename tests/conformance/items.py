"""Items of a known size, and ways to use up a table's capacity that do not depend on how much burst it has."""

from collections.abc import Callable
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

KB = 1024
THROTTLED = {"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"}


def key(name: str) -> dict[str, Any]:
    """Return the primary key of an item."""
    return {"id": {"S": name}}


def item(name: str, size: int = 0, **attributes: str) -> dict[str, Any]:
    """Return an item of exactly *size* bytes, or of what its attributes need."""
    made = key(name) | {attribute: {"S": value} for attribute, value in attributes.items()}
    used = sum(len(attribute) + len(value["S"]) for attribute, value in made.items())
    return made | ({"fill": {"S": "x" * (size - used - 4)}} if size else {})


def until_throttled(call: Callable[[], Any], tries: int = 60) -> ClientError:
    """Repeat *call* until it is throttled and return the error. Raises AssertionError if it never is."""
    for _ in range(tries):
        try:
            call()
        except ClientError as error:
            if error.response["Error"]["Code"] in THROTTLED:
                return error
            raise
    raise AssertionError(f"not throttled in {tries} tries")


def use_up_writes(dynamodb: Any, table: str, **attributes: str) -> ClientError:
    """Write large items until the table, or an index that *attributes* lead to, is throttled."""
    numbers = count()
    return until_throttled(
        lambda: dynamodb.put_item(TableName=table, Item=item(f"large-{next(numbers)}", 100 * KB, **attributes))
    )


def use_up_reads(dynamodb: Any, table: str) -> ClientError:
    """Read a large item until the table is throttled. The table needs writes for it."""
    dynamodb.put_item(TableName=table, Item=item("large", 390 * KB))
    read = {"TableName": table, "Key": key("large"), "ConsistentRead": True}
    return until_throttled(lambda: dynamodb.get_item(**read))
