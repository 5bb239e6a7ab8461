"""The front's settings: ``RYDELAB_DYNAMODB_…`` environment variables, checked when LocalStack loads the provider."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_origin

from rydelab.capacity.settings import Settings

PREFIX = "RYDELAB_DYNAMODB_"

type StoreName = Literal["moto", "localstack"]

_SWITCH = {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False}


class DynamoDbSettingError(ValueError):
    """A variable has a value that cannot be used, or is not known; the message names the variable and the value."""


@dataclass(frozen=True, slots=True)
class DynamoDbSettings:
    """How the DynamoDB of a lab behaves."""

    enforcement: bool = True
    """Whether requests are metered and refused; off, the store answers alone."""
    store: StoreName = "moto"
    """What keeps the items: moto's tables with ordered reads, or LocalStack's own provider (DynamoDB Local)."""
    series_s: int = 3600
    """Seconds with traffic that the observation remembers for each table and index."""
    capacity: Settings = field(default_factory=Settings)
    """What AWS does not document, or lets a customer raise."""


def from_environment(environ: Mapping[str, str], *, clock_speed: float = 1.0) -> DynamoDbSettings:
    """Read the settings; *clock_speed* makes the slow control loops run so many times faster.

    Every field of the capacity model's Settings is a variable: ``update_delay_s`` is
    ``RYDELAB_DYNAMODB_UPDATE_DELAY_S``. Raises DynamoDbSettingError.
    """
    given = {name: text for name, text in environ.items() if name.startswith(PREFIX)}
    values: dict[str, Any] = {}
    for name, parse in _FRONT.items():
        variable = f"{PREFIX}{name.upper()}"
        if variable in given:
            values[name] = _parsed(variable, given.pop(variable), parse)
    capacity: dict[str, Any] = {}
    for model_field in fields(Settings):
        variable = f"{PREFIX}{model_field.name.upper()}"
        if variable in given:
            capacity[model_field.name] = _parsed(variable, text := given.pop(variable), _parser_of(model_field.type))
            try:
                Settings(**{model_field.name: capacity[model_field.name]})
            except ValueError as error:
                raise DynamoDbSettingError(f"{variable}={text}: {error}") from None
    for variable, text in given.items():
        raise DynamoDbSettingError(f"{variable}={text}: there is no such setting")
    return DynamoDbSettings(**values, capacity=Settings(**capacity).at_clock_speed(clock_speed))


def _parsed(variable: str, text: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        raise DynamoDbSettingError(f"{variable}={text}: {error}") from None


def _parser_of(kind: Any) -> Callable[[str], Any]:
    if get_origin(kind) is Literal:
        return _choice(get_args(kind))
    parsers: dict[Any, Callable[[str], Any]] = {bool: _switch, int: _whole_number, float: _number}
    return parsers[kind]


def _switch(text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueError("must be on or off")
    return _SWITCH[text.lower()]


def _choice(choices: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return parse


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("must be a whole number") from None


def _seconds(text: str) -> int:
    value = _whole_number(text)
    if value < 1:
        raise ValueError("must be at least 1")
    return value


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("must be a number") from None
    if math.isnan(value):
        raise ValueError("must be a number")
    return value


_FRONT: dict[str, Callable[[str], Any]] = {
    "enforcement": _switch,
    "store": _choice(("moto", "localstack")),
    "series_s": _seconds,
}
