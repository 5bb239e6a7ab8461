"""Looks at the letters of a dead-letter queue without taking them, and says why they are there."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_MOST_PER_CALL: Final = 10
# Long enough that no letter is read twice in one look; a look that is cut short hides letters for this long.
_HIDDEN_S: Final = 60
_REASON_LENGTH: Final = 90


@dataclass(frozen=True, slots=True)
class Letter:
    """What is told of one letter."""

    sent_s: float
    """Unix time at which the message was first sent."""
    reason: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a queue held when it was looked at."""

    letters: Sequence[Letter]
    hidden: int
    """Letters that somebody else has received and not deleted; they come back when their visibility timeout ends."""

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Reasons and how many letters have each, most first."""
        return Counter(letter.reason for letter in self.letters).most_common()


def look(sqs: Any, queue_url: str, *, most: int) -> Contents:
    """Read up to *most* letters of the queue and leave them there. *sqs* is a boto3 client.

    Their receive counts rise, which a queue without a redrive policy does not mind.
    """
    letters: list[Letter] = []
    handles: list[str] = []
    try:
        for message in _received(sqs, queue_url, most):
            handles.append(message["ReceiptHandle"])
            letters.append(Letter(int(message["Attributes"]["SentTimestamp"]) / 1000, reason_of(message)))
    finally:
        for handle in handles:
            sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=handle, VisibilityTimeout=0)
    _, hidden = count(sqs, queue_url)
    return Contents(letters, hidden)


def count(sqs: Any, queue_url: str) -> tuple[int, int]:
    """Return how many messages of the queue can be received, and how many are hidden."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return int(attributes[names[0]]), int(attributes[names[1]])


def reason_of(message: Mapping[str, Any]) -> str:
    """Return why *message* is a dead letter, as far as it says so, on one line."""
    said = {name: value.get("StringValue", "") for name, value in (message.get("MessageAttributes") or {}).items()}
    if "PoisonReason" in said:
        return _line(said["PoisonReason"])
    if "ErrorMessage" in said:
        return _line(f"{said['ErrorCode']} {said['ErrorMessage']}" if "ErrorCode" in said else said["ErrorMessage"])
    if source := (message.get("Attributes") or {}).get("DeadLetterQueueSourceArn"):
        return f"received too often from {source.rpartition(':')[2]}"
    return "none given"


def _line(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= _REASON_LENGTH else f"{one_line[: _REASON_LENGTH - 3]}..."


def _received(sqs: Any, queue_url: str, most: int) -> Iterator[Mapping[str, Any]]:
    left = most
    while left > 0:
        messages = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=min(left, _MOST_PER_CALL),
            VisibilityTimeout=_HIDDEN_S,
            WaitTimeSeconds=0,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages")
        if not messages:
            return
        yield from messages
        left -= len(messages)
