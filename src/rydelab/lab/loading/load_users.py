"""What the users of locustfiles have in common: where they ask, and how often.

Imports Locust, which patches the whole process: only for locustfiles, in Locust's own process.
"""

import functools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from locust import FastHttpUser, User, constant_throughput, events
from locust.env import Environment

from rydelab.lab.cells.deployment import Deployment
from rydelab.lab.loading import load_choice
from rydelab.settings import resolve


class StageUser(User):
    """A user of something that a stage has."""

    abstract = True
    requests_per_s: float = 1.0
    """How often each user asks, if its answers let it; 0 means again as soon as it has its answer."""
    target: ClassVar[str]
    """What it asks: a URL, or an ARN."""
    needs: ClassVar[str]
    """What a stage must have for this user, in words."""

    @classmethod
    def find_target(cls, deployment: Deployment) -> str | None:
        """Return what this user asks, or None if *deployment* does not have it."""
        raise NotImplementedError

    def wait_time(self) -> float:
        """Return how long to wait before the next request, in seconds."""
        return constant_throughput(self.requests_per_s)(self) if self.requests_per_s else 0.0


class PathUser(StageUser, FastHttpUser):
    """A user of one path through an API."""

    abstract = True
    host = "http://127.0.0.1"  # Locust wants one; every request has a whole URL


class SdkFailedError(Exception):
    """AWS did what it was asked, and that failed: a function, or an execution. The message says how."""


class SdkUser(StageUser):
    """A user that calls AWS through its SDK."""

    abstract = True
    service: ClassVar[str]
    """As boto3 calls it."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.client: Any = _client(self.service)

    @contextmanager
    def measured(self, name: str) -> Iterator[None]:
        """Report to Locust what is done inside as one request *name*; a failure of AWS's ends it as a failed one."""
        start_time, begin = time.time(), time.perf_counter()
        failure: Exception | None = None
        try:
            yield
        except (BotoCoreError, ClientError, SdkFailedError) as error:
            failure = error
        self.environment.events.request.fire(
            request_type=self.service,
            name=name,
            start_time=start_time,
            response_time=(time.perf_counter() - begin) * 1000,
            response_length=0,
            response=None,
            exception=failure,
            context={},
        )


@functools.cache
def prepare() -> None:
    """Have Locust find the targets of this process's users, and know our flags. Every locustfile calls it."""
    offered = load_choice.Scenarios()
    hooks: Any = events
    hooks.init_command_line_parser.add_listener(lambda parser, **_: load_choice.add_arguments(parser, offered))
    hooks.init.add_listener(lambda environment, **_: load_choice.prepare(environment, offered))


def _client(service: str) -> Any:
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=resolve({}, os.environ).endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (LocalStack takes any)
        # What is measured is one call, not the SDK's patience.
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=1, proxies={}),
    )
