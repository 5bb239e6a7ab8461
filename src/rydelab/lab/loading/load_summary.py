"""What a load came to, as text: the answers by request, and what tables and functions did meanwhile. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rydelab.lab.emulation.observation import FunctionActivity
from rydelab.lab.loading.requests_file import Request
from rydelab.report.latency import latency
from rydelab.report.quantities import count, duration

MOST_REASONS = 10


def answers(started: Mapping[str, int], requests: Sequence[Request]) -> str:
    """Return a row per kind of request, and below them why some were not answered as expected."""
    rows: list[tuple[str, ...]] = [("request", "sent", "as expected", "not", "p50", "p95", "p99", "max")]
    for kind in sorted(started):
        outcomes = [request for request in requests if request.kind == kind]
        good = [request.latency_s for request in outcomes if request.accepted]
        times = latency(good)
        rows.append(
            (
                kind,
                count(started[kind]),
                count(len(good)),
                count(started[kind] - len(good)),
                *(duration(ms) for ms in (times.p50_ms, times.p95_ms, times.p99_ms, times.max_ms)),
            )
        )
    reasons = Counter((request.kind, request.error) for request in requests if request.error)
    lines = [_table(rows)]
    lines += [f"  {count(number)} x {kind}: {error}" for (kind, error), number in reasons.most_common(MOST_REASONS)]
    if len(reasons) > MOST_REASONS:
        lines.append(f"  and {len(reasons) - MOST_REASONS} more reasons")
    return "\n".join(lines)


def tables(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return a row per table and global index that did something between two observations (docs/observation.md)."""
    rows = [("table", "mode", "read units", "write units", "throttled")]
    reasons: list[str] = []
    earlier = {key: resource for key, _, resource in _resources(before)}
    for key, table, resource in _resources(after):
        read, write = (_more(earlier.get(key), resource, side) for side in ("read", "write"))
        throttled = read["refused"] + write["refused"]
        if read["units"] or write["units"] or throttled:
            name = "/".join(part for part in key[2:] if part)
            mode = {"PROVISIONED": "provisioned", "PAY_PER_REQUEST": "on-demand"}[table["billing_mode"]]
            rows.append((name, mode, _units(read["units"]), _units(write["units"]), count(throttled.total())))
            reasons += [f"  {count(number)} x {name}: {reason}" for reason, number in throttled.most_common()]
    return "\n".join([_table(rows), *reasons]) if len(rows) > 1 else ""


def functions(before: Mapping[str, FunctionActivity], after: Mapping[str, FunctionActivity]) -> str:
    """Return a row per function that was asked for something between two observations."""
    rows: list[tuple[str, ...]] = [("function", "invocations", "errors", "throttled", "handed over again")]
    for name, activity in sorted(after.items()):
        more = activity.since(before.get(name, FunctionActivity()))
        if more.invocations or more.throttles:
            rows.append((name, *map(count, (more.invocations, more.errors, more.throttles, more.retried))))
    return _table(rows) if len(rows) > 1 else ""


def _resources(
    observation: Mapping[str, Any],
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any], Mapping[str, Any]]]:
    for table in observation["tables"]:
        for resource in table["resources"]:
            yield (table["account"], table["region"], table["table"], resource["index"] or ""), table, resource


def _more(before: Mapping[str, Any] | None, after: Mapping[str, Any], side: str) -> dict[str, Any]:
    earlier: Mapping[str, Any] = before[side] if before else {"consumed_units": 0, "refused": {}}
    return {
        "units": after[side]["consumed_units"] - earlier["consumed_units"],
        "refused": Counter(after[side]["refused"]) - Counter(earlier["refused"]),
    }


def _units(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        # Names to the left, numbers to the right.
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
