"""The workshop's paths under load.

`locust -f loadtests/ --headless -u 10 -t 30s`, or without --headless for a web page, needs no other argument: the
endpoint and the URLs come from the stacks of stage RYDELAB_STAGE (default dev) on the lab at RYDELAB_ENDPOINT. Users
whose path that stage does not have are left out, with a line that says so. To load only some paths, name their users:
`locust -f loadtests/ AsyncRideUser RideFleetUser`.

Each user asks once per second as long as it gets its answers, so that 10 users make the workshop's 10 arrivals/s;
slower answers mean fewer arrivals (a closed model).

`locust -f loadtests/ --scenario quick` sends a scenario's arrivals on schedule instead (an open model); this is what
`rydelab compare` does. It does so headless and behind the web page, with `--processes 4`, and with a master and workers
on several machines, always at the same total rate: give master and workers the same scenario. How many users are asked
for does not matter then.
"""

import logging
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from locust import FastHttpUser, User, constant_throughput, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from rydelab.errors import RydelabError
from rydelab.lab import generator, outlets, scenario
from rydelab.lab.asking import RIDE_REQUEST, new_ride
from rydelab.lab.deployment import Deployment
from rydelab.lab.stage import StageError, find_deployment
from rydelab.settings import resolve

logger = logging.getLogger(__name__)


class PathUser(FastHttpUser):
    """A user of one path through the services."""

    abstract = True
    host = "http://127.0.0.1"  # Locust wants one; every request has a whole URL
    requests_per_s: float = 1.0
    """How often each user asks, if its answers let it; 0 means again as soon as it has its answer."""
    url: ClassVar[str]
    needs: ClassVar[str]
    """What a stage must have for this user, in words."""

    @classmethod
    def find_url(cls, deployment: Deployment) -> str | None:
        """Return the URL of this path, or None if *deployment* does not have it."""
        raise NotImplementedError

    def wait_time(self) -> float:
        """Return how long to wait before the next request, in seconds."""
        return constant_throughput(self.requests_per_s)(self) if self.requests_per_s else 0.0


class SyncRideUser(PathUser):
    """Requests rides that are recorded before the answer comes."""

    needs = "a design that answers after it has recorded the ride: microservices or direct-invoke"

    @classmethod
    def find_url(cls, deployment: Deployment) -> str | None:
        """Return the ride URL of a design whose record service is called over HTTP."""
        return deployment.ride_url if deployment.records_before_answering else None

    @task
    def request_ride(self) -> None:
        """Request a ride."""
        self.client.post(self.url, json=RIDE_REQUEST, name="RequestRide (sync)")


class AsyncRideUser(PathUser):
    """Requests rides that are recorded after the answer, from an event."""

    needs = "a design that records the ride after it has answered: event-driven or queued"

    @classmethod
    def find_url(cls, deployment: Deployment) -> str | None:
        """Return the ride URL of a design that publishes its rides."""
        return None if deployment.records_before_answering else deployment.ride_url

    @task
    def request_ride(self) -> None:
        """Request a ride."""
        self.client.post(self.url, json=RIDE_REQUEST, name="RequestRide (async)")


class RideRecordUser(PathUser):
    """Records rides, without the services before."""

    needs = "the service wild-rydes-ride-record"

    @classmethod
    def find_url(cls, deployment: Deployment) -> str | None:
        """Return the URL of the record service."""
        return deployment.record_url

    @task
    def record_ride(self) -> None:
        """Record a new ride."""
        self.client.post(self.url, json=new_ride(), name="PutRideRecord")


class RideFleetUser(PathUser):
    """Asks the fleet for unicorns, without the service before."""

    needs = "the service wild-rydes-ride-fleet"

    @classmethod
    def find_url(cls, deployment: Deployment) -> str | None:
        """Return the URL of the fleet."""
        return deployment.unicorn_url

    @task
    def request_unicorn(self) -> None:
        """Request a unicorn."""
        self.client.get(self.url, name="RequestUnicorn")


def add_arguments(parser: LocustArgumentParser, **_: Any) -> None:
    """Add our flags to Locust's."""
    flags = {
        "--scenario": "Send this scenario's arrivals on schedule: a TOML file, or a name in loadtests/scenarios",
        "--ride-url": "With --scenario: where to POST ride requests, instead of asking the lab",
        "--record-url": "With --scenario: where to POST records, likewise",
        "--unicorn-url": "With --scenario: where to GET unicorns, likewise",
        "--requests-file": "Write one row per request to this CSV file",
    }
    for flag, text in flags.items():
        parser.add_argument(flag, help=text, metavar=flag.rsplit("-", 1)[-1].upper(), include_in_web_ui=False)


def choose_users(environment: Environment, **_: Any) -> None:
    """Decide what this run sends, and to where."""
    options: Any = environment.parsed_options
    try:
        if options.scenario:
            users = [_scenario_user(environment, options)]
            environment.dispatcher_class = generator.OneUserPerProcess
        else:
            users = _reachable_users(environment.user_classes)
    except RydelabError as error:
        print(f"rydelab: {error}", file=sys.stderr)
        sys.exit(2)
    environment.user_classes[:] = users
    available: Any = {user.__name__: user for user in users}
    environment.available_user_classes = available
    if options.requests_file:
        generator.end_with_parent(environment)
        if not options.scenario:
            generator.save_requests(environment, Path(options.requests_file))


_events: Any = events
_events.init_command_line_parser.add_listener(add_arguments)
_events.init.add_listener(choose_users)


def _reachable_users(user_classes: Sequence[Any]) -> list[type[User]]:
    deployment = find_deployment(resolve({}, os.environ))
    reachable: list[type[User]] = []
    for user_class in user_classes:
        if url := user_class.find_url(deployment):
            user_class.url = url
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


def _scenario_user(environment: Environment, options: Any) -> type[User]:
    path = scenario.find(options.scenario, folder=Path(__file__).parent / "scenarios")
    workload = scenario.load(path)
    given = {"ride": options.ride_url, "record": options.record_url, "unicorn": options.unicorn_url}
    outlet = outlets.outlet_for(
        environment,
        digest=workload.digest,
        requests_file=Path(options.requests_file) if options.requests_file else None,
        lead_s=generator.LEAD_S,
    )
    return generator.arrivals_user(generator.Generator(workload, _urls(workload.mix, given), outlet))


def _urls(mix: Iterable[str], given: Mapping[str, str | None]) -> dict[str, str]:
    """Return the URL of each kind of arrival in *mix*: the one that was given, else what the stage has."""
    urls = {kind: url for kind, url in given.items() if url}
    if missing := [kind for kind in mix if kind not in urls]:
        deployment = find_deployment(resolve({}, os.environ))
        urls |= {kind: url for kind, url in deployment.urls.items() if kind in missing}
        if none := [kind for kind in missing if kind not in urls]:
            raise StageError(f"stage {deployment.stage} has no URL for: {', '.join(none)}")
    return urls
