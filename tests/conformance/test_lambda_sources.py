"""Lambda behind SNS, SQS and asynchronous invocation: retries, dead letters, destinations. The tests speak boto3 only.

What a function did shows in what its queues hold, so they run against AWS as well: RYDELAB_CONFORMANCE_ENDPOINT as in
``conftest.py``, and RYDELAB_CONFORMANCE_ROLE, the ARN of a role that a function may have (sqs:*, logs:*).
"""

import contextlib
import io
import json
import os
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT_VARIABLE = "RYDELAB_CONFORMANCE_ENDPOINT"
ROLE = os.environ.get("RYDELAB_CONFORMANCE_ROLE", "arn:aws:iam::000000000000:role/test")
WAIT_S = 60
ONE_IS_BAD = """
    bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in bad]}
"""
FROM_TOPICS = {
    "Effect": "Allow",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": "*",
}
FAIL = "raise ValueError('no unicorn')"


@dataclass
class Account:
    """Makes what a test needs, and deletes it at the end."""

    options: dict[str, Any]
    clients: dict[str, Any] = field(default_factory=dict)
    undo: list[Callable[[], Any]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        if service not in self.clients:
            once = Config(retries={"total_max_attempts": 1})
            self.clients[service] = boto3.client(service, config=once, **self.options)  # type: ignore[call-overload]
        return self.clients[service]

    def queue(self, **attributes: str) -> tuple[str, str]:
        """Make a queue to which every topic may send; return its URL and ARN."""
        sqs = self.client("sqs")
        policy = json.dumps({"Version": "2012-10-17", "Statement": [FROM_TOPICS]})
        url = sqs.create_queue(QueueName=_name(), Attributes={"Policy": policy, **attributes})["QueueUrl"]
        self.undo.append(lambda: sqs.delete_queue(QueueUrl=url))
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def fifo_queue(self) -> tuple[str, str]:
        """Make a FIFO queue; return its URL and ARN."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=f"{_name()}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        self.undo.append(lambda: sqs.delete_queue(QueueUrl=url))
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def queue_with_redrive(self, visibility_s: int, max_receive_count: int) -> tuple[str, str, str]:
        """Make a queue and its dead-letter queue; return URL and ARN of the first, and the URL of the second."""
        letters_url, letters_arn = self.queue()
        policy = json.dumps({"deadLetterTargetArn": letters_arn, "maxReceiveCount": max_receive_count})
        return *self.queue(VisibilityTimeout=str(visibility_s), RedrivePolicy=policy), letters_url

    def function(self, body: str, **configuration: Any) -> str:
        """Make a function that runs *body* with ``event`` and ``context``; return its name."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package:
            package.writestr("index.py", f"import json\ndef handler(event, context):\n    {body}\n")
        name, lambda_ = _name(), self.client("lambda")
        lambda_.create_function(
            FunctionName=name,
            **{
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": ROLE,
                "Code": {"ZipFile": archive.getvalue()},
                "Timeout": 1,
                **configuration,
            },
        )
        self.undo.append(lambda: self.delete_function(name))
        lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return name

    def let_topics_invoke(self, name: str) -> str:
        """Give a function the policy that a subscription to a topic needs; return its ARN."""
        lambda_ = self.client("lambda")
        lambda_.add_permission(
            FunctionName=name, StatementId="topics", Action="lambda:InvokeFunction", Principal="sns.amazonaws.com"
        )
        return str(lambda_.get_function_configuration(FunctionName=name)["FunctionArn"])

    def delete_function(self, name: str) -> None:
        """Delete a function, unless a test has done so."""
        with contextlib.suppress(self.client("lambda").exceptions.ResourceNotFoundException):
            self.client("lambda").delete_function(FunctionName=name)

    def map(self, queue_arn: str, function: str, **parameters: Any) -> None:
        """Map a queue to a function."""
        lambda_ = self.client("lambda")
        made = lambda_.create_event_source_mapping(EventSourceArn=queue_arn, FunctionName=function, **parameters)
        self.undo.append(lambda: lambda_.delete_event_source_mapping(UUID=made["UUID"]))

    def receive(self, url: str) -> dict[str, Any]:
        """Wait for a message, delete it and return it."""
        sqs = self.client("sqs")
        end_s = time.monotonic() + WAIT_S
        while time.monotonic() < end_s:
            answer = sqs.receive_message(
                QueueUrl=url, WaitTimeSeconds=2, AttributeNames=["All"], MessageAttributeNames=["All"]
            )
            for message in answer.get("Messages", []):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                return dict(message)
        raise AssertionError(f"no message in {url} within {WAIT_S} s")

    def is_empty_for(self, url: str, seconds: int) -> bool:
        """Whether nothing arrives in the queue for so long."""
        return not self.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=seconds).get("Messages")


def _name() -> str:
    return f"rydelab-conformance-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    endpoint = os.environ.get(ENDPOINT_VARIABLE)
    local = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    if endpoint == "aws":
        yield from _account({})
    elif endpoint:
        yield from _account({"endpoint_url": endpoint, **local})
    else:
        from rydelab.lab.emulation import emulator  # noqa: PLC0415 (only here is the suite about a lab)
        from tests.integration.conftest import Lab, lab_settings, make_function_role  # noqa: PLC0415

        fast = {"RYDELAB_CLOCK_SPEED": "60"}
        with emulator.start(lab_settings(tmp_path_factory.mktemp("lab")), environment=fast) as lab:
            make_function_role(Lab(lab.endpoint_url).client("iam"))
            yield from _account({"endpoint_url": lab.endpoint_url, **local})


def _account(options: dict[str, Any]) -> Iterator[Account]:
    made = Account(options)
    yield made
    for undo in reversed(made.undo):
        undo()
    for client in made.clients.values():
        client.close()


@pytest.fixture
def topic(account: Account) -> str:
    sns = account.client("sns")
    arn: str = sns.create_topic(Name=_name())["TopicArn"]
    account.undo.append(lambda: sns.delete_topic(TopicArn=arn))
    return arn


# ---- asynchronous invocation ----


def test_a_dead_letter_has_the_event_as_it_was_and_the_invocation_s_own_request_id(account: Account) -> None:
    url, arn = account.queue()
    name = account.function(FAIL, DeadLetterConfig={"TargetArn": arn})
    account.client("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    answer = account.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"RideId": "7"}')
    letter = account.receive(url)
    said = {key: (value["DataType"], value["StringValue"]) for key, value in letter["MessageAttributes"].items()}
    assert json.loads(letter["Body"]) == {"RideId": "7"}
    assert said == {
        "RequestID": ("String", answer["ResponseMetadata"]["RequestId"]),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "no unicorn"),
    }


@pytest.mark.parametrize(("retries", "invoked"), [(0, 1), (1, 2)])
def test_the_failure_destination_is_told_how_often_the_function_was_tried(
    account: Account, retries: int, invoked: int
) -> None:
    url, arn = account.queue()
    name = account.function(FAIL)
    account.client("lambda").put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=retries, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    account.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    record = json.loads(account.receive(url)["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == invoked
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }


def test_without_any_concurrency_an_event_is_given_up_untried(account: Account) -> None:
    (url, arn), (letters_url, letters_arn) = account.queue(), account.queue()
    name = account.function("return", DeadLetterConfig={"TargetArn": letters_arn})
    lambda_ = account.client("lambda")
    lambda_.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnFailure": {"Destination": arn}})
    lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"RideId": "7"}')
    record = json.loads(account.receive(url)["Body"])
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in record
    assert json.loads(account.receive(letters_url)["Body"]) == {"RideId": "7"}


# ---- SQS ----


@pytest.mark.parametrize("settings", [{"MaximumRetryAttempts": 3}, {"MaximumEventAgeInSeconds": 21_601}])
def test_more_than_two_retries_and_more_than_six_hours_are_refused(account: Account, settings: dict[str, int]) -> None:
    name = account.function("pass")
    with pytest.raises(ClientError) as refused:
        account.client("lambda").put_function_event_invoke_config(FunctionName=name, **settings)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_dead_letter_queue_cannot_be_fifo(account: Account) -> None:
    _, arn = account.fifo_queue()
    with pytest.raises(ClientError) as refused:
        account.function("pass", DeadLetterConfig={"TargetArn": arn})
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_failed_message_is_received_as_often_as_its_queue_says_and_then_is_a_dead_letter(account: Account) -> None:
    url, arn, letters_url = account.queue_with_redrive(visibility_s=2, max_receive_count=2)
    account.map(arn, account.function(FAIL))
    account.client("sqs").send_message(QueueUrl=url, MessageBody='{ "a":  1 }')
    letter = account.receive(letters_url)
    assert letter["Body"] == '{ "a":  1 }'
    assert letter["Attributes"]["DeadLetterQueueSourceArn"] == arn


@pytest.mark.parametrize(
    ("answer", "dead"),
    [
        ("return None", set()),
        ("return {'batchItemFailures': []}", set()),
        (
            ONE_IS_BAD,
            {"bad"},
        ),
        ("return {'batchItemFailures': [{'itemIdentifier': ''}]}", {"good", "bad"}),
        ("return {'batchItemFailures': [{'itemIdentifier': None}]}", {"good", "bad"}),
        ("return {'batchItemFailures': [{'itemIdentifier': 'unknown'}]}", {"good", "bad"}),
        ("return {'batchItemFailures': [{'other': 'name'}]}", {"good", "bad"}),
    ],
    ids=["null", "empty", "one", "empty-id", "null-id", "unknown-id", "wrong-name"],
)
def test_what_a_function_reports_decides_which_messages_of_a_batch_have_failed(
    account: Account, answer: str, dead: set[str]
) -> None:
    url, arn, letters_url = account.queue_with_redrive(visibility_s=1, max_receive_count=1)
    account.client("sqs").send_message_batch(
        QueueUrl=url, Entries=[{"Id": body, "MessageBody": body} for body in ("good", "bad")]
    )
    account.map(arn, account.function(answer), FunctionResponseTypes=["ReportBatchItemFailures"])
    assert {account.receive(letters_url)["Body"] for _ in dead} == dead
    if not dead:
        assert account.is_empty_for(letters_url, 4)


def test_a_queue_must_hide_messages_for_as_long_as_the_function_may_run(account: Account) -> None:
    _, arn = account.queue(VisibilityTimeout="4")
    name = account.function("return", Timeout=5)
    with pytest.raises(ClientError, match="Queue visibility timeout: 4 seconds is less than Function timeout: 5 s"):
        account.map(arn, name)


# ---- SNS ----


@pytest.mark.parametrize(
    ("fifo", "parameters"),
    [
        (False, {"BatchSize": 11}),  # without a window
        (False, {"BatchSize": 10_001, "MaximumBatchingWindowInSeconds": 1}),
        (False, {"MaximumBatchingWindowInSeconds": 301}),
        (True, {"BatchSize": 11}),
        (True, {"MaximumBatchingWindowInSeconds": 1}),
        (False, {"ScalingConfig": {"MaximumConcurrency": 1001}}),
    ],
)
def test_batches_and_windows_beyond_their_limits_are_refused(
    account: Account, *, fifo: bool, parameters: dict[str, Any]
) -> None:
    _, arn = account.fifo_queue() if fifo else account.queue()
    name = account.function("pass")
    with pytest.raises(ClientError) as refused:
        account.map(arn, name, **parameters)
    assert refused.value.response["Error"]["Code"] in {"ValidationException", "InvalidParameterValueException"}


def test_a_subscription_to_a_function_that_is_gone_has_its_messages_in_its_own_dead_letter_queue(
    account: Account, topic: str
) -> None:
    letters_url, letters_arn = account.queue()
    name = account.function("return")
    arn = account.let_topics_invoke(name)
    account.client("sns").subscribe(
        TopicArn=topic,
        Protocol="lambda",
        Endpoint=arn,
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": letters_arn})},
    )
    account.delete_function(name)
    account.client("sns").publish(TopicArn=topic, Message="ride")
    assert json.loads(account.receive(letters_url)["Body"])["Message"] == "ride"


def test_errors_of_a_subscribed_function_go_to_the_function_s_dead_letter_queue(account: Account, topic: str) -> None:
    (subscriptions_url, subscriptions_arn), (functions_url, functions_arn) = account.queue(), account.queue()
    name = account.function(FAIL, DeadLetterConfig={"TargetArn": functions_arn})
    account.client("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    arn = account.let_topics_invoke(name)
    account.client("sns").subscribe(
        TopicArn=topic,
        Protocol="lambda",
        Endpoint=arn,
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": subscriptions_arn})},
    )
    account.client("sns").publish(TopicArn=topic, Message="ride")
    assert json.loads(account.receive(functions_url)["Body"])["Records"][0]["Sns"]["Message"] == "ride"
    assert account.is_empty_for(subscriptions_url, 2)
