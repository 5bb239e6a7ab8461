"""Draws curves over time as SVG, with Vega-Lite in this process: no browser and no network. Pure.

Colours are the page's own (``var(--recorded)``), so that one drawing serves light, dark and print.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import vl_convert

from rydelab.report.series import Band, Column

PLOT_WIDTH, PLOT_HEIGHT = 330, 120
PADDING = {"left": 46, "right": 22, "top": 8, "bottom": 22}
"""Fixed, so that charts below one another share their time axis to the pixel."""
MOST_TICKS = 6
Y_TICKS = 4
TICKS_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
MINUTES_FROM_S = 600

type Shape = Literal["area", "line", "dashed", "points", "marks"]
"""`area`, `line` and `dashed` hold a value for its interval; `points` join measurements and break where there is none;
`marks` are a tick at the top of each interval whose value is not 0."""

type _Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of a legend."""

    label: str
    color: str
    """The name of a colour of the page, as in `Layer`."""
    shape: Shape


@dataclass(frozen=True, slots=True)
class Layer:
    """One curve."""

    column: Column
    color: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Axis:
    """The vertical scale."""

    low: float
    high: float
    logarithmic_ms: bool = False
    """Milliseconds on a logarithmic scale; `low` and `high` must be powers of ten."""


def draw(
    layers: Sequence[Layer],
    *,
    axis: Axis,
    interval_s: float,
    end_s: float,
    load_s: float | None = None,
    bands: Sequence[Band] = (),
) -> str:
    """Return an ``<svg>`` of *layers*, the first at the back, from 0 to *end_s*.

    *load_s*: where a dashed line says that the load was over. *bands* are shaded, with their labels.
    """
    spec = {
        "width": PLOT_WIDTH,
        "height": PLOT_HEIGHT,
        "autosize": {"type": "none"},
        "padding": PADDING,
        "background": None,
        "layer": [
            *(_band(band, end_s) for band in bands),
            *(_band_label(band, row) for row, band in enumerate(bands)),
            *(part for layer in layers for part in _curve(layer, interval_s, axis)),
            *([_load_end(load_s)] if load_s is not None and load_s < end_s else []),
        ],
        "encoding": {
            "x": {
                "type": "quantitative",
                "scale": {"domain": [0, end_s], "nice": False},
                "axis": _time_axis(end_s),
            },
            "y": _y(axis),
        },
        "config": _CONFIG,
    }
    return tidy(vl_convert.vegalite_to_svg(spec))


def power_of_ten(value: float, *, up: bool) -> float:
    """Return the power of ten next to *value*, which is above 0."""
    exponent = math.log10(value)
    return float(10 ** (math.ceil(exponent) if up else math.floor(exponent)))


def _curve(layer: Layer, interval_s: float, axis: Axis) -> list[_Spec]:
    if layer.shape == "marks":
        return [_marks(layer, interval_s)]
    if layer.shape == "points":
        # Each percentile belongs to the middle of its interval.
        points = [((at + 0.5) * interval_s, _above(value, axis)) for at, value in enumerate(layer.column)]
        mark: _Spec = {"type": "line", "strokeWidth": 1.4}
        lonely = [
            (time_s, value)
            for at, (time_s, value) in enumerate(points)
            if value is not None
            and all(neighbour is None for _, neighbour in points[max(0, at - 1) : at] + points[at + 1 : at + 2])
        ]
        dots = [_layer(lonely, {"type": "circle", "size": 7, "opacity": 1}, layer.color)] if lonely else []
        return [_layer(points, mark, layer.color), *dots]
    points = [(at * interval_s, value) for at, value in enumerate(layer.column)]
    # A step holds until the next value, the last one until its interval's end.
    points.append((len(layer.column) * interval_s, layer.column[-1] if layer.column else None))
    mark = {"type": "line", "strokeWidth": 1.4, "interpolate": "step-after"}
    if layer.shape == "area":
        mark = {"type": "area", "interpolate": "step-after", "opacity": 1}
    if layer.shape == "dashed":
        mark["strokeDash"] = [4, 3]
    return [_layer(points, mark, layer.color)]


def _layer(points: Sequence[tuple[float, float | None]], mark: _Spec, color: str) -> _Spec:
    return {
        "data": {"values": [{"t": round(time_s, 3), "v": value} for time_s, value in points]},
        "mark": mark | {"color": f"var(--{color})"},
        "encoding": {"x": {"field": "t"}, "y": {"field": "v"}},
    }


def _marks(layer: Layer, interval_s: float) -> _Spec:
    values = [
        {"t": round(at * interval_s, 3), "until": round((at + 1) * interval_s, 3)}
        for at, value in enumerate(layer.column)
        if value
    ]
    return {
        "data": {"values": values},
        "mark": {"type": "rect", "color": f"var(--{layer.color})"},
        "encoding": {"x": {"field": "t"}, "x2": {"field": "until"}, "y": {"value": 0}, "y2": {"value": 6}},
    }


def _band(band: Band, end_s: float) -> _Spec:
    return {
        "data": {"values": [{"t": band.start_s, "until": min(band.end_s, end_s)}]},
        # Where two overlap it is darker.
        "mark": {"type": "rect", "color": "var(--band)", "opacity": 0.75},
        "encoding": {"x": {"field": "t"}, "x2": {"field": "until"}, "y": {"value": 0}, "y2": {"value": PLOT_HEIGHT}},
    }


def _band_label(band: Band, row: int) -> _Spec:
    """Write what a band is in a row of its own, since bands may overlap."""
    look = {"color": "var(--muted)", "fontSize": 10}
    return {
        "data": {"values": [{"t": band.start_s, "label": band.label}]},
        "mark": {"type": "text", "align": "left", "dx": 3, "dy": 14 + 12 * row, **look},
        "encoding": {"x": {"field": "t"}, "y": {"value": 0}, "text": {"field": "label"}},
    }


def _load_end(load_s: float) -> _Spec:
    return {
        "data": {"values": [{"t": load_s}]},
        "mark": {"type": "rule", "color": "var(--muted)", "strokeDash": [2, 2]},
        "encoding": {"x": {"field": "t"}, "y": {"value": 0}, "y2": {"value": PLOT_HEIGHT}},
    }


def _time_axis(end_s: float) -> _Spec:
    step_s = next((step_s for step_s in TICKS_S if end_s / step_s <= MOST_TICKS), max(TICKS_S[-1], end_s / MOST_TICKS))
    minutes = end_s >= MINUTES_FROM_S
    return {
        "title": None,
        "values": [number * step_s for number in range(int(end_s / step_s) + 1)],
        "labelExpr": "format(datum.value / 60, '~r') + ' min'" if minutes else "datum.value + ' s'",
        "grid": False,
        "labelFlush": False,
        "labelOverlap": False,
    }


def _y(axis: Axis) -> _Spec:
    scale: _Spec = {"domain": [axis.low, axis.high or 1.0], "nice": False if axis.logarithmic_ms else Y_TICKS}
    look: _Spec = {"title": None, "tickCount": Y_TICKS}
    if axis.logarithmic_ms:
        scale["type"] = "log"
        look["values"] = [10**power for power in range(round(math.log10(axis.low)), round(math.log10(axis.high)) + 1)]
        look["labelExpr"] = "datum.value >= 1000 ? datum.value / 1000 + ' s' : datum.value + ' ms'"
    return {"type": "quantitative", "scale": scale, "axis": look}


def _above(value: float | None, axis: Axis) -> float | None:
    # A logarithm of 0 cannot be drawn.
    return None if value is None else max(value, axis.low)


def tidy(svg: str) -> str:
    """Leave out what only matters in a page of Vega's own; the page describes each drawing in one text."""
    svg = re.sub(r' (?:role|aria-[a-z]+|pointer-events|xmlns:xlink|version)="[^"]*"', "", svg)
    svg = re.sub(r'<path class="(?:background|foreground)"[^>]*/>', "", svg)
    return re.sub(r'^<svg ([^>]*?) width="[\d.]+" height="[\d.]+"', r'<svg \1 aria-hidden="true"', svg)


_CONFIG: Mapping[str, Any] = {
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "line": {"invalid": "break-paths-filter-domains"},
    "area": {"invalid": "break-paths-filter-domains", "line": False},
    "axis": {
        "labelColor": "var(--muted)",
        "labelFontSize": 11,
        "gridColor": "var(--grid)",
        "domainColor": "var(--axis)",
        "tickColor": "var(--axis)",
        "tickSize": 4,
    },
    "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
}
