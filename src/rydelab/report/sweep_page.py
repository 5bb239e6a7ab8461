"""A sweep as one HTML file that needs nothing else. Pure."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from rydelab.capacity.prices import Prices
from rydelab.report.bill import money
from rydelab.report.cost import per_million_rides
from rydelab.report.heat_map import Box, HeatMap, draw_heat_map
from rydelab.report.quantities import share
from rydelab.report.sweep import WORDS, Sweep, SweepPoint, Value

COLORS = {"all": "recorded", "late": "in_flight", "some": "refused"}
FAINT, STRONG = 0.12, 0.45
"""Of a colour behind a text that must stay readable."""


@dataclass(frozen=True, slots=True)
class _Map:
    """One grid of points, drawn twice."""

    title: str
    became: Markup
    cost: Markup
    width_px: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """The same as texts, for who cannot see the drawings: a label and its entries."""


def render_sweep_page(sweep: Sweep, prices: Prices) -> str:
    """Draw *sweep* as an HTML document."""
    return _template().render(
        sweep=sweep,
        maps=list(_maps(sweep, prices)),
        legend=[(COLORS[became], words) for became, words in WORDS.items()],
        label=prices.label,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("rydelab.report", "page_template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("sweep.html")


def _maps(sweep: Sweep, prices: Prices) -> Iterator[_Map]:
    costs = [cost for cell in sweep.cells for point in cell.points if (cost := point.cost(prices)) is not None]
    cheapest, dearest = min(costs, default=1.0), max(costs, default=1.0)

    def cost_box(point: SweepPoint) -> Box:
        cost = point.cost(prices)
        dear = 0.0 if cost is None or dearest == cheapest else math.log(cost / cheapest) / math.log(dearest / cheapest)
        return Box(money(per_million_rides(point.cell, prices), prices), "units", FAINT + (STRONG - FAINT) * dear)

    across = sweep.axes[0]
    if len(sweep.axes) == 1:
        rows = [(cell.name, [cell.at(value) for value in across.values]) for cell in sweep.cells]
        yield _map("Every cell", rows, values=across.values, column_title=across.label, cost_box=cost_box)
        return
    down = sweep.axes[1]
    for cell in sweep.cells:
        # The larger value is drawn above the smaller one.
        rows = [
            (_value(second), [cell.at(first, second) for first in across.values]) for second in reversed(down.values)
        ]
        yield _map(
            cell.name,
            rows,
            values=across.values,
            column_title=across.label,
            row_title=down.label,
            cost_box=cost_box,
        )


def _map(
    title: str,
    rows: Sequence[tuple[str, Sequence[SweepPoint]]],
    *,
    values: Sequence[Value],
    column_title: str,
    cost_box: Callable[[SweepPoint], Box],
    row_title: str = "",
) -> _Map:
    columns = tuple(map(_value, values))
    labels = [label for label, _ in rows]

    def drawn(box: Callable[[SweepPoint], Box]) -> HeatMap:
        boxes = [[box(point) for point in points] for _, points in rows]
        return draw_heat_map(boxes, columns=columns, rows=labels, column_title=column_title, row_title=row_title)

    became, cost = drawn(_became_box), drawn(cost_box)
    return _Map(
        title=title,
        became=Markup(became.svg),  # noqa: S704 (our own drawing; its texts were escaped by Vega)
        cost=Markup(cost.svg),  # noqa: S704 (as above)
        width_px=cost.width_px,
        columns=columns,
        rows=tuple(
            (label, tuple(f"{_recorded(point)}, {WORDS[point.became]}, {cost_box(point).text}" for point in points))
            for label, points in rows
        ),
    )


def _became_box(point: SweepPoint) -> Box:
    # The fewer are recorded, the stronger the colour.
    opacity = STRONG if point.became != "some" else FAINT + (STRONG - FAINT) * (1 - point.recorded_share)
    return Box(_recorded(point), COLORS[point.became], opacity)


def _recorded(point: SweepPoint) -> str:
    return share(point.cell.rows["recorded"], point.cell.arrivals)


def _value(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:g}"
