"""What one cell's summary says."""

from pathlib import Path

import pytest

from rydelab.lab import requests_file
from rydelab.lab.asking import judge_ride
from rydelab.lab.cell import Cell
from rydelab.lab.cell_run import summarize, without_ids
from rydelab.lab.ledger import Evidence, settle
from rydelab.lab.load import Load
from rydelab.lab.requests_file import Request, Writer

ACCEPTED = Request(0, 0.0, late_s=0.001, latency_s=0.020, status=201, ride_id="a", error="")
LATE = Request(1, 0.1, late_s=0.080, latency_s=0.100, status=201, ride_id="b", error="")
REFUSED = Request(
    2, 0.2, late_s=0.0, latency_s=9.0, status=502, ride_id="c", error="502 the ride could not be recorded"
)
UNANSWERED = Request(3, 0.3, late_s=0.0, latency_s=30.0, status=None, ride_id=None, error="timeout: timed out")
ALL = (ACCEPTED, LATE, REFUSED, UNANSWERED)


@pytest.mark.parametrize(
    ("status", "body", "judged"),
    [
        pytest.param(201, '{"RideId": "a", "Unicorn": {}}', ("a", ""), id="accepted"),
        pytest.param(201, "{}", (None, "201 without a RideId"), id="a promise of what?"),
        pytest.param(201, '{"RideId": ""}', (None, "201 without a RideId"), id="an empty RideId"),
        pytest.param(201, "[1]", (None, "201 without a RideId"), id="not an object"),
        pytest.param(502, '{"message": "no", "RideId": "a"}', ("a", "502 no"), id="an error that names its ride"),
        pytest.param(504, "<html>", (None, "504"), id="an error that is no JSON"),
        pytest.param(None, None, (None, "timed out"), id="no answer"),
    ],
)
def test_only_a_201_that_names_its_ride_is_an_acceptance(
    status: int | None, body: str | None, judged: tuple[str | None, str]
) -> None:
    assert judge_ride(status, body, failure="timed out") == judged


def test_requests_come_back_from_their_file_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "requests.csv"
    writer = Writer(file)
    for request in ALL:
        writer.write(request)

    assert tuple(requests_file.read(file)) == ALL
    assert requests_file.count(file) == 4
    writer.close()


def test_an_error_of_several_lines_is_one_row(tmp_path: Path) -> None:
    file = tmp_path / "requests.csv"
    writer = Writer(file)
    writer.write(Request(0, 0.0, 0.0, 1.0, 500, None, 'first,\n"second"'))
    writer.close()

    assert requests_file.count(file) == 1
    assert [request.error for request in requests_file.read(file)] == ['first, "second"']


def test_a_file_that_is_not_there_yet_has_no_rows(tmp_path: Path) -> None:
    assert requests_file.count(tmp_path / "requests.csv") == 0


def test_a_summary_counts_rows_reasons_and_late_starts_and_times_accepted_rides_only() -> None:
    load = Load(started={"ride": 4}, requests=ALL, interrupted=False, began_at=0.0)
    ledger = settle(started=4, answers=[request.answer for request in ALL], evidence=Evidence({"a", "b", "c"}))

    summary = summarize(Cell("microservices", "on-demand"), load, ledger, interrupted=False, durations_s={"load": 1.0})

    assert summary.rows == {"refused": 1, "recorded": 2, "dead_lettered": 0, "in_flight": 0, "lost": 0, "ghost": 1}
    assert summary.arrivals == sum(summary.rows.values())
    assert summary.late_starts == 1
    assert summary.errors == {REFUSED.error: 1, UNANSWERED.error: 1}
    assert (summary.latency.count, summary.latency.max_ms) == (2, 100.0)


def test_errors_that_differ_only_in_an_id_are_one_reason() -> None:
    error = '502 no unicorn: {"requestId": "1643a4cf-412c-4aa7-8926-1234567890ab"}, cut 5944e784-59de-48'

    assert without_ids(error) == '502 no unicorn: {"requestId": "…"}, cut …'
