"""Custom resources: CloudFormation asks a Lambda function or a topic, and does what the answer says."""

import io
import json
import time
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.integration.conftest import FROM_TOPICS, FUNCTION_ROLE, policy

POLL_INTERVAL_S = 0.1

PROVIDER = """
import json, os, urllib.request, boto3

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["EVENTS_URL"], MessageBody=json.dumps(event))
    properties = event["ResourceProperties"]
    if properties.get("Silent") == "true":
        return
    answer = {
        "Status": "FAILED" if properties.get("Fail") == event["RequestType"] else "SUCCESS",
        "Reason": "the stable is closed",
        "PhysicalResourceId": properties.get("Name", "unnamed"),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Greeting": "hello " + properties.get("Name", ""), "Count": 3, "Nested.Key": "flat"},
    }
    body = json.dumps(answer).encode()
    headers = {"content-type": "", "content-length": str(len(body))}
    for _ in range(2):
        request = urllib.request.Request(event["ResponseURL"], data=body, headers=headers, method="PUT")
        assert urllib.request.urlopen(request).status == 200
"""


@dataclass(frozen=True)
class Provider:
    """A deployed provider, and the requests that it got."""

    lab: Any
    arn: str
    events_url: str

    def next_event(self) -> dict[str, Any]:
        """Take the oldest request that was not looked at."""
        sqs = self.lab.client("sqs")
        messages = sqs.receive_message(QueueUrl=self.events_url, WaitTimeSeconds=10)["Messages"]
        sqs.delete_message(QueueUrl=self.events_url, ReceiptHandle=messages[0]["ReceiptHandle"])
        event: dict[str, Any] = json.loads(messages[0]["Body"])
        return event

    def was_asked_again(self) -> bool:
        """Whether there is a request that was not looked at."""
        return bool(self.lab.client("sqs").receive_message(QueueUrl=self.events_url).get("Messages"))


@pytest.fixture
def provider(lab: Any) -> Iterator[Provider]:
    name = f"provider-{uuid.uuid4().hex[:8]}"
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("provider.py", PROVIDER)
    sqs, functions = lab.client("sqs"), lab.client("lambda")
    events_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    function = functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="provider.handler",
        Role=FUNCTION_ROLE,
        Timeout=20,
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"EVENTS_URL": events_url}},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": POLL_INTERVAL_S})
    yield Provider(lab, function["FunctionArn"], events_url)
    functions.delete_function(FunctionName=name)
    sqs.delete_queue(QueueUrl=events_url)


class Stack:
    """A stack with one custom resource, ``Stable``."""

    def __init__(self, lab: Any) -> None:
        self.name = f"custom-{uuid.uuid4().hex[:8]}"
        self._lab = lab
        self._client = lab.client("cloudformation")

    def create(self, properties: dict[str, Any], **template: Any) -> None:
        """Create it with these properties of the resource."""
        self.id = self._client.create_stack(StackName=self.name, TemplateBody=_template(properties, **template))[
            "StackId"
        ]
        self._wait("stack_create_complete")

    def update(self, properties: dict[str, Any]) -> None:
        """Change the properties of the resource."""
        self._client.update_stack(StackName=self.name, TemplateBody=_template(properties))
        self._wait("stack_update_complete")

    def delete(self) -> None:
        """Delete it, which must succeed."""
        self._client.delete_stack(StackName=self.name)
        self._wait("stack_delete_complete")

    def outputs(self) -> dict[str, str]:
        """Return the values of its outputs."""
        stack = self._client.describe_stacks(StackName=self.name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def reasons(self) -> list[str]:
        """Return the reasons that its events give for the resource."""
        events = self._client.describe_stack_events(StackName=self.name)["StackEvents"]
        return [event.get("ResourceStatusReason", "") for event in events if event["LogicalResourceId"] == "Stable"]

    def _wait(self, state: str) -> None:
        self._client.get_waiter(state).wait(
            StackName=self.name, WaiterConfig={"Delay": POLL_INTERVAL_S, "MaxAttempts": 200}
        )


def _template(
    properties: dict[str, Any],
    type_: str = "AWS::CloudFormation::CustomResource",
    outputs: dict[str, Any] | None = None,
) -> str:
    return json.dumps(
        {
            "Resources": {"Stable": {"Type": type_, "Properties": properties}},
            "Outputs": {name: {"Value": value} for name, value in (outputs or {}).items()},
        }
    )


@pytest.fixture
def stack(lab: Any) -> Iterator[Stack]:
    stack = Stack(lab)
    yield stack
    lab.client("cloudformation").delete_stack(StackName=stack.name)


def test_the_provider_gets_the_request_that_aws_would_send(provider: Provider, stack: Stack) -> None:
    stack.create({"ServiceToken": provider.arn, "Name": "Bucephalus", "Count": 2, "Open": True, "List": [{"A": 1}]})

    event = provider.next_event()

    assert event["RequestType"] == "Create"
    assert event["StackId"] == stack.id
    assert event["LogicalResourceId"] == "Stable"
    assert event["ResourceType"] == "AWS::CloudFormation::CustomResource"
    assert event["ServiceToken"] == provider.arn
    assert event["ResourceProperties"] == {
        "ServiceToken": provider.arn,
        "Name": "Bucephalus",
        "Count": "2",
        "Open": "true",
        "List": [{"A": "1"}],
    }
    assert uuid.UUID(event["RequestId"])
    assert "PhysicalResourceId" not in event
    assert "OldResourceProperties" not in event


def test_its_answer_is_the_value_of_ref_and_getatt(provider: Provider, stack: Stack) -> None:
    stack.create(
        {"ServiceToken": provider.arn, "Name": "Shadowfax"},
        type_="Custom::Stable",
        outputs={
            "Id": {"Ref": "Stable"},
            "Greeting": {"Fn::GetAtt": ["Stable", "Greeting"]},
            "Count": {"Fn::GetAtt": ["Stable", "Count"]},
            "Nested": {"Fn::GetAtt": ["Stable", "Nested.Key"]},
        },
    )

    assert provider.next_event()["ResourceType"] == "Custom::Stable"
    assert stack.outputs() == {"Id": "Shadowfax", "Greeting": "hello Shadowfax", "Count": "3", "Nested": "flat"}


def test_an_update_names_the_resource_and_its_old_properties(provider: Provider, stack: Stack) -> None:
    stack.create({"ServiceToken": provider.arn, "Name": "Rocinante", "Size": 1})
    provider.next_event()

    stack.update({"ServiceToken": provider.arn, "Name": "Rocinante", "Size": 2})

    event = provider.next_event()
    assert event["RequestType"] == "Update"
    assert event["PhysicalResourceId"] == "Rocinante"
    assert event["ResourceProperties"]["Size"] == "2"
    assert event["OldResourceProperties"] == {"ServiceToken": provider.arn, "Name": "Rocinante", "Size": "1"}
    assert not provider.was_asked_again()


def test_a_failed_update_is_followed_by_one_that_takes_it_back(provider: Provider, stack: Stack) -> None:
    stack.create({"ServiceToken": provider.arn, "Name": "Marengo"})
    provider.next_event()

    with pytest.raises(WaiterError):
        stack.update({"ServiceToken": provider.arn, "Name": "Copenhagen", "Fail": "Update"})

    assert provider.next_event()["ResourceProperties"]["Name"] == "Copenhagen"
    back = provider.next_event()
    assert (back["RequestType"], back["PhysicalResourceId"]) == ("Update", "Marengo")
    assert back["ResourceProperties"] == {"ServiceToken": provider.arn, "Name": "Marengo"}
    assert not provider.was_asked_again()


def test_a_new_physical_id_deletes_the_old_resource(provider: Provider, stack: Stack) -> None:
    stack.create({"ServiceToken": provider.arn, "Name": "Old"})
    provider.next_event()

    stack.update({"ServiceToken": provider.arn, "Name": "New"})

    assert provider.next_event()["RequestType"] == "Update"
    delete = provider.next_event()
    assert (delete["RequestType"], delete["PhysicalResourceId"]) == ("Delete", "Old")
    assert delete["ResourceProperties"]["Name"] == "Old"


def test_deleting_the_stack_deletes_the_resource(provider: Provider, stack: Stack) -> None:
    stack.create({"ServiceToken": provider.arn, "Name": "Silver"})
    provider.next_event()

    stack.delete()

    event = provider.next_event()
    assert (event["RequestType"], event["PhysicalResourceId"]) == ("Delete", "Silver")
    assert event["ResourceProperties"] == {"ServiceToken": provider.arn, "Name": "Silver"}
    assert not provider.was_asked_again()


def test_a_failed_answer_fails_the_stack_with_its_reason(provider: Provider, stack: Stack) -> None:
    with pytest.raises(WaiterError):
        stack.create({"ServiceToken": provider.arn, "Name": "Balky", "Fail": "Create"})

    request_id = provider.next_event()["RequestId"]
    assert (
        "Received response status [FAILED] from custom resource. "
        f"Message returned: the stable is closed (RequestId: {request_id})"
    ) in stack.reasons()


def test_no_answer_fails_the_stack_when_the_service_timeout_is_over(provider: Provider, stack: Stack) -> None:
    begin = time.monotonic()

    with pytest.raises(WaiterError):
        stack.create({"ServiceToken": provider.arn, "Silent": True, "ServiceTimeout": 2})

    assert time.monotonic() - begin < 20
    request_id = provider.next_event()["RequestId"]
    assert any(
        reason.startswith("CloudFormation did not receive a response") and request_id in reason
        for reason in stack.reasons()
    )


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        pytest.param({}, "Invalid service token.", id="no token"),
        pytest.param(
            {"ServiceToken": "arn:aws:s3:::bucket"}, "Invalid service token.", id="neither function nor topic"
        ),
        pytest.param(
            {"ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:nobody"}, "nobody", id="no such function"
        ),
        pytest.param(
            {"ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:f", "ServiceTimeout": "never"},
            "ServiceTimeout must be 1 to 3600 seconds, got never",
            id="wrong timeout",
        ),
    ],
)
def test_a_request_that_cannot_be_sent_fails_the_stack_and_leaves_nothing_to_delete(
    stack: Stack, properties: dict[str, Any], reason: str
) -> None:
    with pytest.raises(WaiterError):
        stack.create(properties)

    assert any(reason in given for given in stack.reasons())
    stack.delete()


def test_a_topic_gets_the_request_as_a_message(lab: Any, stack: Stack) -> None:
    name = f"custom-{uuid.uuid4().hex[:8]}"
    topic = lab.client("sns").create_topic(Name=name)["TopicArn"]
    queue = lab.client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy(FROM_TOPICS)})["QueueUrl"]
    lab.client("sns").subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=topic.replace(":sns:", ":sqs:"),
        Attributes={"RawMessageDelivery": "true"},
    )
    client = lab.client("cloudformation")
    client.create_stack(StackName=stack.name, TemplateBody=_template({"ServiceToken": topic, "ServiceTimeout": "30"}))

    message = lab.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"][0]
    event = json.loads(message["Body"])
    answer = {"Status": "SUCCESS", "PhysicalResourceId": "by-topic"} | {
        key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")
    }
    _put(event["ResponseURL"], answer)

    stack._wait("stack_create_complete")
    resource = client.describe_stack_resource(StackName=stack.name, LogicalResourceId="Stable")
    assert resource["StackResourceDetail"]["PhysicalResourceId"] == "by-topic"


def test_only_the_signed_url_takes_an_answer(lab: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        _put(f"{lab.endpoint_url}/_rydelab/custom-resource-response/{uuid.uuid4()}?X-Amz-Signature=guessed", {})

    refused.value.close()
    assert refused.value.code == 403


def _put(url: str, answer: dict[str, Any]) -> None:
    request = urllib.request.Request(url, data=json.dumps(answer).encode(), headers={"content-type": ""}, method="PUT")  # noqa: S310
    urllib.request.urlopen(request).close()  # noqa: S310
