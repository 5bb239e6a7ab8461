import threading
import time

import pytest
from localstack.aws.api import CommonServiceException

from rydelab.plugins import lab_clock
from rydelab.plugins.sns.delivery import Deliveries, Delivery

SERVER_ERROR = CommonServiceException("InternalFailure", "not now", status_code=500)
THROTTLED = CommonServiceException("TooManyRequestsException", "Rate Exceeded.", status_code=429)
GONE = CommonServiceException("AWS.SimpleQueueService.NonExistentQueue", "no such queue", status_code=400)


class Endpoint:
    """Fails with the given errors, one after another, then takes the message."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.attempts_s: list[float] = []
        self.outcome: str | None = None
        self.done = threading.Event()

    def attempt(self) -> None:
        """Take the message, or fail with the next error."""
        self.attempts_s.append(lab_clock.now_s())
        if self.errors:
            raise self.errors.pop(0)

    def end(self, outcome: str) -> None:
        """Note how it ended."""
        self.outcome = outcome
        self.done.set()

    def delivery(self) -> Delivery:
        """Make a delivery to this endpoint."""
        return Delivery(
            topic_arn="topic",
            attempt=self.attempt,
            succeeded=lambda: self.end("delivered"),
            given_up=lambda error: self.end(f"given up: {error}"),
        )


@pytest.fixture(autouse=True)
def fast_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_clock, "speed", lambda: 100.0)


def test_a_message_that_is_taken_is_delivered_once() -> None:
    endpoint = Endpoint()
    Deliveries().deliver(endpoint.delivery())
    assert (endpoint.outcome, len(endpoint.attempts_s)) == ("delivered", 1)


def test_an_error_on_the_subscribers_side_is_given_up_at_once() -> None:
    endpoint = Endpoint(GONE)
    Deliveries().deliver(endpoint.delivery())
    assert (endpoint.outcome, len(endpoint.attempts_s)) == ("given up: no such queue", 1)


def test_three_retries_are_immediate() -> None:
    endpoint = Endpoint(SERVER_ERROR, THROTTLED, SERVER_ERROR)
    Deliveries().deliver(endpoint.delivery())
    assert (endpoint.outcome, len(endpoint.attempts_s)) == ("delivered", 4)


def test_later_retries_wait_and_are_counted_until_one_succeeds() -> None:
    deliveries = Deliveries()
    endpoint = Endpoint(*[SERVER_ERROR] * 8)
    deliveries.deliver(endpoint.delivery())
    assert endpoint.outcome is None
    assert deliveries.pending() == {"topic": 1}
    assert endpoint.done.wait(5)
    assert endpoint.outcome == "delivered"
    deadline = time.monotonic() + 5
    while deliveries.pending() and time.monotonic() < deadline:  # it is counted until its thread has put it away
        time.sleep(0.01)
    assert deliveries.pending() == {}
    waits_s = [
        later - earlier for earlier, later in zip(endpoint.attempts_s[3:], endpoint.attempts_s[4:], strict=False)
    ]
    assert len(waits_s) == 5
    assert all(wait_s >= 1 for wait_s in waits_s)  # 1, 1, 1, 1.4, 1.9 lab seconds


def test_a_delivery_that_waits_holds_up_no_other() -> None:
    deliveries = Deliveries()
    slow, quick = Endpoint(*[SERVER_ERROR] * 14), Endpoint(*[SERVER_ERROR] * 4)
    deliveries.deliver(slow.delivery())
    begin_s = time.monotonic()
    deliveries.deliver(quick.delivery())
    assert quick.done.wait(5)
    assert time.monotonic() - begin_s < 0.2
    assert slow.outcome is None
    assert slow.done.wait(5)  # about 50 lab seconds
