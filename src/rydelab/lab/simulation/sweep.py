"""Plays one scenario many times, with one or two settings varied: ``rydelab simulate --sweep``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

from rydelab.errors import RydelabError
from rydelab.lab.scenarios.cell import DEFAULT_MAX_UNITS, MOST_UNITS, OPTIONS, Cell, variant
from rydelab.lab.scenarios.scenario import Scenario
from rydelab.lab.simulation.plays import Plays, mean_arrivals_per_s
from rydelab.lab.simulation.simulation import scaled
from rydelab.report.sweep import SweepPoint, SweptAxis, SweptCell, Value

ARRIVALS = "arrivals"
SHORT: Mapping[str, str] = {"wcu": "write_units", "rcu": "read_units"}
MOST_AXES = 2
MOST_POINTS = 2_000


class SweepError(RydelabError):
    """A sweep that cannot be made; the message has its text."""

    exit_status = 2


def parse_axes(texts: Sequence[str], cells: Sequence[Cell]) -> tuple[SweptAxis, ...]:
    """Read what is to be varied, each ``NAME=VALUE,VALUE,…``, in *cells*. Raises SweepError."""
    if len(texts) > MOST_AXES:
        raise SweepError(f"--sweep {texts[MOST_AXES]}: at most two settings can be varied, since a picture is flat")
    axes = tuple(_parse(text) for text in texts)
    if len({axis.name for axis in axes}) < len(axes):
        raise SweepError(f"--sweep {texts[-1]}: {axes[-1].name} is varied already")
    for text, axis in zip(texts, axes, strict=True):
        if axis.name in OPTIONS and not any(cell.table_mode in OPTIONS[axis.name].table_modes for cell in cells):
            modes = " or ".join(sorted({cell.table_mode for cell in cells}))
            raise SweepError(f"--sweep {text}: {axis.name} means nothing to a table that is {modes}")
    points = len(cells)
    for axis in axes:
        points *= len(axis.values)
    if points > MOST_POINTS:
        raise SweepError(f"--sweep: {points:,} simulations are more than {MOST_POINTS:,}")
    return axes


def _parse(text: str) -> SweptAxis:
    word, separator, values = text.partition("=")
    name = SHORT.get(word, word)
    if not separator or (name != ARRIVALS and name not in OPTIONS):
        known = ", ".join((ARRIVALS, *SHORT, *OPTIONS))
        raise SweepError(f"--sweep {text}: must be NAME=VALUE,VALUE,… with NAME one of {known}")
    found = tuple(_value(name, part.strip(), text) for part in values.split(","))
    if len(set(found)) < len(found):
        raise SweepError(f"--sweep {text}: a value is there twice")
    return SweptAxis(name, tuple(sorted(found)) if all(isinstance(value, int | float) for value in found) else found)


def _value(name: str, part: str, text: str) -> Value:
    if name == ARRIVALS:
        try:
            rate = float(part)
        except ValueError:
            rate = 0.0
        if not 0 < rate < float("inf"):
            raise SweepError(f"--sweep {text}: {part!r} must be a number of arrivals a second above 0")
        return rate
    value: int | str = int(part) if part.isdecimal() and len(part) < 10 else part  # noqa: PLR2004 (no int is longer)
    if complaint := OPTIONS[name].check(value):
        raise SweepError(f"--sweep {text}: {part!r}: {complaint}")
    return value


def swept(plays: Plays, cells: Sequence[Cell], axes: Sequence[SweptAxis]) -> Iterator[SweptCell]:
    """Yield each of *cells* with all its points, when they are simulated."""
    for cell in cells:
        points = tuple(_point(plays, cell, axes, values) for values in product(*(axis.values for axis in axes)))
        apart = variant(cell, cells)
        yield SweptCell(f"{cell.design} {cell.table_mode}" + (f" {apart}" if apart else ""), points)


def _point(plays: Plays, cell: Cell, axes: Sequence[SweptAxis], values: tuple[Value, ...]) -> SweepPoint:
    scale = 1.0
    for axis, value in zip(axes, values, strict=True):
        if axis.name == ARRIVALS:
            scale = float(value) / mean_arrivals_per_s(plays.scenario)
        else:
            cell = with_option(cell, axis.name, value)  # type: ignore[arg-type] # an option's value is no float
    return SweepPoint(values, plays.of(cell, scale=scale))


def heaviest(scenario: Scenario, axes: Sequence[SweptAxis]) -> Scenario:
    """Return *scenario* with the most arrivals that any point has."""
    rates = [float(value) for axis in axes if axis.name == ARRIVALS for value in axis.values]
    return scaled(scenario, max(rates) / mean_arrivals_per_s(scenario)) if rates else scenario


def with_option(cell: Cell, name: str, value: str | int) -> Cell:
    """Return *cell* with an option set; the same cell if it means nothing to its table.

    A maximum that would be below its minimum goes up with it.
    """
    if cell.table_mode not in OPTIONS[name].table_modes:
        return cell
    options = dict(cell.options) | {name: value}
    for access in ("read", "write"):
        least = options.get(f"{access}_units", 1)
        if cell.table_mode == "autoscaled" and int(options.get(f"max_{access}_units", DEFAULT_MAX_UNITS)) < int(least):
            options[f"max_{access}_units"] = min(MOST_UNITS, int(least))
    return replace(cell, options=options)


def sweep_load(scenario: Scenario, axes: Sequence[SweptAxis]) -> str:
    """Say in a sentence what is sent to each point."""
    rate = "" if any(axis.name == ARRIVALS for axis in axes) else f", {mean_arrivals_per_s(scenario):.3g} a second"
    return f"Arrivals come as in {scenario.name}, for {scenario.duration_s:,.0f} s{rate}."
