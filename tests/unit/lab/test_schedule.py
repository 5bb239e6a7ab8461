import pytest

from rydelab.lab.schedule import Phase, due_times_s, duration_s


@pytest.mark.parametrize(
    ("phases", "due_s"),
    [
        pytest.param([Phase(1, 4)], [0.0, 0.25, 0.5, 0.75], id="the first arrival is due at once, the end is open"),
        pytest.param([Phase(1, 2), Phase(1, 4)], [0.0, 0.5, 1.0, 1.25, 1.5, 1.75], id="phases follow one another"),
        pytest.param([Phase(0.75, 2), Phase(1, 2)], [0.0, 0.5, 1.0, 1.5], id="a remainder goes to the next phase"),
        pytest.param([Phase(1, 2), Phase(2, 0), Phase(1, 2)], [0.0, 0.5, 3.0, 3.5], id="a phase may be silent"),
        pytest.param([Phase(0.25, 1), Phase(0.25, 1), Phase(1, 1)], [0.0, 1.0], id="a phase may be too short for any"),
        pytest.param([Phase(1, 0.5), Phase(2, 0.5)], [0.0, 2.0], id="less than one arrival per second"),
        pytest.param([], [], id="no phases, no arrivals"),
    ],
)
def test_arrivals_are_due_when_the_summed_rate_reaches_their_number(phases: list[Phase], due_s: list[float]) -> None:
    assert list(due_times_s(phases)) == due_s


@pytest.mark.parametrize(
    ("phase", "count"),
    [(Phase(180, 10), 1800), (Phase(0.3, 10), 3), (Phase(60, 1 / 3), 20), (Phase(7, 0.1), 1), (Phase(29, 0.1), 3)],
)
def test_rounding_neither_adds_an_arrival_nor_takes_one_away(phase: Phase, count: int) -> None:
    due_s = list(due_times_s([phase]))

    assert len(due_s) == count
    assert max(due_s) < phase.duration_s


def test_splitting_a_phase_in_two_changes_no_arrival() -> None:
    whole = list(due_times_s([Phase(10, 7)]))
    split = list(due_times_s([Phase(3.3, 7), Phase(6.7, 7)]))

    assert split == pytest.approx(whole)


def test_arrivals_never_go_back_in_time() -> None:
    due_s = list(due_times_s([Phase(0.37, 3), Phase(1.41, 11), Phase(0.9, 2)]))

    assert due_s == sorted(due_s)


def test_the_phases_take_as_long_as_their_sum() -> None:
    assert duration_s([Phase(1.5, 2), Phase(2, 0)]) == 3.5
