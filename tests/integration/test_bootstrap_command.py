"""``python -m bootstrap`` as a person runs it."""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String}
Resources:
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: .
      Events:
        Get: {Type: Api, Properties: {Path: /echo, Method: get}}
Outputs:
  EchoUrl:
    Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/Prod/echo"
"""

CODE = """
def handler(event, context):
    print("echoing")
    if "fail" in event:
        raise RuntimeError(event["fail"])
    return {"statusCode": 200, "body": event.get("httpMethod", "none")}
"""


class Command:
    """Runs the command in a process of its own, in a folder of its own, for one stage of one lab."""

    def __init__(self, endpoint_url: str, folder: Path) -> None:
        self.folder = folder
        self.stage = f"c{uuid.uuid4().hex[:8]}"
        # A person's own AWS set-up is there, and must not matter.
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "RYDELAB_ENDPOINT": endpoint_url,
            "RYDELAB_STAGE": self.stage,
            "AWS_PROFILE": "no-such-profile",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
        }

    def __call__(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run ``python -m bootstrap`` with *arguments* to its end."""
        return subprocess.run(
            [sys.executable, "-m", "bootstrap", *arguments],
            env=self.environment,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def command(lab: Any, tmp_path: Path) -> Iterator[Command]:
    (tmp_path / "echo").mkdir()
    (tmp_path / "echo" / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "echo" / "app.py").write_text(CODE)
    command = Command(lab.endpoint_url, tmp_path)
    yield command
    command("destroy")


def test_a_folder_of_ones_own_from_deploy_to_destroy(command: Command) -> None:
    deployed = command("deploy", "--services-dir", "echo")
    assert deployed.returncode == 0, deployed.stderr
    assert f"echo-{command.stage}: CREATE_COMPLETE" in deployed.stderr

    outputs = json.loads(command("outputs", "--json").stdout)
    url = outputs["echo"]["EchoUrl"]
    assert url in deployed.stdout
    reached = subprocess.run(["curl", "-s", url], capture_output=True, text=True, timeout=60, check=True)
    assert reached.stdout == "GET"
    elsewhere = command("outputs", "--public-endpoint", "http://lab.example:80/")
    assert url.replace(command.environment["RYDELAB_ENDPOINT"], "http://lab.example:80") in elsewhere.stdout

    invoked = command("invoke", "Echo", "--event", "-", stdin='{"httpMethod": "asked"}')
    assert invoked.returncode == 0
    assert json.loads(invoked.stdout) == {"statusCode": 200, "body": "asked"}
    assert "REPORT RequestId" in invoked.stderr

    logged = command("logs", "Echo")
    assert logged.stdout.splitlines().count("echoing") == 2

    destroyed = command("destroy")
    assert destroyed.returncode == 0
    assert command("outputs", "--json").stdout.strip() == "{}"


def test_a_function_error_is_exit_status_1(command: Command, tmp_path: Path) -> None:
    command("deploy", "--services-dir", "echo")
    (tmp_path / "event.json").write_text('{"fail": "on purpose"}')

    invoked = command("invoke", "Echo", "--event", "event.json")

    assert invoked.returncode == 1
    assert json.loads(invoked.stdout)["errorMessage"] == "on purpose"
    assert "bootstrap: Echo failed: Unhandled" in invoked.stderr


def test_a_failed_deployment_is_exit_status_1_without_a_traceback(command: Command, tmp_path: Path) -> None:
    (tmp_path / "echo" / "template.yaml").write_text(
        "Resources: {Wrong: {Type: AWS::SSM::Parameter, Properties: {Type: NoSuchType, Name: /x, Value: y}}}"
    )

    deployed = command("deploy", "--services-dir", "echo")

    assert deployed.returncode == 1
    assert "bootstrap: " in deployed.stderr
    assert "Wrong (AWS::SSM::Parameter)" in deployed.stderr
    assert "Traceback" not in deployed.stderr


def test_something_else_at_the_endpoint_is_told_without_a_traceback(command: Command) -> None:
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        cwd=command.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().split(" port ")[1].split(" ", maxsplit=1)[0]
            told = command("outputs", "--endpoint", f"http://127.0.0.1:{port}")
        finally:
            server.terminate()

    assert told.returncode == 1
    assert told.stderr.startswith("bootstrap: ")
    assert "Traceback" not in told.stderr
