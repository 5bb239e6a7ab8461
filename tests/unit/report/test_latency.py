import pytest

from rydelab.report.latency import Latency, latency, percentile


@pytest.mark.parametrize(("percent", "expected"), [(50, 3), (95, 5), (99, 5), (100, 5), (20, 1), (21, 2), (0, 1)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    assert percentile([1, 2, 3, 4, 5], percent) == expected


def test_latency_is_given_in_milliseconds_whatever_the_order() -> None:
    times_s = [number / 1000 for number in range(200, 0, -1)]

    measured = latency(times_s)

    assert measured.count == 200
    assert (measured.p50_ms, measured.p95_ms) == pytest.approx((100, 190))
    assert (measured.p99_ms, measured.max_ms) == pytest.approx((198, 200))


def test_nothing_measured_is_no_latency_rather_than_zero() -> None:
    assert latency([]) == Latency(count=0)
