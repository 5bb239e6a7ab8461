"""A message of a standard queue that was deleted, and comes again: the copy of a server that missed the deletion.

Source: Amazon SQS developer guide, "Amazon SQS standard queues", at-least-once delivery.
"""

import copy
from typing import Any

from localstack.services.sqs.models import SqsMessage, SqsQueue, StandardQueue
from localstack.utils.patch import patch

from rydelab.plugins.duplicates import choice


class _Copy(SqsMessage):  # type: ignore[misc]
    """A message that comes for the second time. It does not come for a third."""


def install() -> None:
    """Let deleted messages come again, if the lab was told so; FIFO queues deliver exactly once."""
    chosen = choice()

    @patch(SqsQueue.remove)
    def remove(fn: Any, self: SqsQueue, receipt_handle: str) -> None:
        message = self.receipts.get(receipt_handle)
        fn(self, receipt_handle)
        if message is None or isinstance(message, _Copy) or not isinstance(self, StandardQueue):
            return
        limit = self.max_receive_count
        if limit is not None and message.receive_count >= limit:
            return  # it would go to the dead-letter queue, after it was handled
        if chosen.comes_twice(self.name):
            self._put_message(_copy_of(message))


def _copy_of(message: SqsMessage) -> _Copy:
    again = _Copy(message.priority, copy.deepcopy(message.message))
    again.created = message.created
    again.receive_count = message.receive_count
    again.first_received = message.first_received
    again.visibility_timeout = message.visibility_timeout
    return again
