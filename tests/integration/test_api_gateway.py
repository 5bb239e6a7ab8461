"""API Gateway before a function: it relays what the function answers, or that it failed, and never asks twice."""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rydelab.faults import Fault
from rydelab.lab.emulation.fault_control import FaultControl
from tests.integration.lambda_.conftest import Functions

SOURCE = """
import json, time
def handler(event, context):
    wanted = (event["queryStringParameters"] or {}).get("do")
    open("FOLDER/calls", "a").write("x")
    if wanted == "raise":
        raise ValueError("no unicorn")
    if wanted == "no-response":
        return "a text is no response"
    if wanted == "sleep":
        time.sleep(3)
    return {"statusCode": 418, "body": json.dumps(event["httpMethod"])}
"""
FAILED = (502, {"message": "Internal server error"})


@dataclass(frozen=True)
class Api:
    """One API with one function behind it."""

    url: str
    function: str
    notes: Path

    def get(self, wanted: str) -> tuple[int, Any]:
        """Ask for a behaviour of the function; return the status and the body."""
        try:
            with urllib.request.urlopen(f"{self.url}?do={wanted}", timeout=30) as response:  # noqa: S310
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    @property
    def calls(self) -> int:
        """How often the function ran."""
        notes = self.notes / "calls"
        return len(notes.read_text()) if notes.exists() else 0


@pytest.fixture
def api(lab: Any, shared_dir: Path) -> Iterator[Api]:
    functions = Functions(lab.client)
    name = functions.create(SOURCE.replace("FOLDER", str(shared_dir)), Timeout=2)
    lambda_, gateway = lab.client("lambda"), lab.client("apigateway")
    arn = lambda_.get_function_configuration(FunctionName=name)["FunctionArn"]
    lambda_.add_permission(
        FunctionName=name, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    made = gateway.create_rest_api(name=f"test-{uuid.uuid4().hex[:12]}")["id"]
    where = {"restApiId": made, "resourceId": gateway.get_resources(restApiId=made)["items"][0]["id"]}
    gateway.put_method(**where, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(
        **where,
        httpMethod="GET",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
    )
    gateway.create_deployment(restApiId=made, stageName="dev")
    yield Api(f"{lab.endpoint_url}/_aws/execute-api/{made}/dev/", name, shared_dir)
    FaultControl(lab.endpoint_url).stop()
    gateway.delete_rest_api(restApiId=made)
    functions.delete_all()


def test_the_functions_own_status_and_body_are_relayed(api: Api) -> None:
    assert api.get("answer") == (418, "GET")


@pytest.mark.parametrize("wanted", ["raise", "no-response", "sleep"])
def test_a_function_that_fails_is_a_502_and_is_not_asked_again(api: Api, wanted: str) -> None:
    assert api.get(wanted) == FAILED
    calls = api.calls
    time.sleep(1.5)
    assert calls == api.calls == 1


def test_a_function_without_concurrency_and_one_that_lambda_refuses_are_502s_without_another_try(
    api: Api, lab: Any
) -> None:
    fault = FaultControl(lab.endpoint_url).start(Fault("function-refused", api.function, 30))
    assert api.get("answer") == FAILED
    [refused] = FaultControl(lab.endpoint_url).stop(fault.id)
    assert refused.hits == 1
    lab.client("lambda").put_function_concurrency(FunctionName=api.function, ReservedConcurrentExecutions=0)
    assert api.get("answer") == FAILED
    assert api.calls == 0
