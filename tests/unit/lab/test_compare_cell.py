"""What one cell's summary says."""

from pathlib import Path
from typing import Any

import pytest

from rydelab.faults import Fault
from rydelab.lab.cells.cell_faults import CellFault
from rydelab.lab.cells.cell_result import Measured, cell_result, without_ids
from rydelab.lab.cells.cell_series import by_interval
from rydelab.lab.cells.drain import Drained
from rydelab.lab.cells.ledger import Evidence
from rydelab.lab.cells.watch import Sample
from rydelab.lab.emulation.fault_control import SetFault
from rydelab.lab.emulation.observation import FunctionActivity, TableActivity
from rydelab.lab.loading import requests_file
from rydelab.lab.loading.asking import judge_ride
from rydelab.lab.loading.load import Load
from rydelab.lab.loading.requests_file import Request, Writer
from rydelab.lab.scenarios.cell import Cell
from rydelab.lab.scenarios.thresholds import parse_threshold
from rydelab.report.series import Band
from rydelab.report.summary import CellId, InjectedFault

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


def sample(at: float, *, backlog: int = 0, dead: int = 0, retried: int = 0, throttles: int = 0) -> Sample:
    return Sample(at, backlog, dead, FunctionActivity(throttles=throttles, retried=retried), ride_throttles=throttles)


def measured(**changes: Any) -> Measured:
    """Return a load of four arrivals, one second after Unix time 100."""
    evidence = Evidence({"a", "b", "c"}, writes={"a": 1, "b": 2, "c": 1})
    values: dict[str, Any] = {
        "load": Load(started={"ride": 4}, requests=ALL, interrupted=False, began_at=100.0),
        "drained": Drained(evidence, {"a": 110.01, "b": 115.2, "c": 120.0}),
        "samples": (),
        "probes": (),
        "busy": (),
        "tables": (),
        "clock_difference_s": 10.0,
        "durations_s": {"load": 1.0},
        "has_backlog": False,
    }
    return Measured(**values | changes)


CELL = CellId("microservices", "provisioned")


def test_a_summary_counts_rows_reasons_and_late_starts_and_times_accepted_rides_only() -> None:
    summary = cell_result(CELL, measured(), settings={}).summary

    assert summary.rows == {"refused": 1, "recorded": 2, "dead_lettered": 0, "in_flight": 0, "lost": 0, "ghost": 1}
    assert summary.arrivals == sum(summary.rows.values())
    assert summary.rewrites == 1
    assert summary.late_starts == 1
    assert summary.errors == {REFUSED.error: 1, UNANSWERED.error: 1}
    assert (summary.latency.count, summary.latency.max_ms) == (2, 100.0)
    assert summary.error_latency
    assert (summary.error_latency.count, summary.error_latency.max_ms) == (2, 30_000.0)


def test_the_time_to_record_is_counted_from_the_answer_by_the_labs_clock() -> None:
    result = cell_result(CELL, measured(), settings={})

    # a: written after 0.01 s, answered after 0.02. b: due after 0.1 s, answered 0.1 s later, written after 5.2 s.
    assert result.summary.time_to_record
    assert (result.summary.time_to_record.p50_ms, result.summary.time_to_record.max_ms) == (0.0, 5000.0)
    assert [one.recorded_s for one in result.arrived] == [pytest.approx(0.01), pytest.approx(5.2), 10.0, None]


def test_what_is_not_in_the_ledger_is_an_arrival_all_the_same() -> None:
    unicorn = Request(4, 0.4, late_s=0.0, latency_s=0.01, status=200, ride_id=None, error="", kind="unicorn")
    load = Load(started={"ride": 4, "unicorn": 1}, requests=(*ALL, unicorn), interrupted=False, began_at=100.0)

    result = cell_result(CELL, measured(load=load), settings={})

    assert result.summary.arrivals == 4
    assert result.summary.latency.count == 2
    assert [one.fate for one in result.arrived][-1] == "answered"
    assert sum(value or 0 for value in result.series.arrivals) == 4


def test_throttles_and_retries_are_counted_from_the_begin_of_the_load() -> None:
    rows = [
        {"second": 108, "write_units": 20.0, "refused": {"TableWriteProvisionedThroughputExceeded": 9}},
        {"second": 110, "write_units": 2.0, "refused": {"TableWriteProvisionedThroughputExceeded": 3}},
        {"second": 112, "write_units": 1.0, "refused": {"TableWriteProvisionedThroughputExceeded": 4}},
    ]
    reads = {"read_units": 0.0, "read_rate": 1.0, "write_rate": 1.0, "read_burst_left": 300.0, "write_burst_left": 0.5}
    table = TableActivity(False, 300.0, 300.0, [row | reads for row in rows])
    samples = [
        sample(98.5, retried=7, throttles=1),
        sample(99.5, retried=7, throttles=1),
        sample(100.5, backlog=5, retried=9, throttles=1),
        sample(101.5, backlog=2, retried=12, throttles=2, dead=3),
    ]

    result = cell_result(CELL, measured(samples=samples, tables=[table], has_backlog=True), settings={})

    assert result.summary.throttles == {"TableWriteProvisionedThroughputExceeded": 7, "FunctionConcurrency": 2}
    assert result.summary.retries == 5
    assert result.series.backlog == (5, 2)
    assert result.series.retries == (2, 3)
    assert result.series.dead_letters == (0, 3)
    (writes,) = result.series.capacity
    assert writes.consumed == (2.0, 0.0, 1.0)
    assert writes.throttles == (3, 0, 4)
    assert writes.provisioned == (1.0, 1.0, 1.0)
    # In the second in which nothing was asked for, one unit was saved.
    assert writes.burst_left == (0.5, 1.5, 0.5)


def test_on_demand_has_no_units_to_be_held_against() -> None:
    row = {"second": 110, "write_units": 2.0, "refused": {}, "read_units": 0.0, "read_rate": 12000.0}
    row |= {"write_rate": 4000.0, "read_burst_left": 0.0, "write_burst_left": 0.0}
    table = TableActivity(is_on_demand=True, write_burst_size=0.0, read_burst_size=0.0, seconds=[row])

    (writes,) = cell_result(CELL, measured(tables=[table]), settings={}).series.capacity

    assert writes.consumed == (2.0,)
    assert writes.provisioned == ()
    assert writes.burst_left == ()


def test_thresholds_are_judged_on_the_summary() -> None:
    cells = [Cell("microservices", "provisioned")]
    thresholds = [parse_threshold("lost == 0", cells), parse_threshold("ghost == 0", cells)]

    summary = cell_result(CELL, measured(), settings={}, thresholds=thresholds).summary

    assert [(result.expression, result.passed) for result in summary.thresholds] == [
        ("lost == 0", True),
        ("ghost == 0", False),
    ]


def test_errors_that_differ_only_in_an_id_are_one_reason() -> None:
    error = '502 no unicorn: {"requestId": "1643a4cf-412c-4aa7-8926-1234567890ab"}, cut 5944e784-59de-48'

    assert without_ids(error) == '502 no unicorn: {"requestId": "…"}, cut …'


@pytest.mark.parametrize(
    ("began_at", "interval"),
    [(110.0, 0), (110.01, 0), (109.99, 0), (110.6, 0), (109.4, 1), (111.2, None)],
)
def test_a_second_of_the_table_that_saw_part_of_the_load_is_in_one_interval(
    began_at: float, interval: int | None
) -> None:
    tables = [TableActivity(is_on_demand=False, write_burst_size=0, read_burst_size=0, seconds=[{"second": 110}])]

    assert list(by_interval(tables, began_at=began_at)) == ([] if interval is None else [interval])


def test_faults_are_told_by_the_time_of_the_load_and_are_bands_in_its_charts() -> None:
    fault = Fault("function-error", "PutRideRecordSns", 2.0, 0.0, {"rate": 0.5})
    # The load begins at 100 by this machine's clock, and at 110 by the lab's.
    came = SetFault("fault-1", "function-error", "put-x", {"rate": 0.5}, "over", begins_at=110.5, ends_at=112.5, hits=9)
    absent = CellFault(Fault("queue-refused", "RideQueue", 2.0), None)

    result = cell_result(
        CellId("event-driven", "on-demand"),
        measured(faults=[CellFault(fault, came), absent]),
        settings={},
    )

    assert result.summary.faults == (
        InjectedFault("function-error", "PutRideRecordSns", "PutRideRecordSns fails", {"rate": 0.5}, 0.5, 2.5, 9),
        InjectedFault("queue-refused", "RideQueue", "RideQueue refuses"),
    )
    assert result.series.bands == (Band("PutRideRecordSns fails", 0.5, 2.5),)
