"""Messages of a queue as the records of a Lambda event, and how they are put into batches. No input or output."""

import base64
import contextlib
import copy
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from localstack.utils.event_matcher import matches_event

MAX_EVENT_BYTES: Final = 6 * 1024 * 1024
_ENVELOPE_BYTES: Final = len('{"Records": []}')

type Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """The queue that records name as their origin."""

    arn: str
    region: str


def record_of(message: Mapping[str, Any], source: Source) -> Record:
    """Return SQS's *message*, with all its attributes, as a record. The body is passed on as it is."""
    record: Record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes") or {}),
        "messageAttributes": {
            name: _message_attribute(attribute) for name, attribute in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": source.arn,
        "awsRegion": source.region,
    }
    if digest := message.get("MD5OfMessageAttributes"):
        record["md5OfMessageAttributes"] = digest
    return record


def is_repeated(record: Record) -> bool:
    """Whether the queue has handed out this message before."""
    return int(record["attributes"].get("ApproximateReceiveCount", 1)) > 1


def event_of(records: Sequence[Record]) -> bytes:
    """Return the event of a batch."""
    return json.dumps({"Records": records}, default=_as_text).encode()


def size_bytes(record: Record) -> int:
    """Return how much *record* adds to an event."""
    return len(json.dumps(record, default=_as_text)) + len(", ")


def matches(record: Record, patterns: Sequence[Mapping[str, Any]]) -> bool:
    """Whether *record* passes the filter *patterns* (one of them is enough; none means that all pass)."""
    if not patterns:
        return True
    seen = copy.copy(record)
    with contextlib.suppress(ValueError):
        seen["body"] = json.loads(record["body"])  # a pattern looks into a JSON body
    for metadata in ("eventSource", "eventSourceARN", "awsRegion"):  # these are added after filtering
        del seen[metadata]
    return any(matches_event(pattern, seen) for pattern in patterns)


def batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Split what was received into events of at most 6 MB, each of one message group where there are groups."""
    groups: dict[str | None, list[Record]] = {}
    for record in records:
        attributes = record["attributes"]
        group = attributes.get("MessageGroupId") if "SequenceNumber" in attributes else None
        groups.setdefault(group, []).append(record)
    for group_records in groups.values():
        batch: list[Record] = []
        batch_bytes = _ENVELOPE_BYTES
        for record in group_records:
            record_bytes = size_bytes(record)
            if batch and batch_bytes + record_bytes > MAX_EVENT_BYTES:
                yield batch
                batch, batch_bytes = [], _ENVELOPE_BYTES
            batch.append(record)
            batch_bytes += record_bytes
        yield batch


def _message_attribute(attribute: Mapping[str, Any]) -> dict[str, Any]:
    lowered = {name[0].lower() + name[1:]: value for name, value in attribute.items() if value is not None}
    return {**lowered, "stringListValues": [], "binaryListValues": []}


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is no value of a message")
