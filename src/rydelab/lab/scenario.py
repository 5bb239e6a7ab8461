"""A workload as data: reads a scenario's TOML file and says which file, key and value is wrong."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rydelab.errors import RydelabError
from rydelab.lab.schedule import Phase

DESIGNS = ("microservices", "direct-invoke", "event-driven", "queued")
TABLE_MODES = ("provisioned", "autoscaled", "on-demand")

MOST_ARRIVALS_PER_S = 10_000.0
LONGEST_S = 24 * 3600.0

DEFAULT_TIMEOUT_S = 30.0
DEFAULT_WARM_UP_RIDES = 20
DEFAULT_DRAIN_S = 30.0


class ScenarioError(RydelabError):
    """A scenario that cannot be run; the message names the file, the key and the value."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Cell:
    """One design with one table mode, deployed under a stage of its own."""

    design: str
    table_mode: str

    def __str__(self) -> str:
        return f"{self.design} {self.table_mode}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is sent to each cell, and how long is waited for what becomes of it."""

    name: str
    """The file's name without its ending."""
    description: str
    phases: tuple[Phase, ...]
    cells: tuple[Cell, ...]
    timeout_s: float = DEFAULT_TIMEOUT_S
    """How long a client waits for its answer. API Gateway gives up after 29 s."""
    warm_up_rides: int = DEFAULT_WARM_UP_RIDES
    """Rides sent before the load and counted nowhere, so that no arrival meets a cold start."""
    drain_s: float = DEFAULT_DRAIN_S
    """How long to wait, after the last answer, for accepted rides to reach the table or a dead-letter queue."""


def load(path: Path) -> Scenario:
    """Read the scenario in the file *path*. Raises ScenarioError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from None
    return parse(text, source=str(path), name=path.stem)


def parse(text: str, *, source: str, name: str) -> Scenario:
    """Read the scenario in *text*, TOML; *source* is what error messages call it. Raises ScenarioError."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{source}: not TOML: {error}") from None
    top = _Table(values, source=source)
    scenario = Scenario(
        name=name,
        description=top.text("description", default=""),
        phases=tuple(_phase(table) for table in top.tables("phases")),
        cells=tuple(_cell(table) for table in top.tables("cells")),
        timeout_s=top.number("timeout_s", default=DEFAULT_TIMEOUT_S, above=0, most=LONGEST_S),
        warm_up_rides=top.integer("warm_up_rides", default=DEFAULT_WARM_UP_RIDES, least=0, most=10_000),
        drain_s=top.number("drain_s", default=DEFAULT_DRAIN_S, least=0, most=LONGEST_S),
    )
    top.expect_nothing_else()
    for position, cell in enumerate(scenario.cells):
        if cell in scenario.cells[:position]:
            raise ScenarioError(f"{source}: cells[{position}] = {cell}: is there already")
    return scenario


def find(name_or_path: str, *, folder: Path) -> Path:
    """Find the file of a scenario: a path that ends in ``.toml``, or the name of a file in *folder*.

    Raises ScenarioError, which lists the scenarios that there are.
    """
    if name_or_path.endswith(".toml"):
        return Path(name_or_path)
    path = folder / f"{name_or_path}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml"))) or "none"
        raise ScenarioError(f"no scenario {name_or_path!r} in {folder} (there: {known}); a path must end in .toml")
    return path


def _phase(table: "_Table") -> Phase:
    phase = Phase(
        duration_s=table.number("duration_s", above=0, most=LONGEST_S),
        arrivals_per_s=table.number("arrivals_per_s", least=0, most=MOST_ARRIVALS_PER_S),
    )
    table.expect_nothing_else()
    return phase


def _cell(table: "_Table") -> Cell:
    cell = Cell(design=table.choice("design", DESIGNS), table_mode=table.choice("table_mode", TABLE_MODES))
    table.expect_nothing_else()
    return cell


_REQUIRED: Any = object()


class _Table:
    """One table of a TOML file; takes values out of it and complains in the file's own terms."""

    def __init__(self, values: Mapping[str, Any], *, source: str, prefix: str = "") -> None:
        self._left = dict(values)
        self._known: list[str] = []
        self._source = source
        self._prefix = prefix

    def text(self, key: str, *, default: str = _REQUIRED) -> str:
        value = self._take(key, default)
        if not isinstance(value, str):
            raise self._error(key, value, "must be a text")
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self._take(key, _REQUIRED)
        if value not in choices:
            raise self._error(key, value, f"must be one of {', '.join(choices)}")
        return str(value)

    def integer(self, key: str, *, default: int = _REQUIRED, least: int, most: int) -> int:
        value = self._take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self._error(key, value, f"must be a whole number from {least} to {most}")
        return value

    def number(
        self, key: str, *, default: float = _REQUIRED, least: float | None = None, above: float = -1.0, most: float
    ) -> float:
        value = self._take(key, default)
        lower = f"above {above:g}" if least is None else f"from {least:g}"
        # Written so that nan, which TOML knows, is refused too.
        if not (_is_number(value) and value > above and value >= (above if least is None else least) and value <= most):
            raise self._error(key, value, f"must be a number {lower} to {most:g}")
        return float(value)

    def tables(self, key: str) -> "list[_Table]":
        """Take the tables under ``[[key]]``, at least one."""
        value = self._take(key, _REQUIRED)
        if not isinstance(value, list) or not value or not all(isinstance(part, dict) for part in value):
            raise self._error(key, value, f"must be one or more tables, each under [[{key}]]")
        return [
            _Table(part, source=self._source, prefix=f"{self._prefix}{key}[{position}].")
            for position, part in enumerate(value)
        ]

    def expect_nothing_else(self) -> None:
        for key, value in self._left.items():
            near = difflib.get_close_matches(key, self._known, n=1)
            hint = f"; did you mean {near[0]}?" if near else f" (known: {', '.join(self._known)})"
            raise self._error(key, value, f"is not a setting here{hint}")

    def _take(self, key: str, default: Any) -> Any:
        self._known.append(key)
        if key in self._left:
            return self._left.pop(key)
        if default is _REQUIRED:
            raise ScenarioError(f"{self._source}: {self._prefix}{key} is missing")
        return default

    def _error(self, key: str, value: object, complaint: str) -> ScenarioError:
        return ScenarioError(f"{self._source}: {self._prefix}{key} = {value!r}: {complaint}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
