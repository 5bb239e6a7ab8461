"""Each kind of fault on the session's lab: what its target does meanwhile, and that it works again afterwards."""

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rydelab import cli
from rydelab.errors import RydelabError
from rydelab.faults import KINDS, Fault
from rydelab.lab.emulation.fault_control import FaultControl
from rydelab.lab.emulation.observation import ask

LENGTH_S = 30.0
"""Longer than a test: each ends its fault itself, unless it is about how faults end."""


@pytest.fixture
def faults(lab: Any) -> Iterator[FaultControl]:
    control = FaultControl(lab.endpoint_url)
    yield control
    control.stop()


@pytest.fixture
def table(lab: Any) -> str:
    name = f"test-{uuid.uuid4().hex[:12]}"
    lab.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def test_a_function_error_is_as_the_functions_own_and_its_code_does_not_run(
    functions: Any, faults: FaultControl, shared_dir: Path
) -> None:
    name = functions.create(f"def handler(event, context): open('{shared_dir}/ran', 'a').write('x')")
    fault = faults.start(Fault("function-error", name, LENGTH_S))
    answer = functions.invoke(name)
    assert (answer.status, answer.error) == (200, "Unhandled")
    assert answer.payload["errorType"] == "InjectedFault"
    assert answer.payload["requestId"] == answer.request_id
    assert "START RequestId" in answer.log
    assert "REPORT RequestId" in answer.log
    assert not (shared_dir / "ran").exists()
    [stopped] = faults.stop(fault.id)
    assert stopped.hits == 1
    assert functions.invoke(name).error is None
    assert (shared_dir / "ran").read_text() == "x"


def test_a_rate_meets_a_share_of_the_invocations_and_the_same_ones_each_time(
    functions: Any, faults: FaultControl
) -> None:
    name = functions.create("def handler(event, context): return event")

    def met() -> list[bool]:
        faults.start(Fault("function-error", name, LENGTH_S, parameters={"rate": 0.5, "seed": 3}))
        answers = [functions.invoke(name).error is not None for _ in range(20)]
        faults.stop()
        return answers

    first = met()
    assert 3 < sum(first) < 17
    assert met() == first


def test_a_slow_function_takes_longer_and_its_timeout_counts(functions: Any, faults: FaultControl) -> None:
    name = functions.create("def handler(event, context): return context.get_remaining_time_in_millis()", Timeout=2)
    faults.start(Fault("function-slow", name, LENGTH_S, parameters={"delay_ms": 600}))
    begun_s = time.monotonic()
    left_ms = functions.invoke(name).payload
    assert time.monotonic() - begun_s >= 0.6
    assert left_ms <= 1400
    faults.start(Fault("function-slow", name, LENGTH_S, parameters={"delay_ms": 5000}))
    answer = functions.invoke(name)
    assert answer.error == "Unhandled"
    assert "Task timed out after 2.00 seconds" in answer.payload["errorMessage"]


def test_a_crash_is_an_exit_error_before_the_code_sees_the_event(
    functions: Any, faults: FaultControl, shared_dir: Path
) -> None:
    name = functions.create(
        "import os\nstarted = os.getpid()\n"
        f"def handler(event, context): open('{shared_dir}/ran', 'a').write('x'); return started"
    )
    before = functions.invoke(name).payload
    faults.start(Fault("function-crash", name, LENGTH_S))
    answer = functions.invoke(name)
    assert answer.payload["errorType"] == "Runtime.ExitError"
    assert answer.payload["errorMessage"].endswith("Runtime exited with error: signal: killed")
    faults.stop()
    assert functions.invoke(name).payload != before
    assert (shared_dir / "ran").read_text() == "xx"


def test_an_environment_is_killed_after_its_code_has_begun(
    functions: Any, faults: FaultControl, shared_dir: Path
) -> None:
    name = functions.create(
        "import time\n"
        f"def handler(event, context): open('{shared_dir}/ran', 'a').write('x'); time.sleep(event['sleep_s'])"
    )
    functions.invoke(name, {"sleep_s": 0})
    faults.start(Fault("environment-killed", name, LENGTH_S, parameters={"within_ms": 900, "seed": 1}))
    answer = functions.invoke(name, {"sleep_s": 4})
    assert answer.payload["errorType"] == "Runtime.ExitError"
    assert (shared_dir / "ran").read_text() == "xx"
    faults.stop()
    assert functions.invoke(name, {"sleep_s": 0}).error is None


def test_an_invocation_that_ends_before_the_moment_of_the_kill_is_left_alone(
    functions: Any, faults: FaultControl
) -> None:
    name = functions.create("def handler(event, context): return 'done'")
    faults.start(Fault("environment-killed", name, LENGTH_S, parameters={"within_ms": 900_000}))
    assert functions.invoke(name).payload == "done"


def test_lambda_refuses_a_function_to_every_kind_of_invocation(functions: Any, faults: FaultControl) -> None:
    name = functions.create("def handler(event, context): return 1")
    faults.start(Fault("function-refused", name, LENGTH_S))
    for kind in ("RequestResponse", "Event"):
        refusal = functions.refusal(functions.client("lambda").invoke, FunctionName=name, InvocationType=kind)
        assert refusal["Error"]["Code"] == "ServiceException"
        assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert faults.stop()[0].hits == 2
    assert functions.invoke(name).payload == 1


@pytest.mark.parametrize(
    ("code", "status"), [("InternalServerError", 500), ("ProvisionedThroughputExceededException", 400)]
)
def test_a_table_refuses_its_items_by_whatever_operation_and_nothing_else(
    functions: Any, faults: FaultControl, table: str, code: str, status: int
) -> None:
    dynamodb = functions.client("dynamodb")
    faults.start(Fault("table-refused", table, LENGTH_S, parameters={"error": code}))
    item, key = {"Id": {"S": "a"}}, {"Id": {"S": "a"}}
    requests: list[tuple[Any, dict[str, Any]]] = [
        (dynamodb.put_item, {"TableName": table, "Item": item}),
        (dynamodb.get_item, {"TableName": f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}", "Key": key}),
        (dynamodb.scan, {"TableName": table}),
        (dynamodb.batch_get_item, {"RequestItems": {table: {"Keys": [key]}}}),
        (dynamodb.transact_write_items, {"TransactItems": [{"Put": {"TableName": table, "Item": item}}]}),
        (dynamodb.execute_statement, {"Statement": f'SELECT * FROM "{table}"'}),  # noqa: S608
    ]
    for operation, parameters in requests:
        refusal = functions.refusal(operation, **parameters)
        assert refusal["Error"]["Code"] == code
        assert refusal["ResponseMetadata"]["HTTPStatusCode"] == status
    assert dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"
    [stopped] = faults.stop()
    assert stopped.hits == len(requests)
    assert dynamodb.scan(TableName=table)["Count"] == 0


def test_a_queue_refuses_clients_and_the_lab_itself_and_nothing_is_lost(functions: Any, faults: FaultControl) -> None:
    sqs = functions.client("sqs")
    (url, arn), (results_url, _) = functions.queue(), functions.queue()
    name = functions.create(
        "import os, boto3\n"
        "def handler(event, context):\n"
        "    for record in event['Records']:\n"
        f"        boto3.client('sqs').send_message(QueueUrl='{results_url}', MessageBody=record['body'])\n"
    )
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
    functions.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=name)
    sqs.send_message(QueueUrl=url, MessageBody="before")
    assert functions.receive(results_url)["Body"] == "before"
    fault = faults.start(Fault("queue-refused", arn, LENGTH_S))
    refusal = functions.refusal(sqs.send_message, QueueUrl=url, MessageBody="meanwhile")
    assert refusal["Error"]["Code"] == "ServiceUnavailable"
    assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 503
    functions.eventually(lambda: faults.all()[0][0].hits > 2)  # the mapping tries to receive, too
    sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    faults.stop(fault.id)
    sqs.send_message(QueueUrl=url, MessageBody="after")
    assert functions.receive(results_url)["Body"] == "after"


def test_a_dead_letter_that_its_queue_refuses_is_dropped_and_counted(
    functions: Any, faults: FaultControl, lab: Any
) -> None:
    url, arn = functions.queue()
    name = functions.create("def handler(event, context): raise ValueError", DeadLetterConfig={"TargetArn": arn})
    functions.client("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    faults.start(Fault("queue-refused", url, LENGTH_S))
    functions.send(name)

    def dropped() -> int:
        counters = ask(lab.endpoint_url, "GET", "/_rydelab/lambda", timeout_s=5)[1]["functions"].get(name, {})
        return int(counters.get("DeadLetterErrors", 0))

    assert functions.eventually(dropped, timeout_s=30) == 1
    faults.stop()
    assert not functions.client("sqs").receive_message(QueueUrl=url).get("Messages")


def test_a_topic_refuses_to_publish(functions: Any, faults: FaultControl) -> None:
    sns = functions.client("sns")
    topic = sns.create_topic(Name=f"test-{uuid.uuid4().hex[:12]}")["TopicArn"]
    faults.start(Fault("topic-refused", topic, LENGTH_S))
    entries = [{"Id": "1", "Message": "ride"}]
    for operation, parameters in (
        (sns.publish, {"Message": "ride"}),
        (sns.publish_batch, {"PublishBatchRequestEntries": entries}),
    ):
        refusal = functions.refusal(operation, TopicArn=topic, **parameters)
        assert refusal["Error"]["Code"] == "InternalError"
        assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 500
    faults.stop()
    sns.publish(TopicArn=topic, Message="ride")


def test_a_paused_lab_answers_when_the_pause_is_over_and_can_still_be_asked_for_its_faults(
    lab: Any, faults: FaultControl
) -> None:
    begun_s = time.monotonic()
    pause = faults.start(Fault("emulator-paused", "", 2.0))
    assert [one.state for one in faults.all()[0]] == ["on"]
    assert time.monotonic() - begun_s < 1.9
    lab.client("sqs").list_queues()
    assert time.monotonic() - begun_s >= 2.0
    [ended] = [one for one in faults.all()[1] if one.id == pause.id]
    assert (ended.state, ended.hits) == ("over", 1)


def test_a_fault_comes_later_and_ends_though_nobody_is_there_any_more(functions: Any, faults: FaultControl) -> None:
    name = functions.create("def handler(event, context): return 1")
    functions.invoke(name)
    fault = faults.start(Fault("function-error", name, 0.5, start_s=1.5))
    assert (fault.state, round(fault.ends_at - fault.begins_at, 2)) == ("waits", 0.5)
    assert functions.invoke(name).error is None
    functions.eventually(lambda: functions.invoke(name).error)
    functions.eventually(lambda: functions.invoke(name).error is None)
    assert faults.all()[0] == []


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"kind": "nothing", "length_s": 1}, 400, "kind = 'nothing': must be one of function-error, "),
        ({"kind": "emulator-paused"}, 400, "length_s is missing"),
        ({"kind": "emulator-paused", "length_s": 1, "lenght_s": 1}, 400, "lenght_s = 1: is no member"),
        (["emulator-paused"], 400, "the body must be an object"),
        ({"kind": "function-error", "length_s": 1, "target": "nowhere"}, 404, "the lab has no such function; it has"),
        ({"kind": "topic-refused", "length_s": 1, "target": "nowhere"}, 404, "the lab has no such topic; it has"),
        ({"kind": "queue-refused", "length_s": 1, "target": "nowhere"}, 404, "the lab has no such queue; it has"),
        ({"kind": "table-refused", "length_s": 1, "target": "nowhere"}, 404, "the lab has no such table; it has"),
    ],
)
def test_what_cannot_be_set_is_refused_with_the_reason(lab: Any, body: Any, status: int, message: str) -> None:
    answered, answer = ask(lab.endpoint_url, "POST", "/_rydelab/faults", body=body, timeout_s=5)
    assert answered == status
    assert message in answer["error"]


def run(lab: Any, *arguments: str) -> int:
    return cli.run(["fault", *arguments, "--endpoint", lab.endpoint_url], {})


def test_the_command_starts_lists_and_stops(
    lab: Any, faults: FaultControl, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lab, "start", "table-refused", table, "--length", "60", "--rate", "0.5", "--seed", "7") == 0
    [set_fault] = faults.all()[0]
    assert (set_fault.kind, set_fault.target, set_fault.parameters) == (
        "table-refused",
        table,
        {"rate": 0.5, "seed": 7},
    )
    assert capsys.readouterr().out.startswith(
        f"{set_fault.id}: table-refused {table} rate=0.5 seed=7, from now on for 60 s.\nIt ends by itself"
    )
    assert run(lab, "list") == 0
    assert f"on     table-refused {table} rate=0.5 seed=7; 60 s left, met 0 requests" in capsys.readouterr().out
    assert run(lab, "stop", set_fault.id) == 0
    assert capsys.readouterr().out == f"{set_fault.id} ended: table-refused {table} rate=0.5 seed=7\n"
    assert run(lab, "stop") == 0
    assert capsys.readouterr().out == "There was none.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("start", "nothing", "X", "--length", "1"), "KIND nothing: must be one of function-error, "),
        (("start", "function-error", "--length", "1"), "TARGET '': must name a function"),
        (("start", "function-error", "X", "--length", "long"), "--length long: must be a number"),
        (("start", "function-error", "X", "--length", "0"), "--length 0.0: must be a number above 0 to 86400"),
        (("start", "function-error", "X", "--length", "1", "--seed", "0.5"), "--seed 0.5: must be a whole number"),
        (("start", "function-error", "X", "--length", "1", "--rate", "2"), "--rate 2.0: must be a number from 0 to 1"),
        (("start", "function-error", "X", "--length", "1", "--delay-ms", "2"), "--delay-ms 2: is no parameter of"),
        (
            ("start", "function-error", "X", "--length", "1", "--stage", "nowhere"),
            "no function 'X' under stage nowhere",
        ),
        (("stop", "fault-0"), "id = 'fault-0': there is no such fault"),
    ],
)
def test_a_wrong_command_names_the_flag_and_its_value(
    lab: Any, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(RydelabError) as raised:
        run(lab, *arguments)
    assert message in str(raised.value)
    assert raised.value.exit_status == 2
    assert capsys.readouterr().out == ""


def test_its_help_teaches_every_kind(lab: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(lab, "start", "--help")
    told = capsys.readouterr().out
    assert [kind for kind in KINDS if kind not in told] == []
    assert json.dumps(1000) in told  # the default of --delay-ms
