"""Lambda through its API: ``functions`` on the session's lab, ``fast_functions`` on a lab whose clock runs faster."""

import base64
import contextlib
import io
import json
import socket
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from rydelab.lab.emulation import emulator
from rydelab.settings import Settings
from tests.integration.conftest import FROM_TOPICS, FUNCTION_ROLE, make_function_role, policy

CLOCK_SPEED = 120
KEEPALIVE_S = 2.5
CONCURRENCY_LIMIT = 4


@dataclass(frozen=True)
class Answer:
    """What Invoke answers, decoded."""

    status: int
    payload: Any
    error: str | None
    log: str
    version: str | None
    request_id: str


@dataclass
class Functions:
    """Makes and calls functions of one lab; deletes them at the end."""

    client: Callable[[str], Any]
    names: list[str] = field(default_factory=list)

    def create(self, source: str, files: Mapping[str, str] | None = None, **configuration: Any) -> str:
        """Create a function of Python source that defines ``handler``, and *files* beside it.

        Returns its name once it is active. *configuration* is CreateFunction's.
        """
        name = f"test-{uuid.uuid4().hex[:12]}"
        self.client("lambda").create_function(
            FunctionName=name,
            **{
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": FUNCTION_ROLE,
                "Code": {"ZipFile": bundle(source, files)},
                "Timeout": 5,
                **configuration,
            },
        )
        self.names.append(name)
        self.wait_until_ready(name)
        return name

    def wait_until_ready(self, name: str) -> None:
        """Wait until the last creation or update has been done."""

        def is_ready() -> bool:
            settings = self.client("lambda").get_function_configuration(FunctionName=name)
            assert settings["State"] != "Failed", settings
            return bool(settings["State"] == "Active" and settings["LastUpdateStatus"] == "Successful")

        self.eventually(is_ready)

    def update_code(self, name: str, source: str) -> None:
        """Replace the code and wait until it is in force."""
        self.client("lambda").update_function_code(FunctionName=name, ZipFile=bundle(source))
        self.wait_until_ready(name)

    def invoke(self, name: str, event: Any = None, **parameters: Any) -> Answer:
        """Invoke with a JSON value, and ``LogType=Tail`` unless it is asynchronous."""
        if parameters.get("InvocationType", "RequestResponse") == "RequestResponse":
            parameters.setdefault("LogType", "Tail")
        response = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode(), **parameters)
        body = response["Payload"].read()
        return Answer(
            status=response["StatusCode"],
            payload=json.loads(body) if body else None,
            error=response.get("FunctionError"),
            log=base64.b64decode(response.get("LogResult", "")).decode(),
            version=response.get("ExecutedVersion"),
            request_id=response["ResponseMetadata"]["RequestId"],
        )

    def send(self, name: str, event: Any = None) -> str:
        """Invoke asynchronously and return the request id."""
        answer = self.invoke(name, event, InvocationType="Event")
        assert (answer.status, answer.payload) == (202, None)
        return answer.request_id

    def refusal(self, operation: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
        """Call an operation that must be refused and return the error's response."""
        with pytest.raises(ClientError) as caught:
            operation(**parameters)
        response: dict[str, Any] = dict(caught.value.response)
        return response

    def eventually[T](self, question: Callable[[], T], timeout_s: float = 10.0) -> T:
        """Ask until the answer is true, and return it; fail after *timeout_s*."""
        deadline = time.monotonic() + timeout_s
        while not (answer := question()):
            assert time.monotonic() < deadline, f"not within {timeout_s} s"
            time.sleep(0.02)
        return answer

    def log(self, group: str, stream: str | None = None) -> list[str]:
        """Return the messages of one stream, or of the group's only one, in the order in which Logs gives them."""
        logs = self.client("logs")
        if stream is None:
            try:
                [only] = logs.describe_log_streams(logGroupName=group)["logStreams"]
            except (logs.exceptions.ResourceNotFoundException, ValueError):
                return []
            stream = only["logStreamName"]
        page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
        return [event["message"] for event in page["events"]]

    def queue(self) -> tuple[str, str]:
        """Make a queue to which every topic may send; return its URL and ARN."""
        sqs = self.client("sqs")
        attributes = {"Policy": policy(FROM_TOPICS)}
        url = sqs.create_queue(QueueName=f"test-{uuid.uuid4().hex[:12]}", Attributes=attributes)["QueueUrl"]
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def let_topics_invoke(self, name: str) -> str:
        """Give a function the policy that a subscription to a topic needs; return its ARN."""
        self.client("lambda").add_permission(
            FunctionName=name, StatementId="topics", Action="lambda:InvokeFunction", Principal="sns.amazonaws.com"
        )
        settings = self.client("lambda").get_function_configuration(FunctionName=name)
        return str(settings["FunctionArn"])

    def receive(self, queue_url: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """Wait for the next message of a queue, and delete it."""
        sqs = self.client("sqs")

        def message() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = sqs.receive_message(
                QueueUrl=queue_url, MessageAttributeNames=["All"], WaitTimeSeconds=1
            ).get("Messages", [])
            return found

        [received] = self.eventually(message, timeout_s)
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=received["ReceiptHandle"])
        return received

    def delete(self, name: str) -> None:
        """Delete a function; what it had reserved is free again."""
        with contextlib.suppress(self.client("lambda").exceptions.ResourceNotFoundException):
            self.client("lambda").delete_function(FunctionName=name)

    def delete_all(self) -> None:
        """Delete what this has made."""
        for name in self.names:
            self.delete(name)


def bundle(source: str, files: Mapping[str, str] | None = None) -> bytes:
    """Return a deployment package with ``index.py`` and *files*."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        for name, text in {"index.py": source, **(files or {})}.items():
            package.writestr(name, text)
    return archive.getvalue()


@pytest.fixture(scope="package")
def functions(lab: Any) -> Iterator[Functions]:
    """Functions on the session's lab."""
    made = Functions(lab.client)
    yield made
    made.delete_all()


@pytest.fixture(scope="package")
def fast_functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    """Functions on a lab of their own: 120 lab seconds in one, 4 concurrent executions, idle expiry after 2.5 s."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    endpoint_url = f"http://127.0.0.1:{port}"
    data_dir = tmp_path_factory.mktemp("fast-lab")
    settings = Settings(port=port, data_dir=data_dir, endpoint_url=endpoint_url, enforce_iam=True)
    environment = {
        "RYDELAB_CLOCK_SPEED": str(CLOCK_SPEED),
        "LAMBDA_KEEPALIVE_MS": str(int(KEEPALIVE_S * 1000)),
        "LAMBDA_LIMITS_CONCURRENT_EXECUTIONS": str(CONCURRENCY_LIMIT),
        "LAMBDA_LIMITS_MINIMUM_UNRESERVED_CONCURRENCY": "0",
    }
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = boto3.client(
                service,  # type: ignore[call-overload]
                endpoint_url=endpoint_url,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",  # noqa: S106
                config=Config(retries={"total_max_attempts": 1}),
            )
        return clients[service]

    with emulator.start(settings, environment=environment):
        make_function_role(client("iam"))
        yield Functions(client)
        for opened in clients.values():
            opened.close()
