import json
from typing import Any

from rydelab.plugins.event_sources.records import MAX_EVENT_BYTES, Source, batches, event_of, matches, record_of

SOURCE = Source("arn:aws:sqs:us-east-1:000000000000:rides", "us-east-1")


def message(number: int, body: str = "{}", **attributes: str) -> dict[str, Any]:
    return {
        "MessageId": f"id-{number}",
        "ReceiptHandle": f"handle-{number}",
        "Body": body,
        "MD5OfBody": "md5",
        "Attributes": attributes,
    }


def test_a_body_is_passed_on_as_it_is_even_if_it_is_json() -> None:
    body = '{ "b" : 1,\n  "a": [ ] }'
    assert record_of(message(1, body), SOURCE)["body"] == body


def test_message_attributes_are_written_as_lambda_does() -> None:
    sent = message(1) | {
        "MessageAttributes": {
            "text": {"DataType": "String", "StringValue": "x"},
            "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        }
    }
    [record] = json.loads(event_of([record_of(sent, SOURCE)]))["Records"]
    assert record["messageAttributes"] == {
        "text": {"dataType": "String", "stringValue": "x", "stringListValues": [], "binaryListValues": []},
        "bytes": {"dataType": "Binary", "binaryValue": "AP8=", "stringListValues": [], "binaryListValues": []},
    }


def test_a_batch_is_split_before_it_exceeds_six_megabytes() -> None:
    megabyte = "x" * 1_000_000
    split = list(batches(record_of(message(number, megabyte), SOURCE) for number in range(8)))
    assert [len(batch) for batch in split] == [6, 2]
    assert all(len(event_of(batch)) <= MAX_EVENT_BYTES for batch in split)


def test_message_groups_of_a_fifo_queue_have_batches_of_their_own_in_order() -> None:
    received = [
        message(1, MessageGroupId="a", SequenceNumber="1"),
        message(2, MessageGroupId="b", SequenceNumber="2"),
        message(3, MessageGroupId="a", SequenceNumber="3"),
    ]
    split = batches(record_of(one, SOURCE) for one in received)
    assert [[record["messageId"] for record in batch] for batch in split] == [["id-1", "id-3"], ["id-2"]]


def test_a_filter_looks_into_a_json_body_and_changes_nothing() -> None:
    record = record_of(message(1, '{"Unicorn":  "Rocinante"}'), SOURCE)
    before = json.dumps(record)
    assert matches(record, [{"body": {"Unicorn": ["Rocinante"]}}])
    assert not matches(record, [{"body": {"Unicorn": ["Shadowfax"]}}])
    assert matches(record, [])
    assert json.dumps(record) == before
