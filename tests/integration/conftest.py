"""One lab for the whole test session: LocalStack with our plug-ins, on a port of 127.0.0.1.

``lab`` is for tests that reach it by its endpoint only: it can be a container's too (``--lab``, tests/conftest.py).
``embedded_lab`` is for those that look at its process or its files.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from rydelab.lab.emulation import emulator
from rydelab.lab.emulation.emulator import Emulator
from rydelab.settings import Settings
from tests.containers.project import lab_in_a_container

REGION = "us-east-1"
FUNCTION_ROLE = "arn:aws:iam::000000000000:role/test"
"""A role for functions of which permissions are not the point; `make_function_role` makes it."""


@dataclass(frozen=True)
class Lab:
    """A running lab, and clients for it."""

    endpoint_url: str
    """Where it answers."""
    shared_dir: Path | None = None
    """A folder that its functions and the tests both see; None if there is none."""
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Return the boto3 client for *service*."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,  # type: ignore[call-overload]
                endpoint_url=self.endpoint_url,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",  # noqa: S106
                # A test must see the first answer, not the third.
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    def close(self) -> None:
        """Close the connections of the clients."""
        for client in self._clients.values():
            client.close()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def lab_settings(data_dir: Path) -> Settings:
    """Make the settings of a lab of its own: a free port, everything below *data_dir*."""
    port = free_port()
    return Settings(port=port, data_dir=data_dir, endpoint_url=f"http://127.0.0.1:{port}", enforce_iam=True)


def make_function_role(iam: Any) -> None:
    """Make a role that Lambda may assume and that may do everything."""
    name = FUNCTION_ROLE.rpartition("/")[2]
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=policy(everything))


FROM_TOPICS = {
    "Effect": "Allow",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": "*",
}
"""The statement of a queue's policy that lets SNS send to it."""


def policy(*statements: dict[str, Any]) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@dataclass(frozen=True, kw_only=True)
class EmbeddedLab(Lab):
    """A lab whose process is one of this machine."""

    emulator: Emulator


@pytest.fixture(scope="session")
def embedded_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLab]:
    """Run one lab for the session. Tests share it: each makes tables, queues and functions with names of its own."""
    with emulator.start(lab_settings(tmp_path_factory.mktemp("lab"))) as running:
        shared_dir = tmp_path_factory.mktemp("shared")
        lab = EmbeddedLab(endpoint_url=running.endpoint_url, shared_dir=shared_dir, emulator=running)
        make_function_role(lab.client("iam"))
        yield lab
        lab.close()


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return the session's lab, wherever it runs."""
    where = request.config.getoption("--lab")
    if where == "embedded":
        yield request.getfixturevalue("embedded_lab")
        return
    shared_dir = tmp_path_factory.mktemp("shared") if where == "container" else None
    with lab_in_a_container(shared_dir) if shared_dir else nullcontext(where) as endpoint_url:
        lab = Lab(endpoint_url, shared_dir)
        make_function_role(lab.client("iam"))
        yield lab
        lab.close()


@pytest.fixture
def shared_dir(lab: Lab, tmp_path: Path) -> Path:
    """Make a folder of the test's own that the lab's functions see and may write to."""
    if lab.shared_dir is None:
        pytest.skip(f"the functions of the lab at {lab.endpoint_url} do not see this machine's files")
    folder = lab.shared_dir / tmp_path.name
    folder.mkdir()
    folder.chmod(0o777)  # whoever they run as
    return folder
