"""A queue of LocalStack's SQS, spoken to in this process: waiting for a message is waiting for a lock, not polling."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import batched
from typing import Any, Final

from localstack.aws.api import RequestContext
from localstack.aws.spec import load_service
from localstack.http import Request
from localstack.services.plugins import SERVICE_PLUGINS
from localstack.services.sqs.models import SqsQueue
from localstack.services.sqs.provider import SqsProvider
from localstack.utils.aws.arns import parse_arn

MOST_PER_CALL: Final = 10
_ALL: Final = ["All"]


class LocalQueue:
    """The queue *arn*, under whose name another queue may be made at any time.

    Each operation raises LocalStack's QueueDoesNotExist while there is none.
    """

    def __init__(self, arn: str) -> None:
        parts = parse_arn(arn)
        self.arn = arn
        self.region = parts["region"]
        self._account_id = parts["account"]
        self._name = parts["resource"]
        self._url = f"http://sqs.{self.region}.amazonaws.com/{self._account_id}/{self._name}"

    @property
    def visibility_timeout_s(self) -> int:
        """How long a received message stays hidden."""
        return self._queue.visibility_timeout  # type: ignore[no-any-return]

    def receive(self, most: int, wait_s: int) -> Sequence[Mapping[str, Any]]:
        """Receive up to *most* (at most 10) messages with all attributes; wait up to *wait_s* for the first.

        What was received too often moves to the dead-letter queue, as with any other receiver.
        """
        answer = self._provider.receive_message(
            self._context,
            self._url,
            max_number_of_messages=most,
            wait_time_seconds=wait_s,
            message_system_attribute_names=_ALL,
            message_attribute_names=_ALL,
        )
        return answer.get("Messages") or []

    def send(
        self,
        body: str,
        *,
        attributes: Mapping[str, Any] | None = None,
        system_attributes: Mapping[str, Any] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
    ) -> None:
        """Send a message. Raises LocalStack's ServiceException for what SQS refuses."""
        self._provider.send_message(
            self._context,
            self._url,
            body,
            message_attributes=attributes,
            message_system_attributes=system_attributes,
            message_group_id=group_id,
            message_deduplication_id=deduplication_id,
        )

    def delete(self, receipt_handles: Sequence[str]) -> None:
        """Delete messages. One that is gone, or was received by another since then, is no error."""
        for some in batched(receipt_handles, MOST_PER_CALL, strict=False):
            entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(some)]
            self._provider.delete_message_batch(self._context, self._url, entries)

    @property
    def _queue(self) -> SqsQueue:
        return SqsProvider._require_queue(self._account_id, self.region, self._name)  # noqa: SLF001 (no other way)

    @cached_property
    def _provider(self) -> SqsProvider:
        return SERVICE_PLUGINS.get_service("sqs")._provider  # noqa: SLF001 (the same)

    @cached_property
    def _context(self) -> RequestContext:
        context = RequestContext(Request())
        context.service = load_service("sqs")
        context.account_id = self._account_id
        context.region = self.region
        return context
