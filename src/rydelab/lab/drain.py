"""Waits until nothing is under way any more, and finds out where each ride ended: the evidence for the ledger."""

import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rydelab.lab.deployment import Deployment
from rydelab.lab.ledger import Evidence
from rydelab.lab.ride_ids import ride_ids_in

POLL_INTERVAL_S = 0.5
SETTLE_S = 2.0
"""What has not changed for this long, with nothing under way that could change it, does not change any more."""
RETRY_WINDOW_S = 60.0 + 120.0 + 3 * 30.0
"""How long after its publication an event can still reach its function. Lambda tries three times, waits one minute
before the second try and two before the third, and a try takes at most the function's timeout (here 30 s or less)."""
HIDE_S = 900
"""Dead letters that were read stay in their queue, hidden for this long so that no poll reads them twice."""


class Delivery(Enum):
    """What can still bring an accepted ride to the table."""

    NOTHING = "nothing"
    """The HTTP designs: a ride is recorded before it is accepted."""
    QUEUE = "queue"
    """A queue that can be asked how many messages it holds."""
    RETRIES = "retries"
    """Lambda's asynchronous invocations, whose backlog AWS shows nowhere; only the time tells."""

    @classmethod
    def of(cls, deployment: Deployment) -> "Delivery":
        """Tell how *deployment* delivers rides to their record."""
        if deployment.records_before_answering:
            return cls.NOTHING
        return cls.QUEUE if deployment.ride_queue_url else cls.RETRIES


@dataclass(frozen=True, slots=True)
class Stores:
    """Where rides end: the record table and the queues of one deployment, with boto3 clients to ask them."""

    deployment: Deployment
    dynamodb: Any
    sqs: Any

    def recorded(self) -> frozenset[str]:
        """Read the RideIds in the record table."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.deployment.record_table, ProjectionExpression="RideId", ConsistentRead=True
        )
        return frozenset(item["RideId"]["S"] for page in pages for item in page["Items"])

    def dead_letters(self) -> Iterator[str]:
        """Yield the RideIds in the dead-letter queue that have not been read before."""
        if (url := self.deployment.dead_letter_queue_url) is None:
            return
        while messages := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=HIDE_S, WaitTimeSeconds=0
        ).get("Messages"):
            for message in messages:
                yield from ride_ids_in(message["Body"])

    def queued(self) -> int:
        """Count the messages in the ride queue: waiting, being worked on, or put off; 0 if there is no such queue."""
        if (url := self.deployment.ride_queue_url) is None:
            return 0
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)


def drain(
    stores: Stores,
    *,
    accepted: AbstractSet[str],
    with_errors: bool,
    ignore: AbstractSet[str] = frozenset(),
    deadline_s: float,
    progress: Callable[[int, int], None] | None = None,
) -> Evidence:
    """Wait until every ride of *accepted* has ended somewhere, nothing can change any more, or *deadline_s* has passed.

    *with_errors*: whether arrivals ended in an error, which may yet leave a record behind. Rides in *ignore* are from
    before the load. *progress* gets how many accepted rides have ended, and of how many. Ctrl-C ends the wait; the
    evidence is then what was found so far.
    """
    delivery = Delivery.of(stores.deployment)
    begin = time.monotonic()
    dead: set[str] = set()
    recorded: frozenset[str] = frozenset()
    queued = 0
    changed_at, last_seen = begin, None
    try:
        while True:
            recorded = stores.recorded() - ignore
            dead.update(stores.dead_letters())
            queued = stores.queued()
            now = time.monotonic()
            seen = (recorded, len(dead), queued)
            if seen != last_seen:
                changed_at, last_seen = now, seen
            missing = accepted - recorded - dead
            if progress:
                progress(len(accepted) - len(missing), len(accepted))
            may_change = with_errors or bool(missing)
            settled = now - changed_at >= SETTLE_S and not can_deliver(delivery, queued=queued, waited_s=now - begin)
            if not may_change or settled or (not missing and now - changed_at >= SETTLE_S) or now - begin >= deadline_s:
                break
            # A scan of a large table is work for the lab; most of the time should be left to it.
            time.sleep(max(POLL_INTERVAL_S, 2 * (time.monotonic() - now)))
    except KeyboardInterrupt:
        pass
    missing = accepted - recorded - dead
    still = can_deliver(delivery, queued=queued, waited_s=time.monotonic() - begin)
    return Evidence(recorded=recorded, dead_lettered=dead - ignore, in_flight=missing if still else frozenset())


def can_deliver(delivery: Delivery, *, queued: int, waited_s: float) -> bool:
    """Tell whether an accepted ride that is nowhere yet can still arrive, *waited_s* after the last answer."""
    if delivery is Delivery.QUEUE:
        return queued > 0
    return delivery is Delivery.RETRIES and waited_s < RETRY_WINDOW_S
