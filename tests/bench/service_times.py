"""The service times of the simulator's profile `local`: each step of a ride, one ride at a time.

A step's time is the lower quartile of what was measured, in turns with the others: what else runs on the machine makes
steps longer and never shorter. The differences of these are the times that cannot be measured alone.
"""

import http.client
import json
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

import bootstrap
from rydelab.lab.cells.deployment import Deployment, describe
from rydelab.lab.emulation import emulator
from rydelab.lab.emulation.observation import Observation
from rydelab.lab.loading.asking import ask_for
from rydelab.report.latency import percentile
from rydelab.settings import Settings
from tests.bench.figures import show

PORT = 4738
DESIGNS = ("microservices", "direct-invoke", "event-driven", "queued")
ROUNDS, RIDES = 10, 20
WARM_UP = 20
LOGS_AFTER_S = 4.0
REPORT = re.compile(r"REPORT .*?\tDuration: ([0-9.]+) ms.*?(?:Init Duration: ([0-9.]+) ms)?\s*$")


def main() -> None:
    """Print the median and the 95th percentile of each step."""
    with tempfile.TemporaryDirectory(prefix="rydelab-bench-") as folder:
        settings = Settings(port=PORT, data_dir=Path(folder), endpoint_url=f"http://127.0.0.1:{PORT}")
        with emulator.start(settings) as lab:
            designs = [_Measured(lab.endpoint_url, design) for design in DESIGNS]
            for _ in range(ROUNDS):
                for one in designs:
                    one.measure()
            put_ms, throttled_ms = _puts(lab.endpoint_url, designs[0].deployment.record_table or "")
            time.sleep(LOGS_AFTER_S)
            for one in designs:
                one.read()
        apart, direct, event, queued = designs
    durations = apart.durations_ms
    gateway = _step(apart.unicorns_ms) - _step(durations["RequestUnicornApig"])
    scan = _step(durations["RequestUnicornApig"])
    record = _step(durations["PutRideRecordHttp"])
    own = _step(durations["RequestRide"]) - 2 * gateway - scan - record
    invoke = _step(direct.durations_ms["RequestRide"]) - own - scan - gateway - record
    publish = _step(event.durations_ms["RequestRide"]) - own - scan - invoke
    inits = [value for one in (apart, direct, event, queued) for value in one.inits_ms]
    for name, value in {
        "gateway": gateway,
        "invoke": invoke,
        "init": _step(inits) if inits else 0.0,
        "request_ride": own,
        "request_unicorn": scan,
        "put_ride_record": record - _step(put_ms),
        "put_item": _step(put_ms),
        "throttled_put_item": _step(throttled_ms),
        "publish": publish,
        "sns_to_lambda": _step(event.to_record_ms) + gateway / 2,
        "sns_to_lambda by way of SQS": _step(queued.to_record_ms) + gateway / 2,
    }.items():
        show(f"service time {name}", f"{value:.2f} ms")


class _Measured:
    """One design, and what its steps took."""

    def __init__(self, endpoint_url: str, design: str) -> None:
        self._endpoint_url = endpoint_url
        stage = f"times-{DESIGNS.index(design)}"
        outputs = bootstrap.deploy(bootstrap.Target(endpoint_url), stage=stage, design=design, table_mode="on-demand")
        self.deployment: Deployment = describe(outputs, stage=stage)
        self._observation = Observation(endpoint_url)
        self._observation.begin_writes(self.deployment.record_table or "")
        _ask(self.deployment, "ride", WARM_UP)
        _ask(self.deployment, "unicorn", WARM_UP)
        self._begun_ms = int(time.time() * 1000)
        self._rides: list[tuple[str, float, float]] = []
        self.unicorns_ms: list[float] = []
        self.durations_ms: dict[str, list[float]] = {}
        self.inits_ms: list[float] = []
        self.to_record_ms: list[float] = []

    def measure(self) -> None:
        """Ask for some rides and unicorns."""
        self._rides += _ask(self.deployment, "ride", RIDES)
        self.unicorns_ms += [took_ms for _, took_ms, _ in _ask(self.deployment, "unicorn", RIDES)]

    def read(self) -> None:
        """Read what the lab knows of them."""
        self.durations_ms, self.inits_ms = _reports(self._endpoint_url, self.deployment.functions, self._begun_ms)
        written = self._observation.item_writes(self.deployment.record_table or "")
        first_at: Mapping[str, float] = written.first_at if written else {}
        self.to_record_ms = [(first_at[ride] - at) * 1000 for ride, _, at in self._rides if ride in first_at]


def _step(times_ms: Sequence[float]) -> float:
    return percentile(sorted(times_ms), 25)


def _ask(deployment: Deployment, kind: str, number: int) -> list[tuple[str, float, float]]:
    """Return the RideId, how long its answer took in milliseconds, and the Unix time of the answer."""
    asking = ask_for(kind, deployment.urls[kind])
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
    put_ms = [_timed(lambda n=number: _put(dynamodb, table, n)) for number in range(ROUNDS * RIDES)]  # type: ignore[misc]
    throttled_ms = [_timed(lambda n=number: _put(dynamodb, "empty", n)) for number in range(ROUNDS * RIDES)]  # type: ignore[misc]
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
