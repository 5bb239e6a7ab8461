"""The service times of the simulator's profile `local`: each step of a ride on an idle lab, one ride at a time."""

import http.client
import json
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

import bootstrap
from rydelab.lab import emulator
from rydelab.lab.asking import ask_for
from rydelab.lab.deployment import Deployment, describe
from rydelab.lab.observation import Observation
from rydelab.report.latency import percentile
from rydelab.settings import Settings
from tests.bench.figures import show

PORT = 4738
RIDES = 150
WARM_UP = 20
LOGS_AFTER_S = 4.0
REPORT = re.compile(r"REPORT .*?\tDuration: ([0-9.]+) ms.*?(?:Init Duration: ([0-9.]+) ms)?\s*$")


def main() -> None:
    """Print the median and the 95th percentile of each step."""
    with tempfile.TemporaryDirectory(prefix="rydelab-bench-") as folder:
        settings = Settings(port=PORT, data_dir=Path(folder), endpoint_url=f"http://127.0.0.1:{PORT}")
        with emulator.start(settings) as lab:
            apart, direct, event, queued = (
                _Measured(lab.endpoint_url, design)
                for design in ("microservices", "direct-invoke", "event-driven", "queued")
            )
            put_ms, throttled_ms = _puts(lab.endpoint_url, direct.deployment.record_table or "")
    durations = apart.durations_ms
    gateway = median(apart.unicorns_ms) - median(durations["RequestUnicornApig"])
    scan = median(durations["RequestUnicornApig"])
    record = median(durations["PutRideRecordHttp"])
    own = median(durations["RequestRide"]) - 2 * gateway - scan - record
    invoke = median(direct.durations_ms["RequestRide"]) - own - scan - gateway - record
    publish = median(event.durations_ms["RequestRide"]) - own - scan - invoke
    spread = percentile(sorted(apart.unicorns_ms), 95) / median(apart.unicorns_ms)
    show("p95 of an answer, by its median", f"{spread:.2f}")
    inits = [value for one in (apart, direct, event, queued) for value in one.inits_ms]
    for name, value in {
        "gateway": gateway,
        "invoke": invoke,
        "init": median(inits) if inits else 0.0,
        "request_ride": own,
        "request_unicorn": scan,
        "put_ride_record": record - median(put_ms),
        "put_item": median(put_ms),
        "throttled_put_item": median(throttled_ms),
        "publish": publish,
        "sns_to_lambda": median(event.to_record_ms) + gateway / 2,
        "sns_to_lambda by way of SQS": median(queued.to_record_ms) + gateway / 2,
    }.items():
        show(f"service time {name}", f"{value:.2f} ms")


class _Measured:
    """One design, and what its steps took."""

    def __init__(self, endpoint_url: str, design: str) -> None:
        stage = f"times-{design}"[:20].rstrip("-")
        outputs = bootstrap.deploy(bootstrap.Target(endpoint_url), stage=stage, design=design, table_mode="on-demand")
        self.deployment: Deployment = describe(outputs, stage=stage)
        observation = Observation(endpoint_url)
        observation.begin_writes(self.deployment.record_table or "")
        _ask(self.deployment, "ride", WARM_UP)
        _ask(self.deployment, "unicorn", WARM_UP)
        time.sleep(1)
        begun_ms = int(time.time() * 1000)
        rides = _ask(self.deployment, "ride", RIDES)
        self.unicorns_ms = [took_ms for _, took_ms, _ in _ask(self.deployment, "unicorn", RIDES)]
        time.sleep(LOGS_AFTER_S)
        self.durations_ms, self.inits_ms = _reports(endpoint_url, self.deployment.functions, begun_ms)
        written = observation.item_writes(self.deployment.record_table or "")
        first_at: Mapping[str, float] = written.first_at if written else {}
        self.to_record_ms = [(first_at[ride] - at) * 1000 for ride, _, at in rides if ride in first_at]


def _ask(deployment: Deployment, kind: str, number: int) -> list[tuple[str, float, float]]:
    """Return the RideId, how long its answer took in milliseconds, and the Unix time of the answer."""
    asking = ask_for(kind, deployment.urls)
    parts = urlsplit(asking.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    answers = []
    for _ in range(number):
        begin = time.perf_counter()
        connection.request(asking.method, parts.path, asking.body, dict(asking.headers or {}))
        response = connection.getresponse()
        body = response.read()
        took_ms = (time.perf_counter() - begin) * 1000
        answers.append((str(json.loads(body).get("RideId")), took_ms, time.time()))
        time.sleep(0.02)
    connection.close()
    return answers


def _reports(
    endpoint_url: str, functions: Mapping[str, str], begun_ms: int
) -> tuple[dict[str, list[float]], list[float]]:
    """Read the functions' durations since *begun_ms* from their logs, and every start of an environment."""
    logs = _client(endpoint_url, "logs")
    durations: dict[str, list[float]] = {}
    inits: list[float] = []
    for name, function in functions.items():
        try:
            pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}"))
        except logs.exceptions.ResourceNotFoundException:
            continue
        for event in (event for page in pages for event in page["events"]):
            if (found := REPORT.search(event["message"].rstrip())) is None:
                continue
            if event["timestamp"] >= begun_ms:
                durations.setdefault(name, []).append(float(found[1]))
            if "Init Duration" in event["message"]:
                inits.append(float(event["message"].split("Init Duration: ")[1].split(" ")[0]))
    return durations, inits


def _puts(endpoint_url: str, table: str) -> tuple[Sequence[float], Sequence[float]]:
    """Time PutItem on *table*, and on a table that has nothing left."""
    dynamodb = _client(endpoint_url, "dynamodb")
    dynamodb.create_table(
        TableName="empty",
        KeySchema=[{"AttributeName": "RideId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "RideId", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    for number in range(400):
        _put(dynamodb, "empty", number)
    put_ms = [_timed(lambda n=number: _put(dynamodb, table, n)) for number in range(RIDES)]  # type: ignore[misc]
    throttled_ms = [_timed(lambda n=number: _put(dynamodb, "empty", n)) for number in range(RIDES)]  # type: ignore[misc]
    return put_ms, throttled_ms


def _put(dynamodb: "boto3.client", table: str, number: int) -> None:
    try:
        dynamodb.put_item(TableName=table, Item={"RideId": {"S": str(number)}})
    except dynamodb.exceptions.ProvisionedThroughputExceededException:
        return


def _timed(call: Callable[[], None]) -> float:
    begin = time.perf_counter()
    call()
    return (time.perf_counter() - begin) * 1000


def _client(endpoint_url: str, service: str) -> "boto3.client":
    return boto3.client(  # type: ignore[call-overload]  # any service
        service,
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (the lab takes any)
        config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
    )


if __name__ == "__main__":
    main()
