import pytest

from rydelab.report.latency import Latency
from rydelab.report.quantities import count, duration, percentiles, share, things, unbroken


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        pytest.param(0, 1800, "0 %", id="nothing"),
        pytest.param(1800, 1800, "100 %", id="everything"),
        pytest.param(1, 1800, "<0.1 %", id="something is never 0 %"),
        pytest.param(1799, 1800, ">99.9 %", id="less than everything is never 100 %"),
        pytest.param(1791, 1800, "99.5 %", id="a decimal near the upper end"),
        pytest.param(41, 1800, "2.3 %", id="a decimal near the lower end"),
        pytest.param(312, 1800, "17 %", id="whole percents between"),
        pytest.param(0, 0, "-", id="of nothing"),
    ],
)
def test_a_share_rounds_neither_something_to_nothing_nor_a_part_to_the_whole(
    part: int, whole: int, expected: str
) -> None:
    assert share(part, whole) == expected


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (None, "-"),
        (0.0, "0 ms"),
        (0.44, "0.4 ms"),
        (9.94, "9.9 ms"),
        (9.96, "10 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (8340.0, "8.3 s"),
        (9960.0, "10 s"),
        (119_400.0, "119 s"),
        (119_600.0, "2 min"),
        (125_000.0, "2 min 5 s"),
        (3_600_000.0, "60 min"),
    ],
)
def test_a_duration_keeps_two_digits_and_changes_its_unit_where_it_rounds_up(
    milliseconds: float | None, expected: str
) -> None:
    assert duration(milliseconds) == expected


def test_counts_and_things_are_grouped_by_thousands() -> None:
    assert count(1234567) == "1,234,567"
    assert count(None) == "-"
    assert things(1, "ride") == "1 ride"
    assert things(1800, "ride") == "1,800 rides"


def test_a_number_stays_on_one_line_with_its_unit() -> None:
    assert unbroken("95 % within 3 min 5 s, 12 more") == "95\u00a0% within 3\u00a0min 5\u00a0s, 12 more"


@pytest.mark.parametrize(("milliseconds", "expected"), [(386_000, "6.4 min"), (1_000_000, "17 min"), (88_000, "88 s")])
def test_a_percentile_fits_a_narrow_table(milliseconds: float, expected: str) -> None:
    latency = Latency(count=1, p50_ms=milliseconds, p95_ms=milliseconds, p99_ms=milliseconds, max_ms=milliseconds)

    assert percentiles(latency) == (expected,) * 3
