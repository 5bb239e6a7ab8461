"""AWS's answer to a caller that may not do what it asks for: each service has a code and a spelling of its own.

The words are those that people were seen to get from AWS (`User: ... is not authorized to perform: ...`).
"""

from typing import Final

from localstack.aws.api import CommonServiceException
from localstack.aws.spec import load_service

from rydelab.iam.evaluation import Refusal
from rydelab.iam.principals import Anybody

_BY_PROTOCOL: Final = {"json": ("AccessDeniedException", 400), "rest-json": ("AccessDeniedException", 403)}
_OTHERWISE: Final = ("AccessDenied", 403)
_BY_SERVICE: Final = {
    "sns": ("AuthorizationError", 403),
    "sqs": ("AccessDenied", 403),
    "ec2": ("UnauthorizedOperation", 403),
}


class AccessDeniedError(CommonServiceException):  # type: ignore[misc]
    """The refusal as the service answers it."""


def error_of(refusal: Refusal, service_name: str) -> AccessDeniedError:
    """Return what the service *service_name*, by botocore's name, answers."""
    protocol = load_service(service_name).protocol
    code, status = _BY_SERVICE.get(service_name) or _BY_PROTOCOL.get(protocol, _OTHERWISE)
    return AccessDeniedError(code, _words(refusal), status_code=status, sender_fault=True)


def _words(refusal: Refusal) -> str:
    if isinstance(refusal.request.principal, Anybody):
        return "Access Denied"
    action = refusal.request.action
    service, _, operation = action.partition(":")
    if service == "sqs":
        action = action.lower()
    elif service == "sns":
        action = f"SNS:{operation}"
    if service == "sts":
        return refusal.what(action)
    what = refusal.what(action)
    if service == "s3" and refusal.request.resource:
        what = what.replace(refusal.request.resource, f'"{refusal.request.resource}"')
    return f"{what} {refusal.why(action)}"
