"""`rydelab compare` on the session's lab, and its ledger against faults planted in the real table and queues."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import bootstrap
from rydelab.lab.cells.deployment import describe
from rydelab.lab.cells.drain import drain
from rydelab.lab.cells.ledger import ROWS, Answer, settle
from rydelab.lab.cells.stores import Stores
from rydelab.lab.emulation.observation import Observation
from rydelab.lab.loading.warm_up import warm_up
from tests.integration.conftest import Lab, free_port

SCENARIO = """
warm_up_rides = 4
drain_s = 20
[[phases]]
duration_s = {duration_s}
arrivals_per_s = 10
[[cells]]
design = {designs}
table_mode = "on-demand"
"""


def rydelab(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("rydelab")), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("RYDELAB_")},
    )


def compare(folder: Path, *arguments: str, designs: list[str], duration_s: float) -> subprocess.Popen[str]:
    scenario = folder / "small.toml"
    scenario.write_text(SCENARIO.format(designs=json.dumps(designs), duration_s=duration_s))
    return rydelab("compare", str(scenario), "--results", str(folder / "results"), *arguments)


def only_run(folder: Path) -> Path:
    (run,) = (folder / "results").iterdir()
    return run


def saved(run: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Read the summary and the requests of a run."""
    with (run / "requests.csv").open(newline="") as file:
        return json.loads((run / "summary.json").read_text()), list(csv.DictReader(file))


def wait_for_outcomes(run: subprocess.Popen[str], folder: Path) -> None:
    """Wait until some arrivals of an event-driven cell have been answered."""
    deadline = time.monotonic() + 120
    while not any(path.stat().st_size > 500 for path in folder.glob("results/*/event-driven-on-demand.csv")):
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def functions(lab: Lab) -> list[str]:
    return [function["FunctionName"] for function in lab.client("lambda").list_functions()["Functions"]]


def test_cells_are_deployed_loaded_settled_judged_saved_and_removed(lab: Lab, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    thresholds = ("--threshold", "recorded == 20", "--threshold", "event-driven:* accepted > 20")
    run = compare(
        tmp_path,
        *("--endpoint", lab.endpoint_url, "--junit", str(junit), *thresholds),
        designs=["microservices", "event-driven"],
        duration_s=2,
    )
    table, progress = run.communicate(timeout=200)

    assert run.returncode == 1, progress
    summary, requests = saved(only_run(tmp_path))
    assert [cell["design"] for cell in summary["cells"]] == ["microservices", "event-driven"]
    for cell in summary["cells"]:
        assert cell["arrivals"] == 20 == sum(cell["rows"].values())
        assert cell["rows"]["recorded"] == 20
        assert cell["rewrites"] == 0
        assert cell["time_to_record"]["count"] == 20
        assert cell["saturation"]["probe_at_rest_ms"] > 0
    assert Counter(request["fate"] for request in requests) == {"recorded": 40}
    assert all(float(request["recorded_s"]) > float(request["due_s"]) for request in requests)
    assert "microservices on-demand: passed  recorded == 20 (20)" in table
    assert "event-driven on-demand: passed  recorded == 20 (20)" in table
    assert "event-driven on-demand: FAILED  event-driven:* accepted > 20 (20)" in table
    assert junit.read_text().count("<failure") == 1
    assert (only_run(tmp_path) / "report.html").stat().st_size > 10_000
    left = [*lab.client("dynamodb").list_tables()["TableNames"], *functions(lab)]
    assert not [name for name in left if "-cell1-" in name or "-cell2-" in name]


def test_a_record_from_nowhere_makes_the_ledger_not_add_up_and_fails_the_run(lab: Lab, tmp_path: Path) -> None:
    run = compare(tmp_path, "--endpoint", lab.endpoint_url, designs=["event-driven"], duration_s=3)
    wait_for_outcomes(run, tmp_path)
    dynamodb = lab.client("dynamodb")
    tables = [name for name in dynamodb.list_tables()["TableNames"] if "-cell1-" in name and "RideRecordTable" in name]
    dynamodb.put_item(TableName=tables[0], Item={"RideId": {"S": "stranger"}})

    table, _progress = run.communicate(timeout=100)

    assert run.returncode == 1
    assert "THE LEDGER DOES NOT ADD UP: the rows add up to 31, but 30 arrivals were sent" in table
    summary, _requests = saved(only_run(tmp_path))
    assert not summary["adds_up"]


def test_ctrl_c_saves_and_shows_the_arrivals_until_then(lab: Lab, tmp_path: Path) -> None:
    run = compare(tmp_path, "--endpoint", lab.endpoint_url, designs=["event-driven", "queued"], duration_s=120)
    wait_for_outcomes(run, tmp_path)

    run.send_signal(signal.SIGINT)
    table, progress = run.communicate(timeout=60)

    assert run.returncode == 130, progress
    assert "event-driven on-demand: stopped early" in table
    assert "FAILED: queued on-demand: not run" in table
    summary, requests = saved(only_run(tmp_path))
    (cell,) = summary["cells"]
    assert cell["interrupted"]
    assert 0 < cell["arrivals"] == len(requests) < 1200
    assert sum(cell["rows"].values()) == cell["arrivals"]
    assert "Traceback" not in progress


def test_a_lab_that_dies_is_told_and_the_run_can_be_gone_on_with(lab: Lab, tmp_path: Path) -> None:
    port, data_dir = free_port(), tmp_path / "data"
    run = compare(
        tmp_path,
        *("--port", str(port), "--data-dir", str(data_dir)),
        designs=["event-driven", "queued"],
        duration_s=10,
    )
    wait_for_outcomes(run, tmp_path)
    os.kill(json.loads((data_dir / str(port) / "lab.json").read_text())["emulator_pid"], signal.SIGKILL)
    table, progress = run.communicate(timeout=60)

    assert run.returncode == 1, progress
    folder = only_run(tmp_path)
    assert "FAILED: event-driven on-demand: the lab at" in table
    assert "does not answer any more" in table
    assert "the answers until then are in event-driven-on-demand.csv" in table
    assert "FAILED: queued on-demand: not run, the lab is gone" in table
    assert (folder / "event-driven-on-demand.csv").read_text().count("\n") > 3
    assert "Traceback" not in progress

    # As if the run had had one short cell from the begin, to save time: what counts here is that it goes on.
    (folder / "scenario.toml").write_text(SCENARIO.format(designs='"event-driven"', duration_s=2))
    plan = json.loads((folder / "run.json").read_text())
    plan["plan"]["cells"] = plan["plan"]["cells"][:1]
    (folder / "run.json").write_text(json.dumps(plan))
    resumed = rydelab("compare", "--resume", str(folder), "--endpoint", lab.endpoint_url)
    table, progress = resumed.communicate(timeout=60)

    assert resumed.returncode == 0, table + progress
    assert "0 of 1 cells are there already" in progress
    summary, requests = saved(folder)
    assert [cell["rows"]["recorded"] for cell in summary["cells"]] == [20]
    assert len(requests) == 20

    # Nothing is left to run now: no lab is needed, and a new threshold judges what there is.
    again = rydelab("compare", "--resume", str(folder), "--port", str(port), "--threshold", "recorded > 20")
    table, progress = again.communicate(timeout=60)

    assert again.returncode == 1
    assert "1 of 1 cells are there already" in progress
    assert "FAILED  recorded > 20 (20)" in table
    assert "Starting" not in progress
    assert saved(folder)[1] == requests


@pytest.fixture(scope="module")
def outputs(lab: Lab) -> dict[str, dict[str, str]]:
    """Deploy the event-driven design."""
    return bootstrap.deploy(
        bootstrap.Target(lab.endpoint_url), stage="faults", design="event-driven", table_mode="on-demand"
    )


def test_planted_faults_show_in_their_rows(lab: Lab, outputs: dict[str, dict[str, str]]) -> None:
    deployment, topic = describe(outputs, stage="faults"), outputs["wild-rydes"]["RidesSnsTopicArn"]
    assert deployment.ride_url is not None
    assert deployment.record_table is not None
    stores = Stores(deployment, lab.client("dynamodb"), lab.client("sqs"), Observation(lab.endpoint_url))
    stores.observation.begin_writes(deployment.record_table)
    accepted = sorted(warm_up(deployment.ride_url, rides=12, timeout_s=30))
    assert len(accepted) == 12
    assert drain(stores, accepted=set(accepted), with_errors=False, deadline_s=30).evidence.recorded >= set(accepted)
    deleted, dead, unanswered, doubled = accepted[:4]

    for ride_id in (deleted, dead):
        stores.dynamodb.delete_item(TableName=deployment.record_table, Key={"RideId": {"S": ride_id}})
    stores.dynamodb.put_item(TableName=deployment.record_table, Item={"RideId": {"S": doubled}})
    message = {"Records": [{"Sns": {"Message": json.dumps({"RideId": dead})}}]}
    stores.sqs.send_message(QueueUrl=deployment.dead_letter_queue_url, MessageBody=json.dumps(message))
    # A dropped event: the topic loses its subscriber, and nobody is told.
    sns = lab.client("sns")
    (subscription,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    (dropped,) = warm_up(deployment.ride_url, rides=1, timeout_s=30)
    accepted.append(dropped)
    promised = set(accepted) - {unanswered}
    drained = drain(stores, accepted=promised, with_errors=True, deadline_s=30)
    answers = [
        Answer(number, accepted=ride_id != unanswered, ride_id=None if ride_id == unanswered else ride_id)
        for number, ride_id in enumerate(accepted)
    ]
    ledger = settle(started=13, answers=answers, evidence=drained.evidence)

    found = {row: getattr(ledger, row) for row in ROWS}
    assert found == {"refused": 0, "recorded": 9, "dead_lettered": 1, "in_flight": 0, "lost": 2, "ghost": 1}
    assert ledger.rewrites == 1
    assert ledger.adds_up
