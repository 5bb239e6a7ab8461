"""What the lab shows of its tables under ``/_rydelab/dynamodb``. The format is in ``docs/observation.md``."""

from typing import Any

from rydelab.capacity.resource import Resource
from rydelab.capacity.throttling import Access
from rydelab.plugins.dynamodb.metered import MeteredTable, MeteredTables
from rydelab.plugins.dynamodb.series import columns, totals
from rydelab.plugins.dynamodb.store.history import WriteHistory


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


def begin_writes(tables: MeteredTables, *, name: str | None = None) -> dict[str, Any]:
    """From now on note when the items of every table, or of those called *name*, are written, and how often."""
    selected = _selected(tables, name)
    for metered in selected:
        with metered.lock:
            metered.table.history = WriteHistory(tables.clock.now)
    return {"now": tables.clock.now(), "noting": [metered.table.name for metered in selected]}


def writes(tables: MeteredTables, *, name: str | None = None) -> dict[str, Any]:
    """Return the key of every item of each table, or of those called *name*, with its writes. Consumes no units."""
    return {"now": tables.clock.now(), "tables": [_writes(metered) for metered in _selected(tables, name)]}


def _writes(metered: MeteredTable) -> dict[str, Any]:
    """One list for each column. An item that was not written since `begin_writes` has 0 writes and no times."""
    table = metered.table
    account, region = metered.place
    found: dict[str, list[Any]] = {"keys": [], "writes": [], "first_at": [], "last_at": []}
    names = table.key_schema.names
    with metered.lock:
        for key, item in table.collection.keyed_items():
            written = None if table.history is None else table.history.of(key)
            found["keys"].append([next(iter(item[name].values())) for name in names])
            found["writes"].append(written.writes if written else 0)
            found["first_at"].append(written.first_at if written else None)
            found["last_at"].append(written.last_at if written else None)
    return {"account": account, "region": region, "table": table.name, "key_names": list(names), **found}


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
