"""At-least-once delivery, switched on: with a rate of 1 everything comes twice, once."""

import io
import json
import socket
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from rydelab.lab.emulation import emulator
from rydelab.settings import Settings
from tests.integration.conftest import FUNCTION_ROLE, make_function_role

SOURCE = """
import json, os, uuid
def handler(event, context):
    path = os.environ['NOTES'] + '/' + uuid.uuid4().hex
    with open(path + '.new', 'w') as file:
        json.dump(event, file)
    os.rename(path + '.new', path + '.json')
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Clients of a lab in which everything comes twice."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    endpoint_url = f"http://127.0.0.1:{port}"
    data_dir = tmp_path_factory.mktemp("lab")
    settings = Settings(port=port, data_dir=data_dir, endpoint_url=endpoint_url, enforce_iam=True)
    opened: list[Any] = []

    def client(service: str) -> Any:
        made = boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106
        )
        opened.append(made)
        return made

    with emulator.start(settings, environment={"RYDELAB_DUPLICATE_RATE": "1", "RYDELAB_DUPLICATE_SEED": "7"}):
        make_function_role(client("iam"))
        yield client
        for made in opened:
            made.close()


@pytest.fixture
def function(client: Callable[[str], Any], tmp_path: Path) -> str:
    """Make a function that notes its events."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("index.py", SOURCE)
    name = f"notes-{tmp_path.name[:40]}"
    client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=FUNCTION_ROLE,
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"NOTES": str(tmp_path)}},
    )
    client("lambda").get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return name


def notes_when(folder: Path, count: int) -> list[Any]:
    """Wait for that many notes, and a moment for one too many."""
    deadline = time.monotonic() + 10
    settled_s = None
    while settled_s is None or time.monotonic() - settled_s < 1:
        assert time.monotonic() < deadline
        notes = [json.loads(path.read_text()) for path in folder.glob("*.json")]
        if len(notes) >= count and settled_s is None:
            settled_s = time.monotonic()
        time.sleep(0.02)
    return notes


def test_an_event_is_handled_twice(client: Callable[[str], Any], function: str, tmp_path: Path) -> None:
    client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b'{"RideId": "7"}')
    assert notes_when(tmp_path, 2) == [{"RideId": "7"}] * 2


def test_a_message_is_handled_twice_under_one_id_and_then_is_gone(
    client: Callable[[str], Any], function: str, tmp_path: Path
) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="twice")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=function)
    sent = sqs.send_message(QueueUrl=url, MessageBody="ride")
    records = [record for event in notes_when(tmp_path, 2) for record in event["Records"]]
    assert [(record["messageId"], record["body"]) for record in records] == [(sent["MessageId"], "ride")] * 2
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert set(attributes.values()) == {"0"}


def test_a_fifo_queue_still_delivers_once(client: Callable[[str], Any], function: str, tmp_path: Path) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="once.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=function)
    sqs.send_message(QueueUrl=url, MessageBody="ride", MessageGroupId="a", MessageDeduplicationId="1")
    assert len(notes_when(tmp_path, 1)) == 1
