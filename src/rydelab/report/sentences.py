"""One sentence or two on each cell, in plain words, made of nothing but its numbers. Pure."""

import re
from collections.abc import Iterator

from rydelab.report.quantities import count, duration, share, things
from rydelab.report.summary import CellSummary

SLOW_MS = 1000.0
"""A 95th percentile from here on is a wait that is worth a sentence."""
LATE_RECORD_MS = 100.0
REASON_CHARACTERS = 60

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
    """Say what became of the rides of *cell*, why if that is known, and how long people waited."""
    if cell.mismatches:
        return "The ledger of this cell does not add up, so nothing here is certain."
    if not cell.arrivals:
        return "No ride was asked for."
    sentences = [_fate(cell), *_ghosts(cell), *_causes(cell), *_waits(cell)]
    if cell.interrupted:
        sentences.insert(0, "Stopped early.")
    if cell.lab_limited:
        sentences.append("The lab itself was at its limit: this says nothing about the design.")
    return " ".join(sentences)


def throttle_reason(reason: str) -> str:
    """Put a throttle's reason, as in `CellSummary.throttles`, into words."""
    if reason == "FunctionConcurrency":
        return "function invocations: no concurrency left"
    if match := _REASON.fullmatch(reason):
        return f"{match['what'].lower()} {match['access'].lower()}s: {_LIMITS[match['limit']]}"
    return reason


def _fate(cell: CellSummary) -> str:
    rows, accepted = cell.rows, cell.accepted
    if not accepted:
        return f"Not one of {things(cell.arrivals, 'client')} was promised a ride{_reason(cell)}."
    problems = list(_problems(cell))
    if cell.accepted == cell.arrivals:
        if not problems:
            return "Every ride was promised and recorded."
        return f"201 for all, but {_listed(problems)}."
    told_no = cell.arrivals - accepted
    refused = (
        f"{share(told_no, cell.arrivals)} of the clients got an error ({count(told_no)}{_reason(cell, inside=True)})"
    )
    if problems:
        return f"{refused}; of the {things(accepted, 'ride')} promised, {_listed(problems)}."
    promised = "the one ride" if accepted == 1 else f"all {things(rows['recorded'], 'ride')}"
    return f"{refused}; {promised} promised {'was' if accepted == 1 else 'were'} recorded."


def _problems(cell: CellSummary) -> Iterator[str]:
    waiting, dead, lost = (cell.rows[row] for row in ("in_flight", "dead_lettered", "lost"))
    if waiting:
        drained_s = cell.durations_s.get("drain")
        after = "" if drained_s is None else f" after {duration(drained_s * 1000)}"
        rides = things(waiting, "ride") if cell.accepted == cell.arrivals else count(waiting)
        yield f"{rides} still {'waits' if waiting == 1 else 'wait'}{after}"
    if dead:
        yield f"{count(dead)} ended in the dead-letter queue"
    if lost:
        yield f"{count(lost)} {'is' if lost == 1 else 'are'} lost: promised, and nowhere to be found"


def _ghosts(cell: CellSummary) -> Iterator[str]:
    if ghosts := cell.rows["ghost"]:
        whose = (
            "One client got an error although its"
            if ghosts == 1
            else f"{count(ghosts)} clients got an error although their"
        )
        yield f"{whose} ride was recorded."


def _causes(cell: CellSummary) -> Iterator[str]:
    throttles = {reason: number for reason, number in (cell.throttles or {}).items() if number}
    writes = sum(number for reason, number in throttles.items() if reason.startswith("TableWrite"))
    if writes:
        units = cell.settings.get("write_units")
        at = f", with {units:g} write unit{'' if units == 1 else 's'}," if _says_units(cell, units) else ""
        yield f"The table{at} throttled {things(writes, 'write')}."
    elif throttles:
        requests = sum(throttles.values())
        yield f"{things(requests, 'request')} {'was' if requests == 1 else 'were'} throttled."
    if (concurrency := throttles.get("FunctionConcurrency")) and writes:
        yield f"{things(concurrency, 'invocation')} found no concurrency left."


def _waits(cell: CellSummary) -> Iterator[str]:
    answer = cell.latency.p95_ms
    record = None if cell.time_to_record is None else cell.time_to_record.p95_ms
    if answer is None:
        return
    # Only a record that is clearly later than its answer is worth a word.
    late_record = record is not None and record >= max(LATE_RECORD_MS, answer)
    if answer >= SLOW_MS:
        yield f"One client in twenty waited {duration(answer)} or longer for the answer."
        if late_record:
            yield f"One record in twenty came {duration(record)} or longer after the answer."
        return
    answered = f"95 % of the answers came within {duration(answer)}"
    yield f"{answered}; 95 % of the records followed within {duration(record)}." if late_record else f"{answered}."


def _reason(cell: CellSummary, *, inside: bool = False) -> str:
    """Name the most frequent reason for an error, and how often it was given if it was not the only one."""
    if not cell.errors:
        return ""
    reason, number = next(iter(cell.errors.items()))
    text = reason if len(reason) <= REASON_CHARACTERS else f"{reason[: REASON_CHARACTERS - 1]}…"
    most = "" if number == sum(cell.errors.values()) else "most often "
    return f", {most}“{text}”" if inside else f": {most}“{text}”"


def _says_units(cell: CellSummary, units: object) -> bool:
    # Auto scaling has changed them since.
    return cell.table_mode == "provisioned" and isinstance(units, int | float)


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
