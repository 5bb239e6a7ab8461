"""A policy document, read once: its statements, and to which requests each of them applies."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rydelab.iam.conditions import Condition, read_conditions
from rydelab.iam.errors import PolicyError
from rydelab.iam.patterns import Context, any_of, with_values
from rydelab.iam.principals import Principals, read_principals

_VERSION_WITH_VARIABLES: Final = "2012-10-17"
_ARN_COLONS: Final = 5


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

    def is_about(self, action: str, resource: str | None, context: Context) -> bool:
        """Whether it applies to a request, whoever makes it.

        *action* is in lower case. A resource of None is one that the lab cannot name: then any fits an Allow, and only
        ``*`` a Deny.
        """
        return (
            (self.actions.fullmatch(action) is not None) != self.all_actions_but
            and self._is_about_resource(resource, context)
            and all(condition.holds(context) for condition in self.conditions)
        )

    def _is_about_resource(self, resource: str | None, context: Context) -> bool:
        if resource is None:
            return self.allows or "*" in self.resources or not self.resources
        patterns = self.resources
        if not patterns:
            return True
        if self.fills_variables:
            filled = (with_values(pattern, context) for pattern in patterns)
            patterns = tuple(pattern for pattern in filled if pattern is not None)
        return (any_of(patterns).fullmatch(resource) is not None) != self.all_resources_but


type Policy = tuple[Statement, ...]


def read(text: str) -> Policy:
    """Read a policy document. Raises PolicyError for one that IAM would refuse."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise PolicyError(f"the policy is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise PolicyError(f"the policy must be an object, got {document!r}")
    fills_variables = document.get("Version") == _VERSION_WITH_VARIABLES
    return tuple(_statement(one, fills_variables=fills_variables) for one in _several(document.get("Statement", [])))


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
