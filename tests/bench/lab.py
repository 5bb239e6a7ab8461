"""The lab itself: start, deployment, invocations, rides."""

import io
import json
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import boto3
from botocore.config import Config

import bootstrap
from rydelab.lab.emulation import emulator
from rydelab.lab.loading.load import closed_loop
from rydelab.settings import Settings
from rydelab.workers.execution_environment import ExecutionEnvironment
from rydelab.workers.model import FunctionSpec
from rydelab.workers.spawner import Spawner
from tests.bench.figures import show, spread

STARTS = 3
CALLS = 400
ROUNDS = 5
USERS = (4, 16)
CLOSED_LOOP_S = 15.0
ENVIRONMENTS = 10
PORT = 4590
SERVICES_DIR = Path(__file__).parents[2] / "services"
EMPTY_HANDLER = "def handler(event, context):\n    return {}\n"
BOTO3_HANDLER = "import boto3\ndef handler(event, context):\n    return {}\n"


def main() -> None:
    """Print the figures of the lab."""
    with tempfile.TemporaryDirectory(prefix="rydelab-bench-") as folder:
        settings = Settings(port=PORT, data_dir=Path(folder), endpoint_url=f"http://127.0.0.1:{PORT}")
        measure_starts(settings)
        with emulator.start(settings) as lab:
            measure_deployment(lab.endpoint_url)
            measure_invoke(lab.endpoint_url)
            measure_rides(lab.endpoint_url)
        measure_environments(Path(folder))


def measure_starts(settings: Settings) -> None:
    """Time the emulator from its start to its readiness."""
    ready_s = []
    for number in range(STARTS):
        own = replace(settings, data_dir=settings.data_dir / f"start-{number}")
        with emulator.start(own) as lab:
            ready_s.append(lab.ready_after_s)
    show("emulator ready", spread(ready_s, "s"), "<= 3 s", met=median(ready_s) <= 3)


def measure_deployment(endpoint_url: str) -> None:
    """Deploy the three services, in a stage of their own each time; the last stage is `bench`."""
    target = bootstrap.Target(endpoint_url)
    taken_s = []
    for stage in ("bench-a", "bench-b", "bench"):
        begun = time.perf_counter()
        bootstrap.deploy(target, stage=stage, design="event-driven", table_mode="on-demand", services_dir=SERVICES_DIR)
        taken_s.append(time.perf_counter() - begun)
    show("three services deployed", spread(taken_s, "s"), "<= 6 s", met=median(taken_s) <= 6)


def measure_invoke(endpoint_url: str) -> None:
    """Time a warm invoke of an empty handler beside a GetItem, in turns, through the same gateway."""
    lambda_, dynamodb = client(endpoint_url, "lambda"), client(endpoint_url, "dynamodb")
    function = make_function(endpoint_url, "bench-empty", EMPTY_HANDLER)
    dynamodb.create_table(
        TableName="bench",
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"Id": {"S": "one"}}
    dynamodb.put_item(TableName="bench", Item=key)

    def read() -> None:
        dynamodb.get_item(TableName="bench", Key=key)

    def invoke() -> None:
        lambda_.invoke(FunctionName=function, Payload=b"{}")["Payload"].read()

    reads_ms, invokes_ms = [], []
    for _ in range(ROUNDS):
        reads_ms.append(mean_ms(read))
        invokes_ms.append(mean_ms(invoke))
    ratios = [invoke_ms / read_ms for invoke_ms, read_ms in zip(invokes_ms, reads_ms, strict=True)]
    show("GetItem", spread(reads_ms, "ms"))
    show("warm invoke of an empty handler", spread(invokes_ms, "ms"))
    show("invoke / GetItem", spread(ratios, "x"), "<= 2.5 x", met=median(ratios) <= 2.5)


def measure_rides(endpoint_url: str) -> None:
    """Count event-driven rides by users who ask again as soon as they have their answer."""
    for users in USERS:
        loop = closed_loop(endpoint_url=endpoint_url, stage="bench", users=users, duration_s=CLOSED_LOOP_S)
        if loop.failed:
            show(f"event-driven rides, {users} users: FAILED requests", f"{loop.failed}: {loop.first_error[:60]}")
        rate = loop.requests_per_s
        show(f"event-driven rides, closed loop, {users} users", f"{rate:.1f} /s", ">= 80 /s", met=rate >= 80)


def measure_environments(folder: Path) -> None:
    """Time the start of one more execution environment whose handler imports boto3."""
    code_dir = folder / "code"
    code_dir.mkdir()
    (code_dir / "app.py").write_text(BOTO3_HANDLER)
    spawner = Spawner(folder / "runtime")
    spawner.start()
    spec = FunctionSpec(
        name="bench",
        version="$LATEST",
        handler="app.handler",
        code_dir=code_dir,
        timeout_s=3,
        memory_mb=128,
        environment={"AWS_DEFAULT_REGION": "us-east-1"},
    )
    taken_ms = []
    for number in range(ENVIRONMENTS):
        environment = ExecutionEnvironment(spec, spawner, runtime="python3.13", work_dir=folder / f"tmp-{number}")
        begun = time.perf_counter()
        environment.start()
        taken_ms.append((time.perf_counter() - begun) * 1000)
        environment.stop()
    spawner.stop()
    show(
        "one more execution environment, boto3 imported",
        spread(taken_ms, "ms"),
        "<= 100 ms",
        met=median(taken_ms) <= 100,
    )


def make_function(endpoint_url: str, name: str, source: str) -> str:
    """Create a function and wait until it can be invoked."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("app.py", source)
    lambda_ = client(endpoint_url, "lambda")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = client(endpoint_url, "iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    code = {"ZipFile": archive.getvalue()}
    lambda_.create_function(FunctionName=name, Runtime="python3.13", Role=role, Handler="app.handler", Code=code)
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
    return name


def mean_ms(call: Callable[[], Any], calls: int = CALLS) -> float:
    """Return the mean time of *call* in milliseconds, after a warm-up."""
    for _ in range(calls // 10):
        call()
    begun = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - begun) / calls * 1000


def client(endpoint_url: str, service: str, config: Config | None = None) -> Any:
    """Return a boto3 client for the lab."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (the emulator's own)
        config=config,
    )
