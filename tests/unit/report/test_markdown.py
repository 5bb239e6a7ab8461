import re
from dataclasses import replace

from rydelab.report.markdown import render_markdown
from rydelab.report.run import Run, Setup
from rydelab.report.summary import Saturation, ThresholdResult
from tests.unit.report.made_up_run import made_up_run
from tests.unit.report.test_repeats import run
from tests.unit.report.test_sentences import cell


def rows(text: str) -> list[list[str]]:
    return [[part.strip() for part in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def test_the_ledger_of_every_cell_is_a_row() -> None:
    made_up = made_up_run(load_s=30, drain_s=30)

    headings, _, *cells = rows(render_markdown(made_up).partition("## Thresholds")[0])

    assert headings[:8] == [
        *("cell", "arrivals", "recorded", "in flight", "dead-lettered", "refused", "lost", "ghost"),
    ]
    order = ("recorded", "in_flight", "dead_lettered", "refused", "lost", "ghost")
    assert [(row[0], [int(number) for number in row[2:8]]) for row in cells] == [
        (str(one.id), [one.rows[name] for name in order]) for one in made_up.summary.cells
    ]
    assert {len(row) for row in cells} == {len(headings)}


def test_times_and_throttles_are_given_where_they_were_measured() -> None:
    known = rows(render_markdown(made_up_run(load_s=30, drain_s=30)))[2]
    unknown = rows(render_markdown(Run(run(cell()))))[2]

    assert known[-3] == "before"
    assert re.fullmatch(r"\d+", known[-2].replace(",", ""))
    assert unknown[-6:] == ["20 ms", "27 ms", "31 ms", "-", "-", "-"]


def test_thresholds_are_told_as_passed_or_failed() -> None:
    results = (ThresholdResult("lost == 0", 0, passed=True), ThresholdResult("p95_ms < 20", 27, passed=False))

    text = render_markdown(Run(run(cell(thresholds=results))))

    assert "| event-driven provisioned | `lost == 0` | 0 | passed |" in text
    assert "| event-driven provisioned | `p95_ms < 20` | 27 | **failed** |" in text


def test_what_spoils_a_cell_stands_beside_its_numbers() -> None:
    limited = cell(saturation=Saturation(limited=True))

    assert "event-driven provisioned **limited by the lab**" in render_markdown(Run(run(limited)))


def test_repeats_are_one_row_that_says_so() -> None:
    text = render_markdown(Run(run(cell(), cell(repeat=2))))

    assert "| event-driven provisioned (2 repeats: sums and medians) | 3,600 |" in text


def test_no_text_of_a_run_breaks_the_table_or_becomes_markup() -> None:
    evil = "a|b\n<img src=x> *b* [l](http://x)"
    summary = replace(run(cell(design=evil)), name=evil, failures=(evil,), notes=(evil,))

    text = render_markdown(Run(summary, setup=Setup(versions={evil: evil})))

    assert r"a\|b \<img src=x\> \*b\* \[l\](http://x)" in text
    assert not re.search(r"(?<!\\)[<*|]img|(?<!\\)<", text)
    assert {line.replace(r"\|", "").count("|") for line in text.splitlines() if line.startswith("|")} == {15}


def test_a_run_without_cells_tells_why() -> None:
    text = render_markdown(Run(replace(run(), failures=("queued on-demand: deployment failed",))))

    assert "- **Failed:** queued on-demand: deployment failed" in text
    assert "|" not in text
