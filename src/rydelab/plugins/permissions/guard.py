"""Asks the policies, for requests that come through the gateway and for steps that services take by themselves.

Policies are read as they are at each request; only the reading of their text is remembered, so that nothing has to be
forgotten when one changes.
"""

from typing import Final

from rydelab.iam.evaluation import Refusal, Request, evaluate
from rydelab.iam.principals import Principal, Service
from rydelab.plugins.permissions import callers
from rydelab.plugins.permissions.callers import Caller, RoleCaller
from rydelab.plugins.permissions.condition_keys import ConditionKeys, Facts
from rydelab.plugins.permissions.documents import policy
from rydelab.plugins.permissions.needs import Need
from rydelab.plugins.permissions.refusals import error_of
from rydelab.plugins.permissions.resource_policies import document_of
from rydelab.plugins.permissions.setting import enforced

ASSUME_ROLE: Final = "sts:AssumeRole"


def refusal(caller: Caller, need: Need, facts: Facts) -> Refusal | None:
    """Return why *caller* may not have what it needs; None if it may."""
    document = document_of(need.resource) if need.resource else None
    of_resource = policy(document) if document else None
    if not isinstance(caller, RoleCaller):
        return evaluate(_request(caller, caller, need, facts), resource=of_resource)
    return evaluate(
        _request(caller, caller.session, need, facts),
        identity=caller.identity(),
        limits=caller.limits(),
        resource=of_resource,
        resource_must_allow=need.action == ASSUME_ROLE,
    )


def _request(caller: Caller, principal: Principal, need: Need, facts: Facts) -> Request:
    return Request(principal, need.action, need.resource, facts.account_id, ConditionKeys(caller, need, facts))


def require_role(role_arn: str, session_name: str, action: str, resource: str) -> None:
    """Raise LocalStack's ServiceException, with AWS's words, if the role may not do *action* on the ARN *resource*.

    Like `require_service`, it allows everything unless permissions are enforced.
    """
    if enforced():
        _require(callers.of_role(role_arn, session_name), Need(action, resource), source_arn=None)


def require_service(service: str, source_arn: str, action: str, resource: str) -> None:
    """Raise as `require_role` if the policy of *resource* does not let *service* do *action* for *source_arn*.

    *service* is named without its domain: ``sns``.
    """
    if enforced():
        _require(Service(service, resource.split(":")[3]), Need(action, resource), source_arn=source_arn)


def _require(caller: Caller, need: Need, *, source_arn: str | None) -> None:
    assert need.resource is not None  # noqa: S101 (both callers have one)
    _, _, service, region, account_id, _ = need.resource.split(":", 5)
    refused = refusal(caller, need, Facts(region, account_id, source_arn=source_arn))
    if refused is not None:
        raise error_of(refused, service)
