"""Deliveries to Lambda and SQS, made of what LocalStack knows of messages and subscriptions."""

import functools
from typing import Any

from localstack.services.sns.publisher import (
    LambdaTopicPublisher,
    SnsBatchPublishContext,
    SnsPublishContext,
    SqsTopicPublisher,
    TopicPublisher,
    create_sns_message_body,
    store_delivery_log,
)
from localstack.utils.aws.aws_responses import create_sqs_system_attributes
from localstack.utils.aws.dead_letter_queue import sns_error_to_dead_letter_queue

from rydelab.plugins.lambda_ import direct
from rydelab.plugins.local_queue import LocalQueue
from rydelab.plugins.permissions.guard import require_service
from rydelab.plugins.sns.delivery import Deliveries, Delivery

type Subscription = dict[str, Any]

deliveries = Deliveries()


class CountedPublisher:
    """A publisher of LocalStack's; what it shall publish may wait for a thread, and is counted until it is done."""

    def __init__(self, publisher: TopicPublisher, topic_arn: str) -> None:
        self._publisher = publisher
        self._topic_arn = topic_arn
        deliveries.begun(topic_arn)

    def publish(self, context: SnsPublishContext, subscriber: Subscription) -> None:
        """Publish once, in a thread of the SNS service."""
        try:
            self._publisher.publish(context=context, subscriber=subscriber)
        finally:
            deliveries.ended(self._topic_arn)


def publish_to_function(self: LambdaTopicPublisher, context: SnsPublishContext, subscriber: Subscription) -> None:
    """Invoke the subscribed function asynchronously. In the place of ``LambdaTopicPublisher._publish``."""
    event = self.prepare_message(context.message, subscriber, context.topic_attributes).encode()

    def attempt() -> None:
        require_service("sns", subscriber["TopicArn"], "lambda:InvokeFunction", subscriber["Endpoint"])
        direct.invoke(subscriber["Endpoint"], event, "Event")

    def given_up(error: Exception) -> None:
        body = create_sns_message_body(context.message, subscriber, context.topic_attributes)
        _log_delivery(context, subscriber, success=False)
        sns_error_to_dead_letter_queue(subscriber, body, str(error))

    deliveries.deliver(
        Delivery(
            topic_arn=subscriber["TopicArn"],
            attempt=attempt,
            succeeded=functools.partial(_log_delivery, context, subscriber, success=True),
            given_up=given_up,
        )
    )


def publish_to_queue(self: SqsTopicPublisher, context: SnsPublishContext, subscriber: Subscription) -> None:
    """Send to the subscribed queue. In the place of ``SqsTopicPublisher._publish``."""
    queue = LocalQueue(subscriber["Endpoint"])
    body = self.prepare_message(context.message, subscriber, context.topic_attributes)
    parameters = self.get_sqs_kwargs(msg_context=context.message, subscriber=subscriber)
    system_attributes = create_sqs_system_attributes(context.request_headers)

    def attempt() -> None:
        require_service("sns", subscriber["TopicArn"], "sqs:SendMessage", queue.arn)
        queue.send(
            body,
            attributes=parameters.get("MessageAttributes"),
            system_attributes=system_attributes,
            group_id=parameters.get("MessageGroupId"),
            deduplication_id=parameters.get("MessageDeduplicationId"),
        )

    def given_up(error: Exception) -> None:
        _log_delivery(context, subscriber, success=False)
        sns_error_to_dead_letter_queue(subscriber, body, str(error), **parameters)

    deliveries.deliver(
        Delivery(
            topic_arn=subscriber["TopicArn"],
            attempt=attempt,
            succeeded=functools.partial(_log_delivery, context, subscriber, success=True),
            given_up=given_up,
        )
    )


def publish_batch_to_queue(self: SqsTopicPublisher, context: SnsBatchPublishContext, subscriber: Subscription) -> None:
    """Send each message of a batch by itself, so that one that fails is retried alone."""
    for message in context.messages:
        one = SnsPublishContext(message, context.store, context.request_headers, context.topic_attributes)
        publish_to_queue(self, one, subscriber)


def _log_delivery(context: SnsPublishContext, subscriber: Subscription, *, success: bool) -> None:
    store_delivery_log(context.message, subscriber, success=success, topic_attributes=context.topic_attributes)
