from itertools import islice, pairwise
from statistics import mean, pvariance

import pytest

from rydelab.lab.scenarios.schedule import (
    Stretch,
    constant,
    due_times_s,
    duration_s,
    kinds,
    ramp,
    series,
    spike,
    steps,
)


def row(*phases: tuple[float, float]) -> list[Stretch]:
    return [stretch for phase in phases for stretch in constant(*phase)]


@pytest.mark.parametrize(
    ("stretches", "due_s"),
    [
        pytest.param(row((1, 4)), [0.0, 0.25, 0.5, 0.75], id="the first arrival is due at once, the end is open"),
        pytest.param(row((1, 2), (1, 4)), [0.0, 0.5, 1.0, 1.25, 1.5, 1.75], id="phases follow one another"),
        pytest.param(row((0.75, 2), (1, 2)), [0.0, 0.5, 1.0, 1.5], id="a remainder goes to the next phase"),
        pytest.param(row((1, 2), (2, 0), (1, 2)), [0.0, 0.5, 3.0, 3.5], id="a phase may be silent"),
        pytest.param(row((0.25, 1), (0.25, 1), (1, 1)), [0.0, 1.0], id="a phase may be too short for any"),
        pytest.param(row((1, 0.5), (2, 0.5)), [0.0, 2.0], id="less than one arrival per second"),
        pytest.param([Stretch(2, 0, 4)], [0.0, 1.0, 2**0.5, 3**0.5], id="a ramp from nothing"),
        pytest.param([Stretch(2, 4, 0)], [0.0, 2 - 3**0.5, 2 - 2**0.5, 1.0], id="a ramp to nothing"),
        pytest.param([], [], id="no phases, no arrivals"),
    ],
)
def test_arrivals_are_due_when_the_summed_rate_reaches_their_number(
    stretches: list[Stretch], due_s: list[float]
) -> None:
    assert list(due_times_s(stretches)) == pytest.approx(due_s)


@pytest.mark.parametrize(
    ("phase", "count"), [((180, 10), 1800), ((0.3, 10), 3), ((60, 1 / 3), 20), ((7, 0.1), 1), ((29, 0.1), 3)]
)
def test_rounding_neither_adds_an_arrival_nor_takes_one_away(phase: tuple[float, float], count: int) -> None:
    due_s = list(due_times_s(constant(*phase)))

    assert len(due_s) == count
    assert max(due_s) < phase[0]


@pytest.mark.parametrize(("first", "last"), [(0, 20), (20, 0), (3, 17), (5, 5 + 1e-12)])
def test_a_ramp_has_the_arrivals_of_its_mean_rate(first: float, last: float) -> None:
    due_s = list(due_times_s(ramp(60, first, last)))

    assert len(due_s) == round(60 * (first + last) / 2)
    assert due_s == sorted(due_s)
    assert 0 <= due_s[0] <= due_s[-1] <= 60


def test_splitting_a_phase_in_two_changes_no_arrival() -> None:
    whole = list(due_times_s(constant(10, 7)))
    split = list(due_times_s(row((3.3, 7), (6.7, 7))))

    assert split == pytest.approx(whole)


def test_arrivals_never_go_back_in_time() -> None:
    due_s = list(due_times_s([*row((0.37, 3), (1.41, 11)), *ramp(3, 2, 30), *row((0.9, 2))]))

    assert due_s == sorted(due_s)


def test_a_spike_goes_up_and_comes_back() -> None:
    load = spike(60, 2, peak_per_s=20, peak_after_s=10, peak_s=30)

    assert load == (Stretch(10, 2, 2), Stretch(30, 20, 20), Stretch(20, 2, 2))
    assert spike(30, 2, peak_per_s=20, peak_after_s=0, peak_s=30) == (Stretch(30, 20, 20),)


def test_steps_are_equally_high_and_equally_long() -> None:
    assert steps(40, 10, 40, number=4) == tuple(Stretch(10, rate, rate) for rate in (10, 20, 30, 40))


def test_a_recorded_series_is_sent_as_it_was_counted() -> None:
    load = series([60, 0, 3], interval_s=60)
    due_s = list(due_times_s(load))

    assert duration_s(load) == 180
    assert [sum(start <= due < start + 60 for due in due_s) for start in (0, 60, 120)] == [60, 0, 3]


def test_poisson_arrivals_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    def sent(seed: int) -> list[float]:
        return list(due_times_s(constant(60, 10), process="poisson", seed=seed))

    assert sent(1) == sent(1) != sent(2)


def test_poisson_arrivals_vary_as_a_poisson_process_does() -> None:
    due_s = list(due_times_s(constant(1000, 10), process="poisson", seed=7))
    per_s = [0] * 1000
    for due in due_s:
        per_s[int(due)] += 1
    gaps_s = [after - before for before, after in pairwise(due_s)]

    # The count per second has a variance as large as its mean; the gaps one of the mean's square.
    assert mean(per_s) == pytest.approx(10, rel=0.05)
    assert pvariance(per_s) == pytest.approx(10, rel=0.15)
    assert pvariance(gaps_s) == pytest.approx(mean(gaps_s) ** 2, rel=0.15)


def test_poisson_arrivals_follow_a_ramp() -> None:
    due_s = list(due_times_s(ramp(100, 0, 40), process="poisson", seed=3))

    early, late = sum(due < 50 for due in due_s), sum(due >= 50 for due in due_s)
    assert early == pytest.approx(500, rel=0.15)
    assert late == pytest.approx(1500, rel=0.15)


def test_a_mix_is_kept_at_every_moment_not_only_in_the_end() -> None:
    sent = list(islice(kinds({"ride": 3, "unicorn": 1}), 400))

    for length in range(4, 401, 4):
        assert sent[:length].count("unicorn") == length // 4


def test_the_phases_take_as_long_as_their_sum() -> None:
    assert duration_s(row((1.5, 2), (2, 0))) == 3.5
