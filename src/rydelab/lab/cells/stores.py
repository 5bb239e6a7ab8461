"""Where rides end, and where they wait on the way: the table, the queues and the events of one deployment."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

from rydelab.lab.cells.deployment import Deployment
from rydelab.lab.cells.meters import Meters
from rydelab.lab.cells.ride_ids import ride_ids_in
from rydelab.lab.emulation.observation import LambdaActivity, Observation

HIDE_S = 900
"""Dead letters that were read stay in their queue, hidden for this long so that no poll reads them twice."""
MOST_PER_CALL = 10
"""SQS's limit."""


@dataclass(frozen=True, slots=True)
class Records:
    """The rides in the record table."""

    writes: Mapping[str, int | None]
    """How often each was written; None where the lab cannot tell."""
    first_at: Mapping[str, float] = field(default_factory=dict)
    """When each was first written, in the lab's Unix time, as far as the lab can tell."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What may still bring rides to the table."""

    messages: int = 0
    """In the ride queue: waiting, being worked on, and put off."""
    deliveries: int = 0
    """Messages that SNS has taken and not delivered."""
    events: int = 0
    """Asynchronous events that Lambda has not finished."""
    invocations: int = 0
    """Running invocations of the functions on the way."""

    @property
    def backlog(self) -> int:
        """Deliveries, events and messages; what an invocation works on is among them."""
        return self.messages + self.deliveries + self.events

    @property
    def total(self) -> int:
        """Everything."""
        return self.backlog + self.invocations


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message of the dead-letter queue, hidden from others."""

    ride_ids: frozenset[str]
    receipt_handle: str


@dataclass(frozen=True, slots=True)
class Stores:
    """Looks at the table, the queues and the events of *deployment*."""

    deployment: Deployment
    dynamodb: Any
    """A boto3 client, as `sqs`."""
    sqs: Any
    observation: Observation

    def records(self) -> Records:
        """Read the record table without consuming its units."""
        table = self.deployment.record_table or ""
        if (written := self.observation.item_writes(table)) is not None:
            return Records(written.writes, written.first_at)
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=table, ProjectionExpression="RideId", ConsistentRead=True
        )
        return Records({item["RideId"]["S"]: None for page in pages for item in page["Items"]})

    def dead_letters(self) -> Iterator[DeadLetter]:
        """Yield the letters in the dead-letter queue that have not been read before, and hide them; see `release`."""
        if (url := self.deployment.dead_letter_queue_url) is None:
            return
        while messages := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=MOST_PER_CALL, VisibilityTimeout=HIDE_S, WaitTimeSeconds=0
        ).get("Messages"):
            yield from (DeadLetter(ride_ids_in(message["Body"]), message["ReceiptHandle"]) for message in messages)

    def release(self, receipt_handles: Iterable[str]) -> None:
        """Show dead letters that were read again, so that a redrive finds them. One that is gone is no error."""
        for some in batched(receipt_handles, MOST_PER_CALL, strict=False):
            entries = [
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for number, handle in enumerate(some)
            ]
            self.sqs.change_message_visibility_batch(QueueUrl=self.deployment.dead_letter_queue_url, Entries=entries)

    def waiting(self, activity: LambdaActivity | None = None) -> Waiting:
        """Count what may still bring rides to the table; *activity* saves a question if it was asked just now."""
        activity = activity or self.observation.lambda_activity()
        deployment = self.deployment
        names = [deployment.functions.get(name) for name in ("RequestRide", deployment.record_function or "")]
        return Waiting(
            messages=_messages(self.sqs, deployment.ride_queue_url),
            deliveries=self.observation.pending_deliveries(deployment.topic_arn) if deployment.topic_arn else 0,
            events=activity.waiting.get(deployment.event_function or "", 0),
            invocations=sum(activity.of(name).running for name in names),
        )

    def meters(self) -> Meters | None:
        """Read what has been used so far; None from a lab that does not meter its tables."""
        deployment = self.deployment
        return Meters.read(
            functions=deployment.functions,
            activity=self.observation.lambda_activity().functions,
            records=deployment.record_table,
            unicorns=deployment.unicorns_table,
            observed=self.observation.tables(),
        )

    def dead(self) -> int:
        """Count the messages in the dead-letter queue, read ones too."""
        return _messages(self.sqs, self.deployment.dead_letter_queue_url)


def _messages(sqs: Any, url: str | None) -> int:
    if url is None:
        return 0
    # Waiting, being worked on, and put off.
    names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)
