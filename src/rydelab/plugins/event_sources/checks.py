"""What Lambda refuses when a mapping from a queue is made or changed, and LocalStack does not check."""

from collections.abc import Mapping
from typing import Any, Final

from localstack.aws.api import CommonServiceException
from localstack.aws.api.lambda_ import InvalidParameterValueException

from rydelab.plugins.permissions.guard import require_role
from rydelab.plugins.permissions.refusals import AccessDeniedError

POLLER_ACTIONS: Final = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
LEAST_CONCURRENCY: Final = 2
MOST_CONCURRENCY: Final = 1000


def check_visibility_timeout(visibility_timeout_s: int, function_timeout_s: int) -> None:
    """Refuse a queue that would show a message again while the function may still work on it."""
    if visibility_timeout_s < function_timeout_s:
        raise InvalidParameterValueException(
            f"Queue visibility timeout: {visibility_timeout_s} seconds is less than "
            f"Function timeout: {function_timeout_s} seconds",
            Type="User",
        )


def check_permissions(role_arn: str, function_arn: str, queue_arn: str) -> None:
    """Refuse a function whose role may not do what taking messages from the queue needs."""
    for operation in POLLER_ACTIONS:
        try:
            require_role(role_arn, function_arn.split(":")[6], f"sqs:{operation}", queue_arn)
        except AccessDeniedError as refusal:
            raise InvalidParameterValueException(
                f"The function execution role does not have permissions to call {operation} on SQS", Type="User"
            ) from refusal


def no_access(stream_arn: str) -> InvalidParameterValueException:
    """Return the refusal of a function whose role may not read the stream."""
    return InvalidParameterValueException(
        f"Cannot access stream {stream_arn}. Please ensure the role can perform the GetRecords, GetShardIterator, "
        "DescribeStream, and ListStreams Actions on your stream in IAM.",
        Type="User",
    )


def check_scaling(request: Mapping[str, Any]) -> None:
    """Refuse a MaximumConcurrency outside 2 to 1,000."""
    maximum = (request.get("ScalingConfig") or {}).get("MaximumConcurrency")
    if maximum is None or LEAST_CONCURRENCY <= maximum <= MOST_CONCURRENCY:
        return
    bound = (
        f"greater than or equal to {LEAST_CONCURRENCY}"
        if maximum < LEAST_CONCURRENCY
        else f"less than or equal to {MOST_CONCURRENCY}"
    )
    raise CommonServiceException(
        "ValidationException",
        f"1 validation error detected: Value '{maximum}' at 'scalingConfig.maximumConcurrency' failed to satisfy "
        f"constraint: Member must have value {bound}",
        sender_fault=True,
    )
