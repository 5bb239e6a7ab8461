"""A lab that runs, a container's say, beside an embedded one: the same measurements in turns, as ratios.

In turns, since a busy machine then disturbs both alike: compare the ratios, not the times of two runs.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import bootstrap
from rydelab.lab.emulation import emulator
from rydelab.lab.loading.load import closed_loop
from rydelab.settings import Settings
from tests.bench.drain import counter, ride, wait
from tests.bench.figures import show
from tests.bench.lab import EMPTY_HANDLER, SERVICES_DIR, client, make_function, mean_ms

PORT = 4595
TOLERANCE = 0.15
STAGE = "side-by-side"
CALL_ROUNDS, CALLS = 40, 50
DEPLOYMENTS = 3
RIDE_ROUNDS, RIDES_S = 5, 6.0
USERS = (4, 16)
MESSAGE_ROUNDS, MESSAGES = 8, 500

type Labs = Mapping[str, str]
"""The endpoints of the embedded lab and the other one, by those names."""


def main(endpoint_url: str) -> None:
    """Print the ratios of the lab at *endpoint_url* to an embedded one with the same settings."""
    other = emulator.find(endpoint_url)
    if other is None:
        raise SystemExit(f"no lab answers at {endpoint_url}")
    with tempfile.TemporaryDirectory(prefix="rydelab-bench-") as folder:
        settings = Settings(
            port=PORT,
            data_dir=Path(folder),
            endpoint_url=f"http://127.0.0.1:{PORT}",
            clock_speed=other.clock_speed,
            enforce_iam=other.enforce_iam,
        )
        with emulator.start(settings) as embedded:
            labs = {"embedded": embedded.endpoint_url, "other": endpoint_url}
            print(f"{'':58} {'embedded':>12} {'other':>12} {'ratio':>15}")
            try:
                measure_deployment(labs)
                measure_calls(labs)
                measure_rides(labs)
                measure_messages(labs)
            finally:
                for stage in (STAGE, *(f"{STAGE}-{number}" for number in range(DEPLOYMENTS))):
                    bootstrap.destroy(bootstrap.Target(endpoint_url), stage=stage)


def measure_deployment(labs: Labs) -> None:
    """Deploy the three services, in a stage of its own each time."""

    def deploy(lab: str, number: int) -> float:
        begun = time.perf_counter()
        _deploy(labs[lab], f"{STAGE}-{number}")
        return time.perf_counter() - begun

    in_turns("services deployed", "s", labs, deploy, rounds=DEPLOYMENTS)


def measure_calls(labs: Labs) -> None:
    """Time simple calls through the gateway."""
    calls = {name: _calls(endpoint_url) for name, endpoint_url in labs.items()}
    for what in calls["embedded"]:
        in_turns(
            what,
            "ms",
            labs,
            lambda lab, _, what=what: mean_ms(calls[lab][what], CALLS),
            rounds=CALL_ROUNDS,
        )


def measure_rides(labs: Labs) -> None:
    """Count event-driven rides by users who ask again as soon as they have their answer."""
    for endpoint_url in labs.values():
        _deploy(endpoint_url, STAGE)
    for users in USERS:

        def ride_on(lab: str, _number: int, users: int = users) -> float:
            loop = closed_loop(endpoint_url=labs[lab], stage=STAGE, users=users, duration_s=RIDES_S, warm_up_s=1.0)
            if loop.failed:
                raise SystemExit(f"{loop.failed} rides failed at {labs[lab]}: {loop.first_error}")
            return loop.requests_per_s

        in_turns(f"event-driven rides, closed loop, {users} users", "/s", labs, ride_on, rounds=RIDE_ROUNDS)


def measure_messages(labs: Labs) -> None:
    """Publish rides as fast as one client can, and time until the last is in the table."""
    tables = {}
    for name, endpoint_url in labs.items():
        outputs = bootstrap.outputs(bootstrap.Target(endpoint_url), stage=STAGE)
        table = outputs["wild-rydes-ride-record"]["RideRecordTableName"]
        tables[name] = (outputs["wild-rydes"]["RidesSnsTopicArn"], counter(endpoint_url, table))

    def publish(lab: str, number: int) -> float:
        topic, recorded = tables[lab]
        sns = client(labs[lab], "sns")
        expected = recorded() + MESSAGES
        begun = time.perf_counter()
        for start in range(0, MESSAGES, 10):
            entries = [{"Id": str(n), "Message": ride(f"ride-{number}-{start + n}")} for n in range(10)]
            sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
        wait(lambda: recorded() >= expected, every_s=0.05)
        return MESSAGES / (time.perf_counter() - begun)

    in_turns(f"{MESSAGES} messages published and recorded", "/s", labs, publish, rounds=MESSAGE_ROUNDS)


def in_turns(name: str, unit: str, labs: Labs, measure: Callable[[str, int], float], *, rounds: int) -> None:
    """Measure each of *labs* by its name, now this one first and now that one, and show the median of the ratios."""
    found: dict[str, list[float]] = {lab: [] for lab in labs}
    for number in range(rounds):
        for lab in sorted(labs, reverse=bool(number % 2)):
            found[lab].append(measure(lab, number))
    ratios = [other / embedded for embedded, other in zip(found["embedded"], found["other"], strict=True)]
    ratio = median(ratios)
    measured = f"{median(found['embedded']):>9.4g} {unit:2} {median(found['other']):>9.4g} {unit:2} {ratio:>7.3f} x"
    met = 1 - TOLERANCE <= ratio <= 1 + TOLERANCE
    show(name, f"{measured} ({min(ratios):.2f} to {max(ratios):.2f})", "0.85 to 1.15", met=met)


def _deploy(endpoint_url: str, stage: str) -> None:
    target = bootstrap.Target(endpoint_url)
    bootstrap.deploy(target, stage=stage, design="event-driven", table_mode="on-demand", services_dir=SERVICES_DIR)


def _calls(endpoint_url: str) -> dict[str, Callable[[], Any]]:
    dynamodb, lambda_ = client(endpoint_url, "dynamodb"), client(endpoint_url, "lambda")
    function = make_function(endpoint_url, f"bench-{time.time_ns()}", EMPTY_HANDLER)
    table = f"bench-{time.time_ns()}"
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"Id": {"S": "one"}}
    dynamodb.put_item(TableName=table, Item=item)

    def invoke() -> None:
        lambda_.invoke(FunctionName=function, Payload=b"{}")["Payload"].read()

    return {
        "GetItem": lambda: dynamodb.get_item(TableName=table, Key=item),
        "PutItem": lambda: dynamodb.put_item(TableName=table, Item=item),
        "warm invoke of an empty handler": invoke,
    }
