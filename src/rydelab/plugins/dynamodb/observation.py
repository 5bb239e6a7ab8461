"""What the lab shows of its tables under ``/_rydelab/dynamodb``. The format is in ``docs/observation.md``."""

from typing import Any

from rydelab.capacity.resource import Resource
from rydelab.capacity.throttling import Access
from rydelab.plugins.dynamodb.metered import MeteredTable, MeteredTables
from rydelab.plugins.dynamodb.series import columns, totals


def observe(
    tables: MeteredTables, *, name: str | None = None, since: float = 0.0, series: bool = True
) -> dict[str, Any]:
    """Return every table, or those called *name*, with their seconds from *since* (Unix time) on."""
    return {
        "now": tables.clock.now(),
        "enforcement": tables.settings.enforcement,
        "tables": [_table(metered, since, series=series) for metered in _selected(tables, name)],
    }


def reset(tables: MeteredTables, *, name: str | None = None) -> dict[str, Any]:
    """Forget the seconds of every table, or of those called *name*. Capacity and counters stay."""
    selected = _selected(tables, name)
    for metered in selected:
        with metered.lock:
            metered.series.reset(metered.now())
    return {"reset": [metered.table.name for metered in selected]}


def _selected(tables: MeteredTables, name: str | None) -> list[MeteredTable]:
    found = [metered for metered in tables.all() if name in (None, metered.table.name)]
    return sorted(found, key=lambda metered: (metered.place, metered.table.name))


def _table(metered: MeteredTable, since: float, *, series: bool) -> dict[str, Any]:
    account, region = metered.place
    with metered.lock:
        status = metered.status()
        return {
            "account": account,
            "region": region,
            "table": metered.table.name,
            "status": status,
            "billing_mode": metered.capacity.mode.value,
            "items": len(metered.table),
            "size_bytes": metered.table.collection.size_bytes,
            "resources": [
                _resource(metered, index, resource)
                | ({"series": columns(metered.series.of(index, since=since))} if series else {})
                for index, resource in metered.capacity.resources.items()
            ],
        }


def _resource(metered: MeteredTable, index: str | None, resource: Resource) -> dict[str, Any]:
    now = metered.now()
    shown = resource.shown_provisioned
    return {
        "index": index,
        "provisioned": {"read": shown.read, "write": shown.write},
        "on_demand_maximum": {access.value.lower(): units for access, units in resource.maximum.items()},
        "partitions": len(resource.partitions),
        "read": totals(resource.limiters[Access.READ], now),
        "write": totals(resource.limiters[Access.WRITE], now),
    }
