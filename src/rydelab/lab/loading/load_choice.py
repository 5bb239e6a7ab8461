"""What a run of Locust sends: the arrivals of a scenario, or users of the paths that a stage has.

Without a web page that is settled when the process begins, and what cannot be sent ends it. Behind a web page, and in
a worker, it is settled anew at each start of a run: by then someone has chosen on the page, and the stage may have been
deployed again.

Imports Locust, which patches the whole process: only for locustfiles, in Locust's own process.
"""

import logging
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
from flask import Response, jsonify, request
from locust import User
from locust.argument_parser import LocustArgumentParser
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from rydelab.errors import RydelabError
from rydelab.lab.cells.stage import StageError, find_deployment, urls_of
from rydelab.lab.loading import generator, outlets
from rydelab.lab.loading.load import LOADTESTS
from rydelab.lab.scenarios import scenario
from rydelab.lab.scenarios.scenario import Scenario
from rydelab.settings import Settings, resolve

logger = logging.getLogger(__name__)

SCENARIOS = LOADTESTS / "scenarios"
NO_SCENARIO = "none"


class Scenarios(list[str]):
    """The scenarios that the web page offers: all, unless one is given on the command line, where any file will do."""

    def __init__(self) -> None:
        super().__init__([NO_SCENARIO, *sorted(file.stem for file in SCENARIOS.glob("*.toml"))])

    def __contains__(self, _given: object) -> bool:
        return True


def add_arguments(parser: LocustArgumentParser, offered: Scenarios) -> None:
    """Add our flags to Locust's. The web page has a choice of the *offered* scenarios."""
    parser.add_argument(
        "--scenario",
        choices=offered,
        metavar="SCENARIO",
        help="Arrivals on schedule: a name in loadtests/scenarios, or a TOML file. "
        f"{NO_SCENARIO}: as many users as are asked for, each with one request a second",
    )
    parser.add_argument(
        "--url",
        metavar="KIND=URL",
        action="append",
        default=[],
        include_in_web_ui=False,
        help="With --scenario: where arrivals of that kind go, instead of asking the lab",
    )
    parser.add_argument(
        "--requests-file",
        metavar="FILE",
        include_in_web_ui=False,
        help="Write one row per request to this CSV file",
    )


def prepare(environment: Environment, offered: Scenarios) -> None:
    """Settle what this process sends, or have it settled at each start of the run."""
    locust: Any = environment  # its attributes are typed as if they could not be replaced
    options = locust.parsed_options
    is_worker = isinstance(environment.runner, WorkerRunner)
    try:
        choice = _Choice(environment, resolve({}, os.environ))
        if locust.web_ui is None and not is_worker:
            choice.settle()
    except RydelabError as error:
        _exit(error)
    locust.dispatcher_class = choice.dispatcher
    if is_worker:
        locust.events.test_start.add_listener(lambda **_: choice.settle_or_exit())
    elif locust.web_ui is not None:
        if options.scenario:
            offered[:] = [options.scenario]
        locust.web_ui.app.before_request(choice.refusal)
        _say_when_ready(environment)
    if options.requests_file:
        generator.end_with_parent(environment)
        if not options.scenario:
            generator.save_requests(environment, Path(options.requests_file))


class _Choice:
    """What this process sends."""

    def __init__(self, environment: Environment, settings: Settings) -> None:
        self._environment = environment
        self._options: Any = environment.parsed_options
        self._settings = settings
        self._users = list(environment.user_classes)
        """Those that were named on the command line, or chosen on the page since."""
        self._settled: list[type[User]] = self._users
        options: Any = environment.parsed_options
        self._own = options.scenario if isinstance(environment.runner, WorkerRunner) else None
        # Of a scenario that is chosen on the page, whoever saves requests saves them as those of any other run.
        requests_file = Path(options.requests_file) if options.requests_file and options.scenario else None
        self._outlet = outlets.outlet_for(environment, requests_file, lead_s=generator.LEAD_S)

    @property
    def scenario(self) -> str | None:
        """Name or file of the scenario that is chosen now: a worker's own if it was given one, else its master's."""
        chosen: str | None = self._own or self._options.scenario
        return None if chosen == NO_SCENARIO else chosen

    def settle(self) -> None:
        """Find the users of the choice of now. Raises RydelabError."""
        if self._environment.user_classes != self._settled:
            self._users = list(self._environment.user_classes)  # as the page has it
        if self.scenario:
            workload = scenario.load(scenario.find(self.scenario, folder=SCENARIOS), with_cells=False)
            self._outlet.digest = workload.digest
            urls = _urls(workload, _given(self._options.url), self._settings)
            self._settled = [generator.arrivals_user(generator.Generator(workload, urls, self._outlet))]
        else:
            self._outlet.digest = None
            self._settled = _reachable_users(self._users, self._settings)
        self._environment.user_classes = list(self._settled)

    def settle_or_exit(self) -> None:
        """As `settle`, for a worker: its master, which has found everything, notices if it goes."""
        try:
            self.settle()
        except RydelabError as error:
            _exit(error)

    def dispatcher(self, worker_nodes: Any, user_classes: Any) -> UsersDispatcher:
        """Make the dispatcher of the run that starts; Locust calls this in the place of a class."""
        del user_classes  # they are from before the choice
        if self._environment.web_ui is not None:
            try:
                self.settle()
            except RydelabError as error:
                logger.error("rydelab: %s", error)  # noqa: TRY400 (it is for people)
                raise gevent.GreenletExit from None
        kind = generator.OneUserPerProcess if self.scenario else UsersDispatcher
        return kind(worker_nodes=worker_nodes, user_classes=self._environment.user_classes)

    def refusal(self) -> Response | None:
        """Answer an order of the web page to start what cannot be started, for the page to show."""
        if request.method != "POST" or not request.path.endswith("/swarm"):
            return None
        chosen = request.form.get("scenario", self.scenario or NO_SCENARIO)
        try:
            if chosen != NO_SCENARIO:
                scenario.load(scenario.find(chosen, folder=SCENARIOS), with_cells=False)
            if chosen == NO_SCENARIO or not self._options.url:
                find_deployment(self._settings)
        except RydelabError as error:
            logger.error("rydelab: %s", error)  # noqa: TRY400 (as above)
            return jsonify({"success": False, "message": str(error), "host": self._environment.host})
        return None


def _say_when_ready(environment: Environment) -> None:
    options: Any = environment.parsed_options
    page = options.web_host_display_name or f"http://{options.web_host or '127.0.0.1'}:{options.web_port}"
    said: list[str] = []

    def say(**_: Any) -> None:
        if not said:
            said.append(page)
            logger.info("Ready: open %s, choose a scenario under Custom parameters, and press START", page)

    if isinstance(environment.runner, MasterRunner):
        events: Any = environment.events
        events.worker_connect.add_listener(say)
    else:
        say()


def _exit(error: RydelabError) -> None:
    print(f"rydelab: {error}", file=sys.stderr)
    sys.exit(error.exit_status)


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


def _given(texts: Iterable[str]) -> dict[str, str]:
    return {kind: url for kind, _, url in (text.partition("=") for text in texts)}


def _urls(workload: Scenario, given: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Return the URL of each kind of arrival in *workload*: the one that was given, else what the stage has."""
    if workload.mix.keys() <= given.keys():
        return dict(given)
    return {**urls_of(workload, find_deployment(settings), endpoint_url=settings.endpoint_url), **given}
