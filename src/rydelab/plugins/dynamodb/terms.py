"""Tables and throughput as requests describe them, in the terms of the capacity model."""

from collections.abc import Mapping, Sequence
from typing import Any

from rydelab.capacity.schema import Index, IndexScope, Projection, TableSchema
from rydelab.capacity.throttling import BillingMode
from rydelab.capacity.throughput import NO_SETTINGS, UNCHANGED, Change, Throughput, ThroughputSettings
from rydelab.capacity.update import Update
from rydelab.plugins.dynamodb.store.table import OrderedTable

type Description = Mapping[str, Any]


def mode_of(request: Description) -> BillingMode:
    """Return the BillingMode that CreateTable asks for."""
    return BillingMode(request.get("BillingMode") or BillingMode.PROVISIONED)


def throughput_of(description: Description) -> ThroughputSettings:
    """Return the throughput part of a table or global index in CreateTable or UpdateTable."""
    provisioned = description.get("ProvisionedThroughput")
    maximum = description.get("OnDemandThroughput")
    warm = description.get("WarmThroughput")
    if not (provisioned or maximum or warm):
        return NO_SETTINGS
    return ThroughputSettings(
        provisioned=Throughput(float(provisioned["ReadCapacityUnits"]), float(provisioned["WriteCapacityUnits"]))
        if provisioned
        else None,
        on_demand_maximum=_change(maximum, "MaxReadRequestUnits", "MaxWriteRequestUnits"),
        warm=_change(warm, "ReadUnitsPerSecond", "WriteUnitsPerSecond"),
    )


def _change(description: Description | None, read: str, write: str) -> Change:
    if not description:
        return UNCHANGED
    values = (description.get(read), description.get(write))
    return Change(*(None if value is None else float(value) for value in values))


def index_throughput_of(indexes: Sequence[Description] | None) -> dict[str, ThroughputSettings]:
    """Return the throughput of global indexes by name."""
    return {index["IndexName"]: throughput_of(index) for index in indexes or ()}


def update_of(request: Description) -> Update:
    """Return the throughput part of UpdateTable."""
    mode = request.get("BillingMode")
    updates = [one["Update"] for one in request.get("GlobalSecondaryIndexUpdates") or () if one.get("Update")]
    return Update(
        mode=BillingMode(mode) if mode else None,
        throughput=throughput_of(request),
        index_throughput=index_throughput_of(updates),
    )


def index_of(description: Description, scope: IndexScope) -> Index:
    """Return one secondary index."""
    keys = {key["KeyType"]: key["AttributeName"] for key in description["KeySchema"]}
    projection = description.get("Projection") or {}
    return Index(
        name=description["IndexName"],
        partition_key=keys["HASH"],
        sort_key=keys.get("RANGE"),
        projection=Projection(projection.get("ProjectionType") or Projection.ALL),
        included=frozenset(projection.get("NonKeyAttributes") or ()),
        scope=scope,
    )


def schema_of(table: OrderedTable) -> TableSchema:
    """Return the keys and indexes of one of the store's tables."""

    def described(index: Any, scope: IndexScope) -> Index:
        return index_of({"IndexName": index.name, "KeySchema": index.schema, "Projection": index.projection}, scope)

    return TableSchema(
        name=table.name,
        partition_key=table.key_schema.partition_name,
        sort_key=table.key_schema.sort_name,
        indexes=(
            *(described(index, IndexScope.GLOBAL) for index in table.global_indexes),
            *(described(index, IndexScope.LOCAL) for index in table.indexes),
        ),
    )
