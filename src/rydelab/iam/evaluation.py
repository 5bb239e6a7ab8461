"""Whether policies allow a request, and if not, why: AWS's evaluation logic for one account or two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rydelab.iam.document import Policy, Statement
from rydelab.iam.patterns import Context
from rydelab.iam.principals import Grant, Principal, RoleSession


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to do."""

    principal: Principal
    action: str
    """Such as ``dynamodb:PutItem``."""
    resource: str | None
    """Its ARN; ``*`` for an action that is about no resource; None if the lab cannot name it."""
    resource_account_id: str
    context: Context = field(default=lambda _key: None)


@dataclass(frozen=True, slots=True)
class Limit:
    """Policies that allow nothing by themselves, and without which nothing is allowed."""

    kind: str
    """As AWS names it: ``permissions boundary``, ``session policy``."""
    policies: Sequence[Policy]


IDENTITY_BASED: Final = "identity-based policy"
RESOURCE_BASED: Final = "resource-based policy"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not allowed."""

    request: Request
    kind: str
    """The kind of policy that denies it, or that would have to allow it."""
    explicit: bool
    """Whether a Deny says so; else nothing allows it."""

    def what(self, action: str | None = None) -> str:
        """Return who may not do what, in AWS's words; a service may spell the action in a way of its own."""
        return (
            f"User: {self.request.principal.arn} is not authorized to perform: {action or self.request.action} "
            f"on resource: {self.request.resource or '*'}"
        )

    def why(self, action: str | None = None) -> str:
        """Return the reason, in AWS's words."""
        if self.explicit:
            article = "an" if self.kind[0] in "aeiou" else "a"
            return f"with an explicit deny in {article} {self.kind}"
        return f"because no {self.kind} allows the {action or self.request.action} action"


def evaluate(
    request: Request,
    *,
    identity: Sequence[Policy] = (),
    limits: Sequence[Limit] = (),
    resource: Policy | None = None,
    resource_must_allow: bool = False,
) -> Refusal | None:
    """Return why *request* is refused; None if it is allowed.

    *identity* are the policies of the caller, *resource* is that of what it wants to use. Within one account either is
    enough, unless *resource_must_allow* (a role's trust policy); between two accounts both must allow. Services and
    anybody have no policies of their own, so *resource* must allow. *limits* hold for role sessions.
    """
    granting = [(one, _grant(one, request.principal)) for one in _applying([resource] if resource else (), request)]
    named = [(statement, grant) for statement, grant in granting if grant]
    by_kind = {
        IDENTITY_BASED: _applying(identity, request),
        RESOURCE_BASED: [statement for statement, _ in named],
        **{limit.kind: _applying(limit.policies, request) for limit in limits},
    }
    for kind, statements in by_kind.items():
        if any(not statement.allows for statement in statements):
            return Refusal(request, kind, explicit=True)
    granted = max((grant for _, grant in named), default=Grant.NONE)
    lacking = _lacking(request, by_kind, granted, resource_must_allow=resource_must_allow)
    return None if lacking is None else Refusal(request, lacking, explicit=False)


def _applying(policies: Sequence[Policy], request: Request) -> list[Statement]:
    action = request.action.lower()
    return [one for policy in policies for one in policy.applying(action, request.resource, request.context)]


def _grant(statement: Statement, principal: Principal) -> Grant:
    return Grant.NONE if statement.principals is None else statement.principals.grant_to(principal)


def _lacking(
    request: Request, allowing: Mapping[str, Sequence[Statement]], granted: Grant, *, resource_must_allow: bool
) -> str | None:
    """Return the first kind of policy that would have to allow *request* and does not; nothing denies it."""
    needed = {kind for kind in allowing if kind not in (IDENTITY_BASED, RESOURCE_BASED)}
    if not isinstance(request.principal, RoleSession):
        needed = {RESOURCE_BASED}
    elif request.principal.account_id != request.resource_account_id:
        needed |= {RESOURCE_BASED, IDENTITY_BASED}
    elif granted is not Grant.CALLER:
        needed |= {RESOURCE_BASED, IDENTITY_BASED} if resource_must_allow else {IDENTITY_BASED}
    return next((kind for kind, statements in allowing.items() if kind in needed and not statements), None)
