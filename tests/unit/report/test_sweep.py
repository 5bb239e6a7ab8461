import re
from dataclasses import replace

from rydelab.capacity.price_file import packaged_prices
from rydelab.capacity.usage import Usage
from rydelab.report.heat_map import Box, draw_heat_map
from rydelab.report.summary import Simulated
from rydelab.report.sweep import WORDS, Sweep, SweepPoint, SweptAxis, SweptCell
from rydelab.report.sweep_page import render_sweep_page
from rydelab.report.sweep_text import render_sweep
from tests.unit.report.test_sentences import cell

PRICES = packaged_prices()


def point(*values: float, recorded: int = 1800, throttled: int = 0, requests: float = 1800) -> SweepPoint:
    made = cell({"refused": 1800 - recorded}, throttles={"TableWrite": throttled})
    return SweepPoint(values, replace(made, usage=Usage(gateway_requests=requests, duration_s=1800, load_s=1800)))


ALL, LATE, SOME, FEW = (
    point(5, 1, requests=3600),
    point(5, 2, throttled=9),
    point(1, 1, recorded=900),
    point(1, 2, recorded=18),
)


def sweep(*, axes: int = 2) -> Sweep:
    both = (SweptAxis("write_units", (1, 5)), SweptAxis("arrivals", (1, 2)))
    points = (SOME, FEW, ALL, LATE)
    if axes == 1:
        points = tuple(replace(one, values=one.values[:1]) for one in (SOME, ALL))
    return Sweep(
        name="day <one>",
        started_at="2026-11-20T10:00:00+00:00",
        axes=both[:axes],
        cells=(SweptCell("queued provisioned", points),),
        simulated=Simulated("exact", "local", 0),
        load="Arrivals come as in day, for 180 s.",
    )


def test_a_point_says_what_became_of_its_rides() -> None:
    assert [one.became for one in (ALL, LATE, SOME)] == ["all", "late", "some"]
    assert SOME.recorded_share == 0.5
    # 1,800 rides with 1,800 requests: a million x 3.50 a million.
    assert (LATE.cost(PRICES), ALL.cost(PRICES)) == (3.5, 7.0)


def test_the_terminal_has_a_row_for_each_value_of_the_second_setting() -> None:
    lines = render_sweep(sweep(), PRICES).splitlines()

    at = next(number for number, line in enumerate(lines) if line.startswith("arrivals a second \\ write units"))
    assert lines[at].split()[-2:] == ["1", "5"]
    assert [line.split() for line in lines[at + 2 : at + 6]] == [
        *(["1", "50", "%", "x", "100", "%"], ["$3.50", "$7.00"]),
        *(["2", "1.0", "%", "x", "100", "%", "~"], ["$3.50", "$3.50"]),
    ]
    assert "Simulated, not measured" in lines[0]
    assert any("list prices of us-east-1" in line for line in lines)
    assert all(any(words in line for line in lines) for words in WORDS.values())


def test_with_one_setting_each_cell_is_a_row() -> None:
    lines = render_sweep(sweep(axes=1), PRICES).splitlines()

    assert any(line.startswith("queued provisioned") and "50 % x" in line for line in lines)


def test_the_page_draws_each_cell_twice_and_says_the_same_in_words() -> None:
    page = render_sweep_page(sweep(), PRICES)

    assert page.count("<svg") == 2
    assert "1.0 %, not every ride recorded, $3.50" in page
    assert "100 %, every ride recorded, some after throttled attempts, $3.50" in page
    assert "Simulated, not measured" in page
    assert "list prices of us-east-1" in page


def test_the_page_draws_more_arrivals_above_fewer() -> None:
    rows = re.findall(r'<th scope="row">(\S+)</th>', render_sweep_page(sweep(), PRICES))

    assert rows == ["2", "1"]


def test_the_page_needs_nothing_else_and_no_text_becomes_markup() -> None:
    page = render_sweep_page(sweep(), PRICES)

    assert "<one>" not in page
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!data:)[^#"]', page)


def test_a_heat_map_has_a_box_and_a_text_for_each_value() -> None:
    boxes = [[Box(f"{row}-{column}", "recorded", 0.5) for column in range(3)] for row in range(2)]

    drawn = draw_heat_map(
        boxes, columns=["a", 'b"b', "c\\"], rows=["one", "two"], column_title="across", row_title="down"
    )

    assert all(f">{row}-{column}</text>" in drawn.svg for row in range(2) for column in range(3))
    assert drawn.svg.count('fill="var(--recorded)"') == 6
    assert all(f">{label}</text>" in drawn.svg for label in ("a", "one", "two", "across", "down"))
    assert "http" not in drawn.svg.replace("http://www.w3.org/2000/svg", "")
