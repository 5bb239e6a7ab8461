import re
from dataclasses import replace

import pytest

from rydelab.report.charts import Chart, Scales, charts_of, scales_of
from rydelab.report.drawing import Axis, Layer, draw, power_of_ten
from rydelab.report.series import Band, CapacitySeries, CellSeries, Outcome, of_outcomes
from rydelab.report.summary import CellId

SYNC = CellId("microservices", "provisioned")
ASYNC = CellId("event-driven", "provisioned")
TITLES = [
    "Rides",
    "Time to the answer",
    "RideRecordTable writes: units",
    "RideRecordTable writes: burst left",
    "Backlog",
    "Retries and dead letters",
]


def watched(cell: CellId = ASYNC) -> CellSeries:
    """Make the series of a cell of which everything was measured."""
    outcomes = [
        Outcome(due_s=number / 2, latency_s=0.02, accepted=number != 3, recorded_s=number / 2 + 1)
        for number in range(20)
    ]
    return replace(
        of_outcomes(cell, outcomes),
        backlog=(0, 1, 2, 1),
        retries=(0, 0, 3, 0),
        dead_letters=(0, 0, 0, 2),
        capacity=(
            CapacitySeries(
                "RideRecordTable writes",
                consumed=(2, 2, 1),
                provisioned=(1, 1, 1),
                burst_left=(9, 8, 7),
                throttles=(0, 0, 4),
            ),
        ),
    )


def drawn(series: CellSeries) -> dict[str, Chart]:
    return {chart.title: chart for chart in charts_of(series, scales_of([series]))}


def test_everything_that_was_measured_is_drawn_and_described() -> None:
    charts = drawn(watched())

    assert list(charts) == TITLES
    assert not any(chart.absent for chart in charts.values())
    assert charts["Rides"].description == "Rides per second: due at most 2, promised at most 2, recorded at most 2"
    assert charts["Time to the answer"].description.endswith("the longest 99th percentile 20 ms")
    assert charts["RideRecordTable writes: units"].description == (
        "RideRecordTable writes: at most 2 units per second were consumed of at most 1 set; 4 requests were throttled"
    )
    assert charts["RideRecordTable writes: burst left"].description.endswith("9 unused units at first, 7 at the least")
    assert charts["Backlog"].description == "Backlog: at most 2 rides waited, 1 at the end"
    assert charts["Retries and dead letters"].description.endswith(
        "tried again: 3; events sent to the dead-letter queue: 2"
    )


def test_the_curves_are_in_the_colours_of_their_legend() -> None:
    for chart in drawn(watched()).values():
        for key in chart.keys:
            assert f'"var(--{key.color})"' in chart.svg, (chart.title, key.label)


@pytest.mark.parametrize(
    ("series", "absent"),
    [
        pytest.param(
            CellSeries(SYNC),
            {
                "Rides": "Arrivals over time were not saved.",
                "Time to the answer": "It was not saved over time.",
                "Table capacity": "The units of the table were not measured.",
                "Backlog": "This design answers after the record: nothing waits behind the answer.",
                "Retries and dead letters": (
                    "This design answers after the record: nothing is retried behind the answer."
                ),
            },
            id="nothing measured, answers after the record",
        ),
        pytest.param(
            CellSeries(ASYNC),
            {
                "Rides": "Arrivals over time were not saved.",
                "Time to the answer": "It was not saved over time.",
                "Table capacity": "The units of the table were not measured.",
                "Backlog": "It was not measured.",
                "Retries and dead letters": "They were not measured.",
            },
            id="nothing measured, answers first",
        ),
        pytest.param(
            replace(
                watched(),
                p50_ms=(),
                p95_ms=(),
                p99_ms=(),
                backlog=(0, 0),
                retries=(0, 0),
                dead_letters=(0, 0),
                capacity=(CapacitySeries("RideRecordTable writes", consumed=(0, 0)),),
            ),
            {
                "Time to the answer": "No ride was promised, so there is no time to draw.",
                "RideRecordTable writes: units": "No unit was consumed.",
                "RideRecordTable writes: burst left": "Where no capacity is set there is none to save up.",
                "Backlog": "Nothing ever waited.",
                "Retries and dead letters": "Nothing was tried again, and nothing given up.",
            },
            id="measured, and nothing happened",
        ),
    ],
)
def test_where_there_is_nothing_to_draw_a_sentence_says_why(series: CellSeries, absent: dict[str, str]) -> None:
    charts = drawn(series)

    assert {title: chart.absent for title, chart in charts.items() if chart.absent} == absent
    assert not any(chart.svg for chart in charts.values() if chart.absent)


def test_records_that_nobody_timed_are_said_to_be_missing() -> None:
    rides = drawn(replace(watched(), recorded=()))["Rides"]

    assert "when each was recorded was not measured" in rides.unit
    assert [key.label for key in rides.keys] == ["due", "promised"]


def test_on_demand_has_no_line_for_a_capacity_that_is_not_set() -> None:
    series = replace(watched(), capacity=(CapacitySeries("RideRecordTable writes", consumed=(2, 2)),))

    units = drawn(series)["RideRecordTable writes: units"]

    assert [key.label for key in units.keys] == ["consumed"]
    assert "no capacity is set" in units.unit


def test_a_backlog_too_small_for_the_shared_scale_is_told_instead_of_drawn() -> None:
    long, short = replace(watched(), backlog=(0, 1500)), replace(watched(), backlog=(0, 1, 0))

    charts = {chart.title: chart for chart in charts_of(short, scales_of([long, short]))}

    assert charts["Backlog"].absent == "Never more than 1 ride waited: too few for the scale of the other cells."


def test_all_cells_share_the_scales_that_are_compared_by_eye() -> None:
    other = replace(watched(SYNC), arrivals=(40,) * 30, p99_ms=(12_000.0,), backlog=())

    assert scales_of([watched(), other]) == Scales(
        end_s=30.0, rides_per_s=40, fastest_ms=10, slowest_ms=100_000, backlog=2
    )


def test_rates_are_per_second_whatever_the_interval() -> None:
    series = replace(watched(), interval_s=10.0)

    assert scales_of([series]).rides_per_s == pytest.approx(0.2)


@pytest.mark.parametrize(("value", "up", "down"), [(1.0, 1.0, 1.0), (9.0, 10.0, 1.0), (1000.0, 1000.0, 1000.0)])
def test_a_logarithmic_scale_ends_at_powers_of_ten(value: float, up: float, down: float) -> None:
    assert power_of_ten(value, up=True) == up
    assert power_of_ten(value, up=False) == down


def test_a_band_is_shaded_and_named_and_the_end_of_the_load_is_marked() -> None:
    layer = Layer((1.0,) * 60, "units", "area")
    band = Band("table <deleted>", start_s=10.0, end_s=100.0)

    plain = draw([layer], axis=Axis(0, 1), interval_s=1.0, end_s=60.0)
    marked = draw([layer], axis=Axis(0, 1), interval_s=1.0, end_s=60.0, load_s=30.0, bands=[band])

    assert "var(--band)" not in plain
    assert "mark-rule" not in re.sub("role-axis[^ ]*", "", re.sub(r"mark-rule role-axis-[a-z]+", "", plain))
    assert "var(--band)" in marked
    assert "table &lt;deleted&gt;" in marked
    assert len(re.findall(r'class="mark-rule role-mark', marked)) == 1


def test_the_labels_of_bands_that_overlap_stand_below_one_another() -> None:
    bands = [Band("first", 10.0, 50.0), Band("second", 10.0, 50.0)]
    svg = draw([Layer((1.0, 2.0), "units", "area")], axis=Axis(0, 1), interval_s=1.0, end_s=60.0, bands=bands)

    first, second = (float(re.findall(rf"translate\([\d.]+,([\d.]+)\)[^<>]*>{band.label}", svg)[-1]) for band in bands)
    assert second - first >= 10


def test_a_measurement_between_two_gaps_is_a_dot() -> None:
    alone = draw([Layer((None, 5.0, None), "p50", "points")], axis=Axis(1, 10), interval_s=1.0, end_s=3.0)
    joined = draw([Layer((4.0, 5.0, None), "p50", "points")], axis=Axis(1, 10), interval_s=1.0, end_s=3.0)

    assert "mark-symbol" in alone
    assert "mark-symbol" not in joined


@pytest.mark.parametrize(
    ("end_s", "last"), [(300.0, "300 s"), (25.0, "25 s"), (3600.0, "60 min"), (86_400.0, "1440 min")]
)
def test_the_time_axis_has_few_round_ticks(end_s: float, last: str) -> None:
    svg = draw([Layer((1.0,), "units", "area")], axis=Axis(0, 1), interval_s=end_s, end_s=end_s)

    ticks = re.findall(r">([\d.]+ (?:s|min))<", svg)

    assert ticks[-1] == last
    assert 3 <= len(ticks) <= 7


def test_a_drawing_keeps_its_proportions_and_leaves_its_description_to_the_page() -> None:
    svg = draw([Layer((1.0,), "units", "area")], axis=Axis(0, 1), interval_s=1.0, end_s=1.0)

    opening = svg[: svg.index(">")]
    assert "viewBox=" in opening
    assert "width=" not in opening
    assert 'aria-hidden="true"' in opening
    assert "aria-label" not in svg
