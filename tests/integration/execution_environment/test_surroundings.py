"""What a handler finds: its context, variables, modules, layers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rydelab.workers.model import Invocation

FunctionFactory = Callable[..., Any]


LOOK = """
import os, sys, time
def handler(event, context):
    if event: time.sleep(event)
    return {
        "request_id": context.aws_request_id, "arn": context.invoked_function_arn, "name": context.function_name,
        "version": context.function_version, "memory": context.memory_limit_in_mb, "group": context.log_group_name,
        "stream": context.log_stream_name, "remaining_ms": context.get_remaining_time_in_millis(),
        "trace": os.environ.get("_X_AMZN_TRACE_ID"), "client": context.client_context and context.client_context.custom,
        "environment": dict(os.environ), "path": sys.path, "cwd": os.getcwd(),
        "lab": [name for name in sys.modules if "rydelab" in name],
    }
"""


def test_the_context_tells_what_aws_tells(function: FunctionFactory) -> None:
    f = function(
        LOOK,
        timeout_s=5,
        environment={
            "AWS_LAMBDA_FUNCTION_NAME": "RequestRide",
            "AWS_LAMBDA_FUNCTION_VERSION": "7",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/RequestRide",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/20/[7]0123",
        },
    )
    invocation = Invocation("id-1", b"0.2", "arn:1", "Root=1-5;Parent=2;Sampled=1", '{"custom":{"tier":"gold"}}')
    seen = json.loads(f.environment.invoke(invocation).payload)
    assert (seen["request_id"], seen["arn"], seen["trace"]) == ("id-1", "arn:1", "Root=1-5;Parent=2;Sampled=1")
    assert (seen["name"], seen["version"], seen["memory"]) == ("RequestRide", "7", "256")
    assert (seen["group"], seen["stream"]) == ("/aws/lambda/RequestRide", "2026/11/20/[7]0123")
    assert seen["client"] == {"tier": "gold"}
    assert 4000 < seen["remaining_ms"] <= 4800


def test_a_handler_finds_its_own_variables_and_modules_and_none_of_the_lab(
    function: FunctionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_SECRET", "x")
    f = function(LOOK, environment={"STAGE": "dev", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"})
    seen = json.loads(f.invoke().payload)
    assert set(seen["environment"]) == {"STAGE", "AWS_EXECUTION_ENV", "AWS_LAMBDA_RUNTIME_API", "TMPDIR"}
    assert seen["cwd"] == seen["path"][0] == str(f.environment.spec.code_dir)
    assert not [path for path in seen["path"] if "site-packages" in path]
    assert seen["lab"] == []


def test_what_awss_runtime_carries_can_be_imported_and_what_the_lab_needs_cannot(function: FunctionFactory) -> None:
    f = function("import boto3, importlib\ndef handler(event, context): importlib.import_module(event)")
    assert f.invoke("dateutil.parser").failure is None
    for module in ("localstack", "rydelab", "pytest", "psutil"):
        assert json.loads(f.invoke(module).payload)["errorMessage"] == f"No module named '{module}'"


def test_a_bundle_with_a_boto3_of_its_own_gets_that_one(function: FunctionFactory, tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    (layer / "python").mkdir(parents=True)
    (layer / "python" / "boto3.py").write_text("__version__ = 'from the layer'")
    f = function(
        "import boto3, os\ndef handler(event, context): return [boto3.__version__, os.listdir('/proc/self/fd')]",
        layer_dirs=(layer,),
    )
    version, descriptors = json.loads(f.invoke().payload)
    assert version == "from the layer"
    assert len(descriptors) < 12  # none of the warm parent's


def test_a_module_of_the_bundle_wins_over_one_that_the_lab_has_imported_already(function: FunctionFactory) -> None:
    f = function(
        "import secrets\ndef handler(event, context): return secrets.UNICORN",
        files={"secrets.py": "UNICORN = 'Shadowfax'"},
    )
    assert f.invoke().payload == b'"Shadowfax"'


def test_layers_are_found_in_both_of_awss_places(function: FunctionFactory, tmp_path: Path) -> None:
    (tmp_path / "a/python").mkdir(parents=True)
    (tmp_path / "b/python/lib/python3.13/site-packages").mkdir(parents=True)
    (tmp_path / "a/python/plain.py").write_text("x = 1")
    (tmp_path / "b/python/lib/python3.13/site-packages/versioned.py").write_text("x = 2")
    f = function(
        "import plain, versioned\ndef handler(event, context): return plain.x + versioned.x",
        layer_dirs=(tmp_path / "a", tmp_path / "b"),
    )
    assert f.invoke().payload == b"3"
