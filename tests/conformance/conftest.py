"""A DynamoDB to hold against AWS's documented behaviour. The tests speak boto3 and nothing else.

By default they run against a lab of their own. ``RYDELAB_CONFORMANCE_ENDPOINT=http://…`` names another DynamoDB, and
``RYDELAB_CONFORMANCE_ENDPOINT=aws`` AWS itself, with whatever credentials and Region boto3 finds: that costs money
(some tens of tables that live for minutes, and some thousand write units).
"""

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

ENDPOINT_VARIABLE = "RYDELAB_CONFORMANCE_ENDPOINT"
ONCE = Config(retries={"total_max_attempts": 1})  # the first answer is what is looked at


@pytest.fixture(scope="session")
def dynamodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a boto3 client."""
    endpoint = os.environ.get(ENDPOINT_VARIABLE)
    if endpoint == "aws":
        client = boto3.client("dynamodb", config=ONCE)
        yield client
        client.close()
        return
    if endpoint:
        yield from _client_of(endpoint)
        return
    from rydelab.lab.emulation import emulator  # noqa: PLC0415 (only here is the suite about a lab)
    from tests.integration.conftest import lab_settings  # noqa: PLC0415

    quick = {"RYDELAB_DYNAMODB_UPDATE_DELAY_S": "1", "RYDELAB_DYNAMODB_MODE_SWITCH_DELAY_S": "1"}
    with emulator.start(lab_settings(tmp_path_factory.mktemp("lab")), environment=quick) as lab:
        yield from _client_of(lab.endpoint_url)


def _client_of(endpoint_url: str) -> Iterator[Any]:
    client = boto3.client(
        "dynamodb",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
        config=ONCE,
    )
    yield client
    client.close()


@pytest.fixture(scope="session")
def create_table(dynamodb: Any) -> Iterator[Callable[..., str]]:
    """Return a function that creates a table, waits for it and returns its name; all are deleted at the end.

    *units* are read and write units (None: on-demand), *indexes* global indexes by the name of their partition key.
    """
    created: list[str] = []

    def throughput(units: tuple[int, int] | None) -> dict[str, Any]:
        if units is None:
            return {}
        return {"ProvisionedThroughput": {"ReadCapacityUnits": units[0], "WriteCapacityUnits": units[1]}}

    def create(
        *,
        units: tuple[int, int] | None = (1, 1),
        indexes: dict[str, tuple[int, int] | None] | None = None,
        local_index: str | None = None,
        **options: Any,
    ) -> str:
        name = f"rydelab-conformance-{uuid.uuid4().hex[:12]}"
        keys = ["id", "at"] if local_index else ["id"]
        attributes = [*keys, *(indexes or {}), *([local_index] if local_index else [])]
        if indexes:
            options["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": index,
                    "KeySchema": [{"AttributeName": index, "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                    **throughput(index_units),
                }
                for index, index_units in indexes.items()
            ]
        if local_index:
            options["LocalSecondaryIndexes"] = [
                {
                    "IndexName": local_index,
                    "KeySchema": [
                        {"AttributeName": "id", "KeyType": "HASH"},
                        {"AttributeName": local_index, "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ]
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            BillingMode="PAY_PER_REQUEST" if units is None else "PROVISIONED",
            **throughput(units),
            **options,
        )
        created.append(name)
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
        return name

    yield create
    for name in created:
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 300})
        dynamodb.delete_table(TableName=name)
