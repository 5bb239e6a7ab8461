"""A redrive policy whose dead-letter queue is gone moves nothing: the message stays in its queue.

LocalStack takes such a message out of its queue first and then finds no other for it, so that it is lost, and fails the
ReceiveMessage call besides.
"""

from localstack.services.sqs.models import SqsQueue, sqs_stores
from localstack.utils.aws.arns import parse_arn


def install() -> None:
    """Let a queue without its dead-letter queue behave as one without a redrive policy."""
    SqsQueue.max_receive_count = property(_max_receive_count)


def _max_receive_count(self: SqsQueue) -> int | None:
    policy = self.redrive_policy
    if not policy:
        return None
    target = parse_arn(policy["deadLetterTargetArn"])
    if target["resource"] not in sqs_stores[target["account"]][target["region"]].queues:
        return None
    return int(policy["maxReceiveCount"])
