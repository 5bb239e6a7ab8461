"""Prints how often, and when, a function is tried behind API Gateway, SNS and SQS. Needs a lab; takes three minutes.

python docs/examples/retries.py [http://127.0.0.1:4566]
"""  # noqa: INP001 (a script beside a page)

import io
import json
import sys
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

ENDPOINT_URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:4566"
ROLE = "arn:aws:iam::000000000000:role/example"
BUSY_S = 20
SOURCE = f"""
import json, time
def handler(event, context):
    if event.get("hold"):
        time.sleep({BUSY_S})
        return {{}}
    text = json.dumps(event)
    print("WORK", json.dumps(event.get("Records", [{{}}])[0].get("attributes", {{}}).get("ApproximateReceiveCount")))
    if "fail" in text:
        raise ValueError("no unicorn today")
    return {{"statusCode": 201}}
"""


def client(service: str) -> Any:
    """Make a client of the lab that shows the first answer, not the third."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=ENDPOINT_URL,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (no secret)
        config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
    )


@dataclass
class Timeline:
    """Lines of what happened, in seconds since the request."""

    title: str
    begun_s: float = field(default_factory=time.time)
    lines: list[tuple[float, str]] = field(default_factory=list)

    def add(self, text: str, at_s: float | None = None) -> None:
        """Note *text* for now, or for the Unix time *at_s*."""
        self.lines.append(((at_s or time.time()) - self.begun_s, text))

    def show(self) -> None:
        """Print them in order."""
        print(f"\n{self.title}")
        for at_s, text in sorted(self.lines):
            print(f"{max(at_s, 0):8.1f} s  {text}")


class Setting:
    """A function with a queue for its dead letters, and a source in front of it."""

    def __init__(self, name: str, **configuration: Any) -> None:
        self.name = f"retries-{name}-{time.time_ns() % 10**9}"
        self.dead_letters_url, self.dead_letters_arn = queue(f"{self.name}-letters")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package:
            package.writestr("index.py", SOURCE)
        lambda_ = client("lambda")
        made = lambda_.create_function(
            FunctionName=self.name,
            Runtime="python3.13",
            Handler="index.handler",
            Role=ROLE,
            Timeout=29,
            Code={"ZipFile": archive.getvalue()},
            **({"DeadLetterConfig": {"TargetArn": self.dead_letters_arn}} | configuration),
        )
        self.arn: str = made["FunctionArn"]
        lambda_.get_waiter("function_active_v2").wait(FunctionName=self.name, WaiterConfig={"Delay": 1})

    def keep_busy(self) -> None:
        """Let the function have one environment only, and keep that one busy."""
        client("lambda").put_function_concurrency(FunctionName=self.name, ReservedConcurrentExecutions=1)
        event = json.dumps({"hold": True}).encode()
        hold = {"FunctionName": self.name, "Payload": event}
        threading.Thread(target=client("lambda").invoke, kwargs=hold, daemon=True).start()
        time.sleep(1)

    def runs(self) -> Iterator[tuple[float, str | None]]:
        """Yield when the function ran (Unix time), and the receive count of its message if it came from a queue."""
        logs = client("logs")
        try:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{self.name}")
            for event in (event for page in pages for event in page["events"]):
                if event["message"].startswith("WORK"):
                    yield event["timestamp"] / 1000, json.loads(event["message"].removeprefix("WORK "))
        except logs.exceptions.ResourceNotFoundException:
            return

    def wait_for_a_letter(self, timeline: Timeline, until_s: float) -> None:
        """Note when a letter arrives in the dead-letter queue, and what it says."""
        while time.time() - timeline.begun_s < until_s:
            answer = client("sqs").receive_message(
                QueueUrl=self.dead_letters_url, WaitTimeSeconds=1, MessageAttributeNames=["All"]
            )
            for letter in answer.get("Messages", []):
                said = letter.get("MessageAttributes", {})
                words = ", ".join(f"{name} {value['StringValue']}" for name, value in sorted(said.items()))
                timeline.add(f"in the dead-letter queue{': ' if words else ''}{words}")
                return

    def note_runs(self, timeline: Timeline) -> None:
        """Note each run of the function."""
        time.sleep(2)  # the log is written within a second
        for number, (at_s, count) in enumerate(self.runs(), 1):
            received = f", message received for the {count}. time" if count else ""
            timeline.add(f"the function runs, attempt {number}{received}", at_s)

    def wait_for_a_run(self, until_s: float) -> None:
        """Wait until the function has run once, or *until_s* have passed."""
        end_s = time.time() + until_s
        while time.time() < end_s and not list(self.runs()):
            time.sleep(0.5)


def queue(name: str, **attributes: str) -> tuple[str, str]:
    """Make a queue; return its URL and ARN."""
    url = client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def behind_api_gateway(body: str, *, busy: bool) -> Timeline:
    """POST *body* through a REST API."""
    setting = Setting("apigw")
    api = client("apigateway")
    rest = api.create_rest_api(name=setting.name)["id"]
    [root] = api.get_resources(restApiId=rest)["items"]
    api.put_method(restApiId=rest, resourceId=root["id"], httpMethod="POST", authorizationType="NONE")
    api.put_integration(
        restApiId=rest,
        resourceId=root["id"],
        httpMethod="POST",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{setting.arn}/invocations",
    )
    api.create_deployment(restApiId=rest, stageName="example")
    if busy:
        setting.keep_busy()
    timeline = Timeline("API Gateway -> Lambda")
    timeline.add("POST")
    request = urllib.request.Request(  # noqa: S310 (the lab)
        f"{ENDPOINT_URL}/_aws/execute-api/{rest}/example/", data=body.encode(), method="POST"
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 (the same)
            timeline.add(f"the client has its answer: {answer.status}")
    except urllib.error.HTTPError as error:
        timeline.add(f"the client has its answer: {error.code} {error.read().decode()}")
    time.sleep(BUSY_S + 10 if busy else 5)
    setting.note_runs(timeline)
    timeline.add("nothing more has happened")
    return timeline


def behind_sns(body: str, *, busy: bool) -> Timeline:
    """Publish *body* to a topic that the function subscribes to."""
    setting = Setting("sns")
    sns = client("sns")
    topic = sns.create_topic(Name=setting.name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=setting.arn)
    if busy:
        setting.keep_busy()
    timeline = Timeline("SNS -> Lambda, dead-letter queue on the function")
    sns.publish(TopicArn=topic, Message=body)
    timeline.add("published; the client has its answer: 200")
    if busy:
        setting.wait_for_a_run(60)
    else:
        setting.wait_for_a_letter(timeline, 200)
    setting.note_runs(timeline)
    return timeline


def behind_sqs(body: str, *, busy: bool) -> Timeline:
    """Send *body* to a queue that is mapped to the function."""
    setting = Setting("sqs", DeadLetterConfig={})
    policy = json.dumps({"deadLetterTargetArn": setting.dead_letters_arn, "maxReceiveCount": 3})
    url, arn = queue(setting.name, VisibilityTimeout="30", RedrivePolicy=policy)
    client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=setting.name)
    if busy:
        setting.keep_busy()
    timeline = Timeline("SQS -> Lambda, visibility timeout 30 s, maxReceiveCount 3, redrive policy on the queue")
    client("sqs").send_message(QueueUrl=url, MessageBody=body)
    timeline.add("sent; the client has its answer: 200")
    if busy:
        setting.wait_for_a_run(60)
    else:
        setting.wait_for_a_letter(timeline, 120)
    setting.note_runs(timeline)
    return timeline


def together(body: str, *, busy: bool) -> list[Timeline]:
    """Run the three at the same time."""
    found: dict[str, Timeline] = {}

    def run(behind: Callable[..., Timeline]) -> None:
        found[behind.__name__] = behind(body, busy=busy)

    sources = (behind_api_gateway, behind_sns, behind_sqs)
    threads = [threading.Thread(target=run, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[source.__name__] for source in sources]


def main() -> None:
    """Print two times three timelines."""
    print("THE FUNCTION FAILS EVERY TIME")
    for timeline in together('{"ride": "fail"}', busy=False):
        timeline.show()
    print(f"\n\nTHE FUNCTION IS THROTTLED FOR {BUSY_S} SECONDS, AND THEN WORKS")
    for timeline in together('{"ride": "work"}', busy=True):
        timeline.show()


if __name__ == "__main__":
    main()
