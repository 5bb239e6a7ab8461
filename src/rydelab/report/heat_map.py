"""Draws a grid of boxes, each with a colour and a text, as SVG. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import vl_convert

from rydelab.report.drawing import tidy

BOX_WIDTH, BOX_HEIGHT = 74, 32
BOTTOM, TOP, RIGHT = 46, 8, 12
TITLE_HEIGHT = 18
CHARACTER_WIDTH = 6.3
"""Of a label, on average and not below."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A drawing and its natural width."""

    svg: str
    width_px: int


@dataclass(frozen=True, slots=True)
class Box:
    """One box of the grid."""

    text: str
    color: str
    """The name of a colour of the page."""
    opacity: float
    """Of the colour, from 0 to 1; a text must stay readable on it."""


def draw_heat_map(
    boxes: Sequence[Sequence[Box]], *, columns: Sequence[str], rows: Sequence[str], column_title: str, row_title: str
) -> HeatMap:
    """Draw *boxes*, row by row from the top."""
    # Positions, and labels by position: two equal labels stay two.
    values = [
        {"x": at, "y": down, "text": box.text, "color": f"var(--{box.color})", "opacity": box.opacity}
        for down, row in enumerate(boxes)
        for at, box in enumerate(row)
    ]
    left = round(16 + CHARACTER_WIDTH * max(map(len, rows)))
    # Above the rows' labels, not turned: a title is longer than two rows are high.
    title = {"titleAngle": 0, "titleAlign": "left", "titleBaseline": "bottom", "titleX": 4 - left, "titleY": -8}
    spec = {
        "width": BOX_WIDTH * len(columns),
        "height": BOX_HEIGHT * len(rows),
        "autosize": {"type": "none"},
        "padding": {"left": left, "right": RIGHT, "top": TOP + (TITLE_HEIGHT if row_title else 0), "bottom": BOTTOM},
        "background": None,
        "data": {"values": values},
        "encoding": {
            "x": {
                "field": "x",
                "type": "ordinal",
                "scale": {"padding": 0.03},
                "axis": _axis(columns) | {"title": column_title, "labelAngle": 0},
            },
            "y": {
                "field": "y",
                "type": "ordinal",
                "scale": {"padding": 0.05},
                "axis": _axis(rows) | title | {"title": row_title or None, "labelLimit": left},
            },
        },
        "layer": [
            {
                "mark": {"type": "rect", "cornerRadius": 3},
                "encoding": {
                    "fill": {"field": "color", "type": "nominal", "scale": None},
                    "fillOpacity": {"field": "opacity", "type": "quantitative", "scale": None},
                },
            },
            {"mark": {"type": "text", "fontSize": 12, "color": "var(--ink)"}, "encoding": {"text": {"field": "text"}}},
        ],
        "config": {
            "font": "system-ui, sans-serif",
            "view": {"stroke": None},
            "axis": {
                "labelColor": "var(--muted)",
                "titleColor": "var(--muted)",
                "titleFontWeight": "normal",
                "labelFontSize": 11,
                "titleFontSize": 11,
                "domain": False,
                "ticks": False,
                "labelPadding": 6,
            },
        },
    }
    return HeatMap(tidy(vl_convert.vegalite_to_svg(spec)), left + BOX_WIDTH * len(columns) + RIGHT)


def _axis(labels: Sequence[str]) -> dict[str, object]:
    return {"labelExpr": f"{json.dumps(list(labels))}[datum.value]"}
