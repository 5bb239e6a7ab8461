"""When a drain is over, and what is then still in flight."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from rydelab.lab.deployment import Deployment
from rydelab.lab.drain import RETRY_WINDOW_S, SETTLE_S, Delivery, Situation, Stores, drain

HTTP = Deployment("s", records_before_answering=True, record_table="rides")
EVENTS = Deployment("s", record_table="rides", dead_letter_queue_url="http://127.0.0.1/dead")
QUEUED = Deployment("s", record_table="rides", dead_letter_queue_url="http://127.0.0.1/dead", ride_queue_url="http://q")


@dataclass
class Table:
    """Answers a scan in pages of two items."""

    ride_ids: list[str]

    def get_paginator(self, operation: str) -> "Table":
        """As boto3 names it."""
        assert operation == "scan"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        """Yield pages."""
        assert request["TableName"] == "rides"
        for start in range(0, len(self.ride_ids), 2):
            yield {"Items": [{"RideId": {"S": ride_id}} for ride_id in self.ride_ids[start : start + 2]]}


@dataclass
class Queues:
    """A dead-letter queue that shows each message once, and a ride queue of some messages."""

    dead: list[str] = field(default_factory=list)
    queued: int = 0

    def receive_message(self, **_request: Any) -> dict[str, Any]:
        """Show up to ten dead letters."""
        shown, self.dead = self.dead[:10], self.dead[10:]
        return {"Messages": [{"Body": body} for body in shown]} if shown else {}

    def get_queue_attributes(self, **request: Any) -> dict[str, Any]:
        """Count the ride queue's messages as waiting."""
        return {
            "Attributes": dict.fromkeys(request["AttributeNames"], "0") | {"ApproximateNumberOfMessages": self.queued}
        }


def situation(delivery: Delivery, **changes: Any) -> Situation:
    calm = {"missing": 0, "with_errors": False, "queued": 0, "waited_s": 10.0, "unchanged_s": SETTLE_S}
    return Situation(delivery, **(calm | changes))


@pytest.mark.parametrize(
    ("now", "is_over"),
    [
        pytest.param(situation(Delivery.RETRIES, unchanged_s=0.0), True, id="all rides are found"),
        pytest.param(
            situation(Delivery.NOTHING, with_errors=True, unchanged_s=0.0), False, id="an error may leave a ghost"
        ),
        pytest.param(situation(Delivery.NOTHING, with_errors=True), True, id="no ghost came for a while"),
        pytest.param(
            situation(Delivery.NOTHING, missing=1, unchanged_s=0.0), False, id="a look may have been too early"
        ),
        pytest.param(situation(Delivery.NOTHING, missing=1), True, id="nothing can bring a missing ride any more"),
        pytest.param(situation(Delivery.QUEUE, missing=1, queued=1), False, id="the queue still holds messages"),
        pytest.param(situation(Delivery.QUEUE, missing=1), True, id="the queue is empty and a ride is missing"),
        pytest.param(situation(Delivery.RETRIES, missing=1), False, id="Lambda may still retry"),
        pytest.param(
            situation(Delivery.RETRIES, missing=1, waited_s=RETRY_WINDOW_S), True, id="the last retry is over"
        ),
    ],
)
def test_a_drain_goes_on_as_long_as_a_look_can_show_something_new(now: Situation, *, is_over: bool) -> None:
    assert now.is_over is is_over


def test_an_event_that_is_nowhere_may_be_waiting_for_its_retry_and_is_in_flight() -> None:
    stores = Stores(EVENTS, dynamodb=Table(["a", "b"]), sqs=Queues())

    drained = drain(stores, accepted={"a", "b", "c"}, with_errors=False, deadline_s=0)

    assert drained.evidence.in_flight == {"c"}
    assert drained.evidence.recorded == {"a", "b"}


def test_in_an_http_design_nothing_is_ever_in_flight() -> None:
    stores = Stores(HTTP, dynamodb=Table(["a"]), sqs=Queues())

    drained = drain(stores, accepted={"a", "c"}, with_errors=False, deadline_s=0)

    assert not drained.evidence.in_flight


@pytest.mark.parametrize(("queued", "in_flight"), [(1, {"c"}), (0, set())])
def test_a_ride_is_in_flight_while_its_queue_holds_messages(queued: int, in_flight: set[str]) -> None:
    stores = Stores(QUEUED, dynamodb=Table(["a"]), sqs=Queues(queued=queued))

    drained = drain(stores, accepted={"a", "c"}, with_errors=False, deadline_s=0)

    assert drained.evidence.in_flight == in_flight


def test_every_page_of_the_table_and_every_message_of_the_dead_letter_queue_is_read() -> None:
    table = Table([f"r{number}" for number in range(5)])
    dead = Queues(dead=[f'{{"RideId": "d{number}"}}' for number in range(23)])
    accepted = {f"r{number}" for number in range(5)} | {f"d{number}" for number in range(23)}

    drained = drain(Stores(EVENTS, dynamodb=table, sqs=dead), accepted=accepted, with_errors=False, deadline_s=0)

    assert len(drained.evidence.recorded) == 5
    assert len(drained.evidence.dead_lettered) == 23
    assert not drained.evidence.in_flight


def test_rides_from_before_the_load_are_no_evidence() -> None:
    stores = Stores(EVENTS, dynamodb=Table(["old", "a"]), sqs=Queues(dead=['{"RideId": "older"}']))

    drained = drain(stores, accepted={"a"}, with_errors=False, ignore={"old", "older"}, deadline_s=0)

    assert drained.evidence.recorded == {"a"}
    assert not drained.evidence.dead_lettered


def test_ctrl_c_ends_a_drain_with_what_was_found_so_far() -> None:
    def interrupt(_ended: int, _of: int) -> None:
        raise KeyboardInterrupt

    stores = Stores(HTTP, dynamodb=Table(["a"]), sqs=Queues())

    drained = drain(stores, accepted={"a", "b"}, with_errors=False, deadline_s=60, progress=interrupt)

    assert drained.interrupted
    assert drained.evidence.recorded == {"a"}
