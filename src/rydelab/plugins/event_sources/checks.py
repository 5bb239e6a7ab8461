"""What Lambda refuses when a mapping from a queue is made or changed, and LocalStack does not check."""

from collections.abc import Mapping
from typing import Any, Final

from localstack.aws.api.lambda_ import InvalidParameterValueException

from rydelab.plugins.lambda_.ranges import check_range
from rydelab.plugins.permissions.guard import require_role
from rydelab.plugins.permissions.refusals import AccessDeniedError

POLLER_ACTIONS: Final = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
LEAST_CONCURRENCY: Final = 2
MOST_CONCURRENCY: Final = 1000
MOST_BATCH: Final = 10_000
MOST_FIFO_BATCH: Final = 10
LONGEST_WINDOW_S: Final = 300


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
    check_range("scalingConfig.maximumConcurrency", maximum, least=LEAST_CONCURRENCY, most=MOST_CONCURRENCY)


def check_batching(request: Mapping[str, Any]) -> None:
    """Refuse batches of more than 10,000 messages, of a FIFO queue 10, and windows over 300 s, or of a FIFO queue."""
    is_fifo = request["EventSourceArn"].endswith(".fifo")
    check_range("batchSize", request.get("BatchSize"), least=1, most=MOST_FIFO_BATCH if is_fifo else MOST_BATCH)
    window_s = request.get("MaximumBatchingWindowInSeconds")
    check_range("maximumBatchingWindowInSeconds", window_s, least=0, most=LONGEST_WINDOW_S)
    if is_fifo and window_s:
        raise InvalidParameterValueException("Batching window is not supported for FIFO queues.", Type="User")
