"""Messages are visible again when their visibility timeout is over, and not at the next second.

LocalStack looks for them once a second. Those of a whole second then come back together, and are received as one batch
where AWS has many: a function that writes message by message tries the first and has no time left for the others.
"""

from contextlib import suppress
from typing import Any, Final

from localstack.services.sqs.models import SqsQueue
from localstack.services.sqs.provider import QueueUpdateWorker
from localstack.utils.patch import patch

_PERIOD_S: Final = 0.05


def install() -> None:
    """Look more often, beside LocalStack's own look."""

    @patch(QueueUpdateWorker.start)
    def start(fn: Any, self: QueueUpdateWorker) -> None:
        fn(self)
        self.scheduler.schedule(lambda: _look(self), period=_PERIOD_S, fixed_rate=False)


def _look(worker: QueueUpdateWorker) -> None:
    with suppress(RuntimeError):  # a queue was made or deleted while they were gone through: the next look sees it
        for queue in worker.iter_queues():
            if queue.inflight:
                _put_back(queue)


def _put_back(queue: SqsQueue) -> None:
    """Put back what is visible again, the oldest first, up to one that is not: a look costs what it puts back.

    Those behind one that is hidden for longer are left to LocalStack's look.
    """
    with queue.mutex:
        while queue.inflight and (oldest := next(iter(queue.inflight))).is_visible:
            del queue.inflight[oldest]
            queue._put_message(oldest)  # noqa: SLF001 (there is no other way in)
