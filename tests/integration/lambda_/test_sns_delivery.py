"""SNS to Lambda and to SQS: what arrives, and what a subscription's dead-letter queue gets. In boto3 alone."""

import json
import uuid
from typing import Any

import pytest


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
