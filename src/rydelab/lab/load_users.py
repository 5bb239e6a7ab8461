"""What the users of locustfiles have in common: where they ask, how often, and the flags of a run.

Imports Locust, which patches the whole process: only for locustfiles, in Locust's own process.
"""

import functools
import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from locust import FastHttpUser, User, constant_throughput, events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from rydelab.errors import RydelabError
from rydelab.lab import generator, outlets, scenario
from rydelab.lab.deployment import Deployment
from rydelab.lab.load import LOADTESTS
from rydelab.lab.stage import StageError, find_deployment
from rydelab.settings import Settings, resolve

logger = logging.getLogger(__name__)


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
    hooks: Any = events
    hooks.init_command_line_parser.add_listener(_add_arguments)
    hooks.init.add_listener(_choose_users)


def _add_arguments(parser: LocustArgumentParser, **_: Any) -> None:
    flags: dict[str, dict[str, Any]] = {
        "--scenario": {
            "help": "Send this scenario's arrivals on schedule: a TOML file, or a name in loadtests/scenarios"
        },
        "--url": {
            "metavar": "KIND=URL",
            "action": "append",
            "default": [],
            "help": "With --scenario: where arrivals of that kind go, instead of asking the lab",
        },
        "--requests-file": {"metavar": "FILE", "help": "Write one row per request to this CSV file"},
    }
    for flag, options in flags.items():
        parser.add_argument(flag, include_in_web_ui=False, **options)


def _choose_users(environment: Environment, **_: Any) -> None:
    """Decide what this run sends, and to where."""
    options: Any = environment.parsed_options
    try:
        settings = resolve({}, os.environ)
        if options.scenario:
            users = [_scenario_user(environment, options, settings)]
            environment.dispatcher_class = generator.OneUserPerProcess
        else:
            users = _reachable_users(environment.user_classes, settings)
    except RydelabError as error:
        print(f"rydelab: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
    environment.user_classes[:] = users
    available: Any = {user.__name__: user for user in users}
    environment.available_user_classes = available
    if options.requests_file:
        generator.end_with_parent(environment)
        if not options.scenario:
            generator.save_requests(environment, Path(options.requests_file))


def _reachable_users(user_classes: Sequence[Any], settings: Settings) -> list[type[User]]:
    deployment = find_deployment(settings)
    reachable: list[type[User]] = []
    for user_class in user_classes:
        if target := user_class.find_target(deployment):
            user_class.target = target
            reachable.append(user_class)
        else:
            logger.warning(
                "%s is left out: it needs %s, and stage %s has none (RYDELAB_STAGE names another stage)",
                user_class.__name__,
                user_class.needs,
                deployment.stage,
            )
    if not reachable:
        needs = "; ".join(f"{user_class.__name__} needs {user_class.needs}" for user_class in user_classes)
        raise StageError(f"stage {deployment.stage} has no path for any of the users: {needs}")
    return reachable


def _scenario_user(environment: Environment, options: Any, settings: Settings) -> type[User]:
    workload = scenario.load(scenario.find(options.scenario, folder=LOADTESTS / "scenarios"))
    outlet = outlets.outlet_for(
        environment,
        digest=workload.digest,
        requests_file=Path(options.requests_file) if options.requests_file else None,
        lead_s=generator.LEAD_S,
    )
    given = {kind: url for kind, _, url in (text.partition("=") for text in options.url)}
    return generator.arrivals_user(generator.Generator(workload, _urls(workload.mix, given, settings), outlet))


def _urls(mix: Iterable[str], given: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Return the URL of each kind of arrival in *mix*: the one that was given, else what the stage has."""
    urls = dict(given)
    if missing := [kind for kind in mix if kind not in urls]:
        deployment = find_deployment(settings)
        urls |= {kind: url for kind, url in deployment.urls.items() if kind in missing}
        if none := [kind for kind in missing if kind not in urls]:
            raise StageError(f"stage {deployment.stage} has no URL for: {', '.join(none)}")
    return urls


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
