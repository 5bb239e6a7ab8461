import pytest

from rydelab.report.series import (
    CapacitySeries,
    CellSeries,
    Outcome,
    coarsen,
    of_outcomes,
    times_to_record_s,
)
from rydelab.report.summary import CellId

CELL = CellId("event-driven", "provisioned")


def test_each_column_counts_by_its_own_moment() -> None:
    # Due in second 0, answered in second 1, recorded in second 3; and one that was refused.
    outcomes = [
        Outcome(due_s=0.5, latency_s=0.75, accepted=True, recorded_s=3.25),
        Outcome(due_s=1.5, latency_s=0.25, accepted=False),
    ]

    series = of_outcomes(CELL, outcomes)

    assert series.arrivals == (1, 1)
    assert series.accepted == (0, 1)
    assert series.recorded == (0, 0, 0, 1)
    assert (series.intervals, series.end_s, series.load_s) == (4, 4.0, 1.5)


def test_latency_belongs_to_the_second_in_which_its_ride_was_due_and_leaves_errors_out() -> None:
    outcomes = [Outcome(due_s=2.25, latency_s=number / 100, accepted=True) for number in range(1, 101)]
    outcomes.append(Outcome(due_s=2.5, latency_s=29.0, accepted=False))

    series = of_outcomes(CELL, outcomes)

    assert series.p50_ms == (None, None, 500)
    assert series.p95_ms == (None, None, 950)
    assert series.p99_ms == (None, None, 990)


def test_records_that_nobody_saw_leave_their_column_empty_rather_than_zero() -> None:
    series = of_outcomes(CELL, [Outcome(due_s=0.0, latency_s=0.1, accepted=True)])

    assert series.recorded == ()
    assert series.accepted == (1,)


def test_a_record_before_the_load_by_another_clock_counts_in_the_first_second() -> None:
    series = of_outcomes(CELL, [Outcome(due_s=0.0, latency_s=0.1, accepted=True, recorded_s=-0.002)])

    assert series.recorded == (1,)


def test_no_outcomes_make_no_columns() -> None:
    assert of_outcomes(CELL, []) == CellSeries(CELL)


def test_the_time_to_record_counts_from_the_answer_and_is_never_negative() -> None:
    outcomes = [
        Outcome(due_s=1.0, latency_s=0.5, accepted=True, recorded_s=4.0),
        Outcome(due_s=1.0, latency_s=0.5, accepted=True, recorded_s=1.25),
        Outcome(due_s=1.0, latency_s=0.5, accepted=True),
        Outcome(due_s=1.0, latency_s=0.5, accepted=False, recorded_s=1.25),
    ]

    assert times_to_record_s(outcomes) == [2.5, 0.0]


def test_combined_intervals_add_counts_up_and_keep_the_worst_of_the_rest() -> None:
    series = CellSeries(
        CELL,
        arrivals=(1, 2, 3, 4, 5),
        p99_ms=(None, 7.0, 9.0, 8.0, None),
        backlog=(5, 1, 0, 0, 2),
        capacity=(
            CapacitySeries(
                "RideRecordTable writes",
                consumed=(2, 4, 0, 0, 1),
                provisioned=(1, 1, 1, 5, 5),
                burst_left=(9, 3, 4, 5, 6),
                throttles=(0, 1, 2, 0, 0),
            ),
        ),
    )

    coarse = coarsen(series, most_intervals=3)

    assert coarse.interval_s == 2.0
    assert coarse.arrivals == (3, 7, 5)
    assert coarse.p99_ms == (7.0, 9.0, None)
    assert coarse.backlog == (5, 0, 2)
    assert coarse.capacity[0].consumed == (3, 0, 1)
    assert coarse.capacity[0].provisioned == (1, 5, 5)
    assert coarse.capacity[0].burst_left == (3, 4, 6)
    assert coarse.capacity[0].throttles == (1, 2, 0)


@pytest.mark.parametrize(("seconds", "interval_s"), [(360, 1.0), (361, 2.0), (1_500, 5.0), (86_400, 300.0)])
def test_a_long_run_is_shown_in_steps_that_a_clock_knows(seconds: int, interval_s: float) -> None:
    coarse = coarsen(CellSeries(CELL, arrivals=(1,) * seconds), most_intervals=360)

    assert coarse.interval_s == interval_s
    assert coarse.intervals <= 360
    assert sum(value or 0 for value in coarse.arrivals) == seconds
