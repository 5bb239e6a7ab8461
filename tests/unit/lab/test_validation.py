"""Measured cells beside predicted ones."""

from dataclasses import replace

import pytest

from rydelab.lab.simulation.validation import compare_cells, render, time_to_drain_s
from rydelab.report.latency import Latency
from rydelab.report.series import CellSeries
from rydelab.report.summary import CellId, CellSummary, Saturation

ROWS = {"refused": 0, "recorded": 1000, "dead_lettered": 0, "in_flight": 0, "lost": 0, "ghost": 0}
CELL = CellSummary(
    design="queued",
    table_mode="provisioned",
    arrivals=1000,
    rows=ROWS,
    rewrites=0,
    mismatches=(),
    latency=Latency(count=0),
    late_starts=0,
    late_start_s=0.05,
    throttles={"TableWriteProvisionedThroughputExceeded": 1000},
    retries=300,
)
SERIES = CellSeries(CellId("queued", "provisioned"), accepted=(500, 500), recorded=(400, 400, *[0] * 28, 200))


def test_drain_ends_with_the_last_record_or_dead_letter() -> None:
    assert time_to_drain_s(SERIES) == 29
    assert time_to_drain_s(replace(SERIES, dead_letters=(*[0] * 60, 1))) == 59
    assert time_to_drain_s(replace(SERIES, recorded=(500, 500))) == 0


@pytest.mark.parametrize(
    ("predicted", "metric", "holds"),
    [
        ({"rows": ROWS | {"recorded": 980, "dead_lettered": 20}}, "recorded", True),
        ({"rows": ROWS | {"recorded": 979, "dead_lettered": 21}}, "recorded", False),
        ({"rows": ROWS | {"recorded": 979, "dead_lettered": 21}}, "dead-lettered", False),
        ({"rows": ROWS | {"recorded": 970, "refused": 30}}, "accepted", False),
        ({"throttles": {"TableWriteProvisionedThroughputExceeded": 900}}, "throttled", True),
        ({"throttles": {"TableWriteProvisionedThroughputExceeded": 899}}, "throttled", False),
        ({"throttles": {"TableWriteProvisionedThroughputExceeded": 0}}, "throttled", False),
        ({"retries": 331}, "retries", False),
    ],
)
def test_a_prediction_holds_within_its_bound(predicted: dict[str, object], metric: str, *, holds: bool) -> None:
    other = replace(CELL, **predicted)  # type: ignore[arg-type]  # any field

    validated = compare_cells((CELL, SERIES), (other, SERIES))

    (found,) = [one for one in validated.predictions if one.metric == metric]
    assert found.holds is holds
    assert validated.holds is all(one.holds for one in validated.predictions)


def test_a_cell_that_the_lab_limited_proves_nothing() -> None:
    limited = replace(CELL, saturation=Saturation(limited=True))

    validated = compare_cells((limited, SERIES), (replace(CELL, retries=0), SERIES))

    assert validated.holds
    assert "(limited by the lab)" in render([validated]).replace("\n", " ")


def test_the_table_names_what_is_too_far_apart() -> None:
    text = render([compare_cells((CELL, SERIES), (replace(CELL, retries=0), SERIES))])

    assert "queued provisioned: retries 300 → 0, more than 30 apart" in text
    assert "6 of 7 predictions are within their bounds" in text
