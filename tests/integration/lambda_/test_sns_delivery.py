"""SNS to Lambda and to SQS: what arrives, and what a subscription's dead-letter queue gets."""

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rydelab.faults import Fault
from rydelab.lab.emulation.fault_control import FaultControl
from rydelab.lab.emulation.observation import ask


@pytest.fixture
def topic(functions: Any) -> str:
    arn: str = functions.client("sns").create_topic(Name=f"test-{uuid.uuid4().hex[:12]}")["TopicArn"]
    return arn


def test_a_message_arrives_with_envelope_or_raw_and_filtered_as_the_subscription_says(
    functions: Any, topic: str
) -> None:
    sns = functions.client("sns")
    (plain_url, plain), (raw_url, raw), (white_url, white) = (functions.queue() for _ in range(3))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=plain)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=raw, Attributes={"RawMessageDelivery": "true"})
    policy = json.dumps({"Color": ["White"]})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=white, Attributes={"FilterPolicy": policy})
    for color in ("Black", "White"):
        attributes = {"Color": {"DataType": "String", "StringValue": color}}
        sns.publish(TopicArn=topic, Message=f"{color} unicorn", MessageAttributes=attributes)
    envelopes = {json.loads(functions.receive(plain_url)["Body"])["Message"] for _ in range(2)}
    assert envelopes == {"Black unicorn", "White unicorn"}
    letters = [functions.receive(raw_url) for _ in range(2)]
    assert {(one["Body"], one["MessageAttributes"]["Color"]["StringValue"]) for one in letters} == {
        ("Black unicorn", "Black"),
        ("White unicorn", "White"),
    }
    only = json.loads(functions.receive(white_url)["Body"])
    assert (only["Message"], only["MessageAttributes"]["Color"]["Value"]) == ("White unicorn", "White")


def test_a_batch_arrives_message_by_message(functions: Any, topic: str) -> None:
    url, arn = functions.queue()
    sns = functions.client("sns")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    entries = [{"Id": str(number), "Message": f"ride {number}"} for number in range(3)]
    sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert {functions.receive(url)["Body"] for _ in range(3)} == {"ride 0", "ride 1", "ride 2"}


@pytest.mark.parametrize("raw", ["false", "true"])
def test_a_message_to_a_queue_that_is_gone_goes_to_the_subscriptions_dead_letter_queue_at_once(
    functions: Any, topic: str, raw: str
) -> None:
    sns = functions.client("sns")
    (url, arn), (letters_url, letters) = functions.queue(), functions.queue()
    policy = json.dumps({"deadLetterTargetArn": letters})
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"RedrivePolicy": policy, "RawMessageDelivery": raw},
    )
    functions.client("sqs").delete_queue(QueueUrl=url)
    sns.publish(TopicArn=topic, Message="ride")
    body = functions.receive(letters_url, 2)["Body"]
    assert (body if raw == "true" else json.loads(body)["Message"]) == "ride"


def test_a_message_to_a_function_that_is_gone_goes_to_the_subscriptions_dead_letter_queue_at_once(
    functions: Any, topic: str
) -> None:
    letters_url, letters = functions.queue()
    name = functions.create("def handler(event, context): pass")
    arn = functions.let_topics_invoke(name)
    policy = json.dumps({"deadLetterTargetArn": letters})
    functions.client("sns").subscribe(
        TopicArn=topic, Protocol="lambda", Endpoint=arn, Attributes={"RedrivePolicy": policy}
    )
    functions.delete(name)
    functions.client("sns").publish(TopicArn=topic, Message="ride")
    assert json.loads(functions.receive(letters_url, 2)["Body"])["Message"] == "ride"


def test_a_function_that_fails_is_lambdas_to_retry_and_not_the_subscriptions_dead_letter(
    functions: Any, topic: str
) -> None:
    (letters_url, letters), (own_url, own) = functions.queue(), functions.queue()
    name = functions.create("def handler(event, context): raise ValueError", DeadLetterConfig={"TargetArn": own})
    functions.client("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    arn = functions.let_topics_invoke(name)
    policy = json.dumps({"deadLetterTargetArn": letters})
    functions.client("sns").subscribe(
        TopicArn=topic, Protocol="lambda", Endpoint=arn, Attributes={"RedrivePolicy": policy}
    )
    functions.client("sns").publish(TopicArn=topic, Message="ride")
    event = json.loads(functions.receive(own_url)["Body"])
    assert event["Records"][0]["Sns"]["Message"] == "ride"
    answer = functions.client("sqs").receive_message(QueueUrl=letters_url)
    assert not answer.get("Messages")


# With the lab's clock at 120: the first three phases (15 retries) take about 70 lab seconds, which is 0.6 s here, and
# then a retry comes every 20 lab seconds, which is 0.17 s.
REFUSED_S = 2.0
FEWEST_ATTEMPTS, MOST_ATTEMPTS = 1 + 15 + 1, 1 + 15 + 9


@pytest.fixture
def faults(fast_functions: Any) -> Iterator[FaultControl]:
    control = FaultControl(fast_functions.client("sns").meta.endpoint_url)
    yield control
    control.stop()


def attempts_during(faults: FaultControl, fast_functions: Any, fault: Fault, publish: Callable[[], Any]) -> int:
    """Publish while the endpoint refuses; return how often SNS tried until that was over."""
    started = faults.start(fault)
    publish()
    ended = fast_functions.eventually(lambda: [one for one in faults.all()[1] if one.id == started.id])
    hits: int = ended[0].hits
    return hits


def test_a_queue_that_refuses_gets_its_message_once_when_it_takes_messages_again(
    fast_functions: Any, faults: FaultControl
) -> None:
    sns = fast_functions.client("sns")
    topic = sns.create_topic(Name=f"test-{uuid.uuid4().hex[:12]}")["TopicArn"]
    (url, arn), (letters_url, letters) = fast_functions.queue(), fast_functions.queue()
    policy = json.dumps({"deadLetterTargetArn": letters})
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"RedrivePolicy": policy, "RawMessageDelivery": "true"},
    )
    fault = Fault("queue-refused", arn, REFUSED_S)
    attempts = attempts_during(faults, fast_functions, fault, lambda: sns.publish(TopicArn=topic, Message="ride"))
    assert FEWEST_ATTEMPTS <= attempts <= MOST_ATTEMPTS
    assert fast_functions.receive(url)["Body"] == "ride"
    sqs = fast_functions.client("sqs")
    assert not [one for one in (url, letters_url) if sqs.receive_message(QueueUrl=one).get("Messages")]
    observed = ask(sqs.meta.endpoint_url, "GET", "/_rydelab/sns", timeout_s=5)[1]["pending_deliveries"]
    assert topic not in observed


def test_a_function_that_lambda_refuses_gets_its_event_once_when_lambda_takes_it_again(
    fast_functions: Any, faults: FaultControl, tmp_path: Path
) -> None:
    sns = fast_functions.client("sns")
    topic = sns.create_topic(Name=f"test-{uuid.uuid4().hex[:12]}")["TopicArn"]
    letters_url, letters = fast_functions.queue()
    name = fast_functions.create(
        f"def handler(event, context): open('{tmp_path}/notes', 'a').write(event['Records'][0]['Sns']['Message'])"
    )
    sns.subscribe(
        TopicArn=topic,
        Protocol="lambda",
        Endpoint=fast_functions.let_topics_invoke(name),
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": letters})},
    )
    endpoint_url = sns.meta.endpoint_url

    def publish_and_look() -> None:
        sns.publish(TopicArn=topic, Message="ride")
        pending = ask(endpoint_url, "GET", "/_rydelab/sns", timeout_s=5)[1]["pending_deliveries"]
        assert pending[topic] >= 1  # twice for a moment, as it is handed on to be tried again

    attempts = attempts_during(faults, fast_functions, Fault("function-refused", name, REFUSED_S), publish_and_look)
    assert FEWEST_ATTEMPTS <= attempts <= MOST_ATTEMPTS
    fast_functions.eventually((tmp_path / "notes").exists)
    fast_functions.eventually(
        lambda: topic not in ask(endpoint_url, "GET", "/_rydelab/sns", timeout_s=5)[1]["pending_deliveries"]
    )
    assert (tmp_path / "notes").read_text() == "ride"
    assert not fast_functions.client("sqs").receive_message(QueueUrl=letters_url).get("Messages")
