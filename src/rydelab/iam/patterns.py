"""Strings of a policy that stand for many: ``*`` and ``?``, and policy variables such as ``${aws:username}``."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

type Context = Callable[[str], tuple[str, ...] | None]
"""The values of a condition key, by its name in lower case; None if the request does not have it."""

_VARIABLE: Final = re.compile(r"\$\{\s*(?P<name>[^,}]*?)\s*(?:,\s*'(?P<default>[^']*)'\s*)?\}")
_TOKENS: Final = re.compile(r"(\$\{[*?$]\}|[*?])")
_LITERAL_VARIABLES: Final = frozenset("*?$")
_COMPILED: Final = 4096
_ARN_PARTS: Final = 6


def matches(pattern: str, value: str) -> bool:
    """Whether *value* is what *pattern* stands for: ``*`` is any text, ``?`` any character."""
    return any_of((pattern,)).fullmatch(value) is not None


@lru_cache(_COMPILED)
def any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return an expression that matches in full what one of *patterns* stands for."""
    return re.compile("|".join(map(_expression_of, patterns)) if patterns else r"(?!)", re.DOTALL)


def arn_matches(pattern: str, arn: str) -> bool:
    """Compare as the ARN condition operators do: each of the six parts of an ARN by itself."""
    wanted, found = pattern.split(":", _ARN_PARTS - 1), arn.split(":", _ARN_PARTS - 1)
    return len(wanted) == len(found) == _ARN_PARTS and all(map(matches, wanted, found))


def with_values(pattern: str, context: Context) -> str | None:
    """Put the request's values in the place of variables; None if it lacks one that has no default.

    A ``*`` or ``?`` in a value stands for itself: it comes back as ``${*}``, which `matches` knows.
    """
    if "${" not in pattern:
        return pattern
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        name = found["name"]
        if name in _LITERAL_VARIABLES:
            return found[0]
        values = context(name.lower())
        if values is None or len(values) != 1:
            missing = missing or found["default"] is None
            return _literally(found["default"] or "")
        return _literally(values[0])

    filled = _VARIABLE.sub(value, pattern)
    return None if missing else filled


def without_wildcards(text: str) -> str:
    """Return *text*, of `with_values`, as it is compared by an operator that knows no wildcards."""
    return re.sub(r"\$\{([*?$])\}", r"\1", text)


def _literally(value: str) -> str:
    return re.sub(r"[*?$]", lambda found: "${" + found[0] + "}", value)


def _expression_of(pattern: str) -> str:
    return "".join(map(_expression, _TOKENS.split(pattern)))


def _expression(token: str) -> str:
    match token:
        case "*":
            return ".*"
        case "?":
            return "."
        case "${*}" | "${?}" | "${$}":
            return re.escape(token[2])
        case _:
            return re.escape(token)
