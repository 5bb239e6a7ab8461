"""The paths that a stage's permissions open: each is walked, and says how it ended.

A path that works ends in None, one that does not in what was seen of it: an answer, an error, a dead letter.
"""

import http
import http.client
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.integration.permissions.stage import Stage

SERVICES = Path(__file__).parents[3] / "services"
DEADLINE_S = 15.0
NOT_DELIVERED = "the topic could not deliver"
NOT_POLLED = "the queue is not polled"

type Seen = str | None


@dataclass
class Paths:
    """The paths of one stage. *letters_url* is the dead-letter queue of its topic's subscription."""

    stage: Stage
    letters_url: str
    bucket: str
    walks: dict[str, Callable[[], Seen]] = field(init=False)

    def __post_init__(self) -> None:
        self.walks = {
            "POST /ride": self.ride,
            "GET /unicorn": self.unicorn_over_http,
            "RequestUnicornInvoke": self.unicorn_by_invoke,
            "LoadTable": self.load_table,
            "POST /record": self.record_over_http,
            "GET /record/RIDE": self.read_record,
            "topic to record": self.record_by_event,
            "dead letters to record": self.process_dead_letters,
            "Invoker": self.invoker,
            "GET /transactions": self.transactions,
            "purchase": lambda: self.execute("PURCHASE"),
            "refund": lambda: self.execute("REFUND"),
            "page": self.page,
        }
        if "PutRideRecordSns" in self.stage.of_type("AWS::Lambda::Function"):
            self.walks["failed ride to dead letters"] = self.dead_letter
        else:
            # Its record would be one more message in the queue, and whose failure is counted could not be told.
            del self.walks["POST /ride"]

    def walk(self) -> dict[str, str]:
        """Walk all paths; return what was seen of those that do not work."""
        ends = {name: walk() for name, walk in self.walks.items()}
        return {name: seen for name, seen in ends.items() if seen is not None}

    # -- over HTTP -------------------------------------------------------------------------------------------------

    def ride(self) -> Seen:
        """Request a ride."""
        return self._http("POST", self.stage.output("RequestRideUrl"), _event("wild-rydes", "request-ride")["body"])

    def unicorn_over_http(self) -> Seen:
        """Ask API Gateway for a unicorn."""
        return self._http("GET", self.stage.output("RequestUnicornUrl"))

    def record_over_http(self) -> Seen:
        """Have API Gateway record a ride."""
        return self._http("POST", self.stage.output("RideRecordUrl"), json.dumps(_ride()))

    def read_record(self) -> Seen:
        """Read a ride that is in the table."""
        ride = _ride()
        item = {name: {"S": ride[name]} for name in ("RideId", "RequestTime")}
        self.stage.lab.client("dynamodb").put_item(TableName=self.stage.output("RideRecordTableName"), Item=item)
        return self._http("GET", f"{self.stage.output('RideRecordUrl')}/{ride['RideId']}")

    def transactions(self) -> Seen:
        """Have a transaction processed."""
        return self._http("GET", self.stage.output("TransactionsUrl") + "?transactionId=1&type=PURCHASE&amount=2")

    def page(self) -> Seen:
        """Open the page, as a browser without credentials."""
        host = f"{self.stage.output('SiteBucketName')}.s3-website.localhost"
        return self._http("GET", self.stage.lab.endpoint_url, host=host)

    def _http(self, method: str, url: str, body: str | None = None, host: str | None = None) -> Seen:
        headers = {"Content-Type": "application/json"} | ({"Host": host} if host else {})
        status, text = _request(method, url, body, headers)
        return None if status < http.HTTPStatus.BAD_REQUEST else f"{status} {text}"

    # -- by invoking -----------------------------------------------------------------------------------------------

    def unicorn_by_invoke(self) -> Seen:
        """Invoke the function that gives a unicorn."""
        return self._invoke("RequestUnicornInvokeName", {})[1]

    def invoker(self) -> Seen:
        """Have a function invoke another."""
        return self._invoke("InvokerName", _event("lambda-guides", "invoker"))[1]

    def load_table(self) -> Seen:
        """Ask for an update as CloudFormation does; the answer goes into a bucket."""
        s3, key = self.stage.lab.client("s3"), uuid.uuid4().hex
        event = _event("wild-rydes-ride-fleet", "load-table-update")
        event["ResponseURL"] = s3.generate_presigned_url("put_object", {"Bucket": self.bucket, "Key": key})
        event["ResourceProperties"]["TableName"] = self.stage.output("UnicornsTableName")
        _, failure = self._invoke("LoadTableName", event)
        if failure is not None:
            return failure
        answer = json.load(s3.get_object(Bucket=self.bucket, Key=key)["Body"])
        return None if answer["Status"] == "SUCCESS" else str(answer["Reason"])

    def process_dead_letters(self) -> Seen:
        """Have a ride and a letter that is none processed."""
        sqs, url = self.stage.lab.client("sqs"), self.stage.output("DeadLetterQueueUrl")
        for body in (json.dumps(_ride()), "no ride"):
            sqs.send_message(QueueUrl=url, MessageBody=body)
        try:
            answer, failure = self._invoke("ProcessDeadLettersName", {"MaxMessages": 2, "RidesPerSecond": 1000})
        finally:
            sqs.purge_queue(QueueUrl=url)
        if failure is None and (answer["recorded"], answer["poison"]) != (1, 1):
            failure = json.dumps(answer)
        return failure

    def _invoke(self, output: str, event: Any) -> tuple[Any, Seen]:
        name = self.stage.output(output)
        response = self.stage.lab.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
        answer = json.load(response["Payload"])
        return answer, answer["errorMessage"] if "FunctionError" in response else None

    def execute(self, kind: str) -> Seen:
        """Execute the state machine."""
        machine = self.stage.lab.client("stepfunctions")
        arn = machine.start_execution(
            stateMachineArn=self.stage.output("PurchaseStateMachineArn"), input=json.dumps({"TransactionType": kind})
        )["executionArn"]
        deadline = time.monotonic() + DEADLINE_S
        while (execution := machine.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < deadline, f"the execution for {kind} did not end"
            time.sleep(0.02)
        return None if execution["status"] == "SUCCEEDED" else f"{execution.get('error')}: {execution.get('cause')}"

    # -- by events -------------------------------------------------------------------------------------------------

    def record_by_event(self) -> Seen:
        """Publish a ride, and see where it ends."""
        ride = _ride()
        before = self.counters()
        self.stage.lab.client("sns").publish(TopicArn=self.stage.output("RidesSnsTopicArn"), Message=json.dumps(ride))
        return _first(
            lambda: self._failed_to_record(ride["RideId"], before),
            lambda: "" if self._is_recorded(ride["RideId"]) else None,
            lambda: NOT_DELIVERED if self._received(self.letters_url, ride["RideId"]) else None,
            lambda: self._dead_letter(ride["RideId"]),
            lambda: NOT_POLLED if self.counters()["RefusedPolls"] > before["RefusedPolls"] else None,
        )

    def dead_letter(self) -> Seen:
        """Send what is no ride to a function that is not to try again."""
        before = self.counters()
        event = _event("wild-rydes-ride-record", "put-ride-record-sns")
        event["Records"][0]["Sns"]["Message"] = "no ride"
        self.stage.lab.client("lambda").invoke(
            FunctionName=self.stage.output("PutRideRecordSnsName"),
            InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )
        return _first(
            lambda: "" if self._dead_letter("no ride") else None,
            lambda: "no dead letter" if self.counters()["DeadLetterErrors"] > before["DeadLetterErrors"] else None,
        )

    def counters(self) -> dict[str, int]:
        """Return the lab's counters of the function that records by event; those that are not there are 0."""
        function = self.stage.outputs["wild-rydes-ride-record"]
        name = function.get("PutRideRecordSnsName") or function["PutRideRecordSqsName"]
        _, answer = _request("GET", f"{self.stage.lab.endpoint_url}/_rydelab/lambda")
        found = json.loads(answer)["functions"].get(name, {})
        return {what: found.get(what, 0) for what in ("Invocations", "DeadLetterErrors", "RefusedPolls")}

    def wait_until_not_polled(self) -> None:
        """Wait for the first poll that is refused; one that began before may still take a message."""
        before = self.counters()["RefusedPolls"]
        _first(lambda: "" if self.counters()["RefusedPolls"] > before else None)

    def _is_recorded(self, ride_id: str) -> bool:
        table = self.stage.output("RideRecordTableName")
        return "Item" in self.stage.lab.client("dynamodb").get_item(TableName=table, Key={"RideId": {"S": ride_id}})

    def _failed_to_record(self, ride_id: str, before: Mapping[str, int]) -> str | None:
        """Say whether the function of the queue has run, and the ride is in the table no more than before."""
        if "PutRideRecordSqsName" not in self.stage.outputs["wild-rydes-ride-record"]:
            return None
        has_run = self.counters()["Invocations"] > before["Invocations"]
        return "the function failed" if has_run and not self._is_recorded(ride_id) else None

    def _dead_letter(self, text: str) -> str | None:
        """Return why a letter with *text* in it is in the function's dead-letter queue; None if there is none."""
        letter = self._received(self.stage.output("DeadLetterQueueUrl"), text)
        return None if letter is None else str(letter["MessageAttributes"]["ErrorMessage"]["StringValue"])

    def _received(self, url: str, text: str) -> dict[str, Any] | None:
        """Return a message with *text* in it, if there is one. Others, of rides of another path, are deleted."""
        sqs = self.stage.lab.client("sqs")
        for message in sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            if text in message["Body"]:
                return dict(message)
        return None


def _first(*questions: Callable[[], str | None]) -> Seen:
    """Ask until one of the questions has an answer; the empty one means that all is well."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        for question in questions:
            if (answer := question()) is not None:
                return answer or None
        assert time.monotonic() < deadline, "nothing was seen of the event"
        time.sleep(0.02)


def _request(
    method: str, url: str, body: str | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, str]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=DEADLINE_S)
    try:
        connection.request(method, f"{address.path or '/'}?{address.query}", body, dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def _event(service: str, name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((SERVICES / service / "events" / f"{name}.json").read_text())
    return event


def _ride() -> dict[str, Any]:
    return {"RideId": str(uuid.uuid1()), "Unicorn": {"Name": "Rocinante"}, "RequestTime": "2026-11-21 05:00:00.000000"}
