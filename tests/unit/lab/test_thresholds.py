import pytest

from rydelab.lab.scenarios.cell import Cell
from rydelab.lab.scenarios.thresholds import METRICS, ThresholdError, judge, parse_threshold
from rydelab.report.latency import Latency
from rydelab.report.summary import CellSummary

CELLS = (Cell("queued", "provisioned"), Cell("microservices", "on-demand"))
SUMMARY = CellSummary(
    design="queued",
    table_mode="provisioned",
    arrivals=200,
    rows={"refused": 1, "recorded": 190, "dead_lettered": 5, "in_flight": 4, "lost": 0, "ghost": 0},
    rewrites=None,
    mismatches=(),
    latency=Latency(199, p50_ms=20.0, p95_ms=300.0, p99_ms=400.0, max_ms=500.0),
    late_starts=0,
    late_start_s=0.05,
    throttles={"TableWriteProvisionedThroughputExceeded": 12},
)


@pytest.mark.parametrize(
    ("text", "measured", "passed"),
    [
        ("lost == 0", 0, True),
        ("lost==0", 0, True),
        ("p95_ms < 300", 300, False),
        ("p95_ms <= 300", 300, True),
        ("refused_ratio < 0.01", 0.005, True),
        ("recorded_ratio >= 0.99", 0.95, False),
        ("accepted != 199", 199, False),
        ("dead_lettered > 4.5", 5, True),
        ("throttled == 12", 12, True),
    ],
)
def test_a_threshold_is_compared_with_what_was_measured(text: str, measured: float, *, passed: bool) -> None:
    (result,) = judge([parse_threshold(text, CELLS)], SUMMARY)

    assert (result.expression, result.measured, result.passed) == (text, measured, passed)


@pytest.mark.parametrize("text", ["rewrites == 0", "record_p95_ms < 1000", "retries == 0"])
def test_what_was_not_measured_has_not_passed(text: str) -> None:
    (result,) = judge([parse_threshold(text, CELLS)], SUMMARY)

    assert result.measured is None
    assert not result.passed


def test_a_threshold_can_be_for_some_cells_only() -> None:
    thresholds = [
        parse_threshold(text, CELLS)
        for text in ("queued:provisioned lost == 0", "*:provisioned lost == 0", "*:on-demand lost == 0", "lost == 0")
    ]

    assert [result.expression for result in judge(thresholds, SUMMARY)] == [
        "queued:provisioned lost == 0",
        "*:provisioned lost == 0",
        "lost == 0",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("lost", "must be"),
        ("lost = 0", "must be"),
        ("lost == nothing", "must be"),
        ("lost == 0 and p95_ms < 3", "must be"),
        ("losses == 0", "losses is not measured; there are arrivals, refused, "),
        ("event-driven:* lost == 0", r"no cell is event-driven:\*"),
    ],
)
def test_a_threshold_that_cannot_be_used_says_why(text: str, complaint: str) -> None:
    with pytest.raises(ThresholdError, match=complaint):
        parse_threshold(text, CELLS)


def test_every_metric_can_be_asked_of_a_cell() -> None:
    assert all(metric(SUMMARY) is None or metric(SUMMARY) >= 0 for metric in METRICS.values())  # type: ignore[operator]
