"""The front in this process: a moto backend with the store, a capacity for each table, and a clock that tests move."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from rydelab.capacity.settings import Settings
from rydelab.plugins.dynamodb.metered import MeteredTable, MeteredTables
from rydelab.plugins.dynamodb.operations import MeteredOperations
from rydelab.plugins.dynamodb.settings import DynamoDbSettings
from rydelab.plugins.dynamodb.store.backend import OrderedBackend

ACCOUNT, REGION = "000000000042", "us-east-1"
START = 1_795_000_000.0


class FakeClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = START

    def now(self) -> float:
        """Return seconds since the Unix epoch."""
        return self.now_s


@dataclass
class Front:
    """The data operations on the tables of one backend, under capacity."""

    backend: OrderedBackend
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.tables = MeteredTables(DynamoDbSettings(capacity=self.settings), self.clock)
        self.operations = MeteredOperations(self.backend.store, self.tables)

    def create(
        self,
        name: str = "T",
        *,
        units: tuple[int, int] | None = (1, 1),
        indexes: Mapping[str, tuple[int, int] | None] | None = None,
        local_indexes: tuple[str, ...] = (),
        sort_key: bool = False,
        **throughput: Any,
    ) -> MeteredTable:
        """Create a table with partition key ``p``, on-demand if *units* is None.

        Each global index is named after the attribute that is its key, and so is each local index's sort key.
        """
        keys = ["p", "s"] if sort_key else ["p"]
        names = [*keys, *(indexes or {}), *local_indexes]
        global_indexes = [
            {"IndexName": index, "KeySchema": _schema(index), "Projection": {"ProjectionType": "ALL"}, **_units(given)}
            for index, given in (indexes or {}).items()
        ]
        table = self.backend.create_table(
            name,
            schema=_schema(*keys),
            attr=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in names],
            global_indexes=global_indexes,
            indexes=[
                {"IndexName": index, "KeySchema": _schema("p", index), "Projection": {"ProjectionType": "KEYS_ONLY"}}
                for index in local_indexes
            ],
            throughput=_units(units).get("ProvisionedThroughput"),
            streams=None,
            billing_mode="PROVISIONED" if units else "PAY_PER_REQUEST",
            sse_specification=None,
            tags=[],
            deletion_protection_enabled=False,
            warm_throughput=None,
        )
        description = {
            "BillingMode": "PROVISIONED" if units else "PAY_PER_REQUEST",
            "GlobalSecondaryIndexes": global_indexes,
            **_units(units),
            **throughput,
        }
        return self.tables.add(table, description)

    def items(self, name: str = "T") -> dict[str, Any]:
        """Return what is stored in a table, by the value of ``p``."""
        return {item["p"]["S"]: item for item in self.backend.tables[name].collection.items()}


def _schema(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]


def _units(units: tuple[int, int] | None) -> dict[str, Any]:
    if units is None:
        return {}
    return {"ProvisionedThroughput": {"ReadCapacityUnits": units[0], "WriteCapacityUnits": units[1]}}


@pytest.fixture
def backend() -> Iterator[OrderedBackend]:
    """Return an empty backend, of an account that no other test uses."""
    regions = dynamodb_backends[ACCOUNT]
    regions.clear()
    regions.backend = OrderedBackend
    yield regions[REGION]
    regions.clear()


@pytest.fixture
def front(backend: OrderedBackend) -> Front:
    return Front(backend)


@pytest.fixture
def make_front(backend: OrderedBackend) -> Any:
    """Return a function that makes a front with other settings of the capacity model."""
    return lambda **settings: Front(backend, Settings(**settings))
