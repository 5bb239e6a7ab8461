from collections.abc import Mapping
from dataclasses import replace

import pytest

from rydelab.report.latency import Latency
from rydelab.report.sentences import sentence, throttle_reason
from rydelab.report.summary import CellSummary, InjectedFault, Saturation

FAST = Latency(count=1800, p50_ms=20, p95_ms=27, p99_ms=31, max_ms=40)
THROTTLED = {"TableWriteProvisionedThroughputExceeded": 5100}


def cell(rows: Mapping[str, int] | None = None, **more: object) -> CellSummary:
    """Make a cell of 1,800 arrivals; what *rows* does not name was recorded."""
    ledger = dict.fromkeys(("refused", "recorded", "dead_lettered", "in_flight", "lost", "ghost"), 0) | (rows or {})
    ledger["recorded"] = 1800 - sum(ledger.values())
    values: dict[str, object] = {
        "design": "event-driven",
        "table_mode": "provisioned",
        "arrivals": 1800,
        "rows": ledger,
        "rewrites": 0,
        "mismatches": (),
        "latency": FAST,
        "late_starts": 0,
        "late_start_s": 0.05,
        "settings": {"write_units": 1},
    }
    return CellSummary(**(values | more))  # type: ignore[arg-type]


def test_a_cell_that_recorded_everything_says_so_and_how_fast() -> None:
    assert sentence(cell()) == "Every ride was promised and recorded. 95 % of the answers came within 27 ms."


def test_records_that_come_long_after_their_answers_are_a_part_of_the_answer() -> None:
    later = Latency(count=1800, p50_ms=100, p95_ms=1200, p99_ms=2000, max_ms=3000)

    assert sentence(cell(time_to_record=later)).endswith(
        "95 % of the answers came within 27 ms, 95 % of the records within 1.2 s after that."
    )


def test_records_that_come_before_their_answers_are_not_mentioned() -> None:
    assert "records" not in sentence(cell(time_to_record=Latency(count=1800, p50_ms=0, p95_ms=0, p99_ms=0, max_ms=0)))


def test_201_for_all_is_no_success_while_rides_wait() -> None:
    waiting = cell({"in_flight": 312}, durations_s={"drain": 30.0})

    assert sentence(waiting).startswith(
        "Every client was promised a ride (201), but 312 rides still wait 30 s after the last answer."
    )


def test_every_place_where_promised_rides_ended_is_named() -> None:
    told = sentence(cell({"in_flight": 312, "dead_lettered": 40, "lost": 1}))

    assert "but 312 rides still wait, 40 are in the dead-letter queue and 1 is lost: promised, and nowhere" in told


def test_refusals_are_told_with_their_share_their_status_and_their_wait() -> None:
    slow = Latency(count=36, p50_ms=4400, p95_ms=5400, p99_ms=5800, max_ms=6000)
    refusing = cell({"refused": 36}, errors={"502 the ride could not be recorded": 36}, error_latency=slow)

    assert sentence(refusing) == (
        "2.0 % of the clients got an error (502), half of them after 4.4 s or more; "
        "the other 1,764 rides were recorded."
    )


def test_the_most_frequent_error_stands_for_the_others() -> None:
    told = sentence(cell({"refused": 36}, errors={"504 Endpoint request timed out": 30, "429": 6}))

    assert "got an error (mostly 504); the other" in told


def test_an_error_without_a_status_is_told_by_its_own_words_if_they_are_few() -> None:
    long = "HTTPConnectionPool(host='127.0.0.1', port=4566): Max retries exceeded"

    assert "an error (no answer);" in sentence(cell({"refused": 1}, errors={long: 1}))
    assert "an error (timed out);" in sentence(cell({"refused": 1}, errors={"timed out": 1}))


def test_a_cell_that_promised_nothing_has_no_success_to_tell() -> None:
    told = sentence(cell({"refused": 1800}, errors={"502": 1800}, latency=Latency(count=0)))

    assert told == "Not one of 1,800 clients was promised a ride (502)."


def test_refusals_and_rides_that_wait_are_told_together() -> None:
    told = sentence(cell({"refused": 100, "lost": 2}))

    assert told == (
        "5.6 % of the clients got an error. Of the other 1,700 rides, 2 are lost: promised, and nowhere to be found."
    )


@pytest.mark.parametrize(
    ("ghosts", "expected"),
    [
        (1, "1 client got an error although its ride was recorded."),
        (5, "5 clients got an error although their ride was recorded."),
    ],
)
def test_ghosts_are_told_from_other_errors(ghosts: int, expected: str) -> None:
    assert expected in sentence(cell({"ghost": ghosts}))


@pytest.mark.parametrize(
    ("table_mode", "units", "expected"),
    [
        ("provisioned", 1, "The table, at 1 write unit a second, throttled 5,100 writes."),
        ("provisioned", 5, "The table, at 5 write units a second, throttled 5,100 writes."),
        ("autoscaled", 1, "The table, which began with 1 write unit a second, throttled 5,100 writes."),
        ("on-demand", 1, "The table throttled 5,100 writes."),
    ],
)
def test_throttled_writes_are_told_with_the_units_that_were_too_few(table_mode: str, units: int, expected: str) -> None:
    throttled = cell({"in_flight": 1}, table_mode=table_mode, throttles=THROTTLED, settings={"write_units": units})

    assert expected in sentence(throttled)


def test_units_that_are_not_known_are_not_guessed() -> None:
    assert "The table throttled 5,100 writes." in sentence(cell(throttles=THROTTLED, settings={}))


def test_other_throttles_are_counted_apart_from_writes() -> None:
    throttles = THROTTLED | {"FunctionConcurrency": 1}

    assert "5,100 writes. 1 other request was throttled." in sentence(cell(throttles=throttles))


def test_throttles_that_did_not_happen_are_not_told() -> None:
    assert "throttled" not in sentence(cell(throttles={"TableWriteProvisionedThroughputExceeded": 0}))


def test_one_late_record_in_twenty_is_told_where_rides_are_missing() -> None:
    late = Latency(count=1000, p50_ms=60_000, p95_ms=182_000, p99_ms=190_000, max_ms=200_000)

    assert sentence(cell({"in_flight": 800}, time_to_record=late)).endswith(
        "One record in twenty came 3 min 2 s or more after its answer."
    )


def test_what_spoils_a_cell_is_said_before_or_behind_everything_else() -> None:
    broken = cell(mismatches=("the rows add up to 9, but 10 arrivals were sent",))
    assert sentence(broken) == "The ledger of this cell does not add up, so nothing here is certain."
    assert sentence(cell(interrupted=True)).startswith("Stopped early. ")
    assert sentence(cell(saturation=Saturation(limited=True))).endswith(
        "The lab itself was at its limit: these are its numbers, not the design's."
    )


def test_a_cell_without_arrivals_has_nothing_to_tell() -> None:
    empty = replace(cell(), arrivals=0, rows=dict.fromkeys(cell().rows, 0))

    assert sentence(empty) == "No ride was asked for."


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("TableWriteProvisionedThroughputExceeded", "table writes: more than its provisioned units"),
        ("IndexReadKeyRangeThroughputExceeded", "index reads: more than one partition can serve"),
        ("TableReadAccountLimitExceeded", "table reads: more than the account's limit"),
        ("TableWriteMaxOnDemandThroughputExceeded", "table writes: more than its on-demand maximum"),
        ("FunctionConcurrency", "function invocations: no concurrency left"),
        ("SomethingNew", "SomethingNew"),
    ],
)
def test_each_reason_of_dynamodb_has_words(reason: str, expected: str) -> None:
    assert throttle_reason(reason) == expected


def test_what_was_done_on_purpose_comes_first_with_its_time_and_what_it_met() -> None:
    fails = InjectedFault("function-error", "PutRideRecordSns", "PutRideRecordSns fails", {"rate": 0.5}, 5.02, 15.1, 57)
    nowhere = InjectedFault("queue-refused", "RideQueue", "RideQueue refuses")

    assert sentence(cell(faults=(fails, nowhere))).startswith(
        "On purpose: PutRideRecordSns fails, from 5 s to 15 s (57 requests met, rate 0.5); "
        "RideQueue refuses, but not here, where there is no RideQueue. Every ride was promised"
    )
