"""The dead-letter queue, what its letters look like, and the poison queue beside it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_MOST_PER_CALL = 10
# Longer than the function's timeout: no letter comes twice in one invocation.
_HIDDEN_S = 150
_MOST_ATTRIBUTES = 10
_REASON_BYTES = 1024
_NO_XML_CHARACTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class DeadLetter:
    """A message of the dead-letter queue, as received."""

    body: str
    receipt_handle: str
    attributes: Mapping[str, Any]


def ride_texts(body: str) -> list[str]:
    """Return the texts in a letter's *body* that should each be a ride.

    Lambda leaves its whole event, whose records hold SNS's messages; SNS leaves its notification, or the message alone
    if it delivers raw; a queue leaves the message. What is none of these is returned as it is.
    """
    try:
        document = json.loads(body)
    except ValueError:
        return [body]
    match document:
        case {"Records": [_, *_] as records} if all(_is_from_topic(record) for record in records):
            return [record["Sns"]["Message"] for record in records]
        case {"Type": "Notification", "Message": str(message)}:
            return [message]
        case _:
            return [body]


def _is_from_topic(record: Any) -> bool:
    match record:
        case {"Sns": {"Message": str()}}:
            return True
        case _:
            return False


@dataclass(frozen=True)
class DeadLetterQueue:
    """Receives letters, and deletes those that are done."""

    client: "SQSClient"
    url: str
    poison_url: str

    def receive(self, most: int) -> Sequence[DeadLetter]:
        """Receive up to *most* letters, at most 10; none when there are none. Nobody else sees them for 150 s."""
        answer = self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=min(most, _MOST_PER_CALL),
            MessageAttributeNames=["All"],
            VisibilityTimeout=_HIDDEN_S,
            WaitTimeSeconds=1,  # asks all of SQS's servers, not some
        )
        return [
            DeadLetter(message["Body"], message["ReceiptHandle"], message.get("MessageAttributes", {}))
            for message in answer.get("Messages", [])
        ]

    def delete(self, letter: DeadLetter) -> None:
        """Delete a letter that is stored elsewhere."""
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=letter.receipt_handle)

    def release(self, letters: Sequence[DeadLetter]) -> None:
        """Let letters that are not done be received again."""
        for letter in letters:
            self.client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=letter.receipt_handle, VisibilityTimeout=0
            )

    def keep_apart(self, letter: DeadLetter, reason: str) -> None:
        """Put a copy of *letter* into the poison queue, with its attributes and a PoisonReason."""
        clean = _NO_XML_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", reason)
        text = clean.encode()[:_REASON_BYTES].decode("utf-8", "ignore")
        attributes = dict(list(letter.attributes.items())[: _MOST_ATTRIBUTES - 1])
        attributes["PoisonReason"] = {"DataType": "String", "StringValue": text}
        self.client.send_message(QueueUrl=self.poison_url, MessageBody=letter.body, MessageAttributes=attributes)
