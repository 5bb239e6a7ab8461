"""`rydelab dlq` on a stage with dead letters: shown, tried out, brought back to the table, thrown away."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import bootstrap
from rydelab import cli

SERVICES_DIR = Path(__file__).parents[2] / "services"
STAGE = "letters"
SAMPLE = SERVICES_DIR / "wild-rydes-ride-record/events/put-ride-record-sns.json"

type Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def outputs(lab: Any) -> Iterator[dict[str, str]]:
    """Deploy the services and return what the record service offers."""
    target = bootstrap.Target(lab.endpoint_url)
    made = bootstrap.deploy(
        target, stage=STAGE, design="event-driven", table_mode="on-demand", services_dir=SERVICES_DIR
    )
    yield dict(made["wild-rydes-ride-record"])
    bootstrap.destroy(target, stage=STAGE)


@pytest.fixture
def run(lab: Any, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs `rydelab dlq` and returns its exit status and what it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        status = cli.run(["dlq", *arguments, "--endpoint", lab.endpoint_url, "--stage", STAGE], {})
        return status, capsys.readouterr().out

    return run


def recorded(lab: Any, outputs: dict[str, str]) -> set[str]:
    items = lab.client("dynamodb").scan(TableName=outputs["RideRecordTableName"], ConsistentRead=True)["Items"]
    return {item["RideId"]["S"] for item in items}


def test_dead_letters_are_shown_tried_out_redriven_and_purged(lab: Any, outputs: dict[str, str], run: Run) -> None:
    sqs, url = lab.client("sqs"), outputs["DeadLetterQueueUrl"]
    error = {
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "the table is throttled"},
    }
    event = json.loads(SAMPLE.read_text())
    for number in range(11):
        ride = {"RideId": f"ride-{number}", "Unicorn": {"Name": "Rocinante"}, "RequestTime": "now"}
        event["Records"][0]["Sns"]["Message"] = json.dumps(ride)
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event), MessageAttributes=error)
    sqs.send_message(QueueUrl=url, MessageBody="no ride")

    status, shown = run("show")
    assert status == 0
    assert "dead letters: 12, sent " in shown
    assert "      11  200 the table is throttled\n       1  none given\npoison: 0" in shown

    status, tried = run("redrive", "--dry-run")
    assert status == 0
    assert "dry run: 11 would be recorded, 1 are poison; nothing was changed" in tried
    assert recorded(lab, outputs) == set()

    status, redriven = run("redrive", "--rate", "100")
    assert status == 0
    assert "11 recorded, 1 put into the poison queue, 0 failed" in redriven
    assert recorded(lab, outputs) == {f"ride-{number}" for number in range(11)}

    status, shown = run("show")
    assert shown.startswith("dead letters: 0\npoison: 1, sent ")
    assert "1  the ride is not JSON" in shown

    tried = "dry run: poison letters that would be deleted: 1; nothing was changed\n"
    assert run("purge", "--poison", "--dry-run") == (0, tried)
    assert run("purge", "--poison") == (0, "poison letters deleted: 1\n")
    assert run("show") == (0, "dead letters: 0\npoison: 0\n")


def test_letters_that_the_table_does_not_take_stay_and_the_exit_status_says_so(
    lab: Any, outputs: dict[str, str], run: Run
) -> None:
    table, function = outputs["RideRecordTableName"], outputs["ProcessDeadLettersName"]
    client = lab.client("lambda")
    variables = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    ride = json.dumps({"RideId": "late", "Unicorn": {"Name": "Rocinante"}, "RequestTime": "now"})
    lab.client("sqs").send_message(QueueUrl=outputs["DeadLetterQueueUrl"], MessageBody=ride)
    gone = variables | {"DDB_TABLE_NAME": f"{table}-gone"}
    client.update_function_configuration(FunctionName=function, Environment={"Variables": gone})
    client.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})

    status, redriven = run("redrive")
    assert status == 1
    assert "0 recorded, 0 put into the poison queue, 1 failed" in redriven
    # The function's role names one table: of another it may not even know whether it is there.
    assert "       1  AccessDeniedException\nin the dead-letter queue: 1\n" in redriven

    client.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
    client.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})
    status, _ = run("redrive")
    assert status == 0
    assert "late" in recorded(lab, outputs)


def test_a_stage_that_is_not_there_is_named(lab: Any) -> None:
    with pytest.raises(Exception, match="wild-rydes-ride-record is not deployed under stage nowhere"):
        cli.run(["dlq", "show", "--endpoint", lab.endpoint_url, "--stage", "nowhere"], {})
