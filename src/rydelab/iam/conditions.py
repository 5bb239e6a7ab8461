"""The Condition element of a statement: operators, their negation, ``…IfExists``, ForAllValues and ForAnyValue."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, Final

from rydelab.iam.errors import PolicyError
from rydelab.iam.patterns import Context, arn_matches, matches, with_values, without_wildcards

type Test = Callable[[str, str], bool]
"""Whether a value of the request is what one value of the policy asks for. ValueError: it is no such value."""


def _number(compare: Callable[[float, float], bool]) -> Test:
    return lambda value, wanted: compare(float(value), float(wanted))


def _date(compare: Callable[[datetime, datetime], bool]) -> Test:
    return lambda value, wanted: compare(_moment(value), _moment(wanted))


def _moment(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _same_ignoring_case(value: str, wanted: str) -> bool:
    return value.casefold() == wanted.casefold()


def _in_network(value: str, wanted: str) -> bool:
    return ip_address(value) in ip_network(wanted, strict=False)


_TESTS: Final[Mapping[str, Test]] = {
    "StringEquals": operator.eq,
    "StringEqualsIgnoreCase": _same_ignoring_case,
    "StringLike": lambda value, wanted: matches(wanted, value),
    "NumericEquals": _number(operator.eq),
    "NumericLessThan": _number(operator.lt),
    "NumericLessThanEquals": _number(operator.le),
    "NumericGreaterThan": _number(operator.gt),
    "NumericGreaterThanEquals": _number(operator.ge),
    "DateEquals": _date(operator.eq),
    "DateLessThan": _date(operator.lt),
    "DateLessThanEquals": _date(operator.le),
    "DateGreaterThan": _date(operator.gt),
    "DateGreaterThanEquals": _date(operator.ge),
    "Bool": _same_ignoring_case,
    "BinaryEquals": operator.eq,
    "IpAddress": _in_network,
    "ArnEquals": lambda value, wanted: arn_matches(wanted, value),  # the same as ArnLike, says the IAM User Guide
    "ArnLike": lambda value, wanted: arn_matches(wanted, value),
}
_NEGATED: Final[Mapping[str, str]] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}
_KNOWS_WILDCARDS: Final = frozenset({"StringLike", "ArnEquals", "ArnLike"})
_PRESENCE: Final = "Null"
_QUANTIFIERS: Final = frozenset({"", "ForAllValues", "ForAnyValue"})


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator with one key, and the values of which one must fit."""

    key: str
    """In lower case: names of keys are compared without case."""
    wanted: tuple[str, ...]
    test: Test | None
    """None for ``Null``, which asks whether the request has the key."""
    negated: bool
    holds_without_key: bool
    """What the condition says of a request that does not have the key."""
    for_all: bool
    """Whether every value of the request must fit (ForAllValues); else one is enough."""
    fills_variables: bool
    knows_wildcards: bool

    def holds(self, context: Context) -> bool:
        """Whether a request with the values of *context* meets the condition."""
        values = context(self.key)
        if self.test is None:
            return ("true" if values is None else "false") in self.wanted
        if not values:
            return self.holds_without_key
        fitting = (any(self._is(value, one, context) for one in self.wanted) != self.negated for value in values)
        return all(fitting) if self.for_all else any(fitting)

    def _is(self, value: str, wanted: str, context: Context) -> bool:
        assert self.test is not None  # noqa: S101 (holds has seen to it)
        if self.fills_variables:
            filled = with_values(wanted, context)
            if filled is None:
                return False
            wanted = filled if self.knows_wildcards else without_wildcards(filled)
        try:
            return self.test(value, wanted)
        except (ValueError, OverflowError):
            return False


def read_conditions(block: Any, *, fills_variables: bool) -> tuple[Condition, ...]:
    """Read a statement's Condition. Raises PolicyError for what is none, such as an operator that IAM does not have."""
    if not isinstance(block, Mapping) or not all(isinstance(keys, Mapping) for keys in block.values()):
        raise PolicyError(f"Condition must be an object of objects, got {block!r}")
    return tuple(
        _read_condition(name, key, values, fills_variables=fills_variables)
        for name, keys in block.items()
        for key, values in keys.items()
    )


def _read_condition(name: str, key: str, values: Any, *, fills_variables: bool) -> Condition:
    quantifier, _, rest = name.rpartition(":")
    base = rest.removesuffix("IfExists")
    positive = _NEGATED.get(base, base)
    if positive not in {*_TESTS, _PRESENCE} or quantifier not in _QUANTIFIERS:
        raise PolicyError(f"{name} is no condition operator")
    negated = base in _NEGATED
    for_all = quantifier == "ForAllValues"
    return Condition(
        key=key.lower(),
        wanted=tuple(map(_text, values if isinstance(values, list) else [values])),
        test=_TESTS.get(positive),
        negated=negated,
        holds_without_key=base != rest or for_all or (negated and not quantifier),
        for_all=for_all,
        fills_variables=fills_variables and positive.startswith(("String", "Arn")),
        knows_wildcards=positive in _KNOWS_WILDCARDS,
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
