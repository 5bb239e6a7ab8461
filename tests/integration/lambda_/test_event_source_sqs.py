"""SQS to Lambda: batches, several at once, failures, throttling, order. In boto3 alone.

A visibility timeout is real time here as on AWS, so the queues of these tests have short ones.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

NOTE = (
    "import json, os, time, uuid\n"
    "def note(records, started):\n"
    "    path = os.environ['NOTES'] + '/' + uuid.uuid4().hex\n"
    "    with open(path + '.new', 'w') as file:\n"
    "        json.dump({'started': started, 'ended': time.time(), 'records': records}, file)\n"
    "    os.rename(path + '.new', path + '.json')\n"
)


@dataclass
class Source:
    """Makes queues, functions and mappings, and reads what the functions noted."""

    functions: Any
    notes: Path

    def function(self, body: str, **configuration: Any) -> str:
        """Make a function that runs *body* with ``records`` and notes when it did."""
        lines = body.replace("\n", "\n        ")
        source = (
            f"{NOTE}def handler(event, context):\n    started, records = time.time(), event['Records']\n"
            f"    try:\n        {lines}\n    finally:\n        note(records, started)\n"
        )
        variables = {"NOTES": str(self.notes)}
        name: str = self.functions.create(
            source, Environment={"Variables": variables}, **{"Timeout": 1, **configuration}
        )
        return name

    def queue(self, *, fifo: bool = False, **attributes: Any) -> tuple[str, str]:
        """Make a queue; return its URL and ARN."""
        name = f"test-{uuid.uuid4().hex[:12]}" + (".fifo" if fifo else "")
        if fifo:
            attributes |= {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        sqs = self.functions.client("sqs")
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def map(self, queue_arn: str, function: str, **parameters: Any) -> str:
        """Map a queue to a function, wait until it is enabled, and return the mapping's id."""
        client = self.functions.client("lambda")
        made = client.create_event_source_mapping(EventSourceArn=queue_arn, FunctionName=function, **parameters)
        self.functions.eventually(lambda: self.state(made["UUID"]) == "Enabled")
        return str(made["UUID"])

    def state(self, mapping: str) -> str:
        """Return the state of a mapping."""
        return str(self.functions.client("lambda").get_event_source_mapping(UUID=mapping)["State"])

    def send(self, url: str, *bodies: str, **parameters: Any) -> list[str]:
        """Send messages, at most 10; return their ids."""
        entries = [{"Id": str(n), "MessageBody": body, **parameters} for n, body in enumerate(bodies)]
        answer = self.functions.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
        return [one["MessageId"] for one in answer["Successful"]]

    def runs(self) -> list[dict[str, Any]]:
        """Return what the functions noted, by the time at which they were called."""
        notes = [json.loads(path.read_text()) for path in self.notes.glob("*.json")]
        return sorted(notes, key=lambda one: one["started"])

    def bodies(self) -> list[list[str]]:
        """Return the bodies of each batch."""
        return [[record["body"] for record in run["records"]] for run in self.runs()]

    def left(self, url: str) -> int:
        """Count the messages of a queue, hidden ones too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.functions.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def wait_until_empty(self, url: str) -> None:
        """Wait until a queue has no message, hidden ones included."""
        self.functions.eventually(lambda: self.left(url) == 0)


@pytest.fixture
def source(functions: Any, shared_dir: Path) -> Iterator[Source]:
    yield Source(functions, shared_dir)
    client = functions.client("lambda")
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        client.delete_event_source_mapping(UUID=mapping["UUID"])


def most_at_once(runs: list[dict[str, Any]]) -> int:
    return max(sum(other["started"] <= run["started"] < other["ended"] for other in runs) for run in runs)


def test_a_first_message_is_handled_within_300_ms_and_deleted(source: Source, functions: Any) -> None:
    url, arn = source.queue()
    name = source.function("pass")
    source.map(arn, name)
    functions.invoke(name, {"Records": []})  # a cold start is not what is measured
    sent_s = time.time()
    source.send(url, "first")
    functions.eventually(lambda: len(source.runs()) == 2)
    assert source.runs()[1]["started"] - sent_s <= 0.3
    source.wait_until_empty(url)


def test_a_record_has_what_lambda_passes_on_and_the_body_as_it_was_sent(source: Source, functions: Any) -> None:
    url, arn = source.queue()
    source.map(arn, source.function("pass"))
    body = '{ "b" : 1,\n "a": [ ] }'
    sent = functions.client("sqs").send_message(
        QueueUrl=url, MessageBody=body, MessageAttributes={"Color": {"DataType": "String", "StringValue": "White"}}
    )
    [run] = functions.eventually(source.runs)
    [record] = run["records"]
    assert record["messageId"] == sent["MessageId"]
    assert (record["body"], record["md5OfBody"]) == (body, sent["MD5OfMessageBody"])
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert {"SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"} < set(record["attributes"])
    assert record["messageAttributes"]["Color"]["stringValue"] == "White"
    assert (record["eventSource"], record["eventSourceARN"], record["awsRegion"]) == ("aws:sqs", arn, "us-east-1")


@pytest.mark.parametrize(("scaling", "expected"), [({}, 5), ({"ScalingConfig": {"MaximumConcurrency": 2}}, 2)])
def test_five_batches_are_handled_at_once_or_as_many_as_maximum_concurrency_says(
    source: Source, functions: Any, scaling: dict[str, Any], expected: int
) -> None:
    url, arn = source.queue()
    name = source.function("time.sleep(0.8)", Timeout=3)
    source.send(url, *"abcdef")
    source.map(arn, name, BatchSize=1, **scaling)
    functions.eventually(lambda: len(source.runs()) == 6)
    assert most_at_once(source.runs()[:expected]) == expected
    assert most_at_once(source.runs()) <= expected + (0 if scaling else 1)  # it grows by 5 a second
    source.wait_until_empty(url)


def test_a_batch_is_what_the_window_brings_but_no_more_than_the_batch_size(source: Source, functions: Any) -> None:
    url, arn = source.queue()
    source.map(arn, source.function("pass"), BatchSize=3, MaximumBatchingWindowInSeconds=2)
    begin_s = time.time()
    source.send(url, "a", "b")
    source.send(url, "c", "d")
    functions.eventually(lambda: len(source.runs()) == 2)
    assert source.bodies() == [["a", "b", "c"], ["d"]]
    first, second = (run["started"] - begin_s for run in source.runs())
    assert first < 1  # it was full
    assert second > 1.9  # seconds of two clocks


def test_a_failed_batch_comes_back_after_the_visibility_timeout_and_ends_in_the_queues_dead_letter_queue(
    source: Source, functions: Any
) -> None:
    letters_url, letters_arn = source.queue()
    policy = json.dumps({"deadLetterTargetArn": letters_arn, "maxReceiveCount": 2})
    url, arn = source.queue(VisibilityTimeout="2", RedrivePolicy=policy)
    source.map(arn, source.function("raise ValueError('no unicorn')"))
    [message_id] = source.send(url, "ride")
    functions.eventually(lambda: source.left(letters_url) == 1)
    [letter] = functions.client("sqs").receive_message(QueueUrl=letters_url, AttributeNames=["All"])["Messages"]
    assert (letter["MessageId"], letter["Body"]) == (message_id, "ride")
    assert letter["Attributes"]["DeadLetterQueueSourceArn"] == arn
    first, second = (run["started"] for run in source.runs())
    assert second - first > 1.9  # seconds of two clocks


def test_messages_come_back_one_by_one_as_they_came(source: Source, functions: Any) -> None:
    url, arn = source.queue(VisibilityTimeout="3")
    source.map(arn, source.function("raise ValueError('no unicorn')"))
    for body in "abc":
        source.send(url, body)
        time.sleep(0.5)
    functions.eventually(lambda: len(source.runs()) >= 6)
    assert source.bodies()[:6] == [["a"], ["b"], ["c"]] * 2


def test_a_message_is_not_lost_when_the_dead_letter_queue_is_gone(source: Source, functions: Any) -> None:
    sqs = functions.client("sqs")
    letters_url, letters_arn = source.queue()
    policy = json.dumps({"deadLetterTargetArn": letters_arn, "maxReceiveCount": 1})
    url, _ = source.queue(RedrivePolicy=policy)
    sqs.delete_queue(QueueUrl=letters_url)
    source.send(url, "ride")
    for _ in range(3):
        [message] = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
        assert message["Body"] == "ride"


def test_only_the_reported_messages_of_a_batch_come_back(source: Source) -> None:
    url, arn = source.queue(VisibilityTimeout="1")
    name = source.function(
        "return {'batchItemFailures': [{'itemIdentifier': r['messageId']} for r in records if r['body'] == 'bad'\n"
        "    and r['attributes']['ApproximateReceiveCount'] == '1']}"
    )
    source.send(url, "good", "bad", "fine")
    source.map(arn, name, FunctionResponseTypes=["ReportBatchItemFailures"])
    source.wait_until_empty(url)
    assert source.bodies() == [["good", "bad", "fine"], ["bad"]]


def test_an_answer_that_cannot_be_understood_brings_the_whole_batch_back(source: Source) -> None:
    url, arn = source.queue(VisibilityTimeout="1")
    name = source.function(
        "if records[0]['attributes']['ApproximateReceiveCount'] == '1':\n"
        "    return {'batchItemFailures': [{'itemIdentifier': 'unknown'}]}"
    )
    source.send(url, "a", "b")
    source.map(arn, name, FunctionResponseTypes=["ReportBatchItemFailures"])
    source.wait_until_empty(url)
    assert sorted(body for bodies in source.bodies() for body in bodies) == ["a", "a", "b", "b"]


def test_a_throttled_batch_is_tried_again_while_it_is_hidden_and_counts_as_received_once(
    source: Source, functions: Any
) -> None:
    letters_url, letters_arn = source.queue()
    policy = json.dumps({"deadLetterTargetArn": letters_arn, "maxReceiveCount": 1})
    url, arn = source.queue(VisibilityTimeout="20", RedrivePolicy=policy)
    name = source.function("time.sleep(0.2)")
    functions.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    source.send(url, *"abcdefgh")
    source.map(arn, name, BatchSize=1)
    source.wait_until_empty(url)
    assert sorted(body for [body] in source.bodies()) == list("abcdefgh")
    assert {run["records"][0]["attributes"]["ApproximateReceiveCount"] for run in source.runs()} == {"1"}
    assert source.left(letters_url) == 0


def test_messages_of_a_group_stay_in_order_when_one_fails_and_hold_up_no_other_group(source: Source) -> None:
    url, arn = source.queue(fifo=True, VisibilityTimeout="2")
    name = source.function(
        "if records[0]['body'] == 'a1' and records[0]['attributes']['ApproximateReceiveCount'] == '1':\n"
        "    raise ValueError('not yet')"
    )
    for body in ("a1", "b1", "a2", "b2", "a3"):
        source.send(url, body, MessageGroupId=body[0])
    source.map(arn, name, BatchSize=1)
    source.wait_until_empty(url)
    handled = [body for [body] in source.bodies()]
    assert [body for body in handled if body[0] == "a"] == ["a1", "a1", "a2", "a3"]
    assert [body for body in handled if body[0] == "b"] == ["b1", "b2"]
    assert handled.index("b2") < handled.index("a2")


def test_what_a_filter_does_not_let_pass_is_deleted(source: Source) -> None:
    url, arn = source.queue()
    pattern = json.dumps({"body": {"Unicorn": ["Rocinante"]}})
    source.send(url, '{"Unicorn": "Shadowfax"}', '{"Unicorn":  "Rocinante"}')
    source.map(arn, source.function("pass"), FilterCriteria={"Filters": [{"Pattern": pattern}]})
    source.wait_until_empty(url)
    assert source.bodies() == [['{"Unicorn":  "Rocinante"}']]


def test_a_queue_that_hides_messages_for_less_than_the_functions_timeout_is_refused(
    source: Source, functions: Any
) -> None:
    _, arn = source.queue(VisibilityTimeout="4")
    name = source.function("pass", Timeout=5)
    create: Callable[..., Any] = functions.client("lambda").create_event_source_mapping
    error = functions.refusal(create, EventSourceArn=arn, FunctionName=name)["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    assert error["Message"] == "Queue visibility timeout: 4 seconds is less than Function timeout: 5 seconds"


def test_a_maximum_concurrency_above_1000_is_refused(source: Source, functions: Any) -> None:
    _, arn = source.queue()
    create: Callable[..., Any] = functions.client("lambda").create_event_source_mapping
    scaling = {"MaximumConcurrency": 1001}
    error = functions.refusal(create, EventSourceArn=arn, FunctionName=source.function("pass"), ScalingConfig=scaling)
    assert error["Error"]["Code"] == "ValidationException"


def test_a_disabled_mapping_takes_nothing_until_it_is_enabled_again(source: Source, functions: Any) -> None:
    url, arn = source.queue()
    mapping = source.map(arn, source.function("pass"))
    client = functions.client("lambda")
    client.update_event_source_mapping(UUID=mapping, Enabled=False)
    functions.eventually(lambda: source.state(mapping) == "Disabled")
    source.send(url, "ride")
    client.update_event_source_mapping(UUID=mapping, Enabled=True, BatchSize=1)
    source.wait_until_empty(url)
    assert source.state(mapping) == "Enabled"
    assert source.bodies() == [["ride"]]
