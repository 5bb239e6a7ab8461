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
from rydelab.lab.deployment import Deployment, describe
from rydelab.lab.drain import drain
from rydelab.lab.ledger import ROWS, Answer, settle
from rydelab.lab.observation import Observation
from rydelab.lab.stores import Stores
from rydelab.lab.warm_up import warm_up
from tests.integration.conftest import Lab

SCENARIO = """
warm_up_rides = 4
drain_s = 20
[[phases]]
duration_s = {duration_s}
arrivals_per_s = 10
[[cells]]
design = "{design}"
table_mode = "on-demand"
"""


def compare(lab: Lab, folder: Path, *, design: str, duration_s: float) -> subprocess.Popen[str]:
    scenario = folder / "small.toml"
    scenario.write_text(SCENARIO.format(design=design, duration_s=duration_s))
    rydelab = str(Path(sys.executable).with_name("rydelab"))
    return subprocess.Popen(
        [rydelab, "compare", str(scenario), "--endpoint", lab.endpoint_url, "--results", str(folder / "results")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("RYDELAB_")},
    )


def saved(folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Read the summary and the requests of the only run."""
    (run,) = (folder / "results").iterdir()
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


@pytest.mark.parametrize("design", ["microservices", "event-driven"])
def test_a_cell_is_deployed_loaded_settled_saved_and_removed(lab: Lab, tmp_path: Path, design: str) -> None:
    run = compare(lab, tmp_path, design=design, duration_s=3)
    table, progress = run.communicate(timeout=200)

    assert run.returncode == 0, progress
    summary, requests = saved(tmp_path)
    (cell,) = summary["cells"]
    assert cell["arrivals"] == 30 == sum(cell["rows"].values())
    assert cell["rows"]["recorded"] == 30
    assert Counter(request["fate"] for request in requests) == {"recorded": 30}
    assert next(line for line in table.splitlines() if line.startswith(design)).split()[1:8] == (
        ["30", "0", "30", "0", "0", "0", "0"]
    )
    left = [*lab.client("dynamodb").list_tables()["TableNames"], *functions(lab)]
    assert not [name for name in left if "-cell1-" in name]


def test_a_record_from_nowhere_makes_the_ledger_not_add_up_and_fails_the_run(lab: Lab, tmp_path: Path) -> None:
    run = compare(lab, tmp_path, design="event-driven", duration_s=4)
    wait_for_outcomes(run, tmp_path)
    dynamodb = lab.client("dynamodb")
    tables = [name for name in dynamodb.list_tables()["TableNames"] if "-cell1-" in name and "RideRecordTable" in name]
    dynamodb.put_item(TableName=tables[0], Item={"RideId": {"S": "stranger"}})

    table, _progress = run.communicate(timeout=100)

    assert run.returncode == 1
    assert "THE LEDGER DOES NOT ADD UP: the rows add up to 41, but 40 arrivals were sent" in table
    summary, _requests = saved(tmp_path)
    assert not summary["adds_up"]


def test_ctrl_c_saves_and_shows_the_arrivals_until_then(lab: Lab, tmp_path: Path) -> None:
    run = compare(lab, tmp_path, design="event-driven", duration_s=120)
    wait_for_outcomes(run, tmp_path)

    run.send_signal(signal.SIGINT)
    table, progress = run.communicate(timeout=60)

    assert run.returncode == 130, progress
    assert "event-driven on-demand: stopped early" in table
    summary, requests = saved(tmp_path)
    (cell,) = summary["cells"]
    assert cell["interrupted"]
    assert 0 < cell["arrivals"] == len(requests) < 1200
    assert sum(cell["rows"].values()) == cell["arrivals"]
    assert "Traceback" not in progress


@pytest.fixture(scope="module")
def deployment(lab: Lab) -> Deployment:
    """Deploy the event-driven design."""
    outputs = bootstrap.deploy(
        bootstrap.Target(lab.endpoint_url), stage="faults", design="event-driven", table_mode="on-demand"
    )
    return describe(outputs, stage="faults")


def test_planted_faults_show_in_their_rows(lab: Lab, deployment: Deployment) -> None:
    assert deployment.ride_url is not None
    stores = Stores(deployment, lab.client("dynamodb"), lab.client("sqs"), Observation(lab.endpoint_url))
    accepted = sorted(warm_up(deployment.ride_url, rides=12, timeout_s=30))
    assert len(accepted) == 12
    assert drain(stores, accepted=set(accepted), with_errors=False, deadline_s=30).evidence.recorded >= set(accepted)
    deleted, dead, unanswered = accepted[:3]

    for ride_id in (deleted, dead):
        stores.dynamodb.delete_item(TableName=deployment.record_table, Key={"RideId": {"S": ride_id}})
    message = {"Records": [{"Sns": {"Message": json.dumps({"RideId": dead})}}]}
    stores.sqs.send_message(QueueUrl=deployment.dead_letter_queue_url, MessageBody=json.dumps(message))
    promised = set(accepted) - {unanswered}
    drained = drain(stores, accepted=promised, with_errors=True, deadline_s=30)
    answers = [
        Answer(number, accepted=ride_id != unanswered, ride_id=None if ride_id == unanswered else ride_id)
        for number, ride_id in enumerate(accepted)
    ]
    ledger = settle(started=12, answers=answers, evidence=drained.evidence)

    found = {row: getattr(ledger, row) for row in ROWS}
    assert found == {"refused": 0, "recorded": 9, "dead_lettered": 1, "in_flight": 0, "lost": 1, "ghost": 1}
    assert ledger.adds_up
