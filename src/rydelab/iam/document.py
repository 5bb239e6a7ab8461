"""A policy document, read once: its statements, and to which requests each of them applies."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from rydelab.iam.conditions import Condition, read_conditions
from rydelab.iam.errors import PolicyError
from rydelab.iam.patterns import Context, any_of, with_values
from rydelab.iam.principals import Principals, read_principals

_VERSION_WITH_VARIABLES: Final = "2012-10-17"
_ARN_COLONS: Final = 5
_REMEMBERED: Final = 16_384


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy."""

    allows: bool
    """Whether its Effect is Allow; else it is Deny."""
    actions: re.Pattern[str]
    """In lower case; those of NotAction if *all_actions_but*."""
    all_actions_but: bool
    resources: tuple[str, ...]
    """Patterns; those of NotResource if *all_resources_but*. None of either, as in a trust policy: every resource."""
    all_resources_but: bool
    principals: Principals | None
    """None in an identity-based policy."""
    conditions: tuple[Condition, ...]
    fills_variables: bool
    """Whether one of *resources* has a policy variable."""

    def may_be_about(self, action: str, resource: str | None) -> bool:
        """Whether it applies to a request, as far as that can be told without the request's context.

        *action* is in lower case. A resource of None is one that the lab cannot name: then any fits an Allow, and only
        ``*`` a Deny.
        """
        if (self.actions.fullmatch(action) is not None) == self.all_actions_but:
            return False
        return self.fills_variables or self._is_about_resource(self.resources, resource)

    def holds_for(self, resource: str | None, context: Context) -> bool:
        """Whether a statement that `may_be_about` a request is about it."""
        if self.fills_variables:
            filled = (with_values(pattern, context) for pattern in self.resources)
            if not self._is_about_resource(tuple(one for one in filled if one is not None), resource):
                return False
        return all(condition.holds(context) for condition in self.conditions)

    def _is_about_resource(self, patterns: tuple[str, ...], resource: str | None) -> bool:
        if not self.resources:
            return True
        if resource is None:
            return self.allows or "*" in patterns
        return (any_of(patterns).fullmatch(resource) is not None) != self.all_resources_but


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """The statements of a document. It is equal to itself alone, so that what it says can be remembered cheaply."""

    statements: tuple[Statement, ...]

    def applying(self, action: str, resource: str | None, context: Context) -> list[Statement]:
        """Return the statements that apply to a request, whoever makes it; *action* is in lower case."""
        return [one for one in _candidates(self, action, resource) if one.holds_for(resource, context)]


@lru_cache(_REMEMBERED)
def _candidates(policy: Policy, action: str, resource: str | None) -> tuple[Statement, ...]:
    return tuple(one for one in policy.statements if one.may_be_about(action, resource))


def read(text: str) -> Policy:
    """Read a policy document. Raises PolicyError for one that IAM would refuse."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise PolicyError(f"the policy is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise PolicyError(f"the policy must be an object, got {document!r}")
    fills_variables = document.get("Version") == _VERSION_WITH_VARIABLES
    statements = _several(document.get("Statement", []))
    return Policy(tuple(_statement(one, fills_variables=fills_variables) for one in statements))


def _statement(given: Any, *, fills_variables: bool) -> Statement:
    if not isinstance(given, Mapping) or given.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f"a statement must be an object with the Effect Allow or Deny, got {given!r}")
    if ("Action" in given) == ("NotAction" in given):
        raise PolicyError(f"a statement must have either Action or NotAction, got {given!r}")
    resources = tuple(_complete(one) for one in _texts(given.get("Resource", given.get("NotResource", []))))
    return Statement(
        allows=given["Effect"] == "Allow",
        actions=any_of(tuple(action.lower() for action in _texts(given.get("Action", given.get("NotAction"))))),
        all_actions_but="NotAction" in given,
        resources=resources,
        all_resources_but="NotResource" in given,
        principals=read_principals(given),
        conditions=read_conditions(given.get("Condition", {}), fills_variables=fills_variables),
        fills_variables=fills_variables and any("${" in pattern for pattern in resources),
    )


def _complete(pattern: str) -> str:
    """Return an ARN with ``*`` in the place of parts that are missing at its end: it stands for those."""
    missing = _ARN_COLONS - pattern.count(":")
    return pattern + ":*" * missing if pattern.startswith("arn:") and missing > 0 else pattern


def _several(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


def _texts(value: Any) -> list[str]:
    texts = list(_several(value))
    if not all(isinstance(text, str) for text in texts):
        raise PolicyError(f"actions and resources must be strings, got {value!r}")
    return texts
