"""ProcessDeadLetters: dead letters become records, poison is kept apart, nothing is deleted before it is stored."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.services.deployed import module, sample_event
from tests.unit.services.fake_dynamodb import FakeDynamoDB

SERVICE = "wild-rydes-ride-record"
processing = module(SERVICE, "process_dead_letters")
dead_letters = module(SERVICE, "dead_letters")
storage = module(SERVICE, "storage")


class FakeSqs:
    """Two queues behind the few methods of an SQS client that the service calls. Notes what is done in which order."""

    def __init__(self, *bodies: str) -> None:
        attributes = {"ErrorMessage": {"DataType": "String", "StringValue": "no"}}
        self.letters = {str(n): {"Body": body, "MessageAttributes": attributes} for n, body in enumerate(bodies)}
        self.hidden: set[str] = set()
        self.poison: list[dict[str, Any]] = []
        self.fail_to_send = False

    def receive_message(self, *, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:  # noqa: N803 (the SDK's)
        """Hide and return visible letters."""
        handles = [handle for handle in self.letters if handle not in self.hidden][:MaxNumberOfMessages]
        self.hidden |= set(handles)
        return {"Messages": [{"ReceiptHandle": handle, **self.letters[handle]} for handle in handles]}

    def delete_message(self, *, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803 (the same)
        """Delete a letter."""
        del self.letters[ReceiptHandle]
        self.hidden.discard(ReceiptHandle)

    def change_message_visibility(self, *, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803 (the same)
        """Show a letter again."""
        self.hidden.discard(ReceiptHandle)

    def send_message(self, **message: Any) -> None:
        """Take a poison letter."""
        if self.fail_to_send:
            raise OSError("the poison queue does not answer")
        self.poison.append(message)


def ride(ride_id: str) -> str:
    return json.dumps({"RideId": ride_id, "Unicorn": {"Name": "A"}, "RequestTime": "now"})


@pytest.fixture
def dynamodb() -> FakeDynamoDB:
    return FakeDynamoDB(key="RideId")


def process(sqs: FakeSqs, dynamodb: FakeDynamoDB, **parameters: Any) -> Any:
    given = {"limit": 1000, "pace": processing.Pace(1e9), "time_left_ms": lambda: 100_000.0} | parameters
    queue = dead_letters.DeadLetterQueue(sqs, "letters", "poison")
    return processing.process(queue, storage.RideRecordTable(dynamodb, "table"), **given)


def test_letters_of_every_kind_become_records_and_are_gone(dynamodb: FakeDynamoDB) -> None:
    event = sample_event(SERVICE, "put-ride-record-sns")
    notification = {"Type": "Notification", "Message": ride("from a topic")}
    sqs = FakeSqs(json.dumps(event), json.dumps(notification), ride("raw"))
    summary = process(sqs, dynamodb)
    assert (summary.recorded, summary.poison, summary.failed, summary.more) == (3, 0, 0, False)
    assert set(dynamodb.items) == {"30c565ea-a494-11e8-a910-425746ae81de", "from a topic", "raw"}
    assert sqs.letters == {}


def test_the_same_ride_twice_is_one_record(dynamodb: FakeDynamoDB) -> None:
    assert process(FakeSqs(ride("1"), ride("1")), dynamodb).recorded == 2
    assert set(dynamodb.items) == {"1"}


@pytest.mark.parametrize("body", ["no ride", "{}", '{"Records": [{"Sns": {"Message": "{}"}}]}', '{"Records": [1]}'])
def test_poison_is_kept_apart_with_the_reason_and_holds_up_no_other(body: str, dynamodb: FakeDynamoDB) -> None:
    sqs = FakeSqs(body, ride("1"))
    summary = process(sqs, dynamodb)
    assert (summary.recorded, summary.poison, sqs.letters) == (1, 1, {})
    [letter] = sqs.poison
    assert (letter["QueueUrl"], letter["MessageBody"]) == ("poison", body)
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no"
    [reason] = summary.reasons
    assert letter["MessageAttributes"]["PoisonReason"] == {"DataType": "String", "StringValue": reason}


def test_a_letter_with_a_good_and_a_bad_ride_gives_one_record_and_is_kept_apart(dynamodb: FakeDynamoDB) -> None:
    records = [{"Sns": {"Message": text}} for text in ("bad", ride("good"))]
    sqs = FakeSqs(json.dumps({"Records": records}))
    assert process(sqs, dynamodb).poison == 1
    assert set(dynamodb.items) == {"good"}
    assert len(sqs.poison) == 1


def test_what_the_table_does_not_take_stays_in_the_queue_and_is_not_hidden(dynamodb: FakeDynamoDB) -> None:
    dynamodb.fail("ProvisionedThroughputExceededException")
    sqs = FakeSqs(ride("1"), ride("2"))
    summary = process(sqs, dynamodb)
    assert (summary.failed, dict(summary.reasons)) == (2, {"ProvisionedThroughputExceededException": 2})
    assert (len(sqs.letters), sqs.hidden) == (2, set())


def test_poison_that_cannot_be_kept_apart_is_not_deleted(dynamodb: FakeDynamoDB) -> None:
    sqs = FakeSqs("no ride")
    sqs.fail_to_send = True
    with pytest.raises(OSError, match="poison queue"):
        process(sqs, dynamodb)
    assert len(sqs.letters) == 1


def test_a_dry_run_says_what_would_become_of_the_letters_and_changes_nothing(dynamodb: FakeDynamoDB) -> None:
    sqs = FakeSqs(ride("1"), "no ride")
    summary = process(sqs, dynamodb, dry_run=True)
    assert (summary.recorded, summary.poison) == (1, 1)
    assert (dynamodb.items, len(sqs.letters), sqs.hidden, sqs.poison) == ({}, 2, set(), [])


def test_it_stops_at_the_limit_and_when_time_runs_out_and_says_that_there_is_more(dynamodb: FakeDynamoDB) -> None:
    sqs = FakeSqs(*map(ride, "abcdefghijklmnop"))
    summary = process(sqs, dynamodb, limit=12)
    assert (summary.recorded, len(sqs.letters), summary.more) == (12, 4, True)
    summary = process(sqs, dynamodb, time_left_ms=lambda: 29_000.0)
    assert (summary.recorded, len(sqs.letters), sqs.hidden, summary.more) == (0, 4, set(), True)


def test_rides_are_written_at_no_more_than_the_rate(dynamodb: FakeDynamoDB) -> None:
    clock = SimpleNamespace(now_s=0.0)

    def sleep(seconds: float) -> None:
        clock.now_s += seconds

    pace = processing.Pace(4, now_s=lambda: clock.now_s, sleep=sleep)
    process(FakeSqs(*map(ride, "abcdefghi")), dynamodb, pace=pace)
    assert clock.now_s == pytest.approx(8 / 4)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"MaxMessages": 0}, "MaxMessages must be a whole number of at least 1, got 0"),
        ({"MaxMessages": True}, "MaxMessages must be a whole number of at least 1, got true"),
        ({"RidesPerSecond": "5"}, 'RidesPerSecond must be a number above 0, got "5"'),
        ({"DryRun": 1}, "DryRun must be true or false, got 1"),
    ],
)
def test_a_wrong_event_is_refused_by_name_and_value(event: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        processing.handler(event, None)


def test_the_sample_event_is_understood() -> None:
    assert processing._read(sample_event(SERVICE, "process-dead-letters")) == (100, 5.0, True)
