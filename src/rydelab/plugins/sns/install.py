"""Puts our deliveries into LocalStack's SNS. Done once, when the process executor is loaded."""

import json
from functools import cache
from typing import Any, Final

from localstack.http import Request, Response
from localstack.services.edge import ROUTER
from localstack.services.sns.publisher import (
    LambdaTopicPublisher,
    PublishDispatcher,
    SqsBatchTopicPublisher,
    SqsTopicPublisher,
    TopicPublisher,
)
from localstack.utils.patch import patch

from rydelab.plugins.sns import publishers
from rydelab.plugins.supported_version import require_supported_version

OBSERVATION_PATH: Final = "/_rydelab/sns"


@cache
def install() -> None:
    """Replace LocalStack's deliveries to Lambda and SQS. Raises UnsupportedVersionError for another LocalStack."""
    require_supported_version("the delivery of SNS messages")
    LambdaTopicPublisher._publish = publishers.publish_to_function  # noqa: SLF001 (there is no other place)
    SqsTopicPublisher._publish = publishers.publish_to_queue  # noqa: SLF001 (the same)
    SqsBatchTopicPublisher._publish = publishers.publish_batch_to_queue  # noqa: SLF001 (the same)
    ROUTER.add(OBSERVATION_PATH, _observe, methods=["GET"])

    @patch(PublishDispatcher._submit_notification)  # noqa: SLF001 (the same)
    def submit(fn: Any, self: PublishDispatcher, notifier: TopicPublisher, ctx: Any, subscriber: Any) -> None:
        fn(self, publishers.CountedPublisher(notifier, subscriber["TopicArn"]), ctx, subscriber)


def _observe(_request: Request) -> Response:
    """Per topic ARN: deliveries that are not done, by whatever protocol."""
    return Response(json.dumps({"pending_deliveries": publishers.deliveries.pending()}), mimetype="application/json")
