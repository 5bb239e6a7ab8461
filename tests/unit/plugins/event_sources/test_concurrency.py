import pytest

from rydelab.plugins.event_sources.concurrency import Concurrency


def after_wanting_more(concurrency: Concurrency, seconds: int) -> int:
    for tenth in range(seconds * 10 + 1):
        concurrency.wanted_more(tenth / 10)
    return concurrency.limit


def test_it_starts_with_five_batches_and_grows_by_300_a_minute_up_to_1250() -> None:
    concurrency = Concurrency()
    assert concurrency.limit == 5
    assert after_wanting_more(concurrency, 60) == pytest.approx(305, abs=1)
    assert after_wanting_more(Concurrency(), 600) == 1250


def test_maximum_concurrency_is_the_ceiling_also_at_the_start() -> None:
    assert Concurrency(2).limit == 2
    assert after_wanting_more(Concurrency(7), 60) == 7


def test_it_does_not_grow_for_the_time_in_which_nothing_waited() -> None:
    concurrency = Concurrency()
    concurrency.wanted_more(0.0)
    concurrency.wanted_more(3600.0)
    assert concurrency.limit == 5


def test_refusals_halve_it_down_to_two_and_idleness_brings_it_back_to_five() -> None:
    concurrency = Concurrency()
    limits = []
    for _ in range(4):
        concurrency.went_badly()
        limits.append(concurrency.limit)
    assert limits == [2, 2, 2, 2]
    concurrency.is_idle()
    assert concurrency.limit == 5
