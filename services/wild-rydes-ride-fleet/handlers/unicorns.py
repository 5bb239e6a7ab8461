"""The storage: UnicornsTable, keyed by Name."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# DynamoDB takes at most 25 writes in one BatchWriteItem.
_BATCH_ITEMS = 25
_BATCH_ATTEMPTS = 8
_FIRST_PAUSE_S = 0.1


class Unicorn(TypedDict):
    """A unicorn; every attribute is a string."""

    Name: str
    Color: str
    DeviceId: str


class NoUnicornError(Exception):
    """The table is empty."""


class UnwrittenError(Exception):
    """DynamoDB left some writes of a batch undone, however often they were sent."""


@dataclass(frozen=True)
class UnicornsTable:
    """Reads and fills the table."""

    client: "DynamoDBClient"
    name: str
    choose: Callable[[list[Any]], Any] = random.choice
    sleep: Callable[[float], None] = time.sleep

    def pick(self) -> Unicorn:
        """Return one unicorn at random, each as likely as another; raise NoUnicornError if there is none.

        The table is read anew each time, so that a change of the fleet shows at once. That is cheap: a fleet of up to
        30 unicorns fits in 4 KB, and an eventually consistent Scan of 4 KB costs half a read unit, as much as a
        GetItem of one unicorn would. Only the chosen item is decoded.
        """
        items = list(self._items())
        if not items:
            raise NoUnicornError(f"table {self.name} holds no unicorns")
        return _unicorn(self.choose(items))

    def fill(self, unicorns: Iterable[Unicorn]) -> int:
        """Make the table hold exactly *unicorns*, and return how many that are."""
        wanted = list(unicorns)
        names = {unicorn["Name"] for unicorn in wanted}
        puts = [{"PutRequest": {"Item": _item(unicorn)}} for unicorn in wanted]
        deletes = [
            {"DeleteRequest": {"Key": {"Name": item["Name"]}}}
            for item in self._items(ConsistentRead=True)
            if item["Name"]["S"] not in names
        ]
        self._write(puts + deletes)
        return len(wanted)

    def remove(self, unicorns: Iterable[Unicorn]) -> None:
        """Delete *unicorns* from the table; what is gone already, table included, counts as deleted."""
        try:
            self._write([{"DeleteRequest": {"Key": {"Name": {"S": unicorn["Name"]}}}} for unicorn in unicorns])
        except self.client.exceptions.ResourceNotFoundException:
            return

    def _items(self, **options: Any) -> Iterator[dict[str, Any]]:
        # Plain requests rather than a paginator: on the first page, which is nearly always the last, it costs nothing.
        page = self.client.scan(TableName=self.name, **options)
        yield from page["Items"]
        while "LastEvaluatedKey" in page:
            page = self.client.scan(TableName=self.name, ExclusiveStartKey=page["LastEvaluatedKey"], **options)
            yield from page["Items"]

    def _write(self, requests: list[Any]) -> None:
        for start in range(0, len(requests), _BATCH_ITEMS):
            self._write_batch(requests[start : start + _BATCH_ITEMS])

    def _write_batch(self, requests: list[Any]) -> None:
        # A throttled batch may be done in part; the SDK does not send the rest again by itself.
        for attempt in range(_BATCH_ATTEMPTS):
            if attempt:
                self.sleep(_FIRST_PAUSE_S * 2 ** (attempt - 1))
            response = self.client.batch_write_item(RequestItems={self.name: requests})
            requests = list(response.get("UnprocessedItems", {}).get(self.name, []))
            if not requests:
                return
        raise UnwrittenError(f"table {self.name}: {len(requests)} writes undone after {_BATCH_ATTEMPTS} attempts")


def _item(unicorn: Unicorn) -> dict[str, Any]:
    return {name: {"S": value} for name, value in unicorn.items()}


def _unicorn(item: dict[str, Any]) -> Unicorn:
    return {name: value["S"] for name, value in item.items()}  # type: ignore[return-value]  # as _item wrote it
