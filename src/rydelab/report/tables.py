"""What the tables of a lab do at the moment, as lines of text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_HEADINGS = ("table", "mode", "reads/s", "of", "burst", "writes/s", "of", "burst", "parts", "items")
_LEFT_ALIGNED = frozenset({0, 1})
_SHORT_MODES = {"PROVISIONED": "provisioned", "PAY_PER_REQUEST": "on-demand"}


@dataclass(frozen=True, slots=True)
class Side:
    """Reads or writes of one table or index between two looks at it."""

    units_per_s: float
    rate_per_s: float
    """What it may consume for ever."""
    burst_share: float
    """What is left of the burst, 0 to 1."""


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """One table, or one global index of it."""

    table: str
    index: str | None
    mode: str
    status: str
    read: Side
    write: Side
    partitions: int
    items: int | None
    """None for an index."""
    refused_per_s: Mapping[str, float]
    """By AWS's name for the reason, such as TableWriteProvisionedThroughputExceeded."""


def resource_rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[ResourceRow]:
    """Return what happened between two observations (docs/observation.md), a row per table and global index."""
    elapsed_s = max(after["now"] - before["now"], 1e-3)
    earlier = {key: resource for key, _, resource in _resources(before)}
    rows = []
    for key, table, resource in _resources(after):
        previous = earlier.get(key, {})
        rows.append(
            ResourceRow(
                table=table["table"],
                index=resource["index"],
                mode=_SHORT_MODES.get(table["billing_mode"], table["billing_mode"]),
                status=table["status"],
                read=_side(previous.get("read"), resource["read"], elapsed_s),
                write=_side(previous.get("write"), resource["write"], elapsed_s),
                partitions=resource["partitions"],
                items=table["items"] if resource["index"] is None else None,
                refused_per_s=_refused(previous, resource, elapsed_s),
            )
        )
    return rows


def text(rows: Sequence[ResourceRow]) -> str:
    """Return the rows as a table for a terminal; what was refused is on a line below its row."""
    if not rows:
        return "No tables yet."
    cells = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEADINGS))]
    lines = [_aligned(_HEADINGS, widths)]
    for row, line in zip(rows, cells[1:], strict=True):
        lines.append(_aligned(line, widths))
        lines.extend(f"    refused {per_s:,.0f}/s: {reason}" for reason, per_s in row.refused_per_s.items())
    return "\n".join(lines)


def _resources(
    observation: Mapping[str, Any],
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any], Mapping[str, Any]]]:
    for table in observation["tables"]:
        for resource in table["resources"]:
            yield (table["account"], table["region"], table["table"], resource["index"] or ""), table, resource


def _side(before: Mapping[str, Any] | None, after: Mapping[str, Any], elapsed_s: float) -> Side:
    consumed = after["consumed_units"] - (before["consumed_units"] if before else after["consumed_units"])
    size = after["burst_size"]
    share = min(1.0, max(0.0, after["burst_left"] / size)) if size else 0.0
    return Side(units_per_s=consumed / elapsed_s, rate_per_s=after["rate"], burst_share=share)


def _refused(before: Mapping[str, Any], after: Mapping[str, Any], elapsed_s: float) -> dict[str, float]:
    refused = {}
    for side in ("read", "write"):
        known = before.get(side, after[side])["refused"]
        for reason, count in after[side]["refused"].items():
            if count > known.get(reason, 0):
                refused[reason] = (count - known.get(reason, 0)) / elapsed_s
    return refused


def _cells(row: ResourceRow) -> tuple[str, ...]:
    name = row.table if row.index is None else f"  {row.table}/{row.index}"
    mode = row.mode if row.status == "ACTIVE" else f"{row.mode}, {row.status.lower()}"
    return (
        name,
        mode,
        *_side_cells(row.read),
        *_side_cells(row.write),
        str(row.partitions),
        "" if row.items is None else f"{row.items:,}",
    )


def _side_cells(side: Side) -> tuple[str, str, str]:
    return f"{side.units_per_s:,.1f}", f"{side.rate_per_s:,.0f}", f"{side.burst_share:.0%}"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.ljust(width) if column in _LEFT_ALIGNED else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(padded).rstrip()
