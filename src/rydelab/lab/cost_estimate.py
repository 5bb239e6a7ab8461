"""What a month uses, from typed-in numbers: along a path of services, or in a whole design. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rydelab.capacity.bill import MONTH_S
from rydelab.capacity.units import WRITE_STEP_BYTES
from rydelab.capacity.usage import ALARMS_OF_AUTO_SCALING, FunctionUse, Usage, empty_receives, summed
from rydelab.errors import RydelabError
from rydelab.lab.scenarios.cell import DEFAULT_UNITS, MOST_UNITS, TABLE_MODES, Cell

HOPS = ("gateway", "lambda", "sns", "sqs", "table")
SCALING_TARGET = 0.7
UNICORN_READ_UNITS = 0.5
"""An eventually consistent Scan of UnicornsTable, below 4 KB."""


class PathError(RydelabError):
    """A path that cannot be understood; the message has its text."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What a month is like."""

    requests: float
    """Spread evenly over the month."""
    duration_ms: float = 100.0
    """What each function is billed for its own work, per invocation."""
    memory_mb: int = 128
    batch_size: float = 1.0
    """Messages in a batch of a queue, on average."""
    item_bytes: int = 160
    log_bytes: float = 370.0
    """What an invocation writes to its log."""
    write_units: float | None = None
    """What a provisioned or autoscaled table has on average; None: what the requests need."""

    @property
    def writes_per_s(self) -> float:
        """The write units that the requests consume in each second."""
        return self.requests * self.units_per_write / MONTH_S

    @property
    def units_per_write(self) -> int:
        """The write units that one item takes."""
        return -(-self.item_bytes // WRITE_STEP_BYTES)


@dataclass(frozen=True, slots=True)
class Path:
    """Services that a request passes one after another."""

    hops: tuple[str, ...]
    table_mode: str | None = None
    """Of the table at its end; None if there is none."""

    def __str__(self) -> str:
        words = [f"{self.table_mode} table" if hop == "table" else hop for hop in self.hops]
        return " > ".join(words)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A month's use, and what a reader must know about it."""

    usage: Usage
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Units:
    """What a table is given."""

    write: float = 0.0
    read: float = 0.0
    alarms: int = 0
    remarks: tuple[str, ...] = ()


def parse_path(text: str) -> Path:
    """Read a path as the command line has it: hops with commas between them, as in ``sns,lambda,table=on-demand``.

    Raises PathError.
    """
    hops: list[str] = []
    mode: str | None = None
    for part in text.split(","):
        hop, _, value = part.strip().partition("=")
        if hop not in HOPS:
            raise PathError(f"--path {text}: {hop!r} is no service; there are {', '.join(HOPS)}")
        if mode is not None:
            raise PathError(f"--path {text}: nothing can come behind the table")
        if (hop == "table") != bool(value) or (value and value not in TABLE_MODES):
            raise PathError(f"--path {text}: {part.strip()!r}: only a table has a mode: table={'|'.join(TABLE_MODES)}")
        if hop == "table" and hops[-1:] != ["lambda"]:
            raise PathError(f"--path {text}: only a lambda writes to a table")
        if hops[-1:] == ["sqs"] and hop != "lambda":
            raise PathError(f"--path {text}: only a lambda takes from sqs")
        hops.append(hop)
        mode = value or None
    return Path(tuple(hops), mode)


def along(path: Path, given: Assumptions) -> Estimate:
    """Estimate what *path* uses when each request passes all of it."""
    units = _Units() if path.table_mode is None else _units(path.table_mode, given, {})
    return _estimate([_passing(path.hops, given, given.duration_ms, str(path))], units)


def of_cell(cell: Cell, given: Assumptions) -> Estimate:
    """Estimate what a whole design uses when each request is a ride that is recorded.

    RequestRide is billed for its own time, and for that of the functions whose answers it waits for.
    """
    given = replace(given, memory_mb=int(cell.options.get("memory_mb", given.memory_mb)))
    fleet, record = _TO_FLEET[cell.design], _TO_RECORD[cell.design]
    awaited = 1 + (record[0] == "gateway")
    parts = [
        _passing(("gateway", "lambda"), given, given.duration_ms * (1 + awaited), "RequestRide"),
        _passing(fleet, given, given.duration_ms, "RequestUnicorn"),
        _passing(record, given, given.duration_ms, "PutRideRecord"),
        Usage(read_units=given.requests * UNICORN_READ_UNITS),
    ]
    return _estimate(parts, _units(cell.table_mode, given, cell.options))


_TO_FLEET: Mapping[str, tuple[str, ...]] = {
    "microservices": ("gateway", "lambda"),
    "direct-invoke": ("lambda",),
    "event-driven": ("lambda",),
    "queued": ("lambda",),
}
_TO_RECORD: Mapping[str, tuple[str, ...]] = {
    "microservices": ("gateway", "lambda", "table"),
    "direct-invoke": ("gateway", "lambda", "table"),
    "event-driven": ("sns", "lambda", "table"),
    "queued": ("sns", "sqs", "lambda", "table"),
}


def _estimate(parts: Sequence[Usage], units: _Units) -> Estimate:
    usage = replace(
        summed(parts),
        provisioned_write_unit_s=units.write * MONTH_S,
        provisioned_read_unit_s=units.read * MONTH_S,
        alarms=units.alarms,
        duration_s=MONTH_S,
        load_s=MONTH_S,
    )
    return Estimate(usage, units.remarks)


def _passing(hops: Sequence[str], given: Assumptions, duration_ms: float, name: str) -> Usage:
    """Return what requests use that pass *hops*, apart from what the table is given."""
    requests = given.requests
    functions: dict[str, FunctionUse] = {}
    sends, receives = requests * hops.count("sqs"), 0.0
    for position, hop in enumerate(hops):
        if hop == "lambda":
            after_queue = position > 0 and hops[position - 1] == "sqs"
            invocations = requests / given.batch_size if after_queue else requests
            receives += invocations if after_queue else 0.0
            functions[f"{name} {position}"] = FunctionUse(
                invocations, invocations * duration_ms / 1000, given.memory_mb
            )
    empty = empty_receives(receives, duration_s=MONTH_S) if receives else 0.0
    written = requests * hops.count("table")
    return Usage(
        gateway_requests=requests * hops.count("gateway"),
        functions=functions,
        sns_publishes=requests * hops.count("sns"),
        # Each batch is received and deleted by one request.
        sqs_requests=sends + 2 * receives + empty,
        sqs_sends=sends,
        sqs_empty_receives=empty,
        write_units=written * given.units_per_write,
        stored_bytes=written * given.item_bytes,
        stored_items=written,
        log_bytes=sum(one.invocations for one in functions.values()) * given.log_bytes,
    )


def _units(table_mode: str, given: Assumptions, options: Mapping[str, str | int]) -> _Units:
    """Return what a table has on average, if it has units, for requests that come evenly."""
    if table_mode == "on-demand":
        return _Units()
    autoscaled = table_mode == "autoscaled"
    enough = math.ceil(given.writes_per_s / (SCALING_TARGET if autoscaled else 1))
    if given.write_units is not None:
        write = given.write_units
    elif autoscaled:
        least = int(options.get("write_units", DEFAULT_UNITS))
        write = max(least, min(enough, int(options.get("max_write_units", MOST_UNITS))))
    else:
        write = int(options.get("write_units", max(enough, DEFAULT_UNITS)))
    remarks: tuple[str, ...] = ()
    if given.writes_per_s > write:
        most = write * MONTH_S / given.units_per_write
        remarks = (
            f"{write:g} write units take at most {most:,.0f} of these writes in a month: the others are refused.",
        )
    return _Units(
        write, int(options.get("read_units", DEFAULT_UNITS)), ALARMS_OF_AUTO_SCALING if autoscaled else 0, remarks
    )
