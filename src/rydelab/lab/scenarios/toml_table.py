"""Takes values out of a TOML document and complains in its own terms: file, key and value."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from rydelab.errors import RydelabError

REQUIRED: Any = object()


class ScenarioError(RydelabError):
    """A scenario that cannot be run; the message names the file, the key and the value."""

    exit_status = 2


class TomlTable:
    """One table of a TOML file. Each value may be taken once; `expect_nothing_else` complains of what is left.

    Every method raises ScenarioError.
    """

    def __init__(self, values: Mapping[str, Any], *, source: str, prefix: str = "") -> None:
        self._left = dict(values)
        self._known: dict[str, None] = {}
        self._source = source
        self._prefix = prefix

    @property
    def left(self) -> dict[str, Any]:
        """A copy of what was not taken yet."""
        return dict(self._left)

    def has(self, key: str) -> bool:
        """Whether the table has a value for *key* that was not taken yet."""
        self._known[key] = None
        return key in self._left

    def text(self, key: str, *, default: str = REQUIRED) -> str:
        """Take a text."""
        value = self._take(key, default)
        if not isinstance(value, str):
            raise self.error(key, value, "must be a text")
        return value

    def choice[T: str](self, key: str, choices: Sequence[T], *, default: T = REQUIRED) -> T:
        """Take one of the texts *choices*."""
        value = self._take(key, default)
        if value not in choices:
            raise self.error(key, value, f"must be one of {', '.join(choices)}")
        return choices[choices.index(value)]

    def choices(self, key: str, choices: Sequence[str]) -> tuple[str, ...]:
        """Take one of the texts *choices*, or a list of some of them."""
        value = self._take(key, REQUIRED)
        chosen = value if isinstance(value, list) else [value]
        if not chosen or any(one not in choices for one in chosen):
            raise self.error(key, value, f"must be one of {', '.join(choices)}, or a list of some of them")
        return tuple(str(one) for one in chosen)

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts; an empty one if the key is not there."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.error(key, value, "must be a list of texts")
        return tuple(value)

    def integer(self, key: str, *, default: int = REQUIRED, least: int, most: int) -> int:
        """Take a whole number."""
        value = self._take(key, default)
        if not is_integer(value) or not least <= value <= most:
            raise self.error(key, value, f"must be a whole number from {least} to {most}")
        return int(value)

    def number(
        self, key: str, *, default: float = REQUIRED, least: float | None = None, above: float = -1.0, most: float
    ) -> float:
        """Take a number that is *least* or more, or more than *above*, and *most* or less."""
        value = self._take(key, default)
        lower = f"above {above:g}" if least is None else f"from {least:g}"
        # Written so that nan, which TOML knows, is refused too.
        if not (is_number(value) and value > above and value >= (above if least is None else least) and value <= most):
            raise self.error(key, value, f"must be a number {lower} to {most:g}")
        return float(value)

    def tables(self, key: str, *, least: int = 1) -> "list[TomlTable]":
        """Take the tables under ``[[key]]``, at least *least* (0 or 1)."""
        value = self._take(key, REQUIRED if least else [])
        if not isinstance(value, list) or len(value) < least or not all(isinstance(part, dict) for part in value):
            raise self.error(key, value, f"must be one or more tables, each under [[{key}]]")
        return [
            TomlTable(part, source=self._source, prefix=f"{self._prefix}{key}[{position}].")
            for position, part in enumerate(value)
        ]

    def table(self, key: str) -> "TomlTable":
        """Take the table under ``[key]``; an empty one if the key is not there."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            raise self.error(key, value, f"must be a table, under [{key}]")
        return TomlTable(value, source=self._source, prefix=f"{self._prefix}{key}.")

    def optional(self, key: str) -> Any:
        """Take a value of any kind, unchecked; None if the key is not there."""
        return self._take(key, None)

    def expect_nothing_else(self) -> None:
        """Complain of the first key that was not taken."""
        for key, value in self._left.items():
            near = difflib.get_close_matches(key, self._known, n=1)
            hint = f"; did you mean {near[0]}?" if near else f" (known: {', '.join(self._known)})"
            raise self.error(key, value, f"is not a setting here{hint}")

    def error(self, key: str, value: object, complaint: str) -> ScenarioError:
        """Make the complaint about the value of *key*."""
        return ScenarioError(f"{self._source}: {self._prefix}{key} = {_shown(value)}: {complaint}")

    def _take(self, key: str, default: Any) -> Any:
        self._known[key] = None
        if key in self._left:
            return self._left.pop(key)
        if default is REQUIRED:
            raise ScenarioError(f"{self._source}: {self._prefix}{key} is missing")
        return default


def _shown(value: object) -> str:
    # What is not TOML's own, such as a cell, has words of its own.
    return repr(value) if isinstance(value, str | int | float | list | dict) else str(value)


def is_integer(value: object) -> bool:
    """Whether *value* is a whole number; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether *value* is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
