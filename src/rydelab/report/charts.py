"""The charts of one cell: what happened over time. Pure: values in, text out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from rydelab.report.designs import answers_first
from rydelab.report.drawing import Axis, Key, Layer, Shape, draw, power_of_ten
from rydelab.report.quantities import count, duration
from rydelab.report.series import CapacitySeries, CellSeries, Column

LEAST_OF_SCALE = 0.01
"""What is smaller than this part of a shared scale cannot be seen on it."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One drawing with everything that belongs to it, or the reason why there is none."""

    title: str
    unit: str = ""
    keys: tuple[Key, ...] = ()
    """Its legend."""
    svg: str = ""
    description: str = ""
    """What a person who cannot see the drawing is told."""
    absent: str = ""
    """Why nothing is drawn, as a sentence; then everything else but the title is empty."""


@dataclass(frozen=True, slots=True)
class Scales:
    """The scales that all cells of a run share, so that their charts can be compared by eye."""

    end_s: float
    rides_per_s: float
    fastest_ms: float
    slowest_ms: float
    backlog: float


def scales_of(cells: Sequence[CellSeries]) -> Scales:
    """Find scales that fit every one of *cells*."""
    latencies = [value for cell in cells for value in _values(cell.p50_ms, cell.p95_ms, cell.p99_ms)]
    return Scales(
        end_s=max((cell.end_s for cell in cells), default=0.0),
        rides_per_s=max(
            (
                value / cell.interval_s
                for cell in cells
                for value in _values(cell.arrivals, cell.accepted, cell.recorded)
            ),
            default=0.0,
        ),
        # Powers of ten, for a logarithmic scale; 1 ms to 1 s if there is nothing.
        fastest_ms=power_of_ten(min(latencies, default=1.0), up=False),
        slowest_ms=power_of_ten(max(latencies, default=1000.0), up=True),
        backlog=max((value for cell in cells for value in _values(cell.backlog)), default=0.0),
    )


def charts_of(cell: CellSeries, scales: Scales) -> tuple[Chart, ...]:
    """Draw everything that is known of *cell*, always in the same order."""
    units = chain.from_iterable((_units(cell, part, scales), _burst(cell, part, scales)) for part in cell.capacity)
    return (
        _rides(cell, scales),
        _latency(cell, scales),
        *(units if cell.capacity else (Chart("Table capacity", absent="The units of the table were not measured."),)),
        _backlog(cell, scales),
        _trouble(cell, scales),
    )


def _rides(cell: CellSeries, scales: Scales) -> Chart:
    if not any(_values(cell.arrivals)):
        return Chart("Rides", absent="Arrivals over time were not saved.")
    curves = [
        _Curve("due", cell.arrivals, "arrivals", "area"),
        _Curve("promised", cell.accepted, "ink", "line"),
        _Curve("recorded", cell.recorded, "recorded", "line"),
    ]
    curves = [curve for curve in curves if _values(curve.column)]
    return Chart(
        "Rides",
        unit="per second" if cell.recorded else "per second; when each was recorded was not measured",
        keys=tuple(curve.key for curve in curves),
        svg=_draw(cell, scales, _per_second(curves, cell), Axis(0.0, scales.rides_per_s)),
        description="Rides per second: "
        + ", ".join(f"{curve.label} at most {count(max(_values(curve.column)) / cell.interval_s)}" for curve in curves),
    )


def _latency(cell: CellSeries, scales: Scales) -> Chart:
    title = "Time to the answer"
    if not _values(cell.p50_ms):
        why = "No ride was promised, so there is no time to draw." if cell.arrivals else "It was not saved over time."
        return Chart(title, absent=why)
    curves = [
        _Curve("99 % within", cell.p99_ms, "p99", "points"),
        _Curve("95 % within", cell.p95_ms, "p95", "points"),
        _Curve("half within", cell.p50_ms, "p50", "points"),
    ]
    curves = [curve for curve in curves if _values(curve.column)]
    axis = Axis(scales.fastest_ms, scales.slowest_ms, logarithmic_ms=True)
    return Chart(
        title,
        unit="of promised rides",
        keys=tuple(curve.key for curve in reversed(curves)),
        svg=_draw(cell, scales, [Layer(curve.column, curve.color, curve.shape) for curve in curves], axis),
        description=f"Time to the answer: the longest median is {duration(max(_values(cell.p50_ms)))}, "
        f"the longest 99th percentile {duration(max(_values(cell.p99_ms), default=None))}",
    )


def _units(cell: CellSeries, part: CapacitySeries, scales: Scales) -> Chart:
    title = f"{part.name}: units"
    consumed, throttled, limits = _values(part.consumed), sum(_values(part.throttles)), _values(part.provisioned)
    if not any(consumed) and not throttled:
        return Chart(title, absent="No unit was consumed.")
    curves = [_Curve("consumed", part.consumed, "units", "area")]
    if limits:
        curves.append(_Curve("capacity", part.provisioned, "ink", "dashed"))
    if throttled:
        curves.append(_Curve(f"throttled, {count(throttled)} in all", part.throttles, "refused", "marks"))
    # Room above the curves for the marks.
    axis = Axis(0.0, 1.15 * max(*consumed, *limits, 0.0))
    return Chart(
        title,
        unit="per second" if limits else "per second; no capacity is set",
        keys=tuple(curve.key for curve in curves),
        svg=_draw(cell, scales, [Layer(curve.column, curve.color, curve.shape) for curve in curves], axis),
        description=f"{part.name}: at most {count(max(consumed, default=0))} units per second were consumed"
        + (f" of at most {count(max(limits))} set" if limits else "")
        + f"; {count(throttled)} requests were throttled",
    )


def _burst(cell: CellSeries, part: CapacitySeries, scales: Scales) -> Chart:
    title = f"{part.name}: burst left"
    values = _values(part.burst_left)
    if not values:
        return Chart(title, absent="Where no capacity is set there is none to save up.")
    curve = _Curve("unused units, to be spent above capacity", part.burst_left, "units", "area")
    return Chart(
        title,
        unit="units",
        keys=(curve.key,),
        svg=_draw(cell, scales, [Layer(curve.column, curve.color, curve.shape)], Axis(0.0, max(values))),
        description=f"{part.name}: {count(values[0])} unused units at first, {count(min(values))} at the least",
    )


def _backlog(cell: CellSeries, scales: Scales) -> Chart:
    values = _values(cell.backlog)
    if not values and answers_first(cell.cell.design) is False:
        return Chart("Backlog", absent="This design answers after the record: nothing waits behind the answer.")
    if not values:
        return Chart("Backlog", absent="It was not measured.")
    if not any(values):
        return Chart("Backlog", absent="Nothing ever waited.")
    if max(values) < LEAST_OF_SCALE * scales.backlog:
        waited = "1 ride" if max(values) == 1 else f"{count(max(values))} rides"
        return Chart("Backlog", absent=f"Never more than {waited} waited: too few for the scale of the other cells.")
    curve = _Curve(f"promised, waiting to be recorded; at most {count(max(values))}", cell.backlog, "in_flight", "area")
    return Chart(
        "Backlog",
        unit="rides",
        keys=(curve.key,),
        svg=_draw(cell, scales, [Layer(curve.column, curve.color, curve.shape)], Axis(0.0, scales.backlog)),
        description=f"Backlog: at most {count(max(values))} rides waited, {count(values[-1])} at the end",
    )


def _trouble(cell: CellSeries, scales: Scales) -> Chart:
    title = "Retries and dead letters"
    retried, given_up = sum(_values(cell.retries)), sum(_values(cell.dead_letters))
    if not cell.retries and not cell.dead_letters:
        if answers_first(cell.cell.design) is False:
            return Chart(title, absent="This design answers after the record: nothing is retried behind the answer.")
        return Chart(title, absent="They were not measured.")
    if not retried and not given_up:
        return Chart(title, absent="Nothing was tried again, and nothing given up.")
    curves = []
    if retried:
        curves.append(_Curve(f"tried again, {count(retried)} in all", cell.retries, "ink", "line"))
    if given_up:
        curves.append(_Curve(f"dead-lettered, {count(given_up)} in all", cell.dead_letters, "dead_lettered", "area"))
    most = max(_values(cell.retries) + _values(cell.dead_letters)) / cell.interval_s
    return Chart(
        title,
        unit="per second",
        keys=tuple(curve.key for curve in curves),
        svg=_draw(cell, scales, _per_second(curves, cell), Axis(0.0, most)),
        description=f"Events tried again: {count(retried)}; events sent to the dead-letter queue: {count(given_up)}",
    )


@dataclass(frozen=True, slots=True)
class _Curve:
    label: str
    column: Column
    color: str
    shape: Shape

    @property
    def key(self) -> Key:
        return Key(self.label, self.color, self.shape)


def _per_second(curves: Sequence[_Curve], cell: CellSeries) -> list[Layer]:
    return [
        Layer(
            tuple(None if value is None else value / cell.interval_s for value in curve.column),
            curve.color,
            curve.shape,
        )
        for curve in curves
    ]


def _draw(cell: CellSeries, scales: Scales, layers: Sequence[Layer], axis: Axis) -> str:
    return draw(layers, axis=axis, interval_s=cell.interval_s, end_s=scales.end_s, load_s=cell.load_s, bands=cell.bands)


def _values(*columns: Column) -> list[float]:
    return [value for column in columns for value in column if value is not None]
