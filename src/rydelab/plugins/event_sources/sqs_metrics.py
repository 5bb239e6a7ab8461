"""CloudWatch metrics of queues, summed up and written every few seconds.

LocalStack sends itself two requests for each message that is sent and one for each other call, which takes more of the
machine than the messages themselves.
"""

from typing import Any

from localstack.services.sqs.provider import CloudwatchDispatcher

from rydelab.plugins.metric_writer import MetricWriter

_writer = MetricWriter("AWS/SQS", units={"SentMessageSize": "Bytes"})


def install() -> None:
    """Take the place of LocalStack's dispatcher for single metrics."""
    CloudwatchDispatcher.dispatch_sqs_metric = _dispatch


def _dispatch(
    _dispatcher: CloudwatchDispatcher,
    account_id: str,
    region: str,
    queue_name: str,
    metric: str,
    value: float = 1,
    **_unit: Any,
) -> None:
    _writer.add(account_id, region, (("QueueName", queue_name),), {metric: float(value)})
