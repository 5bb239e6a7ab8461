"""Who asks, and the Principal element of a resource-based policy that says to whom a statement applies."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

_EVERYONE: Final = "*"


@dataclass(frozen=True, slots=True)
class RoleSession:
    """A role that somebody has assumed: what a function's code calls AWS as."""

    account_id: str
    role_arn: str
    session_name: str
    role_id: str = ""

    @property
    def arn(self) -> str:
        """The session's ARN, as AWS names the caller in its refusals."""
        partition = self.role_arn.split(":", 2)[1]
        role_name = self.role_arn.rpartition("/")[2]
        return f"arn:{partition}:sts::{self.account_id}:assumed-role/{role_name}/{self.session_name}"


@dataclass(frozen=True, slots=True)
class Service:
    """An AWS service that acts for one of its resources, such as API Gateway for an API."""

    name: str
    """Without the domain: ``apigateway``."""
    region: str

    @property
    def arn(self) -> str:
        """How the service is named where a caller's ARN is."""
        return f"{self.name}.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Anybody:
    """Who asks without credentials, such as a browser that reads a public page."""

    arn: str = "anonymous"


type Principal = RoleSession | Service | Anybody


class Grant(IntEnum):
    """How a resource-based policy speaks of a caller."""

    NONE = 0
    ACCOUNT = 1
    """The caller's account is named: it may pass the permission on, by identity-based policies."""
    CALLER = 2
    """The caller itself is named, or everyone."""


@dataclass(frozen=True, slots=True)
class Principals:
    """The Principal (or NotPrincipal) of a statement."""

    aws: frozenset[str]
    services: frozenset[str]
    all_but: bool

    def grant_to(self, principal: Principal) -> Grant:
        """Say whether the statement is about *principal*, and how."""
        named = self._names(principal)
        if self.all_but:
            return Grant.NONE if named else Grant.CALLER
        return named

    def _names(self, principal: Principal) -> Grant:
        if _EVERYONE in self.aws:
            return Grant.CALLER
        if isinstance(principal, Service):
            names = {principal.arn, f"{principal.name}.{principal.region}.amazonaws.com", _EVERYONE}
            return Grant.CALLER if names & self.services else Grant.NONE
        if isinstance(principal, Anybody):
            return Grant.NONE
        if {principal.arn, principal.role_arn, principal.role_id or principal.arn} & self.aws:
            return Grant.CALLER
        partition = principal.role_arn.split(":", 2)[1]
        account = {principal.account_id, f"arn:{partition}:iam::{principal.account_id}:root"}
        return Grant.ACCOUNT if account & self.aws else Grant.NONE


def read_principals(statement: Mapping[str, Any]) -> Principals | None:
    """Read a statement's Principal or NotPrincipal; None if it has neither."""
    all_but = "NotPrincipal" in statement
    given = statement.get("NotPrincipal") if all_but else statement.get("Principal")
    if given is None:
        return None
    if not isinstance(given, Mapping):
        given = {"AWS": given}
    return Principals(aws=_names(given.get("AWS")), services=_names(given.get("Service")), all_but=all_but)


def _names(value: Any) -> frozenset[str]:
    if value is None:
        return frozenset()
    return frozenset(map(str, value if isinstance(value, list) else [value]))
