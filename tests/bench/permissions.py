"""What enforcing IAM policies costs a PutItem.

Two labs side by side, one that enforces and one that does not: the time that a call takes, and the processor time that
the emulator takes for it. And the check by itself, since on a busy machine it is lost in the noise of both. A role's
calls are those that a function makes: its policies are asked each time.
"""

import tempfile
import timeit
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import boto3
import psutil
from localstack.aws.api import RequestContext
from localstack.aws.spec import load_service
from localstack.http import Request
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from rydelab.lab.emulation import emulator
from rydelab.lab.emulation.emulator import EmulatorInfo
from rydelab.plugins.permissions import callers, gateway_check
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
CHECKS = 5_000
OTHER_STATEMENTS = 8
"""Statements of the role about other things; our functions have one to three."""


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="rydelab-bench-") as folder, ExitStack() as labs:
        show("the check of a role's PutItem by itself", f"{check_us():.3g} us")
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
    show(f"PutItem by {who}, IAM enforced / not", spread(ratios, "x"), "<= 1.05 x", met=median(ratios) <= 1.05)
    emulator_ms = emulators_s[1] / (ROUNDS * CALLS * 1.1) * 1000  # mean_ms warms up with a tenth as many
    measured = f"{emulators_s[0] / emulators_s[1]:.3f} x of {emulator_ms:.2f} ms"
    show("  processor time of the emulator", measured)


def check_us() -> float:
    """Time what stands in front of a service, for a PutItem by a role, in this process."""
    role = iam_backends["000000000000"]["aws"].create_role("bench", "{}", "/", None, "", [], "3600")
    role.policies["bench"] = role_policy()
    callers.install()
    assumed = sts_backends["000000000000"]["aws"].assume_role(
        region_name="us-east-1",
        role_session_name="bench",
        role_arn=role.arn,
        policy=None,
        duration=3600,
        external_id=None,
    )
    scope = f"Credential={assumed.access_key_id}/20261121/us-east-1/dynamodb/aws4_request"
    context = RequestContext(Request("POST", "/", headers={"Authorization": f"AWS4-HMAC-SHA256 {scope}"}))
    context.service = load_service("dynamodb")
    context.operation = context.service.operation_model("PutItem")
    context.service_request = {"TableName": TABLE, "Item": ITEM}
    context.region, context.account_id = "us-east-1", "000000000000"
    check = partial(gateway_check.check, None, context, None)
    return min(timeit.repeat(check, number=CHECKS, repeat=5)) / CHECKS * 1e6


def processor_s(process: psutil.Process) -> float:
    """Return the processor time that *process* has had."""
    times = process.cpu_times()
    return float(times.user + times.system)


def role_client(lab: EmulatorInfo) -> Any:
    """Return a client with the credentials of a role that has `role_policy`."""
    endpoint_url = lab.endpoint_url
    iam = client(endpoint_url, "iam")
    account = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=policy(account))["Role"]["Arn"]
    iam.put_role_policy(RoleName="bench", PolicyName="bench", PolicyDocument=role_policy())
    assumed = client(endpoint_url, "sts").assume_role(RoleArn=arn, RoleSessionName="bench")["Credentials"]
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )


def role_policy() -> str:
    """Return the policy of a role that may put items, and some other things."""
    others = [
        {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:Get*"], "Resource": f"arn:aws:sqs:*:*:queue-{number}"}
        for number in range(OTHER_STATEMENTS)
    ]
    put = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": f"arn:aws:dynamodb:*:*:table/{TABLE}"}
    return policy(*others, put)
