"""`locust -f loadtests/` and the closed loop against the lab."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import boto3
import pytest

import bootstrap
from rydelab.lab.loading.load import LoadError, closed_loop
from tests.integration.conftest import Lab, free_port

STAGE = "load"


@pytest.fixture(scope="module")
def endpoint_url(lab: Lab) -> str:
    """Deploy the event-driven design and return where the lab is."""
    target = bootstrap.Target(lab.endpoint_url)
    bootstrap.deploy(target, stage=STAGE, design="event-driven", table_mode="on-demand")
    return lab.endpoint_url


def locust(*arguments: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "locust", "-f", "loadtests/", "--headless", "--only-summary", *arguments]
    return subprocess.run(
        command, cwd=root, env={**os.environ, **environ}, capture_output=True, text=True, timeout=120, check=False
    )


def test_locust_finds_every_path_that_is_deployed_and_says_which_is_not(endpoint_url: str) -> None:
    run = locust("-u", "6", "-r", "6", "-t", "3s", environ={"RYDELAB_ENDPOINT": endpoint_url, "RYDELAB_STAGE": STAGE})

    assert run.returncode == 0, run.stderr
    paths = ("RequestRide (async)", "PutRideRecord", "RequestUnicorn")
    guides = ("Invoker", "TransactionProcessor", "PurchaseStateMachine")
    for name in (*paths, *guides):
        assert re.search(rf" {re.escape(name)} +[1-9][0-9]* +0\(0.00%\)", run.stderr), (name, run.stderr)
    assert "RequestRide (sync)" not in run.stdout + run.stderr
    assert "SyncRideUser is left out: it needs a design that answers after it has recorded the ride" in run.stderr


def test_an_execution_that_fails_is_a_failed_request_with_its_reason(endpoint_url: str) -> None:
    functions = bootstrap.outputs(bootstrap.Target(endpoint_url), stage=STAGE)["lambda-guides"]
    client = boto3.client(
        "lambda",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
    )
    for name in (functions["ProcessPurchaseName"], functions["ProcessRefundName"]):
        client.update_function_configuration(FunctionName=name, Handler="handlers/nowhere.handler")
        client.get_waiter("function_updated_v2").wait(FunctionName=name)
    client.close()

    run = locust(
        *("-u", "1", "-t", "3s", "PurchaseUser"),
        environ={"RYDELAB_ENDPOINT": endpoint_url, "RYDELAB_STAGE": STAGE},
    )

    assert run.returncode == 1
    assert "FAILED: Runtime.ImportModuleError" in run.stderr


def test_a_user_that_the_stage_has_no_path_for_is_an_error_when_it_is_the_only_one(endpoint_url: str) -> None:
    run = locust("-t", "1s", "SyncRideUser", environ={"RYDELAB_ENDPOINT": endpoint_url, "RYDELAB_STAGE": STAGE})

    assert run.returncode == 2
    assert f"stage {STAGE} has no path for any of the users: SyncRideUser needs a design that" in run.stderr
    assert "Traceback" not in run.stderr


def test_locust_says_what_to_do_when_nothing_is_deployed(lab: Lab) -> None:
    run = locust("-t", "1s", environ={"RYDELAB_ENDPOINT": lab.endpoint_url, "RYDELAB_STAGE": "nothing-here"})

    assert run.returncode == 2
    assert "nothing is deployed under stage nothing-here" in run.stderr
    assert "python -m bootstrap deploy --stage nothing-here" in run.stderr
    assert "Traceback" not in run.stderr


def test_locust_says_what_to_do_when_no_lab_runs() -> None:
    port = free_port()

    run = locust("-t", "1s", environ={"RYDELAB_ENDPOINT": f"http://127.0.0.1:{port}"})

    assert run.returncode == 2
    assert f"no lab answers at http://127.0.0.1:{port}" in run.stderr
    assert f"rydelab up --port {port}" in run.stderr
    assert "Traceback" not in run.stderr


def test_locust_refuses_a_wrong_setting_by_its_name() -> None:
    run = locust("-t", "1s", environ={"RYDELAB_STAGE": "Not A Stage"})

    assert run.returncode == 2
    assert "RYDELAB_STAGE=Not A Stage" in run.stderr


def test_a_closed_loop_measures_what_its_users_could_do(endpoint_url: str) -> None:
    measured = closed_loop(endpoint_url=endpoint_url, stage=STAGE, users=4, duration_s=2, warm_up_s=1)

    assert measured.failed == 0, measured.first_error
    assert measured.succeeded > 4  # each of the four could ask more often than once in two seconds
    assert measured.requests_per_s == measured.succeeded / 2
    assert measured.latency.count == measured.succeeded


def test_a_closed_loop_of_a_user_without_a_path_fails_with_the_reason(endpoint_url: str) -> None:
    with pytest.raises(LoadError, match="SyncRideUser needs a design"):
        closed_loop(endpoint_url=endpoint_url, stage=STAGE, users=1, duration_s=1, user_class="SyncRideUser")
