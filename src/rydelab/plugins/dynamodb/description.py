"""What DescribeTable says of a table's throughput, in the place of what moto says."""

from datetime import UTC, datetime
from typing import Any

from rydelab.capacity.resource import Resource
from rydelab.capacity.settings import Settings
from rydelab.capacity.throttling import Access, BillingMode
from rydelab.plugins.dynamodb.metered import MeteredTable

type Description = dict[str, Any]

_MAXIMA = {Access.READ: "MaxReadRequestUnits", Access.WRITE: "MaxWriteRequestUnits"}


def describe(metered: MeteredTable, described: Description, *, status: str | None = None) -> Description:
    """Return moto's description of a table with its true throughput; *status* is a TableStatus that is known better.

    The caller holds the table's lock.
    """
    table_status = metered.status()
    now = metered.now()
    capacity = metered.capacity
    described |= {"TableStatus": status or table_status, **_throughput(capacity.resources[None], now)}
    described["WarmThroughput"]["Status"] = capacity.warm_status(now)
    switched_at = capacity.last_switch_to_on_demand
    described.pop("BillingModeSummary", None)
    if capacity.mode is BillingMode.ON_DEMAND or switched_at is not None:
        # AWS says nothing of the mode of a table that has always been provisioned.
        described["BillingModeSummary"] = {
            "BillingMode": capacity.mode.value,
            "LastUpdateToPayPerRequestDateTime": described.get("CreationDateTime")
            if switched_at is None
            else _time(switched_at),
        }
    for index in described.get("GlobalSecondaryIndexes") or ():
        name = index["IndexName"]
        if name not in capacity.resources:
            continue
        creating = name in metered.index_changes
        index |= {
            "IndexArn": f"{described['TableArn']}/index/{name}",
            "IndexStatus": "CREATING" if creating else capacity.status(now),
            **_throughput(capacity.resources[name], now),
        }
        if creating:
            index["Backfilling"] = True
        index["WarmThroughput"]["Status"] = capacity.warm_status(now, name)
    for index in described.get("LocalSecondaryIndexes") or ():
        index["IndexArn"] = f"{described['TableArn']}/index/{index['IndexName']}"
    for indexes in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if not described.get(indexes):
            described.pop(indexes, None)
    return described


def limits(settings: Settings) -> Description:
    """Return DescribeLimits."""
    return {
        "AccountMaxReadCapacityUnits": int(settings.account_read_quota),
        "AccountMaxWriteCapacityUnits": int(settings.account_write_quota),
        "TableMaxReadCapacityUnits": int(settings.table_read_quota),
        "TableMaxWriteCapacityUnits": int(settings.table_write_quota),
    }


def _throughput(resource: Resource, now: float) -> Description:
    shown = resource.shown_provisioned
    provisioned: Description = {
        "NumberOfDecreasesToday": resource.decreases.today(now),
        "ReadCapacityUnits": int(shown.read),
        "WriteCapacityUnits": int(shown.write),
    }
    if resource.last_increase is not None:
        provisioned["LastIncreaseDateTime"] = _time(resource.last_increase)
    if resource.last_decrease is not None:
        provisioned["LastDecreaseDateTime"] = _time(resource.last_decrease)
    throughput: Description = {
        "ProvisionedThroughput": provisioned,
        "WarmThroughput": {
            "ReadUnitsPerSecond": int(resource.warm[Access.READ]),
            "WriteUnitsPerSecond": int(resource.warm[Access.WRITE]),
        },
    }
    if resource.maximum and resource.mode is BillingMode.ON_DEMAND:
        throughput["OnDemandThroughput"] = {
            _MAXIMA[access]: int(resource.maximum.get(access, -1.0)) for access in Access
        }
    return throughput


def _time(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)
