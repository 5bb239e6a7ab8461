"""What a function's role must be allowed to do before Lambda takes the function's settings."""

from collections.abc import Mapping
from typing import Any, Final

from localstack.aws.api.lambda_ import InvalidParameterValueException
from localstack.services.lambda_.invocation.lambda_service import LambdaService

from rydelab.plugins.permissions.guard import require_role
from rydelab.plugins.permissions.refusals import AccessDeniedError

_SENDING: Final = {"sqs": ("SendMessage", "SQS"), "sns": ("Publish", "SNS")}


def check_dead_letter_target(settings: Mapping[str, Any], function_name: str, role_arn: str) -> None:
    """Refuse a dead-letter queue or topic to which the role may not send."""
    target_arn = settings.get("DeadLetterConfig", {}).get("TargetArn")
    service = target_arn.split(":")[2] if target_arn else None
    if service not in _SENDING:
        return
    operation, called = _SENDING[service]
    try:
        require_role(role_arn, function_name, f"{service}:{operation}", target_arn)
    except AccessDeniedError as refusal:
        raise InvalidParameterValueException(
            f"The provided execution role does not have permissions to call {operation} on {called}", Type="User"
        ) from refusal


def check_new_role(service: LambdaService, role_arn: str, region: str) -> None:
    """Refuse a role that does not trust Lambda, or is not there."""
    if not service.can_assume_role(role_arn, region):
        raise InvalidParameterValueException(
            "The role defined for the function cannot be assumed by Lambda.", Type="User"
        )
