"""The values of condition keys: what a policy's conditions can ask of a request in the lab.

Source: AWS IAM User Guide, "AWS global condition context keys". A key that is not here is absent from every request.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from localstack.http import Request

from rydelab.iam.principals import RoleSession, Service
from rydelab.plugins.permissions.callers import Caller, RoleCaller
from rydelab.plugins.permissions.needs import Need

_PRINCIPAL_TAG: Final = "aws:principaltag/"
_OWNERS: Final = frozenset({"apigateway", "cloudwatch", "events", "ses"})
"""Services that still say ``aws:SourceOwner``, which a topic's default policy asks for (SNS developer guide)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a request besides who makes it and what it needs."""

    region: str
    account_id: str
    """Of the resource, or of the caller if there is none."""
    request: Request | None = None
    """What came in over HTTP; None for a step that a service takes by itself."""
    source_arn: str | None = None
    """The resource for which a service acts."""


@dataclass(frozen=True, slots=True)
class ConditionKeys:
    """Gives the values of a key, by its name in lower case; None if the request does not have it."""

    caller: Caller
    need: Need
    facts: Facts

    def __call__(self, key: str) -> tuple[str, ...] | None:
        """Return the values of *key*."""
        if (of_service := self.need.keys.get(key)) is not None:
            return of_service
        value = _value(_OF_ALL, key, self.caller, self.facts)
        if value is None and isinstance(self.caller, Service):
            value = _value(_OF_SERVICES, key, self.caller, self.facts)
        elif value is None and isinstance(self.caller, RoleCaller):
            if key.startswith(_PRINCIPAL_TAG):
                value = self.caller.tag(key.removeprefix(_PRINCIPAL_TAG))
            else:
                value = _value(_OF_ROLES, key, self.caller.session, self.facts)
        return None if value is None else (value,)


def _value[Who](keys: Mapping[str, Callable[[Who, Facts], str | None]], key: str, who: Who, facts: Facts) -> str | None:
    find = keys.get(key)
    return find(who, facts) if find else None


def _source_account(_who: Service, facts: Facts) -> str | None:
    # A bucket's ARN has none; it is one of the account's own then.
    return (facts.source_arn.split(":")[4] or facts.account_id) if facts.source_arn else None


_OF_SERVICES: Final[Mapping[str, Callable[[Service, Facts], str | None]]] = {
    "aws:principalisawsservice": lambda _service, _facts: "true",
    "aws:principalservicename": lambda service, _facts: service.arn,
    "aws:sourceaccount": _source_account,
    "aws:sourcearn": lambda _service, facts: facts.source_arn,
    "aws:sourceowner": lambda service, facts: _source_account(service, facts) if service.name in _OWNERS else None,
}
_OF_ROLES: Final[Mapping[str, Callable[[RoleSession, Facts], str | None]]] = {
    "aws:principalaccount": lambda session, _facts: session.account_id,
    "aws:principalarn": lambda session, _facts: session.role_arn,
    "aws:principalisawsservice": lambda _session, _facts: "false",
    "aws:principaltype": lambda _session, _facts: "AssumedRole",
    "aws:userid": lambda session, _facts: f"{session.role_id}:{session.session_name}",
}
_OF_ALL: Final[Mapping[str, Callable[[Caller, Facts], str | None]]] = {
    "aws:currenttime": lambda _who, _facts: datetime.now(UTC).isoformat(timespec="seconds"),
    "aws:epochtime": lambda _who, _facts: str(int(time.time())),
    "aws:requestedregion": lambda _who, facts: facts.region,
    "aws:resourceaccount": lambda _who, facts: facts.account_id,
    # The lab speaks HTTP where AWS's SDKs speak HTTPS: a policy that demands HTTPS must not forbid everything here.
    "aws:securetransport": lambda _who, _facts: "true",
    "aws:sourceip": lambda _who, facts: facts.request.remote_addr if facts.request else None,
    "aws:useragent": lambda _who, facts: facts.request.headers.get("User-Agent") if facts.request else None,
    "aws:viaawsservice": lambda _who, _facts: "false",
}
