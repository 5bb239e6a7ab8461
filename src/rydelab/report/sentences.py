"""One sentence or two on each cell, in plain words, made of nothing but its numbers. Pure."""

import re
from collections.abc import Iterator

from rydelab.report.quantities import count, duration, share, things
from rydelab.report.summary import CellSummary, InjectedFault

SLOW_MS = 1000.0
"""An error that takes longer has kept somebody waiting."""
LATE_RECORD_MS = 100.0
REASON_CHARACTERS = 30

_STATUS = re.compile(r"[1-5][0-9]{2}\b")
_REASON = re.compile(
    r"(?P<what>Table|Index)(?P<access>Read|Write)"
    r"(?P<limit>ProvisionedThroughput|KeyRangeThroughput|AccountLimit|MaxOnDemandThroughput)Exceeded"
)
_LIMITS = {
    "ProvisionedThroughput": "more than its provisioned units",
    "KeyRangeThroughput": "more than one partition can serve",
    "AccountLimit": "more than the account's limit",
    "MaxOnDemandThroughput": "more than its on-demand maximum",
}


def sentence(cell: CellSummary) -> str:
    """Say what became of the rides of *cell*, what was throttled, and how long people waited."""
    if cell.mismatches:
        return "The ledger of this cell does not add up, so nothing here is certain."
    if not cell.arrivals:
        return "No ride was asked for."
    sentences = [*_faults(cell), _fate(cell), *_ghosts(cell), *_throttles(cell), *_waits(cell)]
    if cell.interrupted:
        sentences.insert(0, "Stopped early.")
    if cell.lab_limited:
        sentences.append("The lab itself was at its limit: these are its numbers, not the design's.")
    return " ".join(sentences)


def throttle_reason(reason: str) -> str:
    """Put a throttle's reason, as in `CellSummary.throttles`, into words."""
    if reason == "FunctionConcurrency":
        return "function invocations: no concurrency left"
    if match := _REASON.fullmatch(reason):
        return f"{match['what'].lower()} {match['access'].lower()}s: {_LIMITS[match['limit']]}"
    return reason


def _faults(cell: CellSummary) -> Iterator[str]:
    if cell.faults:
        yield f"On purpose: {'; '.join(f'{fault.label}, {_fault(fault)}' for fault in cell.faults)}."


def _fault(fault: InjectedFault) -> str:
    """Say when *fault* was and what it met."""
    if fault.start_s is None or fault.end_s is None:
        return f"but not here, where there is no {fault.target}"
    parameters = "".join(f", {name} {value}" for name, value in fault.parameters.items())
    return f"from {fault.start_s:.0f} s to {fault.end_s:.0f} s ({things(fault.hits, 'request')} met{parameters})"


def _fate(cell: CellSummary) -> str:
    accepted, recorded = cell.accepted, cell.rows["recorded"]
    if not accepted:
        return f"Not one of {things(cell.arrivals, 'client')} was promised a ride{_errors(cell)}."
    if accepted == cell.arrivals:
        if recorded == accepted:
            return "Every ride was promised and recorded."
        return f"Every client was promised a ride (201), but {_unrecorded(cell, noun='ride')}."
    told_no = share(cell.arrivals - accepted, cell.arrivals)
    got_errors = f"{told_no} of the clients got an error{_errors(cell)}"
    if recorded == accepted:
        return f"{got_errors}; the other {things(accepted, 'ride')} {_was(accepted)} recorded."
    return f"{got_errors}. Of the other {things(accepted, 'ride')}, {_unrecorded(cell)}."


def _unrecorded(cell: CellSummary, *, noun: str = "") -> str:
    """Say where the promised rides are that were not recorded; *noun* goes with the first number."""
    drained_s = cell.durations_s.get("drain")
    after = "" if drained_s is None else f" {duration(drained_s * 1000)} after the last answer"
    endings = (
        ("in_flight", "still waits" + after, "still wait" + after),
        ("dead_lettered", "is in the dead-letter queue", "are in the dead-letter queue"),
        ("lost", "is lost: promised, and nowhere to be found", "are lost: promised, and nowhere to be found"),
    )
    parts: list[str] = []
    for row, one, many in endings:
        if rides := cell.rows[row]:
            subject = things(rides, noun) if noun and not parts else count(rides)
            parts.append(f"{subject} {one if rides == 1 else many}")
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _errors(cell: CellSummary) -> str:
    """Say which error clients got, and after how long if that is long."""
    text = ""
    if cell.errors:
        reason, number = next(iter(cell.errors.items()))
        status = _STATUS.match(reason)
        named = status[0] if status else reason if len(reason) <= REASON_CHARACTERS else "no answer"
        text = f" ({'' if number == sum(cell.errors.values()) else 'mostly '}{named})"
    waited_ms = cell.error_latency.p50_ms if cell.error_latency else None
    if waited_ms is not None and waited_ms >= SLOW_MS:
        text += f", half of them after {duration(waited_ms)} or more"
    return text


def _ghosts(cell: CellSummary) -> Iterator[str]:
    if ghosts := cell.rows["ghost"]:
        clients = things(ghosts, "client")
        yield f"{clients} got an error although {'its' if ghosts == 1 else 'their'} ride was recorded."


def _throttles(cell: CellSummary) -> Iterator[str]:
    throttles = {reason: number for reason, number in (cell.throttles or {}).items() if number}
    writes = sum(number for reason, number in throttles.items() if reason.startswith("TableWrite"))
    other = sum(throttles.values()) - writes
    if writes:
        yield f"The table{_units(cell)} throttled {things(writes, 'write')}."
    if other:
        requests = things(other, "other request" if writes else "request")
        yield f"{requests} {_was(other)} throttled."


def _units(cell: CellSummary) -> str:
    units = cell.settings.get("write_units")
    if not isinstance(units, int | float) or cell.table_mode == "on-demand":
        return ""
    which = "which began with" if cell.table_mode == "autoscaled" else "at"
    return f", {which} {units:g} write unit{'' if units == 1 else 's'} a second,"


def _waits(cell: CellSummary) -> Iterator[str]:
    answer = cell.latency.p95_ms
    record = None if cell.time_to_record is None else cell.time_to_record.p95_ms
    # Only a record that is clearly later than its answer is worth a word.
    late = record is not None and record >= max(LATE_RECORD_MS, answer or 0.0)
    if cell.rows["recorded"] == cell.arrivals and answer is not None:
        after = f", 95 % of the records within {duration(record)} after that" if late else ""
        yield f"95 % of the answers came within {duration(answer)}{after}."
    elif late:
        yield f"One record in twenty came {duration(record)} or more after its answer."


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
