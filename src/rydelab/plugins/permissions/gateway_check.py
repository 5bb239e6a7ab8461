"""Stands in front of every service of the gateway and lets pass what policies allow."""

from typing import Final

from localstack.aws import handlers
from localstack.aws.api import RequestContext
from localstack.aws.chain import HandlerChain
from localstack.aws.connect import InternalRequestParameters
from localstack.http import Response

from rydelab.iam.principals import Service
from rydelab.plugins.permissions import callers, website
from rydelab.plugins.permissions.callers import Caller
from rydelab.plugins.permissions.condition_keys import Facts
from rydelab.plugins.permissions.guard import ASSUME_ROLE, refusal
from rydelab.plugins.permissions.needs import Call, Need, account_of, needs_of
from rydelab.plugins.permissions.refusals import error_of
from rydelab.plugins.supported_version import require_supported_version

_IAM_NAMES: Final = {"monitoring": "cloudwatch"}
"""Services whose actions do not begin with the name that they sign with."""
_BY_SERVICES: Final = {ASSUME_ROLE, "lambda:InvokeFunction", "sns:Publish", "sqs:SendMessage"}
"""What services do to resources on behalf of others, and LocalStack says for whom. All else is the lab's own doing."""
_TOPIC_PARTS: Final = 6


def install() -> None:
    """Begin to check. Raises UnsupportedVersionError for another LocalStack."""
    require_supported_version("the enforcement of permissions")
    callers.install()
    website.install()
    handlers.serve_custom_service_request_handlers.append(check)


def check(_chain: HandlerChain, context: RequestContext, _response: Response) -> None:
    """Let a request pass, or raise the service's refusal."""
    if context.operation is None or (caller := callers.of_request(context)) is None:
        return
    service = context.service.signing_name
    call = Call(
        service=_IAM_NAMES.get(service, service),
        operation=context.operation.name,
        request=context.service_request or {},
        region=context.region,
        account_id=context.account_id,
    )
    for need in needs_of(call):
        if isinstance(caller, Service) and need.action not in _BY_SERVICES:
            continue
        if (refused := refusal(caller, need, _facts(context, need, caller))) is not None:
            raise error_of(refused, context.service.service_name)


def _facts(context: RequestContext, need: Need, caller: Caller) -> Facts:
    internal = context.internal_request_params
    return Facts(
        region=context.region,
        account_id=account_of(need.resource) or context.account_id,
        request=context.request if internal is None else None,
        source_arn=_source_arn(internal) if isinstance(caller, Service) else None,
    )


def _source_arn(internal: InternalRequestParameters) -> str | None:
    source_arn: str | None = internal.get("source_arn")
    if source_arn and ":sns:" in source_arn:  # on AWS a topic, where LocalStack may name its subscription
        return ":".join(source_arn.split(":")[:_TOPIC_PARTS])
    return source_arn
