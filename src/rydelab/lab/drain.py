"""Waits until nothing is under way any more, and finds out where each ride ended: the evidence for the ledger."""

import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from rydelab.lab.deployment import Deployment
from rydelab.lab.ledger import Evidence
from rydelab.lab.observation import Observation
from rydelab.lab.ride_ids import ride_ids_in

POLL_INTERVAL_S = 0.5
SETTLE_S = 2.0
"""What has not changed for this long, with nothing under way that could change it, does not change any more."""
HIDE_S = 900
"""Dead letters that were read stay in their queue, hidden for this long so that no poll reads them twice."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where rides end, and where they wait on the way: the table, the queues and the events of one deployment."""

    deployment: Deployment
    dynamodb: Any
    """A boto3 client, as `sqs`."""
    sqs: Any
    observation: Observation

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

    def pending(self) -> int:
        """Count what may still bring rides to the table: messages in the ride queue, events that Lambda works on."""
        events = 0
        if (function := self.deployment.event_function) is not None:
            events = self.observation.asynchronous_events(function)
        if (url := self.deployment.ride_queue_url) is None:
            return events
        # Waiting, being worked on, and put off.
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return events + sum(int(attributes[name]) for name in names)


@dataclass(frozen=True, slots=True)
class Drained:
    """The end of a drain."""

    evidence: Evidence
    interrupted: bool
    """Whether Ctrl-C ended it; the evidence is then what was found so far."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the looks at the stores say about how to go on."""

    missing: int
    """Accepted rides that are nowhere yet."""
    pending: int
    """Messages and events that may bring them."""
    with_errors: bool
    """Whether arrivals ended in an error, which may yet leave a record behind."""
    unchanged_s: float
    """Since a look last differed from the one before."""

    @property
    def is_over(self) -> bool:
        """Whether another look can show nothing new."""
        if not self.missing and not self.with_errors:
            return True
        # A message is counted nowhere for a moment when it moves on, so one look alone proves nothing.
        return not (self.missing and self.pending) and self.unchanged_s >= SETTLE_S


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
            if watch.situation.is_over or watch.waited_s >= deadline_s:
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
        self._begin = self._looked_at = self._changed_at = time.monotonic()
        self._recorded: frozenset[str] = frozenset()
        self._dead: set[str] = set()
        self._pending = 0

    @property
    def missing(self) -> AbstractSet[str]:
        """The accepted rides that are nowhere yet."""
        return self._accepted - self._recorded - self._dead

    @property
    def situation(self) -> Situation:
        return Situation(
            missing=len(self.missing),
            pending=self._pending,
            with_errors=self._with_errors,
            unchanged_s=self._looked_at - self._changed_at,
        )

    @property
    def waited_s(self) -> float:
        return self._looked_at - self._begin

    def look(self) -> float:
        """Look at every store, and return how long it took in seconds."""
        before = (self._recorded, len(self._dead), self._pending)
        self._looked_at = time.monotonic()
        self._recorded = self._stores.recorded() - self._ignore
        self._dead.update(self._stores.dead_letters())
        self._pending = self._stores.pending()
        if (self._recorded, len(self._dead), self._pending) != before:
            self._changed_at = self._looked_at
        return time.monotonic() - self._looked_at

    def evidence(self) -> Evidence:
        return Evidence(
            recorded=self._recorded,
            dead_lettered=self._dead - self._ignore,
            in_flight=self.missing if self._pending else frozenset(),
        )
