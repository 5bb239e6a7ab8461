"""Tables to try DynamoDB with, through boto3 and by hand."""

import http.client
import json
import uuid
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

KB = 1024


@dataclass(frozen=True)
class Tables:
    """A DynamoDB, and what tests need of it."""

    endpoint_url: str
    client: Any

    def create(
        self,
        *,
        units: int | None = 1,
        indexes: dict[str, int | None] | None = None,
        sort_key: bool = False,
        **options: Any,
    ) -> str:
        """Create a table with partition key ``p``; on-demand if *units* is None. Return its name.

        Each global index is named after the attribute that is its key, and has so many units.
        """
        name = f"t-{uuid.uuid4().hex[:12]}"
        keys = ["p", "s"] if sort_key else ["p"]
        created = {
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in [*keys, *(indexes or {})]],
            "KeySchema": [
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            "BillingMode": "PAY_PER_REQUEST" if units is None else "PROVISIONED",
            **provisioned(units),
        }
        if indexes:
            created["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": index,
                    "KeySchema": [{"AttributeName": index, "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                    **provisioned(index_units),
                }
                for index, index_units in indexes.items()
            ]
        self.client.create_table(**created, **options)
        return name

    def put(self, table: str, key: str, size: int = 0, **attributes: str) -> Any:
        """Put an item of about *size* bytes."""
        return self.client.put_item(TableName=table, Item=item(key, size, **attributes))

    def exhaust_writes(self, table: str, **attributes: str) -> None:
        """Leave no write units in a fresh table, or index, of one unit a second: the item takes the burst, and more."""
        self.put(table, "large", 390 * KB, **attributes)

    def exhaust_reads(self, table: str) -> None:
        """Leave no read units in a fresh table of one unit a second and more than 390 write units."""
        self.put(table, "large", 390 * KB)
        for _ in range(4):
            self.client.get_item(TableName=table, Key={"p": {"S": "large"}}, ConsistentRead=True)

    def observe(self, table: str, query: str = "") -> Any:
        """Return what the lab tells of a table."""
        return self.get(f"/_rydelab/dynamodb?table={table}{query}")["tables"][0]

    def get(self, path: str, method: str = "GET") -> Any:
        """Return the JSON at *path*."""
        with self._connection() as connection:
            connection.request(method, path)
            return json.loads(connection.getresponse().read())

    def raw(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Do a request by hand; return the status, the headers in lower case, and the body as it came."""
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
            "SignedHeaders=host, Signature=none",
        }
        with self._connection() as connection:
            connection.request("POST", "/", json.dumps(request), headers)
            response = connection.getresponse()
            answer = {name.lower(): value for name, value in response.getheaders()}
            return response.status, answer, json.loads(response.read())

    def _connection(self) -> "Connection":
        return Connection(urlsplit(self.endpoint_url).netloc, timeout=20)


class Connection(http.client.HTTPConnection):
    """A connection that is closed at the end of its block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def provisioned(units: int | None) -> dict[str, Any]:
    """Return ProvisionedThroughput of *units* reads and writes; nothing for None."""
    if units is None:
        return {}
    return {"ProvisionedThroughput": {"ReadCapacityUnits": units, "WriteCapacityUnits": units}}


def item(key: str, size: int = 0, **attributes: str) -> dict[str, Any]:
    """Return an item of *size* bytes, if that is more than its attributes need."""
    made = {"p": {"S": key}} | {name: {"S": value} for name, value in attributes.items()}
    used = sum(len(name) + len(value["S"]) for name, value in made.items())
    return made | ({"x": {"S": "x" * (size - used - 1)}} if size > used + 1 else {})


def client_of(endpoint_url: str, **retries: Any) -> Any:
    """Return a client that shows the first answer, unless *retries* say otherwise."""
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
        config=Config(retries=retries or {"total_max_attempts": 1}, max_pool_connections=64),
    )
