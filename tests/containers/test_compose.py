"""`docker compose up` in a fresh clone. The tests share one project, and come in the order of this file."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest

import bootstrap
from tests.containers.project import Project

pytestmark = pytest.mark.timeout(900)

SERVICES = ("localstack", "bootstrap", "locust", "locust-worker")
MOST_IMAGE_BYTES = 600e6
MOST_IDLE_BYTES = 800e6
DEADLINE_S = 60


def eventually[T](question: Callable[[], T], timeout_s: float = DEADLINE_S) -> T:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + timeout_s
    while not (answer := question()):
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.2)
    return answer


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 (our own, on 127.0.0.1)
        return json.load(response)


def post_form(url: str, **fields: str) -> Any:
    with urllib.request.urlopen(url, urlencode(fields).encode(), timeout=30) as response:  # noqa: S310 (as above)
        return json.load(response)


def request_ride(project: Project) -> str:
    """Request a ride of stage dev, from this machine, and return its RideId."""
    url = bootstrap.outputs(bootstrap.Target(project.endpoint_url))["wild-rydes"]["RequestRideUrl"]
    body = json.dumps({"PickupLocation": {"Latitude": 47.6, "Longitude": -122.3}}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 (as above)
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 (as above)
        assert response.status == HTTPStatus.CREATED
        ride_id: str = json.load(response)["RideId"]
        return ride_id


def recorded(project: Project) -> set[str]:
    """Return the RideIds in the record table of stage dev."""
    table = bootstrap.outputs(bootstrap.Target(project.endpoint_url))["wild-rydes-ride-record"]["RideRecordTableName"]
    dynamodb: Any = boto3.client(
        "dynamodb",
        endpoint_url=project.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
    )
    try:
        return {item["RideId"]["S"] for item in dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]}
    finally:
        dynamodb.close()


def test_everything_runs_and_the_log_ends_with_where_to_look(up: Project) -> None:
    assert {service: up.container(service).status for service in SERVICES} == {
        "localstack": "running",
        "bootstrap": "exited",
        "locust": "running",
        "locust-worker": "running",
    }
    assert up.container("localstack").attrs["State"]["Health"]["Status"] == "healthy"
    assert up.container("bootstrap").attrs["State"]["ExitCode"] == 0
    said = up.container("bootstrap").logs().decode()
    assert f"http://127.0.0.1:{up.port}" in said.splitlines()[-3]
    assert up.web_page in said.splitlines()[-2]
    assert "docker compose run --rm compare" in said.splitlines()[-1]
    assert "http://localstack" not in said.rpartition("deployed under stage")[2]
    eventually(lambda: f"Ready: open {up.web_page}" in up.container("locust").logs().decode())


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_has_what_it_needs_and_nothing_more(up: Project, service: str) -> None:
    container = up.container(service)
    host, config = container.attrs["HostConfig"], container.attrs["Config"]

    assert host["ReadonlyRootfs"]
    assert host["Init"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert not host["Privileged"]
    assert 0 < host["Memory"] < 16e9
    assert 0 < host["PidsLimit"] <= 16384
    assert config["User"] == "10001:10001"
    assert {mount["Destination"]: mount["RW"] for mount in container.attrs["Mounts"]} == (
        {} if service == "localstack" else {"/rydelab/loadtests": False}
    )
    published = [binding["HostIp"] for bindings in host["PortBindings"].values() for binding in bindings or ()]
    assert set(published) <= {"127.0.0.1"}
    assert len(published) == (1 if service in {"localstack", "locust"} else 0)
    assert not [line for line in config["Env"] if any(word in line.upper() for word in ("SECRET", "TOKEN", "KEY="))]


@pytest.mark.parametrize("service", ["localstack", "locust"])
def test_its_processes_have_no_privilege(up: Project, service: str) -> None:
    _, output = up.container(service).exec_run(["sh", "-c", "cat /proc/[0-9]*/status"])

    lines = output.decode().splitlines()
    assert {line.split()[1] for line in lines if line.startswith("Uid:")} == {"10001"}
    assert {line.split()[1] for line in lines if line.startswith(("CapEff:", "CapPrm:", "CapBnd:"))} == {"0" * 16}
    assert {line.split()[1] for line in lines if line.startswith("NoNewPrivs:")} == {"1"}


def test_all_share_one_image_that_holds_what_it_needs_and_nothing_more(up: Project) -> None:
    assert len({up.container(service).image.id for service in SERVICES}) == 1

    image = up.container("localstack").image
    assert image.attrs["Size"] <= MOST_IMAGE_BYTES
    _, listed = up.container("localstack").exec_run(["ls", "-A", "/rydelab"])
    assert set(listed.decode().split()) == {
        *("README.md", "bin", "bootstrap", "loadtests", "pyproject.toml", "requirements.lock"),
        *("results", "services", "src"),
    }
    for tool in ("mypy", "pytest", "playwright", "uv"):
        found, _ = up.container("localstack").exec_run(["python", "-c", f"import {tool}"])
        assert found != 0


def test_at_rest_everything_together_takes_little_memory(up: Project) -> None:
    used = 0
    for service in SERVICES:
        memory = up.container(service).stats(stream=False)["memory_stats"]
        used += memory.get("usage", 0) - memory.get("stats", {}).get("inactive_file", 0)

    assert 0 < used <= MOST_IDLE_BYTES


def test_a_ride_is_requested_from_the_machine_and_recorded(up: Project) -> None:
    ride_id = request_ride(up)

    assert eventually(lambda: ride_id in recorded(up))


def test_the_machines_commands_find_the_lab(up: Project) -> None:
    def run(*command: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": os.environ["PATH"], "RYDELAB_PORT": str(up.port), "RYDELAB_ENDPOINT": up.endpoint_url}
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=up.folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    rydelab = Path(sys.executable).with_name("rydelab")
    status = subprocess.run([rydelab, "status", "--port", str(up.port)], capture_output=True, text=True, check=False)
    assert (status.returncode, status.stdout) == (0, f"{up.endpoint_url}  ready, in a container\n")
    taken = subprocess.run([rydelab, "up", "--port", str(up.port)], capture_output=True, text=True, check=False)
    assert taken.returncode == 1
    assert "a lab already runs there, in a container" in taken.stderr
    down = subprocess.run([rydelab, "down", "--port", str(up.port)], capture_output=True, text=True, check=False)
    assert "stop it with docker compose down" in down.stderr

    invoked = run("bootstrap", "invoke", "RequestUnicornInvoke")
    assert invoked.returncode == 0, invoked.stderr
    assert "DeviceId" in invoked.stdout
    loaded = run("locust", "-f", "loadtests/", "--headless", "-u", "1", "-t", "2s", "RideFleetUser")
    assert loaded.returncode == 0, loaded.stderr
    assert "RequestUnicorn" in loaded.stderr


def stats(project: Project) -> dict[str, Any]:
    answer: dict[str, Any] = get(f"{project.web_page}/stats/requests")
    return answer


def start(project: Project, scenario: str) -> None:
    """Do what the page does when somebody chooses a scenario and presses START."""
    assert post_form(f"{project.web_page}/swarm", user_count="1", spawn_rate="1", scenario=scenario)["success"]


def test_a_scenario_starts_from_the_web_page_and_more_workers_share_it(up: Project) -> None:
    up.done("up", "--detach", "--no-recreate", "--scale", "locust-worker=3")
    eventually(lambda: len([worker for worker in stats(up)["workers"] if worker["state"] == "ready"]) == 3)

    start(up, "workshop")
    eventually(lambda: stats(up)["stats"][-1]["num_requests"] >= 20)

    assert [worker["user_count"] for worker in stats(up)["workers"]] == [1, 1, 1]
    assert len(eventually(lambda: recorded(up))) > 1
    get(f"{up.web_page}/stop")
    eventually(lambda: stats(up)["state"] in {"stopped", "ready"})


def runs(project: Project) -> list[Path]:
    return sorted(path for path in (project.folder / "results").iterdir() if path.is_dir())


def test_a_comparison_leaves_its_report_to_the_owner_of_the_clone(up: Project) -> None:
    printed = up.done("run", "--rm", "--no-TTY", "compare", "tiny")

    (run,) = runs(up)
    assert f"Saved in results/{run.name}" in printed
    summary = json.loads((run / "summary.json").read_text())
    assert summary["adds_up"]
    (cell,) = summary["cells"]
    assert cell["arrivals"] == cell["rows"]["recorded"] == 15
    assert cell["saturation"]["gateway_busy_ratio"] > 0
    owner = (up.folder / "README.md").stat()
    files = [run, *run.iterdir()]
    assert "report.html" in {path.name for path in files}
    assert {(path.stat().st_uid, path.stat().st_gid) for path in files} == {(owner.st_uid, owner.st_gid)}
    assert up.containers("compare") == []


def test_a_comparison_gives_up_what_it_began_with(up: Project) -> None:
    service = json.loads(up.done("--profile", "*", "config", "--format", "json"))["services"]["compare"]
    # Its entry point as it is, with another program at the end.
    script = service["entrypoint"][2].replace("$$", "$").replace('rydelab compare "$@"', "cat /proc/self/status")
    assert script.endswith("cat /proc/self/status")

    printed = up.done("run", "--rm", "--no-TTY", "--entrypoint", "sh", "compare", "-c", script)

    lines = dict(line.split(":\t", 1) for line in printed.splitlines() if ":\t" in line)
    assert set(lines["Uid"].split()) == {str((up.folder / "README.md").stat().st_uid)}
    assert {lines[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")} == {"0" * 16}
    assert lines["NoNewPrivs"] == "1"


def test_a_wrong_scenario_is_named_with_those_that_are_there(up: Project) -> None:
    run = up.compose("run", "--rm", "--no-TTY", "compare", "nowhere")

    assert run.returncode == 2
    assert "no scenario 'nowhere'" in run.stderr
    assert "quick" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_restart_of_the_lab_is_survived(up: Project) -> None:
    with up.started("run", "--rm", "--no-TTY", "compare", "long") as compare:
        results = up.folder / "results"
        eventually(lambda: list(results.glob("*-long/event-driven-on-demand.csv")))
        up.container("localstack").restart(timeout=2)
        said, _ = compare.communicate(timeout=180)

    assert compare.returncode == 1, said
    assert "The lab is gone; it has 60 s to be there again" in said
    assert "The lab is there again, and empty: going on with the next cell" in said
    assert "FAILED: event-driven on-demand: the lab at http://localstack" in said
    assert "Traceback" not in said
    (run,) = results.glob("*-long")
    (cell,) = json.loads((run / "summary.json").read_text())["cells"]
    assert (cell["design"], cell["rows"]["recorded"]) == ("direct-invoke", 60)


def test_what_was_deployed_comes_back_with_a_restart_by_compose(up: Project) -> None:
    before = up.container("bootstrap").attrs["State"]["StartedAt"]

    up.done("restart", "localstack")

    def state() -> dict[str, Any]:
        found: dict[str, Any] = up.container("bootstrap").attrs["State"]
        return found

    eventually(lambda: state()["StartedAt"] != before and state()["Status"] == "exited", timeout_s=90)
    assert state()["ExitCode"] == 0, up.container("bootstrap").logs().decode()
    assert request_ride(up)
    # The page finds the new addresses.
    start(up, "tiny")
    eventually(lambda: "15 arrivals were sent, and 15 have an outcome" in up.container("locust").logs().decode())


def test_a_lab_that_goes_away_during_the_deployment_is_waited_for(up: Project) -> None:
    with up.started("run", "--rm", "--no-TTY", "--env", "RYDELAB_STAGE=again", "bootstrap") as deploying:
        eventually(lambda: "CREATE_IN_PROGRESS" in (deploying.stdout.readline() if deploying.stdout else ""))
        up.container("localstack").restart(timeout=2)
        said, _ = deploying.communicate(timeout=120)

    assert deploying.returncode == 0, said
    assert "waiting for it, " in said
    assert "deployed under stage again" in said


def test_down_leaves_nothing(up: Project) -> None:
    assert up.leftovers()

    up.down()

    assert up.leftovers() == []
    with pytest.raises(OSError, match="refused"):
        get(f"{up.endpoint_url}/_rydelab/status")
