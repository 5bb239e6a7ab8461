"""Puts our deliveries into LocalStack's SNS. Done once, when the process executor is loaded."""

import json
from functools import cache
from typing import Final

from localstack.http import Request, Response
from localstack.services.edge import ROUTER
from localstack.services.sns.publisher import LambdaTopicPublisher, SqsBatchTopicPublisher, SqsTopicPublisher

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


def _observe(_request: Request) -> Response:
    """Per topic ARN: deliveries that wait for another attempt."""
    return Response(json.dumps({"waiting_deliveries": publishers.deliveries.waiting()}), mimetype="application/json")
