"""Turns JSON values into the dataclasses that they were made of, and says which value does not fit. Pure."""

import dataclasses
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, TypeAliasType, Union, get_args, get_origin, get_type_hints


class UnexpectedValueError(ValueError):
    """A value that does not fit; the message names where it is."""


def parse[T](kind: type[T], value: Any, *, where: str) -> T:
    """Make a *kind*, a dataclass, of *value* as ``json.loads`` gives it; *where* is what messages call it.

    Keys that the dataclass does not have are left out: a newer version may have written them. Raises
    UnexpectedValueError.
    """
    if not isinstance(value, dict):
        raise _unexpected(where, value, "an object")
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # mypy cannot say "a dataclass"
        if field.name in value:
            values[field.name] = _value(hints[field.name], value[field.name], f"{where}.{field.name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise UnexpectedValueError(f"{where}.{field.name} is missing")
    return kind(**values)


def _value(kind: Any, value: Any, where: str) -> Any:
    if isinstance(kind, TypeAliasType):
        kind = kind.__value__
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return _one_of(arguments, value, where)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return parse(kind, value, where=where)
    if origin is tuple:
        if not isinstance(value, list):
            raise _unexpected(where, value, "a list")
        return tuple(_value(arguments[0], part, f"{where}[{at}]") for at, part in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, dict):
            raise _unexpected(where, value, "an object")
        return {key: _value(arguments[1], part, f"{where}.{key}") for key, part in value.items()}
    return _scalar(kind, value, where)


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    problem: UnexpectedValueError | None = None
    for kind in kinds:
        if kind is not NoneType:
            try:
                return _value(kind, value, where)
            except UnexpectedValueError as error:
                problem = error
    raise problem or _unexpected(where, value, "something else")


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return value
    # True is an int to Python, but not to whoever wrote the file.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _unexpected(
            where, value, {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}[kind]
        )
    return value


def _unexpected(where: str, value: Any, expected: str) -> UnexpectedValueError:
    text = repr(value)
    return UnexpectedValueError(f"{where} = {text if len(text) <= 60 else text[:59] + '…'}: must be {expected}")  # noqa: PLR2004
