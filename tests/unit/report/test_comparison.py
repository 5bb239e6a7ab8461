import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from rydelab.report.comparison import Change, Comparison, Verdict, compare_runs
from rydelab.report.comparison_text import render_comparison, render_comparison_markdown
from rydelab.report.latency import Latency
from rydelab.report.noise import difference
from rydelab.report.run import Run, Setup
from rydelab.report.summary import CellSummary, Saturation
from tests.unit.report.made_up_run import made_up_run, only
from tests.unit.report.test_repeats import run
from tests.unit.report.test_sentences import cell


def with_p95s(*p95s_ms: float) -> Run:
    """Make a run that repeats one cell with these 95th percentiles."""
    times = [Latency(count=1800, p50_ms=20, p95_ms=p95_ms, p99_ms=5000, max_ms=6000) for p95_ms in p95s_ms]
    return Run(run(*(cell(latency=one, repeat=number) for number, one in enumerate(times, start=1))))


def with_rows(*rows: dict[str, int]) -> Run:
    return Run(run(*(cell(row, repeat=number) for number, row in enumerate(rows, start=1))))


def only_change(comparison: Comparison, name: str) -> Change:
    (change,) = (change for change in comparison.changes if change.metric.name == name)
    return change


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        pytest.param([100], [120], Verdict.WORSE, id="slower by more than 10 %"),
        pytest.param([100], [108], Verdict.SAME, id="slower by less than 10 %"),
        pytest.param([20], [24], Verdict.SAME, id="slower by 20 %, but by less than 5 ms"),
        pytest.param([100], [80], Verdict.BETTER, id="faster"),
        pytest.param([100, 101, 99], [120, 121, 119], Verdict.WORSE, id="slower, and repeats agree"),
        pytest.param([100, 140, 60], [120, 160, 80], Verdict.SAME, id="slower, but repeats differ as much"),
        pytest.param([100], [120, 121, 119], Verdict.WORSE, id="repeated on one side only"),
        pytest.param([100, 101], [100.5, 101.5], Verdict.SAME, id="the same"),
    ],
)
def test_a_time_is_worse_only_if_it_is_so_beyond_the_noise(
    before: Sequence[float], after: Sequence[float], verdict: Verdict
) -> None:
    comparison = compare_runs(with_p95s(*before), with_p95s(*after))

    assert only_change(comparison, "answer p95").verdict is verdict
    assert comparison.is_worse == (verdict is Verdict.WORSE)


def test_more_recorded_rides_are_better_and_more_of_any_other_row_is_worse() -> None:
    comparison = compare_runs(with_rows({"refused": 100}), with_rows({"in_flight": 50}))

    verdicts = {change.metric.name: change.verdict for change in comparison.changes}
    assert verdicts["recorded"] is Verdict.BETTER
    assert verdicts["refused"] is Verdict.BETTER
    assert verdicts["in flight"] is Verdict.WORSE
    assert verdicts["dead-lettered"] is Verdict.SAME


def test_a_first_lost_ride_is_worse_however_noisy_the_runs_are() -> None:
    comparison = compare_runs(with_rows({}, {}, {}), with_rows({}, {"lost": 1}, {}))

    assert only_change(comparison, "lost").verdict is Verdict.WORSE


def test_lost_rides_that_come_and_go_are_noise() -> None:
    comparison = compare_runs(with_rows({"lost": 3}, {}, {"lost": 1}), with_rows({}, {"lost": 4}, {"lost": 2}))

    assert only_change(comparison, "lost").verdict is Verdict.SAME


def test_chance_alone_is_called_a_change_once_in_a_hundred_times() -> None:
    chance = random.Random(7)  # noqa: S311 (numbers, not secrets)

    def beyond_noise(repeats: int) -> bool:
        before, after = ([chance.gauss(100, 10) for _ in range(repeats)] for _ in range(2))
        found = difference(before, after)
        assert found.noise is not None
        return abs(found.change) > found.noise

    for repeats in (2, 3, 5):
        assert 0.005 < sum(beyond_noise(repeats) for _ in range(4000)) / 4000 < 0.016


def test_the_noise_of_what_was_never_repeated_is_not_known() -> None:
    assert difference([1.0], [2.0]).noise is None
    assert difference([1.0, 1.0], [2.0]).noise == 0.0


def test_what_only_one_run_measured_is_not_compared() -> None:
    before, after = Run(run(cell(throttles={"x": 9}))), Run(run(cell()))

    assert "throttled" not in {change.metric.name for change in compare_runs(before, after).changes}


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        (cell(saturation=Saturation(limited=True)), "the lab itself limited it"),
        (cell(mismatches=("one too many",)), "its ledger does not add up"),
        (cell(interrupted=True), "it was stopped early"),
        (replace(cell(), arrivals=0, rows=dict.fromkeys(cell().rows, 0)), "it has no arrivals"),
    ],
)
def test_a_spoilt_cell_is_not_compared_and_said_why(spoilt: CellSummary, reason: str) -> None:
    fine = Run(run(cell(), cell(design="queued")))
    other = Run(run(spoilt, cell(design="queued")))

    for comparison, which in ((compare_runs(other, fine), "first"), (compare_runs(fine, other), "second")):
        assert comparison.not_compared == (f"event-driven provisioned: {reason} in the {which} run",)
        assert {change.cell for change in comparison.changes} == {"queued provisioned"}


def test_cells_of_only_one_run_are_named() -> None:
    before, after = Run(run(cell(), cell(design="queued"))), Run(run(cell(), cell(variant="write_units=5")))

    assert compare_runs(before, after).not_compared == (
        "queued provisioned is only in the first run",
        "event-driven provisioned write_units=5 is only in the second run",
    )


def test_other_circumstances_are_told() -> None:
    def under(**versions: str) -> Run:
        return Run(run(cell()), setup=Setup(scenario={"drain_s": len(versions)}, versions=versions))

    before, after = under(python="3.13.0", boto3="1.42"), under(python="3.13.1")

    assert compare_runs(before, after).circumstances == (
        "The scenario quick was changed in between",
        "The version of python differs: 3.13.0, then 3.13.1",
        "The version of boto3 differs: 1.42, then unknown",
    )
    assert compare_runs(before, before).circumstances == ()


def test_the_same_load_twice_is_not_worse_and_a_slower_one_is() -> None:
    before = only(made_up_run(load_s=60, drain_s=60, repeats=3), "queued", table_modes=("on-demand",))

    def after(slower: float) -> Run:
        run = made_up_run(seed=2, load_s=60, drain_s=60, repeats=3, slower=slower)
        return only(run, "queued", table_modes=("on-demand",))

    assert not compare_runs(before, after(slower=1.0)).is_worse
    worse = compare_runs(before, after(slower=1.5)).with_verdict(Verdict.WORSE)
    assert [change.metric.name for change in worse] == ["answer p50", "answer p95", "answer p99"]


def test_the_text_has_both_numbers_the_noise_and_where_a_difference_begins() -> None:
    comparison = compare_runs(with_p95s(100, 101, 99), with_p95s(120, 121, 119))

    text = render_comparison(comparison, before="results/a", after="results/b")

    assert text.startswith("results/a  →  results/b\n\nWorse\n")
    line = next(line for line in text.splitlines() if "answer p95" in line)
    assert line.split("answer p95")[1].split() == ["100", "ms", "120", "ms", "±", "3.8", "ms", "110", "ms"]
    assert "1 number worse beyond the noise, 0 better, 8 the same." in text
    assert "less than once in 100 times" in text


def test_the_text_says_when_the_noise_is_not_known() -> None:
    comparison = compare_runs(with_p95s(100), with_p95s(50))

    text = render_comparison(comparison, before="a", after="b")

    assert "Nothing is worse beyond the noise, 1 better" in text
    assert "No cell was repeated, so its noise is not known" in text
    assert " ? " in next(line for line in text.splitlines() if "answer p95" in line)


def test_the_text_of_runs_with_nothing_in_common_says_so() -> None:
    text = render_comparison(compare_runs(Run(run(cell())), Run(run())), before="a", after="b")

    assert "Nothing could be compared.\nevent-driven provisioned is only in the first run.\n" in text


def test_the_same_as_markdown() -> None:
    comparison = compare_runs(with_p95s(100), with_p95s(150))

    text = render_comparison_markdown(comparison, before="results/a_1", after="results/b")

    assert text.startswith("# results/a\\_1 → results/b\n")
    assert "## Worse\n\n| cell | what | before | after | noise | counts from |\n| --- | --- | ---: |" in text
    assert "| event-driven provisioned | answer p95 | 100 ms | 150 ms | ? | 110 ms |" in text
    assert "## Better" not in text
