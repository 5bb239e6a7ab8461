"""Queues and topics that refuse, by the requests of clients and by those that the lab makes itself."""

from collections.abc import Callable
from typing import Any, Final

from localstack.aws.api import CommonServiceException
from localstack.aws.api.sns import InternalErrorException
from localstack.services.sns.provider import SnsProvider
from localstack.services.sqs.provider import SqsProvider
from localstack.utils.patch import Patch

from rydelab.plugins.faults.registry import faults

_QUEUE_OPERATIONS: Final = (
    *(SqsProvider.send_message, SqsProvider.send_message_batch, SqsProvider.receive_message),
    *(SqsProvider.delete_message, SqsProvider.delete_message_batch),
    *(SqsProvider.change_message_visibility, SqsProvider.change_message_visibility_batch),
)


def install() -> None:
    """Put a look at the faults before each operation on messages.

    The lab's own deliveries (event sources, SNS to SQS, dead letters) call these methods too.
    """
    for operation in _QUEUE_OPERATIONS:
        Patch.function(operation, _refusing_queue).apply()
    Patch.function(SnsProvider.publish, _publish).apply()
    Patch.function(SnsProvider.publish_batch, _publish_batch).apply()


def _refusing_queue(
    stock: Callable[..., Any], self: SqsProvider, context: Any, queue_url: str, *arguments: Any, **parameters: Any
) -> Any:
    if faults.meeting("queue-refused", queue_url.rpartition("/")[2]):
        raise CommonServiceException(
            "ServiceUnavailable", "The queue refuses this request: a fault that was set on purpose.", status_code=503
        )
    return stock(self, context, queue_url, *arguments, **parameters)


def _publish(stock: Callable[..., Any], self: SnsProvider, *arguments: Any, **parameters: Any) -> Any:
    _refuse_topic(parameters.get("topic_arn") or parameters.get("target_arn"))
    return stock(self, *arguments, **parameters)


def _publish_batch(stock: Callable[..., Any], self: SnsProvider, *arguments: Any, **parameters: Any) -> Any:
    _refuse_topic(parameters.get("topic_arn"))
    return stock(self, *arguments, **parameters)


def _refuse_topic(arn: str | None) -> None:
    if arn and faults.meeting("topic-refused", arn.rpartition(":")[2]):
        raise InternalErrorException("The topic refuses this request: a fault that was set on purpose.")
