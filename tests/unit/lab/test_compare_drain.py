"""When a drain is over, and what is then still in flight."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from rydelab.lab.cells.deployment import Deployment
from rydelab.lab.cells.drain import SETTLE_S, Situation, drain
from rydelab.lab.cells.stores import Stores, Waiting
from rydelab.lab.emulation.observation import ItemWrites, LambdaActivity, Observation

HTTP = Deployment("s", records_before_answering=True, record_table="rides")
TOPIC = "arn:aws:sns:us-east-1:000000000000:rides"
EVENTS = Deployment(
    "s",
    record_table="rides",
    dead_letter_queue_url="http://127.0.0.1/dead",
    topic_arn=TOPIC,
    event_function="put-ride-record",
)
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
    """A dead-letter queue that hides each message once it was shown, and a ride queue of some messages."""

    dead: list[str] = field(default_factory=list)
    queued: int = 0
    hidden: set[str] = field(default_factory=set)

    def receive_message(self, **_request: Any) -> dict[str, Any]:
        """Show up to ten dead letters; the body of each is its receipt handle, too."""
        shown = [body for body in self.dead if body not in self.hidden][:10]
        self.hidden.update(shown)
        return {"Messages": [{"Body": body, "ReceiptHandle": body} for body in shown]} if shown else {}

    def change_message_visibility_batch(self, **request: Any) -> None:
        """Show letters again."""
        assert request["QueueUrl"] == "http://127.0.0.1/dead"
        assert 1 <= len(request["Entries"]) <= 10
        assert {entry["VisibilityTimeout"] for entry in request["Entries"]} == {0}
        self.hidden -= {entry["ReceiptHandle"] for entry in request["Entries"]}

    def get_queue_attributes(self, **request: Any) -> dict[str, Any]:
        """Count the ride queue's messages as waiting."""
        return {
            "Attributes": dict.fromkeys(request["AttributeNames"], "0") | {"ApproximateNumberOfMessages": self.queued}
        }


@dataclass(frozen=True)
class Lab(Observation):
    """A lab whose functions have some events under way; it knows of the writes to its table, or not."""

    under_way: int = 0
    undelivered: int = 0
    item_writes_of: ItemWrites | None = None

    def lambda_activity(self) -> LambdaActivity:
        """Count events for two functions."""
        return LambdaActivity({"put-ride-record": self.under_way, "put-ride": 15}, {})

    def pending_deliveries(self, topic_arn: str) -> int:
        """Count messages of the one topic."""
        assert topic_arn == TOPIC
        return self.undelivered

    def item_writes(self, _table: str) -> ItemWrites | None:
        """Return what was planted."""
        return self.item_writes_of


def stores(
    deployment: Deployment,
    recorded: list[str],
    *,
    dead: Sequence[str] = (),
    queued: int = 0,
    under_way: int = 0,
    undelivered: int = 0,
) -> Stores:
    return Stores(
        deployment,
        dynamodb=Table(recorded),
        sqs=Queues(list(dead), queued),
        observation=Lab("http://127.0.0.1", under_way=under_way, undelivered=undelivered),
    )


def situation(**changes: Any) -> Situation:
    return Situation(**({"missing": 0, "waiting": Waiting(), "with_errors": False, "unchanged_s": SETTLE_S} | changes))


@pytest.mark.parametrize(
    ("now", "is_over"),
    [
        pytest.param(situation(unchanged_s=0.0), True, id="all rides are found"),
        pytest.param(
            situation(unchanged_s=0.0, waiting=Waiting(events=1)), True, id="somebody else's event is under way"
        ),
        pytest.param(situation(with_errors=True, unchanged_s=0.0), False, id="an error may leave a ghost"),
        pytest.param(situation(with_errors=True), True, id="no ghost came for a while"),
        pytest.param(
            situation(with_errors=True, waiting=Waiting(invocations=1)), False, id="a function may yet leave a ghost"
        ),
        pytest.param(situation(missing=1, unchanged_s=0.0), False, id="a look may have been too early"),
        pytest.param(situation(missing=1), True, id="nothing can bring a missing ride any more"),
        pytest.param(situation(missing=1, waiting=Waiting(messages=1)), False, id="something may bring it"),
    ],
)
def test_a_drain_goes_on_as_long_as_a_look_can_show_something_new(now: Situation, *, is_over: bool) -> None:
    assert now.is_over is is_over


@pytest.mark.parametrize(
    ("deployment", "pending", "in_flight"),
    [
        pytest.param(HTTP, {"queued": 1, "under_way": 1}, set(), id="HTTP: nothing waits on the way to the table"),
        pytest.param(QUEUED, {"queued": 1}, {"c"}, id="queued: the queue holds messages"),
        pytest.param(QUEUED, {}, set(), id="queued: the queue is empty"),
        pytest.param(EVENTS, {"under_way": 1}, {"c"}, id="events: Lambda has one that waits for its retry"),
        pytest.param(EVENTS, {"undelivered": 1}, {"c"}, id="events: SNS has one that it has not delivered"),
        pytest.param(EVENTS, {}, set(), id="events: neither has one"),
    ],
)
def test_a_ride_that_is_nowhere_is_in_flight_as_long_as_something_may_bring_it(
    deployment: Deployment, pending: dict[str, Any], in_flight: set[str]
) -> None:
    drained = drain(
        stores(deployment, ["a", "b"], **pending), accepted={"a", "b", "c"}, with_errors=False, deadline_s=0
    )

    assert drained.evidence.in_flight == in_flight
    assert drained.evidence.recorded == {"a", "b"}


def test_every_page_of_the_table_and_every_message_of_the_dead_letter_queue_is_read() -> None:
    recorded = [f"r{number}" for number in range(5)]
    dead = [f'{{"RideId": "d{number}"}}' for number in range(23)]
    accepted = {f"r{number}" for number in range(5)} | {f"d{number}" for number in range(23)}

    found = stores(EVENTS, recorded, dead=dead)
    drained = drain(found, accepted=accepted, with_errors=False, deadline_s=0)

    assert len(drained.evidence.recorded) == 5
    assert len(drained.evidence.dead_lettered) == 23
    assert not drained.evidence.in_flight
    assert found.sqs.hidden == set()  # for whoever redrives them


def test_rides_from_before_the_load_are_no_evidence() -> None:
    found = stores(EVENTS, ["old", "a"], dead=['{"RideId": "older"}'])

    drained = drain(found, accepted={"a"}, with_errors=False, ignore={"old", "older"}, deadline_s=0)

    assert drained.evidence.recorded == {"a"}
    assert not drained.evidence.dead_lettered


def test_ctrl_c_ends_a_drain_with_what_was_found_so_far() -> None:
    def interrupt(_ended: int, _of: int) -> None:
        raise KeyboardInterrupt

    drained = drain(stores(HTTP, ["a"]), accepted={"a", "b"}, with_errors=False, deadline_s=60, progress=interrupt)

    assert drained.interrupted
    assert drained.evidence.recorded == {"a"}


def test_a_lab_that_knows_the_writes_to_its_table_is_asked_instead_of_reading_the_table() -> None:
    writes = ItemWrites(now=20.0, writes={"old": 1, "a": 1, "b": 3}, first_at={"old": 9.0, "a": 11.0, "b": 12.0})
    found = Stores(HTTP, Table(["never read"]), Queues(), Lab("http://127.0.0.1", item_writes_of=writes))

    drained = drain(found, accepted={"a", "b"}, with_errors=False, ignore={"old"}, deadline_s=0)

    assert drained.evidence.writes == {"a": 1, "b": 3}
    assert drained.evidence.recorded == {"a", "b"}
    assert drained.first_at["b"] == 12.0


def test_without_such_a_lab_nobody_knows_how_often_a_ride_was_written() -> None:
    drained = drain(stores(HTTP, ["a"]), accepted={"a"}, with_errors=False, deadline_s=0)

    assert drained.evidence.writes is None
    assert drained.first_at == {}
