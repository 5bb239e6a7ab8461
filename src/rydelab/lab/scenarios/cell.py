"""A cell: one design with one table mode and options, deployed under a stage of its own. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rydelab.errors import RydelabError

DESIGNS = ("microservices", "direct-invoke", "event-driven", "queued")
TABLE_MODES = ("provisioned", "autoscaled", "on-demand")
WITH_UNITS = ("provisioned", "autoscaled")

DEFAULT_UNITS = 1
DEFAULT_MAX_UNITS = 40
"""Both are the templates' own; see services/README.md."""
MOST_UNITS = 40_000
LEAST_MEMORY_MB, MOST_MEMORY_MB = 128, 10_240
MOST_CONCURRENCY = 1_000


class CellNameError(RydelabError):
    """A cell on the command line that cannot be understood; the message has its text."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Option:
    """What a cell can set besides design and table mode: one of some words, or a whole number."""

    description: str
    parameter: str | None = None
    """The parameter of the templates that it sets; None if it is set through Lambda's API."""
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0
    table_modes: tuple[str, ...] = TABLE_MODES
    """Where it means something."""
    default: str | int | None = None
    """The templates' own; None for nothing."""

    def check(self, value: object) -> str | None:
        """Return what is wrong with *value*, None if nothing is."""
        if self.choices:
            return None if value in self.choices else f"must be one of {', '.join(self.choices)}"
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if is_whole and self.least <= value <= self.most:  # type: ignore[operator] # it is a number here
            return None
        return f"must be a whole number from {self.least} to {self.most}"


OPTIONS: Mapping[str, Option] = {
    "read_units": Option(
        "read units a second; the minimum when autoscaled",
        "ReadCapacityUnits",
        least=1,
        most=MOST_UNITS,
        table_modes=WITH_UNITS,
        default=DEFAULT_UNITS,
    ),
    "write_units": Option(
        "write units a second; the minimum when autoscaled",
        "WriteCapacityUnits",
        least=1,
        most=MOST_UNITS,
        table_modes=WITH_UNITS,
        default=DEFAULT_UNITS,
    ),
    "max_read_units": Option(
        "the most read units that auto scaling sets",
        "MaxReadCapacityUnits",
        least=1,
        most=MOST_UNITS,
        table_modes=("autoscaled",),
        default=DEFAULT_MAX_UNITS,
    ),
    "max_write_units": Option(
        "the most write units that auto scaling sets",
        "MaxWriteCapacityUnits",
        least=1,
        most=MOST_UNITS,
        table_modes=("autoscaled",),
        default=DEFAULT_MAX_UNITS,
    ),
    "sdk_retry_mode": Option(
        "how the AWS SDK in the functions retries", "SdkRetryMode", choices=("legacy", "standard"), default="legacy"
    ),
    "on_record_failure": Option(
        "what RequestRide answers when its ride could not be handed over",
        "OnRecordFailure",
        choices=("fail", "ignore"),
        default="fail",
    ),
    "memory_mb": Option(
        "memory of every function", least=LEAST_MEMORY_MB, most=MOST_MEMORY_MB, default=LEAST_MEMORY_MB
    ),
    "ride_concurrency": Option("reserved concurrency of RequestRide", least=0, most=MOST_CONCURRENCY),
    "record_concurrency": Option(
        "reserved concurrency of the function that records rides", least=0, most=MOST_CONCURRENCY
    ),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One design with one table mode. *options* has a value for each of `OPTIONS` that was set."""

    design: str
    table_mode: str
    options: Mapping[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([self.design, self.table_mode, *(f"{name}={value}" for name, value in self.options.items())])

    @property
    def settings(self) -> dict[str, str | int]:
        """Every option that has a value: what was set, else the templates' own."""
        values = {
            name: self.options.get(name) if name in self.options else option.default
            for name, option in OPTIONS.items()
            if self.table_mode in option.table_modes
        }
        return {name: value for name, value in values.items() if value is not None}

    @property
    def parameters(self) -> dict[str, str]:
        """What the options say to the templates, by parameter."""
        return {
            option.parameter: str(self.options[name])
            for name, option in OPTIONS.items()
            if option.parameter and name in self.options
        }


def variant(cell: Cell, cells: Iterable[Cell]) -> str:
    """Say what sets *cell* apart from the others of *cells* with the same design and table mode; mostly nothing."""
    alike = [one for one in cells if (one.design, one.table_mode) == (cell.design, cell.table_mode)]
    differing = [name for name in OPTIONS if len({one.settings.get(name) for one in alike}) > 1]
    return " ".join(f"{name}={cell.settings[name]}" for name in differing if name in cell.settings)


def wrong_maximum(options: Mapping[str, Any]) -> str | None:
    """Return the name of the option whose maximum is below its minimum, None if there is none."""
    for access in ("read", "write"):
        least = options.get(f"{access}_units", DEFAULT_UNITS)
        if options.get(f"max_{access}_units", DEFAULT_MAX_UNITS) < least:
            return f"max_{access}_units" if f"max_{access}_units" in options else f"{access}_units"
    return None


def parse_cells(text: str) -> tuple[Cell, ...]:
    """Read cells as the command line names them: ``DESIGN:MODE[:OPTION=VALUE]…``, separated by commas.

    DESIGN and MODE may be ``*``, for all of them. Raises CellNameError.
    """
    cells = [cell for part in text.split(",") for cell in _parse_one(part.strip(), text)]
    for position, cell in enumerate(cells):
        if cell in cells[:position]:
            raise CellNameError(f"--cells {text}: {cell} is there twice")
    return tuple(cells)


def _parse_one(part: str, whole: str) -> list[Cell]:
    design, _, rest = part.partition(":")
    mode, *settings = rest.split(":")
    designs = _chosen(design, DESIGNS, "design", whole)
    modes = _chosen(mode, TABLE_MODES, "table mode", whole)
    options = dict(_option(setting, whole) for setting in settings)
    for name in options:
        if not set(OPTIONS[name].table_modes) & set(modes):
            raise CellNameError(f"--cells {whole}: {name} means nothing to a table that is {' or '.join(modes)}")
    cells = expand(designs, modes, options)
    if "autoscaled" in modes and (wrong := wrong_maximum(options)):
        raise CellNameError(f"--cells {whole}: {wrong} puts the maximum below the minimum")
    return cells


def expand(designs: tuple[str, ...], table_modes: tuple[str, ...], options: Mapping[str, str | int]) -> list[Cell]:
    """Make a cell of each design with each mode, with the options that mean something to it."""
    return [
        Cell(
            design,
            mode,
            {name: options[name] for name in OPTIONS if name in options and mode in OPTIONS[name].table_modes},
        )
        for design in designs
        for mode in table_modes
    ]


def _chosen(word: str, words: tuple[str, ...], what: str, whole: str) -> tuple[str, ...]:
    if word == "*":
        return words
    if word not in words:
        raise CellNameError(f"--cells {whole}: {word!r} is no {what}; there are {', '.join(words)}")
    return (word,)


def _option(setting: str, whole: str) -> tuple[str, str | int]:
    name, _, text = setting.partition("=")
    if name not in OPTIONS:
        raise CellNameError(f"--cells {whole}: {name!r} is no option; there are {', '.join(OPTIONS)}")
    value: str | int = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text
    if complaint := OPTIONS[name].check(value):
        raise CellNameError(f"--cells {whole}: {name}={text}: {complaint}")
    return name, value
