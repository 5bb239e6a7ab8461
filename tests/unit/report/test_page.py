import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from typing import override

import pytest

from rydelab.report.page import render_page
from rydelab.report.run import Run, Setup
from rydelab.report.series import CellSeries
from rydelab.report.summary import RunSummary, Saturation
from tests.unit.report.made_up_run import made_up_run, only
from tests.unit.report.test_repeats import run as summary_of
from tests.unit.report.test_sentences import cell

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """What is in a page: its elements with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self._style = False
        self.feed(html)
        self.close()
        assert self._open == [], "elements that are never closed"

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in {"style", "text"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        """Everything that can be read, on one line."""
        return " ".join(" ".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())

    def all(self, name: str, **attributes: str) -> list[dict[str, str]]:
        """Return the attributes of each element of that name which has *attributes*."""
        return [found for tag, found in self.elements if tag == name and found.items() >= attributes.items()]


@pytest.fixture(scope="module")
def run() -> Run:
    return made_up_run(load_s=60, drain_s=60)


@pytest.fixture(scope="module")
def html(run: Run) -> str:
    return render_page(run)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_asks_for_nothing_outside_itself(html: str, page: Page) -> None:
    assert not page.all("script")
    for _, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "data", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    assert len(html.encode()) < 5_000_000


def test_the_same_run_makes_the_same_page(run: Run, html: str) -> None:
    assert render_page(run) == html


def test_every_link_leads_somewhere_and_every_id_is_unique(page: Page) -> None:
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    targets = {attributes["href"][1:] for attributes in page.all("a")}

    assert not [name for name, number in ids.items() if number > 1]
    assert targets <= set(ids)
    assert {attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes} <= set(
        ids
    )


def test_whoever_cannot_see_a_picture_is_told_what_it_shows(page: Page) -> None:
    pictures = [attributes for _, attributes in page.elements if attributes.get("role") == "img"]

    assert len(pictures) > 12
    assert all(attributes["aria-label"] for attributes in pictures)
    assert len(page.all("svg")) == len(page.all("svg", **{"aria-hidden": "true"}))


def test_each_bar_is_the_ledger_of_its_cell(run: Run, html: str) -> None:
    order = ["recorded", "in_flight", "dead_lettered", "refused", "lost", "ghost"]
    bars = re.findall(r'<div class="bar".*?</div>', html, re.DOTALL)

    drawn = [
        {row: int(rides) for row, rides in re.findall(r'data-row="(\w+)" style="flex-grow: (\d+)"', bar)}
        for bar in bars
    ]

    assert drawn == [{row: one.rows[row] for row in order if one.rows[row]} for one in run.summary.cells]
    for bar in drawn:
        assert list(bar) == [row for row in order if row in bar]


def test_the_answer_has_every_number_of_a_cell(page: Page) -> None:
    text = page.text

    assert "4 of 12 cells recorded every ride" in text
    assert "10 a second for 60 s: 600 arrivals in each cell" in text
    assert "then recorded before the answer" in text
    assert re.search(r"answer \d+ ms \d+ ms \d+ ms", text)
    assert re.search(r"throttled [\d,]+", text)
    assert "Every client was promised a ride (201), but" in text


def test_versions_machine_and_what_the_numbers_do_not_mean_are_told(page: Page) -> None:
    text = page.text

    for told in ("localstack-core 4.14.0", "processor made up", "memory bytes 8.0 GiB", "drain s 60"):
        assert told in text
    assert "These numbers are made up." in text
    assert "they do not say how fast AWS would be" in text


def test_thresholds_are_told_cell_by_cell_with_what_was_measured(page: Page) -> None:
    assert re.search(r"microservices provisioned ✓ 0 ✗ [\d,]+", page.text)


def test_repeats_are_bars_of_their_own_and_medians() -> None:
    repeated = only(made_up_run(load_s=30, drain_s=30, repeats=3), "queued", table_modes=("on-demand",))

    page = Page(render_page(repeated))

    assert len(page.all("div", **{"class": "bar"})) == 3
    assert "3 repeats, a bar each; counts are sums, times medians" in page.text
    assert "its range" in page.text
    assert "Repeat 1 of 3." in page.text
    assert "recorded 900 100 %" in page.text


def test_a_cell_that_was_not_run_is_a_gap_that_says_so() -> None:
    run = made_up_run(load_s=10, drain_s=10)
    cells = tuple(one for one in run.summary.cells if (one.design, one.table_mode) != ("queued", "autoscaled"))
    failed = replace(run.summary, cells=cells, failures=("queued autoscaled: the lab is gone",))

    page = Page(render_page(replace(run, summary=failed)))

    assert page.text.count("not run") == 1
    assert "Failed: queued autoscaled: the lab is gone" in page.text


def test_a_run_of_which_hardly_anything_is_known_says_what_is_missing() -> None:
    page = Page(render_page(Run(summary_of(cell()))))

    assert not page.all("svg")
    for told in (
        "Nothing was saved over time for this cell.",
        "throttled not measured",
        "then recorded not measured",
        "the lab itself not watched",
        "They were not saved with this run.",
    ):
        assert told in page.text
    assert "Thresholds" not in page.text


def test_a_run_without_cells_is_still_a_page() -> None:
    text = Page(render_page(Run(RunSummary("quick", "", (), failures=("queued on-demand: deployment failed",))))).text

    assert "No cell was run to its end." in text
    assert "Failed: queued on-demand: deployment failed" in text


def test_what_spoils_a_cell_is_marked_on_it() -> None:
    spoilt = cell(
        mismatches=("the rows add up to 9, but 10 arrivals were sent",),
        saturation=Saturation(
            limited=True, reasons=("the gateway was busy for 97 % of the load",), cpu_busy_ratio=0.99
        ),
        interrupted=True,
    )

    text = Page(render_page(Run(summary_of(spoilt)))).text

    for told in (
        "ledger does not add up",
        "limited by the lab",
        "stopped early",
        "The ledger does not add up: the rows add up to 9, but 10 arrivals were sent.",
        "verdict yes: the gateway was busy for 97 % of the load",
        "processors busy 99.0 %",
    ):
        assert told in text


def test_no_text_of_a_run_becomes_markup() -> None:
    evil = "<script>alert(1)</script> & \"'"
    summary = RunSummary(
        evil,
        evil,
        (cell(design=evil, table_mode=evil, variant=evil, errors={evil: 1}),),
        failures=(evil,),
        notes=(evil,),
    )
    setup = Setup(scenario={"description": evil}, versions={evil: evil})

    page = Page(render_page(Run(summary, setup=setup)))

    assert not page.all("script")
    assert page.text.count("<script>alert(1)</script>") > 5


def test_a_long_run_is_drawn_in_steps_and_stays_small() -> None:
    run = only(made_up_run(load_s=10, drain_s=10), "queued", table_modes=("on-demand",))
    (cell_id,) = run.series.keys() & {one.id for one in run.summary.cells}
    day = 24 * 3600
    series = CellSeries(cell_id, arrivals=(5, 7) * (day // 2), p50_ms=(20.0, 25.5) * (day // 2), load_s=float(day))

    html = render_page(replace(run, series={cell_id: series}))

    assert "In steps of 300 s" in Page(html).text
    assert len(html) < 200_000
