"""Tables to try the store on, as moto's CreateTable makes them."""

from collections.abc import Callable
from typing import Any

import pytest

from rydelab.plugins.dynamodb.store.backend import OrderedBackend
from rydelab.plugins.dynamodb.store.direct import DirectOperations

type Keys = dict[str, str]

ACCOUNT, REGION = "000000000000", "us-east-1"


def schema_of(keys: Keys) -> list[dict[str, str]]:
    """Return a KeySchema of one or two attribute names with their types."""
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)]


def description(
    keys: Keys,
    *,
    local: dict[str, tuple[Keys, Any]] | None = None,
    globals_: dict[str, tuple[Keys, Any]] | None = None,
) -> dict[str, Any]:
    """Return what moto's backends create a table from; an index is its keys and its projection."""
    local, globals_ = local or {}, globals_ or {}
    types = dict(keys)
    for index_keys, _ in (*local.values(), *globals_.values()):
        types |= index_keys

    def indexes(given: dict[str, tuple[Keys, Any]]) -> list[dict[str, Any]]:
        return [
            {"IndexName": name, "KeySchema": schema_of(index_keys), "Projection": projection_of(projection)}
            for name, (index_keys, projection) in given.items()
        ]

    return {
        "schema": schema_of(keys),
        "attr": [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()],
        "global_indexes": indexes(globals_),
        "indexes": indexes(local),
        "throughput": None,
        "streams": None,
        "billing_mode": "PAY_PER_REQUEST",
        "sse_specification": None,
        "tags": [],
        "deletion_protection_enabled": False,
        "warm_throughput": None,
    }


def projection_of(projection: str | list[str]) -> dict[str, Any]:
    """Return an index's Projection: a type, or the attributes to include."""
    if isinstance(projection, str):
        return {"ProjectionType": projection}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": projection}


@pytest.fixture(scope="session")
def describe() -> Callable[..., dict[str, Any]]:
    """Return the function that describes a table to moto."""
    return description


@pytest.fixture(scope="session")
def new_table() -> Callable[..., DirectOperations]:
    """Return a function that makes the operations on a new table ``T`` of its own backend."""

    def make(keys: Keys, **indexes: Any) -> DirectOperations:
        backend = OrderedBackend(REGION, ACCOUNT)
        backend.create_table("T", **description(keys, **indexes))
        return DirectOperations(backend.store)

    return make


@pytest.fixture
def table(new_table: Callable[..., DirectOperations]) -> DirectOperations:
    """Return the operations on a table with partition key ``p`` (S) and sort key ``s`` (N)."""
    return new_table({"p": "S", "s": "N"})
