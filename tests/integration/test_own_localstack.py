"""Our plug-ins in someone's own LocalStack: installed beside it and chosen by its own variables."""

import io
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.integration.conftest import free_port

READY_TIMEOUT_S = 60
BURST_UNITS = 300
"""What a fresh table of 1 unit admits at once."""


@pytest.fixture(scope="module")
def own_localstack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run LocalStack by its own entry point, without `rydelab up`."""
    folder = tmp_path_factory.mktemp("own")
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PROVIDER_OVERRIDE_DYNAMODB": "rydelab",
        "LAMBDA_RUNTIME_EXECUTOR": "rydelab",
        "GATEWAY_SERVER": "rydelab",  # its own server listens on every interface
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "FILESYSTEM_ROOT": str(folder / "files"),
        "OVERRIDE_IN_DOCKER": "0",
        "TMPDIR": str(folder),
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "localstack.runtime.main"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    endpoint_url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(process, endpoint_url, folder / "log")
        yield endpoint_url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(process: "subprocess.Popen[bytes]", endpoint_url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(URLError, ConnectionError), urlopen(f"{endpoint_url}/_localstack/health"):  # noqa: S310 (loopback)
            if "Ready." in log.read_text():
                return
        time.sleep(0.1)
    raise AssertionError(f"LocalStack is not ready; the end of its log:\n{log.read_text()[-2000:]}")


def client(endpoint_url: str, service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (the emulator's own)
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_a_table_is_throttled_by_its_capacity(own_localstack: str) -> None:
    dynamodb = client(own_localstack, "dynamodb")
    dynamodb.create_table(
        TableName="rides",
        KeySchema=[{"AttributeName": "RideId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "RideId", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    begun = time.monotonic()
    admitted = 0
    refusal = ""
    while not refusal and admitted < 3 * BURST_UNITS:
        try:
            dynamodb.put_item(TableName="rides", Item={"RideId": {"S": "one"}})
            admitted += 1
        except ClientError as error:
            refusal = error.response["Error"]["Code"]
    assert refusal == "ProvisionedThroughputExceededException"
    assert BURST_UNITS <= admitted <= BURST_UNITS + time.monotonic() - begun + 1
    dynamodb.close()


def test_a_function_runs_without_docker(own_localstack: str) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("app.py", "def handler(event, context):\n    return {'given': event}\n")
    role = client(own_localstack, "iam").create_role(RoleName="own", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    lambda_ = client(own_localstack, "lambda")
    code = {"ZipFile": archive.getvalue()}
    lambda_.create_function(FunctionName="own", Runtime="python3.13", Role=role, Handler="app.handler", Code=code)
    lambda_.get_waiter("function_active_v2").wait(FunctionName="own")

    answer = lambda_.invoke(FunctionName="own", Payload=b"[1]")

    assert answer["Payload"].read() == b'{"given": [1]}'
    lambda_.close()
