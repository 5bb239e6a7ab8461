"""Asynchronous invocations: retries, age, throttling, dead letters, destinations. No event may be lost.

The lab's clock runs 120 times faster: a retry after one minute comes after half a second.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from rydelab.lab.emulation.observation import ask

RECORD = (
    "import json, os, time, uuid\n"
    "def record(event, context):\n"
    "    path = os.environ['RECORDS'] + '/' + uuid.uuid4().hex\n"
    "    with open(path + '.new', 'w') as file:\n"
    "        json.dump([context.aws_request_id, time.time(), event], file)\n"
    "    os.rename(path + '.new', path + '.json')\n"
)


@pytest.fixture
def recorder(fast_functions: Any, tmp_path: Path) -> Iterator[tuple[Callable[..., str], Callable[[], list[Any]]]]:
    """Make functions that note each attempt, ``[request id, time, event]``; and read the notes, oldest first."""
    names: list[str] = []

    def create(body: str, **configuration: Any) -> str:
        variables = {"RECORDS": str(tmp_path)}
        name: str = fast_functions.create(
            f"{RECORD}def handler(event, context):\n    record(event, context)\n    {body}\n",
            Environment={"Variables": variables},
            **configuration,
        )
        names.append(name)
        return name

    def attempts() -> list[Any]:
        return sorted((json.loads(path.read_text()) for path in tmp_path.glob("*.json")), key=lambda note: note[1])

    yield create, attempts
    for name in names:
        fast_functions.delete(name)


def test_an_event_is_accepted_at_once_and_handled_once(fast_functions: Any, recorder: Any) -> None:
    create, attempts = recorder
    name = create("return 'ignored'")
    request_id = fast_functions.send(name, {"RideId": "7"})
    [(seen_id, _, event)] = fast_functions.eventually(attempts)
    assert (seen_id, event) == (request_id, {"RideId": "7"})


def test_a_failed_event_is_tried_again_after_one_and_two_minutes_and_then_is_a_dead_letter(
    fast_functions: Any, recorder: Any
) -> None:
    create, attempts = recorder
    url, arn = fast_functions.queue()
    name = create("raise ValueError('no unicorn ' + 2000 * 'é')", DeadLetterConfig={"TargetArn": arn})
    request_id = fast_functions.send(name, {"RideId": "7"})
    letter = fast_functions.receive(url)
    assert json.loads(letter["Body"]) == {"RideId": "7"}
    attributes = {key: (a["DataType"], a["StringValue"]) for key, a in letter["MessageAttributes"].items()}
    message = attributes.pop("ErrorMessage")
    assert attributes == {"RequestID": ("String", request_id), "ErrorCode": ("Number", "200")}
    assert message[1].startswith("no unicorn é")
    assert 1000 < len(message[1].encode()) <= 1024
    notes = attempts()
    assert [note[0] for note in notes] == [request_id] * 3  # one id for all attempts
    first, second, third = (note[1] for note in notes)
    assert second - first >= 60 / 120
    assert third - second >= 120 / 120


def test_maximum_retry_attempts_zero_makes_one_attempt(fast_functions: Any, recorder: Any) -> None:
    create, attempts = recorder
    url, arn = fast_functions.queue()
    name = create("raise ValueError('no unicorn')", DeadLetterConfig={"TargetArn": arn})
    fast_functions.client("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    fast_functions.send(name)
    assert fast_functions.receive(url)["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no unicorn"
    assert len(attempts()) == 1


def test_a_dead_letter_can_go_to_a_topic(fast_functions: Any) -> None:
    url, arn = fast_functions.queue()
    sns = fast_functions.client("sns")
    topic = sns.create_topic(Name=f"letters-{time.monotonic_ns()}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    name = fast_functions.create("def handler(event, context): raise ValueError", DeadLetterConfig={"TargetArn": topic})
    fast_functions.client("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    request_id = fast_functions.send(name, [1])
    letter = fast_functions.receive(url)
    assert letter["Body"] == "[1]"
    assert letter["MessageAttributes"]["RequestID"]["StringValue"] == request_id


def test_an_error_message_with_control_characters_does_not_cost_the_dead_letter(fast_functions: Any) -> None:
    url, arn = fast_functions.queue()
    name = fast_functions.create(
        "def handler(event, context): raise ValueError('\\x1b[31mred\\x00')", DeadLetterConfig={"TargetArn": arn}
    )
    fast_functions.client("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    fast_functions.send(name)
    assert "[31mred" in fast_functions.receive(url)["MessageAttributes"]["ErrorMessage"]["StringValue"]


def test_what_happens_to_events_is_counted(fast_functions: Any) -> None:
    url, arn = fast_functions.queue()
    name = fast_functions.create("def handler(event, context): return 1 // event", DeadLetterConfig={"TargetArn": arn})
    fast_functions.client("lambda").put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    fast_functions.client("sqs").delete_queue(QueueUrl=url)
    for event in (1, 1, 0):
        fast_functions.send(name, event)

    def total(metric: str) -> float:
        now = datetime.now(UTC)
        points = fast_functions.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": name}],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(float(point["Sum"]) for point in points)

    fast_functions.eventually(lambda: total("AsyncEventsDropped") == 1)
    assert total("AsyncEventsReceived") == 3
    assert total("DeadLetterErrors") == 1
    assert total("DestinationDeliveryFailures") == 1
    assert total("Errors") == 1


def test_destinations_get_a_record_of_success_and_of_failure(fast_functions: Any) -> None:
    url, arn = fast_functions.queue()
    name = fast_functions.create("def handler(event, context): return 10 // event")
    fast_functions.client("lambda").put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnSuccess": {"Destination": arn}, "OnFailure": {"Destination": arn}},
    )
    qualified = f"arn:aws:lambda:us-east-1:000000000000:function:{name}:$LATEST"

    request_id = fast_functions.send(name, 5)
    record = json.loads(fast_functions.receive(url)["Body"])
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": qualified,
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": 5,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": 2,
    }

    request_id = fast_functions.send(name, 0)
    record = json.loads(fast_functions.receive(url)["Body"])
    assert record["requestContext"] == {
        "requestId": request_id,
        "functionArn": qualified,
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 1,
    }
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["responsePayload"]["errorType"] == "ZeroDivisionError"
    assert record["responsePayload"]["requestId"] == request_id


def test_an_event_is_given_up_when_its_next_attempt_would_come_too_late(fast_functions: Any, recorder: Any) -> None:
    create, attempts = recorder
    url, arn = fast_functions.queue()
    name = create("raise ValueError('no unicorn')")
    fast_functions.client("lambda").put_function_event_invoke_config(
        FunctionName=name,
        MaximumEventAgeInSeconds=90,  # the first retry fits, after 60 s; the second would come after 180 s
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    fast_functions.send(name)
    context = json.loads(fast_functions.receive(url)["Body"])["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("EventAgeExceeded", 2)
    assert len(attempts()) == 2


def test_reserved_concurrency_zero_gives_an_event_up_with_no_attempt(fast_functions: Any, recorder: Any) -> None:
    create, attempts = recorder
    letters, letters_arn = fast_functions.queue()
    records, records_arn = fast_functions.queue()
    name = create("return", DeadLetterConfig={"TargetArn": letters_arn})
    client = fast_functions.client("lambda")
    client.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnFailure": {"Destination": records_arn}}
    )
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    request_id = fast_functions.send(name, {"RideId": "7"})
    record = json.loads(fast_functions.receive(records)["Body"])
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in record
    assert "responsePayload" not in record
    letter = fast_functions.receive(letters)
    assert json.loads(letter["Body"]) == {"RideId": "7"}
    assert letter["MessageAttributes"]["RequestID"]["StringValue"] == request_id
    assert attempts() == []


def test_throttled_events_wait_and_all_are_handled(fast_functions: Any, recorder: Any) -> None:
    create, attempts = recorder
    name = create("time.sleep(0.02)")
    fast_functions.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    sent = {fast_functions.send(name) for _ in range(12)}
    fast_functions.eventually(lambda: len(attempts()) >= 12)
    assert {note[0] for note in attempts()} == sent


def test_the_pauses_of_a_throttled_event_double(fast_functions: Any, recorder: Any) -> None:
    create, attempts = recorder
    name = create("time.sleep(2) if event == 'first' else None")
    client = fast_functions.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    fast_functions.send(name, "first")
    fast_functions.eventually(attempts)
    fast_functions.send(name, "second")
    fast_functions.eventually(lambda: len(attempts()) == 2)
    # The first takes 240 lab seconds. The second is refused after 0, 1, 3, 7 ... 127 of them, and perhaps 255. Once a
    # second would be 240 times.
    answer = ask(client.meta.endpoint_url, "GET", "/_rydelab/lambda", timeout_s=5)[1]
    assert 6 <= answer["functions"][name]["Throttles"] <= 9


def test_a_throttled_event_that_grows_too_old_is_a_dead_letter_with_429(fast_functions: Any, recorder: Any) -> None:
    create, attempts = recorder
    url, arn = fast_functions.queue()
    name = create("time.sleep(1) if event == 'first' else None", DeadLetterConfig={"TargetArn": arn})
    client = fast_functions.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    client.put_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60)
    fast_functions.send(name, "first")
    fast_functions.eventually(attempts)
    request_id = fast_functions.send(name, "second")
    letter = fast_functions.receive(url)
    assert json.loads(letter["Body"]) == "second"
    attributes = {key: attribute["StringValue"] for key, attribute in letter["MessageAttributes"].items()}
    assert attributes == {"RequestID": request_id, "ErrorCode": "429", "ErrorMessage": "Rate Exceeded."}


def test_a_slow_event_does_not_hold_up_the_next(fast_functions: Any, recorder: Any) -> None:
    create, attempts = recorder
    name = create("time.sleep(3) if event == 'slow' else None")
    fast_functions.send(name, "first")
    fast_functions.eventually(attempts)
    for event in ("slow", "quick", "quick"):  # while the worker of the first event still lingers
        fast_functions.send(name, event)
    begun = time.monotonic()
    fast_functions.eventually(lambda: [note[2] for note in attempts()].count("quick") == 2)
    assert time.monotonic() - begun < 2


def test_no_event_is_lost_while_the_function_is_updated(fast_functions: Any, recorder: Any) -> None:
    create, attempts = recorder
    name = create(
        "time.sleep(0.01)\n    if event % 7 == 0 and VERSION == 1: raise ValueError('again')".replace("VERSION", "1")
    )
    client = fast_functions.client("lambda")
    sent = set()
    for number in range(60):
        sent.add(fast_functions.send(name, number))
        if number % 20 == 10:
            client.update_function_configuration(FunctionName=name, Timeout=5 + number)
            fast_functions.wait_until_ready(name)
    fast_functions.eventually(lambda: {note[0] for note in attempts()} == sent)
    # Those that failed (0, 7, 14 ... 56) get their two further attempts from whatever version is there then.
    fast_functions.eventually(lambda: len(attempts()) == 60 + 2 * 9)


def test_more_than_the_accounts_concurrency_is_refused_for_another_reason(fast_functions: Any, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    started = tmp_path / "started"
    started.mkdir()
    name = fast_functions.create(
        "import os, time, uuid\n"
        "def handler(event, context):\n"
        f"    open(f'{started}/' + uuid.uuid4().hex, 'w').close()\n"
        f"    while not os.path.exists({str(gate)!r}): time.sleep(0.01)\n"
    )
    for _ in range(4):
        fast_functions.send(name)
    fast_functions.eventually(lambda: len(list(started.iterdir())) == 4)
    refusal = fast_functions.refusal(fast_functions.client("lambda").invoke, FunctionName=name)
    gate.touch()
    assert refusal["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    assert refusal["Reason"] == "ConcurrentInvocationLimitExceeded"


def test_an_idle_environment_is_frozen_and_later_ended(fast_functions: Any) -> None:
    name = fast_functions.create(
        "import os, threading\n"
        "def spin():\n    while True: pass\n"
        "def handler(event, context):\n"
        "    threading.Thread(target=spin, daemon=True).start()\n"
        "    return os.getpid()\n"
    )
    process = psutil.Process(fast_functions.invoke(name).payload)
    fast_functions.eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    assert fast_functions.invoke(name).payload == process.pid
    fast_functions.eventually(lambda: not process.is_running())
    assert fast_functions.invoke(name).payload != process.pid
