"""The lab that is spoken to, and the clients for it."""

import ipaddress
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from bootstrap.errors import BootstrapError, InputError, NoLabError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_ssm import SSMClient

DEFAULT_ENDPOINT_URL = "http://127.0.0.1:4566"
DEFAULT_REGION = "us-east-1"

_CONNECT_TIMEOUT_S = 5
_READ_TIMEOUT_S = 60
# A synchronous invocation answers when the function ends: AWS's longest timeout, and room for a cold start.
_INVOKE_READ_TIMEOUT_S = 15 * 60 + 60


@dataclass(frozen=True, slots=True)
class Target:
    """A lab: where it answers, and its region. Raises InputError for an endpoint that must not or cannot be used."""

    endpoint_url: str = DEFAULT_ENDPOINT_URL
    region: str = DEFAULT_REGION
    allow_remote: bool = False
    """Whether the endpoint may be another machine, as it is between containers. Credentials are made up in any case."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.endpoint_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
            raise InputError(f"endpoint {self.endpoint_url!r}: must be a URL such as {DEFAULT_ENDPOINT_URL}")
        try:
            port = parts.port
        except ValueError:
            port = 0
        if port == 0:
            raise InputError(f"endpoint {self.endpoint_url!r}: the port must be 1 to 65535")
        if not self.allow_remote and not is_loopback(parts.hostname):
            raise InputError(
                f"endpoint {self.endpoint_url!r}: {parts.hostname} is not this machine (--allow-remote permits it)"
            )
        object.__setattr__(self, "endpoint_url", self.endpoint_url.rstrip("/"))

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.endpoint_url)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


class Clients:
    """The boto3 clients for one target, made when they are first used. Safe to share between threads."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._lock = threading.RLock()  # making a client is not thread-safe; using one is
        self._made: dict[str, Any] = {}
        self._session: boto3.Session | None = None

    @property
    def cloudformation(self) -> "CloudFormationClient":
        """CloudFormation."""
        return cast("CloudFormationClient", self._client("cloudformation"))

    @property
    def s3(self) -> Any:
        """S3."""
        return self._client("s3")

    @property
    def ssm(self) -> "SSMClient":
        """Systems Manager, for the parameter store."""
        return cast("SSMClient", self._client("ssm"))

    @property
    def logs(self) -> "CloudWatchLogsClient":
        """CloudWatch Logs."""
        return cast("CloudWatchLogsClient", self._client("logs"))

    @property
    def lambda_(self) -> "LambdaClient":
        """Lambda; calls are sent once and wait as long as a function may run."""
        return cast("LambdaClient", self._client("lambda"))

    @property
    def step_functions(self) -> Any:
        """Step Functions."""
        return self._client("stepfunctions")

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._made:
                once = service == "lambda"  # a second attempt would run the function twice
                config = Config(
                    connect_timeout=_CONNECT_TIMEOUT_S,
                    read_timeout=_INVOKE_READ_TIMEOUT_S if once else _READ_TIMEOUT_S,
                    retries={"total_max_attempts": 1 if once else 3, "mode": "standard"},
                    s3={"addressing_style": "path"},  # bucket names as host names would need DNS
                    proxies={},  # a proxy cannot reach this machine's loopback
                    max_pool_connections=20,
                )
                if self._session is None:
                    self._session = _session(self._target.region)
                make: Any = self._session.client
                self._made[service] = make(service, endpoint_url=self._target.endpoint_url, config=config)
            return self._made[service]


@contextmanager
def connected(target: Target) -> Iterator[Clients]:
    """Yield clients for *target*; what boto3 raises inside becomes a BootstrapError."""
    try:
        socket.create_connection(target.address, timeout=_CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise NoLabError(_nobody_answers(target, error.strerror or str(error))) from None
    try:
        yield Clients(target)
    except EndpointConnectionError:
        raise NoLabError(_nobody_answers(target, "it went away")) from None
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == HTTPStatus.SERVICE_UNAVAILABLE:
            raise NoLabError(_nobody_answers(target, "it is starting or stopping")) from None
        code = error.response.get("Error", {}).get("Code", "")
        message = error.response.get("Error", {}).get("Message", "") or error
        raise BootstrapError(f"{error.operation_name} at {target.endpoint_url} failed: {code}: {message}") from error
    except (BotoCoreError, ResponseParserError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise NoLabError(f"{target.endpoint_url} does not answer as AWS would: {reason}") from error


def _session(region: str) -> boto3.Session:
    # Nothing of a person's own AWS set-up may take part: neither a profile, nor real credentials, nor an endpoint.
    core = botocore.session.Session(
        {
            "profile": (None, [], None, None),
            "config_file": (None, [], os.devnull, None),
            "credentials_file": (None, [], os.devnull, None),
        }
    )
    return boto3.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (LocalStack takes any)
        region_name=region,
        botocore_session=core,
    )


def _nobody_answers(target: Target, reason: str) -> str:
    host, port = target.address
    command = "rydelab up" if port == urlsplit(DEFAULT_ENDPOINT_URL).port else f"rydelab up --port {port}"
    start = f"start one with `{command}`" if is_loopback(host) else "is the name right, and does it run?"
    return f"no lab answers at {target.endpoint_url} ({reason.lower()}): {start}"


def is_loopback(host: str) -> bool:
    """Whether *host* is certainly this machine; no name is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
