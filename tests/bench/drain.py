"""Events: how fast a backlog of rides is recorded, and how soon a first message is."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import bootstrap
from rydelab.lab.emulation import emulator
from rydelab.settings import Settings
from tests.bench.figures import show, spread
from tests.bench.lab import SERVICES_DIR, client

RIDES = 2_000
FIRST_MESSAGES = 5
IDLE_S = 2.0
DEADLINE_S = 120.0
PORT = 4591


def main() -> None:
    """Print the figures of the asynchronous designs."""
    with tempfile.TemporaryDirectory(prefix="rydelab-bench-") as folder:
        settings = Settings(port=PORT, data_dir=Path(folder), endpoint_url=f"http://127.0.0.1:{PORT}")
        with emulator.start(settings) as lab:
            measure_queued(lab.endpoint_url)
            measure_event_driven(lab.endpoint_url)


def measure_queued(endpoint_url: str) -> None:
    """Fill the queue while the mapping is disabled, enable it, and time until the last ride is in the table."""
    record = _deploy(endpoint_url, "queued")["wild-rydes-ride-record"]
    sqs, lambda_ = client(endpoint_url, "sqs"), client(endpoint_url, "lambda")
    url, recorded = record["RideQueueUrl"], counter(endpoint_url, record["RideRecordTableName"])
    first_ms = []
    for number in range(FIRST_MESSAGES):
        time.sleep(IDLE_S)
        begun = time.perf_counter()
        sqs.send_message(QueueUrl=url, MessageBody=ride(f"first-{number}"))
        wait(lambda expected=number + 1: recorded() >= expected, every_s=0.002)
        first_ms.append((time.perf_counter() - begun) * 1000)
    show("first message into an idle queue recorded", spread(first_ms, "ms"), "<= 300 ms", met=median(first_ms) <= 300)

    function = record["PutRideRecordSqsName"]
    [mapping] = lambda_.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    wait(lambda: lambda_.get_event_source_mapping(UUID=mapping["UUID"])["State"] == "Disabled", every_s=0.1)
    for start in range(0, RIDES, 10):
        entries = [{"Id": str(n), "MessageBody": ride(f"ride-{start + n}")} for n in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    begun = time.perf_counter()
    lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    wait(lambda: recorded() >= RIDES + FIRST_MESSAGES)
    _show_rate("queued: backlog of 2,000 messages", time.perf_counter() - begun, 80)


def measure_event_driven(endpoint_url: str) -> None:
    """Publish as fast as one client can, and time until the last ride is in the table."""
    outputs = _deploy(endpoint_url, "event-driven")
    recorded = counter(endpoint_url, outputs["wild-rydes-ride-record"]["RideRecordTableName"])
    sns, topic = client(endpoint_url, "sns"), outputs["wild-rydes"]["RidesSnsTopicArn"]
    begun = time.perf_counter()
    for start in range(0, RIDES, 10):
        entries = [{"Id": str(n), "Message": ride(f"ride-{start + n}")} for n in range(10)]
        sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    wait(lambda: recorded() >= RIDES)
    _show_rate("event-driven: 2,000 messages, published and recorded", time.perf_counter() - begun, 60)


def _show_rate(name: str, taken_s: float, target: int) -> None:
    rate = RIDES / taken_s
    show(name, f"{rate:.0f} /s", f">= {target} /s", met=rate >= target)


def _deploy(endpoint_url: str, design: str) -> Any:
    target = bootstrap.Target(endpoint_url)
    return bootstrap.deploy(target, stage=design, design=design, table_mode="on-demand", services_dir=SERVICES_DIR)


def counter(endpoint_url: str, table: str) -> Callable[[], int]:
    dynamodb = client(endpoint_url, "dynamodb")

    def count() -> int:
        pages = dynamodb.get_paginator("scan").paginate(TableName=table, Select="COUNT")
        return sum(page["Count"] for page in pages)

    return count


def ride(ride_id: str) -> str:
    return json.dumps({"RideId": ride_id, "Unicorn": {"Name": "Rocinante"}, "RequestTime": "2026-01-01 00:00:00"})


def wait(question: Callable[[], bool], *, every_s: float = 0.25) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not question():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {DEADLINE_S:.0f} s")
        time.sleep(every_s)
