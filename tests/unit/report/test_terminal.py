from dataclasses import replace

from rydelab.report.latency import Latency
from rydelab.report.summary import CellSummary, RunSummary, Saturation, ThresholdResult
from rydelab.report.terminal import render

CELL = CellSummary(
    design="event-driven",
    table_mode="on-demand",
    arrivals=1800,
    rows={"refused": 1, "recorded": 1702, "dead_lettered": 33, "in_flight": 44, "lost": 15, "ghost": 5},
    rewrites=None,
    mismatches=(),
    latency=Latency(count=1794, p50_ms=12.4, p95_ms=56.7, p99_ms=1234.5, max_ms=2000.0),
    late_starts=0,
    late_start_s=0.05,
)


def run(*cells: CellSummary, failures: tuple[str, ...] = ()) -> RunSummary:
    return RunSummary(
        name="quick", started_at="2026-11-20T10:00:00+00:00", cells=cells, failures=failures, notes=("A note.",)
    )


def test_every_row_of_the_ledger_and_every_percentile_is_shown() -> None:
    line = next(line for line in render(run(CELL)).splitlines() if line.startswith("event-driven "))

    assert line.split()[1:] == ["1800", "1", "1702", "33", "44", "15", "5", "12", "57", "1234"]


def test_a_table_of_large_numbers_fits_in_80_columns_and_cuts_no_number() -> None:
    large = replace(CELL, arrivals=1234567, rows=dict.fromkeys(CELL.rows, 123456))

    lines = render(run(large)).splitlines()[:5]

    assert max(len(line) for line in lines) <= 84
    assert "1234567" in lines[3]
    assert lines[3].count("123456") == 7


def test_rewrites_are_a_column_only_where_they_are_known() -> None:
    assert "writes" not in render(run(CELL))

    text = render(run(CELL, replace(CELL, design="queued", rewrites=7)))

    assert "writes" in text
    assert [line.split()[-4] for line in text.splitlines() if line.startswith(("event-driven ", "queued "))] == [
        "?",
        "7",
    ]


def test_a_cell_without_accepted_rides_has_no_latency() -> None:
    assert " -   -   -\n" in render(run(replace(CELL, latency=Latency(count=0))))


def test_a_ledger_that_does_not_add_up_is_shouted_about() -> None:
    text = render(run(replace(CELL, mismatches=("the rows add up to 9, but 10 arrivals were sent",))))

    assert (
        "event-driven on-demand: THE LEDGER DOES NOT ADD UP: the rows add up to 9, but 10 arrivals were sent." in text
    )
    assert "exactly one row" not in text


def test_a_ledger_that_adds_up_is_said_to() -> None:
    assert "Every arrival is in exactly one row" in render(run(CELL))


def test_the_most_frequent_reasons_are_given_and_the_others_counted() -> None:
    reasons = {"502 the ride could not be recorded": 9, "504": 4, "429": 2, "503": 1, "timeout": 1}

    text = render(run(replace(CELL, errors=reasons)))

    assert "event-driven on-demand: 9 x 502 the ride could not be recorded\n" in text
    assert "4 x 504" in text
    assert "503" not in text
    assert "2 more reasons in requests.csv" in text


def test_late_starts_are_said_to_be_the_fault_of_this_machine() -> None:
    text = render(run(replace(CELL, late_starts=18)))

    assert "18 of 1800 arrivals were sent more than 50 ms late" in text


def test_what_was_stopped_or_failed_is_said_and_notes_come_last() -> None:
    text = render(run(replace(CELL, interrupted=True), failures=("queued on-demand: not run",)))

    assert "event-driven on-demand: stopped early" in text
    assert "FAILED: queued on-demand: not run" in text
    assert text.endswith("A note.\n")


def test_a_run_without_cells_has_no_table() -> None:
    text = render(run(failures=("microservices on-demand: deployment failed",)))

    assert text == "FAILED: microservices on-demand: deployment failed\nA note.\n"


def test_a_run_succeeds_only_if_every_ledger_adds_up_and_nothing_failed() -> None:
    assert run(CELL).succeeded
    assert not run(CELL, replace(CELL, mismatches=("10 arrivals were sent, but 9 outcomes were saved",))).succeeded
    assert not run(CELL, failures=("queued on-demand: deployment failed",)).succeeded


def test_each_cell_is_put_into_words_that_no_line_begins_with_its_name() -> None:
    lines = render(run(CELL)).splitlines()

    assert "In words" in lines
    assert any(line.startswith("  event-driven on-demand: 0.3 % of the clients got an error") for line in lines)
    assert not any(line.startswith("event-driven on-demand") for line in lines)


def test_time_to_record_and_throttles_are_columns_only_where_they_are_known() -> None:
    assert "throt-" not in render(run(CELL))

    measured = replace(
        CELL,
        design="queued",
        throttles={"TableWriteProvisionedThroughputExceeded": 5100},
        time_to_record=Latency(count=1702, p50_ms=9.0, p95_ms=61_234.0, p99_ms=70_000.0, max_ms=70_000.0),
    )
    lines = render(run(CELL, measured)).splitlines()

    ends = [line.split()[-2:] for line in lines if line.startswith(("event-driven ", "queued "))]
    assert ends == [["?", "?"], ["61.2", "5100"]]


def test_each_threshold_is_printed_as_passed_or_failed() -> None:
    results = (ThresholdResult("lost == 0", 15, passed=False), ThresholdResult("p95_ms < 300", 56.7, passed=True))

    text = render(run(replace(CELL, thresholds=results)))

    assert "  event-driven on-demand: FAILED  lost == 0 (15)\n" in text
    assert "  event-driven on-demand: passed  p95_ms < 300 (56.7)\n" in text


def test_a_cell_that_the_lab_limited_is_marked() -> None:
    limited = replace(CELL, saturation=Saturation(limited=True, reasons=("the gateway was busy", "the probe was slow")))

    text = render(run(limited))

    assert "event-driven on-demand: LIMITED BY THE LAB, not by the design: the gateway was busy; the probe" in text


def test_variants_and_repeats_are_told_apart() -> None:
    lines = render(run(CELL, replace(CELL, variant="write_units=5"), replace(CELL, repeat=2))).splitlines()

    assert "  write_units=5" in lines
    assert "  repeat 2" in lines
