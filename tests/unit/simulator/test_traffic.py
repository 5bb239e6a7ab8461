"""Loads, as arrivals and as rates."""

from array import array

import pytest

from rydelab.simulator.traffic import RECORD, RIDE, UNICORN, Arrivals, Rate, each_arrival


def test_arrivals_are_counted_by_step() -> None:
    arrivals = Arrivals(array("d", [0.0, 0.5, 1.0, 3.9]), 5.0)

    assert list(arrivals.per_step(1.0)) == [2, 1, 0, 1, 0]
    assert list(arrivals.per_step(2.0)) == [3, 1, 0]
    assert arrivals.count == 4


def test_a_rate_is_spread_evenly_and_hands_its_remainder_on() -> None:
    rate = Rate([4, 0, 2.5, 2.5], step_s=1.0)

    assert list(rate.due_times_s()) == [0.0, 0.25, 0.5, 0.75, 2.0, 2.4, 2.8, 3.2, 3.6]
    assert rate.count == 9


@pytest.mark.parametrize(
    ("step_s", "counts"),
    [(1.0, [60, 0, 30]), (0.5, [30, 30, 0, 0, 15, 15]), (2.0, [60, 30]), (1.5, [60, 30]), (10.0, [90])],
)
def test_a_rate_in_other_steps_has_the_same_arrivals(step_s: float, counts: list[float]) -> None:
    assert list(Rate([60, 0, 30], step_s=1.0).per_step(step_s)) == pytest.approx(counts)


def test_a_mix_holds_its_shares_all_along() -> None:
    kinds = each_arrival(Rate([100], 1.0, {"ride": 8, "unicorn": 1, "record": 1})).kinds

    for tenth in range(10):
        part = kinds[10 * tenth : 10 * tenth + 10]
        assert (part.count(RIDE), part.count(RECORD), part.count(UNICORN)) == (8, 1, 1)


def test_rides_alone_need_no_kinds() -> None:
    assert each_arrival(Rate([3], 1.0)).kinds == b""
