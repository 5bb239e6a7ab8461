"""What a cell used, as the lab has counted it: the content of a bill. Pure."""

from collections.abc import Mapping, Sequence

from rydelab.capacity.usage import ALARMS_OF_AUTO_SCALING, FunctionUse, Usage, empty_receives
from rydelab.lab.cells.cell_series import by_interval
from rydelab.lab.cells.meters import Meters
from rydelab.lab.emulation.observation import FunctionActivity, TableActivity
from rydelab.report.summary import CellId

BEHIND_THE_GATEWAY = ("RequestRide", "RequestUnicornApig", "PutRideRecordHttp")


def usage_between(
    before: Meters,
    after: Meters,
    *,
    cell: CellId,
    memory_mb: int,
    rows: Mapping[str, int],
    rides: int,
    tables: Sequence[TableActivity],
    load_s: float,
) -> Usage:
    """Return what *cell* used between two looks, of which the first is the load's begin.

    *rows* is its ledger, and *rides* how many of it were promised to whoever asked for a ride; in the designs that
    publish rides, each of these was published once.
    """
    grown = {
        name: activity.since(before.functions.get(name, FunctionActivity()))
        for name, activity in after.functions.items()
    }
    functions = {
        name: FunctionUse(counts.invocations, counts.billed_ms / 1000, memory_mb)
        for name, counts in grown.items()
        if counts.invocations
    }
    duration_s = after.at - before.at
    published = rides if cell.design in ("event-driven", "queued") else 0
    sends = {"event-driven": rows["dead_lettered"], "queued": published}.get(cell.design, 0)
    batches = functions["PutRideRecordSqs"].invocations if "PutRideRecordSqs" in functions else 0.0
    empty = empty_receives(batches, duration_s=duration_s) if cell.design == "queued" else 0.0
    provisioned = cell.table_mode != "on-demand"
    return Usage(
        gateway_requests=sum(
            grown[name].invocations + grown[name].throttles for name in BEHIND_THE_GATEWAY if name in grown
        ),
        functions=functions,
        sns_publishes=published,
        # Each batch is received and deleted by one request.
        sqs_requests=sends + 2 * batches + empty,
        sqs_sends=sends,
        sqs_empty_receives=empty,
        write_units=after.records.write_units - before.records.write_units,
        read_units=after.unicorns.read_units - before.unicorns.read_units,
        provisioned_write_unit_s=_unit_s("write", tables, before.at, duration_s) if provisioned else 0.0,
        provisioned_read_unit_s=_unit_s("read", tables, before.at, duration_s) if provisioned else 0.0,
        stored_bytes=after.records.size_bytes - before.records.size_bytes,
        stored_items=after.records.items - before.records.items,
        log_bytes=sum(counts.log_bytes for counts in grown.values()),
        alarms=ALARMS_OF_AUTO_SCALING if cell.table_mode == "autoscaled" else 0,
        duration_s=duration_s,
        load_s=load_s,
    )


def _unit_s(access: str, tables: Sequence[TableActivity], began_at: float, duration_s: float) -> float:
    """Add up the units of each second. Between two seconds of which something is known they stay as they were."""
    known = by_interval(tables, began_at=began_at)
    rates = [(interval, float(known[interval][f"{access}_rate"])) for interval in sorted(known)]
    total, until_s = 0.0, duration_s
    for interval, rate in reversed(rates):
        begin_s = min(until_s, float(interval))
        total += (until_s - begin_s) * rate
        until_s = begin_s
    # What comes before the first second that is known.
    return total + until_s * rates[0][1] if rates else 0.0
