"""What enforcing IAM policies costs a PutItem: two labs side by side, one that enforces and one that does not.

A role's calls are those that a function makes: its policies are asked each time. Besides the time that a call takes,
the processor time that the emulator takes for it is compared, which says more when the machine has other things to do.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import psutil

from rydelab.lab import emulator
from rydelab.lab.emulator import EmulatorInfo
from rydelab.settings import Settings
from tests.bench.dynamodb import ITEM, make_table
from tests.bench.figures import show, spread
from tests.bench.lab import client, mean_ms
from tests.integration.conftest import policy

PORTS = {True: 4593, False: 4594}
ROUNDS = 60
"""Many short ones: a busy machine then disturbs both sides alike."""
CALLS = 40
TABLE = "bench-permissions"
OTHER_STATEMENTS = 8
"""Statements of the role about other things; our functions have one to three."""


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="rydelab-bench-") as folder, ExitStack() as labs:
        enforcing, free = (labs.enter_context(lab(Path(folder), enforce_iam=enforced)) for enforced in (True, False))
        for who, clients in (
            ("a role", [role_client(one) for one in (enforcing, free)]),
            ("the owner", [client(one.endpoint_url, "dynamodb") for one in (enforcing, free)]),
        ):
            compare(who, clients, [psutil.Process(one.pid) for one in (enforcing, free)])


@contextmanager
def lab(folder: Path, *, enforce_iam: bool) -> Iterator[EmulatorInfo]:
    """Run a lab with a table."""
    port = PORTS[enforce_iam]
    settings = Settings(port=port, data_dir=folder, endpoint_url=f"http://127.0.0.1:{port}", enforce_iam=enforce_iam)
    with emulator.start(settings) as running:
        make_table(running.endpoint_url, TABLE)
        info = emulator.find(running.endpoint_url)
        assert info is not None
        yield info


def compare(who: str, clients: Sequence[Any], emulators: Sequence[psutil.Process]) -> None:
    """Time PutItem by *clients*, the first of the lab that enforces, in turns."""
    calls_ms: list[list[float]] = [[], []]
    emulators_s = [0.0, 0.0]
    for number in range(ROUNDS):
        for which in (0, 1) if number % 2 else (1, 0):
            before_s = processor_s(emulators[which])
            put = partial(clients[which].put_item, TableName=TABLE, Item=ITEM)
            calls_ms[which].append(mean_ms(put, CALLS))
            emulators_s[which] += processor_s(emulators[which]) - before_s
    ratios = [enforcing / free for enforcing, free in zip(*calls_ms, strict=True)]
    show(f"PutItem by {who}, IAM enforced / not", spread(ratios, "x"))
    ratio = emulators_s[0] / emulators_s[1]
    per_call_ms = emulators_s[1] / (ROUNDS * CALLS * 1.1) * 1000  # mean_ms warms up with a tenth as many
    measured = f"{ratio:.3f} x of {per_call_ms:.2f} ms"
    show("  processor time of the emulator", measured, "<= 1.05 x", met=ratio <= 1.05)


def processor_s(process: psutil.Process) -> float:
    """Return the processor time that *process* has had."""
    times = process.cpu_times()
    return float(times.user + times.system)


def role_client(lab: EmulatorInfo) -> Any:
    """Return a client with the credentials of a role that may put items, and some other things."""
    endpoint_url = lab.endpoint_url
    iam = client(endpoint_url, "iam")
    account = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=policy(account))["Role"]["Arn"]
    others = [
        {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:Get*"], "Resource": f"arn:aws:sqs:*:*:queue-{number}"}
        for number in range(OTHER_STATEMENTS)
    ]
    put = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": f"arn:aws:dynamodb:*:*:table/{TABLE}"}
    iam.put_role_policy(RoleName="bench", PolicyName="bench", PolicyDocument=policy(*others, put))
    assumed = client(endpoint_url, "sts").assume_role(RoleArn=arn, RoleSessionName="bench")["Credentials"]
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )
