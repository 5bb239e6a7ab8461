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


@dataclass(frozen=True, slots=True)
class Drained:
    """The end of a drain."""

    evidence: Evidence
    interrupted: bool
    """Whether Ctrl-C ended it; the evidence is then what was found so far."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What one look at the stores says about how to go on."""

    delivery: Delivery
    missing: int
    """Accepted rides that are nowhere yet."""
    with_errors: bool
    """Whether arrivals ended in an error, which may yet leave a record behind."""
    queued: int
    waited_s: float
    """Since the last answer."""
    unchanged_s: float
    """Since a look last differed from the one before."""

    @property
    def can_deliver(self) -> bool:
        """Whether an accepted ride that is nowhere yet can still arrive."""
        if self.delivery is Delivery.QUEUE:
            return self.queued > 0
        return self.delivery is Delivery.RETRIES and self.waited_s < RETRY_WINDOW_S

    @property
    def is_over(self) -> bool:
        """Whether another look can show nothing new."""
        if not self.missing and not self.with_errors:
            return True
        return self.unchanged_s >= SETTLE_S and not (self.missing and self.can_deliver)


def drain(
    stores: Stores,
    *,
    accepted: AbstractSet[str],
    with_errors: bool,
    ignore: AbstractSet[str] = frozenset(),
    deadline_s: float,
    progress: Callable[[int, int], None] | None = None,
) -> Drained:
    """Wait until every ride of *accepted* has ended somewhere, nothing can change any more, or *deadline_s* has passed.

    *with_errors*: whether arrivals ended in an error. Rides in *ignore* are from before the load. *progress* gets how
    many accepted rides have ended, and of how many.
    """
    watch = _Watch(stores, accepted=accepted, with_errors=with_errors, ignore=ignore)
    interrupted = False
    try:
        while True:
            look_took_s = watch.look()
            if progress:
                progress(len(accepted) - len(watch.missing), len(accepted))
            if watch.situation.is_over or watch.situation.waited_s >= deadline_s:
                break
            # A scan of a large table is work for the lab; most of the time should be left to it.
            time.sleep(max(POLL_INTERVAL_S, 2 * look_took_s))
    except KeyboardInterrupt:
        interrupted = True
    return Drained(watch.evidence(), interrupted)


class _Watch:
    """Looks at the stores again and again, and remembers what it has seen."""

    def __init__(
        self, stores: Stores, *, accepted: AbstractSet[str], with_errors: bool, ignore: AbstractSet[str]
    ) -> None:
        self._stores = stores
        self._accepted = accepted
        self._with_errors = with_errors
        self._ignore = ignore
        self._delivery = Delivery.of(stores.deployment)
        self._begin = self._looked_at = self._changed_at = time.monotonic()
        self._recorded: frozenset[str] = frozenset()
        self._dead: set[str] = set()
        self._queued = 0

    @property
    def missing(self) -> AbstractSet[str]:
        """The accepted rides that are nowhere yet."""
        return self._accepted - self._recorded - self._dead

    @property
    def situation(self) -> Situation:
        return Situation(
            delivery=self._delivery,
            missing=len(self.missing),
            with_errors=self._with_errors,
            queued=self._queued,
            waited_s=self._looked_at - self._begin,
            unchanged_s=self._looked_at - self._changed_at,
        )

    def look(self) -> float:
        """Look at every store, and return how long it took in seconds."""
        before = (self._recorded, len(self._dead), self._queued)
        self._looked_at = time.monotonic()
        self._recorded = self._stores.recorded() - self._ignore
        self._dead.update(self._stores.dead_letters())
        self._queued = self._stores.queued()
        if (self._recorded, len(self._dead), self._queued) != before:
            self._changed_at = self._looked_at
        return time.monotonic() - self._looked_at

    def evidence(self) -> Evidence:
        return Evidence(
            recorded=self._recorded,
            dead_lettered=self._dead - self._ignore,
            in_flight=self.missing if self.situation.can_deliver else frozenset(),
        )
