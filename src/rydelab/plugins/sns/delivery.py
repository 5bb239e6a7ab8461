"""One message on its way to one subscription: delivered, tried again later, or given up."""

import heapq
import itertools
import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from localstack.aws.api import ServiceException

from rydelab.plugins import lab_clock
from rydelab.plugins.sns.phases import wait_s

LOG = logging.getLogger(__name__)

_SERVER_ERROR: Final = 500
_TOO_MANY_REQUESTS: Final = 429
# A function that is being made or changed; it is there, so this is not the subscriber's mistake.
_SOON_OVER: Final = "ResourceConflictException"


@dataclass(slots=True)
class Delivery:
    """What is to be done for one message and one subscription."""

    topic_arn: str
    attempt: Callable[[], None]
    """Hands the message over; raises if the endpoint does not take it."""
    succeeded: Callable[[], None]
    given_up: Callable[[Exception], None]
    """Sends the message to the subscription's dead-letter queue, if it has one."""
    retries: int = 0


def is_client_side(error: Exception) -> bool:
    """Whether *error* would come again each time: the endpoint is gone, or refuses this message."""
    if not isinstance(error, ServiceException):
        return False
    status: int = error.status_code
    return error.code != _SOON_OVER and status != _TOO_MANY_REQUESTS and status < _SERVER_ERROR


class Deliveries:
    """Makes deliveries, and keeps those that wait for another attempt. Lab clock; safe to use from many threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._later: list[tuple[float, int, Delivery]] = []
        self._under_way: Counter[str] = Counter()
        self._sequence = itertools.count()
        self._thread: threading.Thread | None = None

    def begun(self, topic_arn: str) -> None:
        """Count one more message of the topic as under way, until `ended`."""
        with self._changed:
            self._under_way[topic_arn] += 1

    def ended(self, topic_arn: str) -> None:
        """Count one message less; if it waits for another attempt, that is counted by itself."""
        with self._changed:
            self._under_way[topic_arn] -= 1

    def deliver(self, delivery: Delivery) -> None:
        """Attempt *delivery*, its immediate retries too, and keep it for later if that was in vain."""
        while True:
            try:
                delivery.attempt()
            except Exception as error:  # noqa: BLE001 (whose side it is on is told apart below)
                delivery.retries += 1
                pause_s = None if is_client_side(error) else wait_s(delivery.retries)
                if pause_s is None:
                    self._give_up(delivery, error)
                    return
                if pause_s > 0:
                    self._keep(delivery, pause_s)
                    return
            else:
                delivery.succeeded()
                return

    def pending(self) -> dict[str, int]:
        """Return how many deliveries of each topic are not done: under way, or waiting for another attempt."""
        with self._changed:
            return dict(self._under_way + Counter(delivery.topic_arn for _, _, delivery in self._later))

    def _give_up(self, delivery: Delivery, error: Exception) -> None:
        LOG.info("rydelab: a message of %s is given up: %s", delivery.topic_arn, error)
        try:
            delivery.given_up(error)
        except Exception:
            LOG.exception("rydelab: a message of %s reached no dead-letter queue", delivery.topic_arn)

    def _keep(self, delivery: Delivery, pause_s: float) -> None:
        with self._changed:
            heapq.heappush(self._later, (lab_clock.now_s() + pause_s, next(self._sequence), delivery))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sns-retries", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._later:
                    self._thread = None
                    return
                left_s = lab_clock.real_s(self._later[0][0] - lab_clock.now_s())
                if left_s > 0:
                    self._changed.wait(left_s)
                    continue
                _, _, delivery = heapq.heappop(self._later)
                self._under_way[delivery.topic_arn] += 1
            try:
                self.deliver(delivery)
            finally:
                self.ended(delivery.topic_arn)
