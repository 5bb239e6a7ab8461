"""A table in a dictionary, behind the few methods of a DynamoDB client that the services call."""

from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError


class ResourceNotFoundException(ClientError):  # noqa: N818 (the SDK's name)
    """As the SDK raises it."""


class FakeDynamoDB:
    """Holds one table, named ``table``, whose items are kept under the value of their *key*."""

    exceptions = SimpleNamespace(ResourceNotFoundException=ResourceNotFoundException)

    def __init__(self, *, key: str, page_items: int = 1000, items_per_batch: int = 25) -> None:
        self.items: dict[str, Any] = {}
        self.writes = 0
        self.error: ClientError | None = None
        self._key = key
        self._page_items = page_items
        self._items_per_batch = items_per_batch

    def fail(self, code: str, message: str = "no") -> None:
        """Answer every following request with this error."""
        kind = ResourceNotFoundException if code == "ResourceNotFoundException" else ClientError
        self.error = kind({"Error": {"Code": code, "Message": message}}, "AnOperation")

    def put_item(self, *, TableName: str, Item: Any) -> None:  # noqa: N803 (the SDK's names)
        """Write one item."""
        self._take_request(TableName)
        self._put(Item)

    def get_item(self, *, TableName: str, Key: Any) -> Any:  # noqa: N803
        """Return one item, if it is there."""
        self._take_request(TableName)
        item = self.items.get(Key[self._key]["S"])
        return {} if item is None else {"Item": item}

    def scan(self, *, TableName: str, ExclusiveStartKey: Any = None, ConsistentRead: bool = False) -> Any:  # noqa: N803
        """Return one page of items."""
        self._take_request(TableName)
        assert isinstance(ConsistentRead, bool)
        names = sorted(self.items)
        start = names.index(ExclusiveStartKey[self._key]["S"]) + 1 if ExclusiveStartKey else 0
        page = names[start : start + self._page_items]
        answer: dict[str, Any] = {"Items": [self.items[name] for name in page]}
        if page and page[-1] != names[-1]:
            answer["LastEvaluatedKey"] = {self._key: {"S": page[-1]}}
        return answer

    def batch_write_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
        """Carry out as many of the requests as a batch may, and return the rest."""
        [(table, requests)] = RequestItems.items()
        self._take_request(table)
        assert 1 <= len(requests) <= 25, "DynamoDB refuses other batches"
        done, left = requests[: self._items_per_batch], requests[self._items_per_batch :]
        for request in done:
            if "PutRequest" in request:
                self._put(request["PutRequest"]["Item"])
            else:
                self.items.pop(request["DeleteRequest"]["Key"][self._key]["S"], None)
        return {"UnprocessedItems": {table: left} if left else {}}

    def _put(self, item: Any) -> None:
        self.writes += 1
        self.items[item[self._key]["S"]] = item

    def _take_request(self, table: str) -> None:
        if self.error:
            raise self.error
        assert table == "table"
