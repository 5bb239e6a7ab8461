"""The command ``python -m bootstrap``."""

import argparse
import functools
import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import bootstrap
from bootstrap.errors import BootstrapError, InputError, NoLabError
from bootstrap.site import URL_OUTPUT
from bootstrap.target import DEFAULT_ENDPOINT_URL, Target

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as a shell says it
_RETRY_INTERVAL_S = 0.5

DESCRIPTION = """\
Deploys the services to a lab, as stacks of CloudFormation. Start a lab first: rydelab up"""

EXAMPLES = """\
examples:
  python -m bootstrap deploy                            every service, stage dev
  python -m bootstrap deploy --design queued            the same, with another way for the rides
  python -m bootstrap outputs                           URLs, table and function names
  python -m bootstrap invoke RequestUnicornInvoke       call a function, see its answer and its log
  python -m bootstrap execute PurchaseStateMachine --event services/lambda-guides/events/purchase.json
  python -m bootstrap logs RequestRide --follow         watch a function
  python -m bootstrap destroy                           remove the stage

`python -m bootstrap COMMAND --help` explains a command. RYDELAB_ENDPOINT and RYDELAB_STAGE set what --endpoint and
--stage set; a flag wins. Exit status: 0 done, 1 failed, 2 wrong input (nothing was changed)."""

DEPLOY = """\
Deploys services under a stage. Each service is a folder with a template.yaml, and becomes the stack SERVICE-STAGE. The
order follows from the templates: a stack comes after those whose exports and SSM parameters it reads. Stages live side
by side and share nothing.

What has not changed since the last deployment is left alone: code, template, parameters, and what it reads from other
stacks. A stack whose last deployment failed is deployed again; one that cannot be updated is deleted first. What was
changed without CloudFormation, such as a table's capacity, is not noticed: destroy and deploy make it anew.

Parameters that are not given get the template's defaults, whatever the last deployment gave."""

DEPLOY_EXAMPLES = """\
examples:
  python -m bootstrap deploy
  python -m bootstrap deploy --stage load --design event-driven --table-mode on-demand
  python -m bootstrap deploy --service wild-rydes-ride-record --parameter WriteCapacityUnits=5
  python -m bootstrap deploy --services-dir ~/my-service --stage try     a folder of your own with a template.yaml
  python -m bootstrap deploy --services-dir ~/my-services                a folder of such folders"""

DESTROY = """\
Deletes the stacks of a stage, with the tables and queues in them. A service that another one needs is not deleted
without that one."""

INVOKE = """\
Invokes a function by the name that its template gives it, and waits. Its answer goes to standard output; its log and,
if it failed, its error go to standard error, and the exit status is 1."""

INVOKE_EXAMPLES = """\
examples:
  python -m bootstrap invoke RequestUnicornInvoke
  python -m bootstrap invoke RequestRide --event services/wild-rydes/events/request-ride.json
  echo '{"name": "value"}' | python -m bootstrap invoke MyFunction --event -"""

EXECUTE = """\
Executes a state machine by the name that its template gives it, and waits until it ends. Its output goes to standard
output; the states that it entered and, if it failed, the error go to standard error, and the exit status is 1."""

EXECUTE_EXAMPLES = """\
examples:
  python -m bootstrap execute PurchaseStateMachine --event services/lambda-guides/events/purchase.json
  echo '{"TransactionType": "REFUND"}' | python -m bootstrap execute PurchaseStateMachine --event -"""

LOGS = """\
Prints a function's log from CloudWatch Logs: all environments together, in order of time."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line *argv* (default: the process's own) and return the exit status."""
    try:
        return run(sys.argv[1:] if argv is None else argv, os.environ)
    except BootstrapError as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever reads our output, such as `head`, has seen enough. At exit nothing may be flushed to the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_INTERRUPTED


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the command line *argv* with the variables *environ*. Raises BootstrapError; exits for bad usage."""
    arguments = _parser(environ).parse_args(argv)
    allow_remote = arguments.allow_remote or _is_remote_allowed(environ)
    target = Target(endpoint_url=arguments.endpoint, region=arguments.region, allow_remote=allow_remote)
    command: Callable[[argparse.Namespace, Target], int] = arguments.run
    return command(arguments, target)


def _deploy(arguments: argparse.Namespace, target: Target) -> int:
    clock = _Clock()
    deploy = functools.partial(
        bootstrap.deploy,
        target,
        stage=arguments.stage,
        design=arguments.design,
        table_mode=arguments.table_mode,
        services=arguments.service,
        services_dir=arguments.services_dir,
        parameters=_parameters(arguments.parameter),
        progress=clock.report,
    )
    outputs = _shown(_retried(deploy, arguments.wait, clock), arguments)
    clock.report(f"deployed under stage {arguments.stage}: {', '.join(outputs)}")
    _print_outputs(outputs)
    for values in outputs.values():
        if page := values.get(URL_OUTPUT):
            clock.report(f"the page to try it from: {page}")
    return 0


def _retried[T](deploy: Callable[[], T], wait_s: float, clock: "_Clock") -> T:
    """Deploy; while no lab answers, or one that did is gone, again and again for *wait_s* seconds."""
    deadline = time.monotonic() + wait_s
    said = ""
    while True:
        try:
            return deploy()
        except NoLabError as error:
            if time.monotonic() > deadline:
                raise
            if said != str(error):
                said = str(error)
                clock.report(f"{said}; waiting for it, {deadline - time.monotonic():.0f} s at most")
        time.sleep(_RETRY_INTERVAL_S)


def _shown(outputs: bootstrap.Outputs, arguments: argparse.Namespace) -> bootstrap.Outputs:
    """Return *outputs* with the addresses of the lab as whoever reads them knows it."""
    here, there = arguments.endpoint.rstrip("/"), (arguments.public_endpoint or arguments.endpoint).rstrip("/")
    return {
        service: {name: value.replace(here, there) for name, value in values.items()}
        for service, values in outputs.items()
    }


def _outputs(arguments: argparse.Namespace, target: Target) -> int:
    outputs = _shown(bootstrap.outputs(target, stage=arguments.stage), arguments)
    if arguments.json:
        print(json.dumps(outputs, indent=2))
    elif outputs:
        _print_outputs(outputs)
    else:
        print(f"nothing is deployed under stage {arguments.stage}", file=sys.stderr)
    return 0


def _destroy(arguments: argparse.Namespace, target: Target) -> int:
    clock = _Clock()
    gone = bootstrap.destroy(target, stage=arguments.stage, services=arguments.service, progress=clock.report)
    clock.report(f"removed from stage {arguments.stage}: {', '.join(gone) or 'nothing was deployed'}")
    return 0


def _invoke(arguments: argparse.Namespace, target: Target) -> int:
    event = _event(arguments.event)
    invocation = bootstrap.invoke(target, arguments.function, event, stage=arguments.stage)
    if invocation.log_tail:
        print(invocation.log_tail.rstrip("\n"), file=sys.stderr)
    print(invocation.payload.decode())
    if invocation.function_error:
        print(f"bootstrap: {arguments.function} failed: {invocation.function_error}", file=sys.stderr)
        return EXIT_FAILED
    return 0


def _execute(arguments: argparse.Namespace, target: Target) -> int:
    document = _event(arguments.event)
    execution = bootstrap.execute(target, arguments.state_machine, document, stage=arguments.stage)
    print(" -> ".join([*execution.states, execution.status]), file=sys.stderr)
    if execution.output is not None:
        print(execution.output)
        return 0
    print(f"bootstrap: {arguments.state_machine} ended as {execution.error}: {execution.cause}", file=sys.stderr)
    return EXIT_FAILED


def _logs(arguments: argparse.Namespace, target: Target) -> int:
    for line in bootstrap.logs(target, arguments.function, stage=arguments.stage, follow=arguments.follow):
        print(line, flush=arguments.follow)
    return 0


class _Clock:
    """Prints progress with the seconds since it was made; standard output is left to results."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def report(self, line: str) -> None:
        # One write per line: several threads report.
        sys.stderr.write(f"{time.monotonic() - self._began:6.1f} s  {line}\n")


def _print_outputs(outputs: bootstrap.Outputs) -> None:
    for service, values in outputs.items():
        print(service)
        width = max(map(len, values), default=0)
        for name, value in values.items():
            print(f"  {name:{width}}  {value}")


def _parameters(texts: Sequence[str]) -> dict[str, str]:
    parameters = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputError(f"--parameter {text!r}: must be NAME=VALUE")
        parameters[name] = value
    return parameters


def _event(path: str | None) -> bytes:
    try:
        if path is None:
            event = b"{}"
        elif path == "-":
            event = sys.stdin.buffer.read()
        else:
            event = Path(path).read_bytes()
        json.loads(event)
    except OSError as error:
        raise InputError(f"--event {path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"--event {path}: is not JSON: {error}") from None
    return event


def _is_remote_allowed(environ: Mapping[str, str]) -> bool:
    given = environ.get("RYDELAB_ALLOW_REMOTE", "0")
    if given not in ("0", "1"):
        raise InputError(f"RYDELAB_ALLOW_REMOTE={given}: must be 1 or 0")
    return given == "1"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number of seconds, 0 or more")
    return seconds


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bootstrap",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(metavar="COMMAND", title="commands", required=True)

    def add(
        name: str,
        run: Callable[[argparse.Namespace, Target], int],
        summary: str,
        description: str = "",
        examples: str = "",
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name,
            help=summary,
            description=description or f"{summary[0].upper()}{summary[1:]}.",
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.set_defaults(run=run)
        command.add_argument(
            "--stage",
            metavar="STAGE",
            default=environ.get("RYDELAB_STAGE", "dev"),
            help="the copy of the services to work on (default %(default)s)",
        )
        command.add_argument(
            "--endpoint",
            metavar="URL",
            default=environ.get("RYDELAB_ENDPOINT", DEFAULT_ENDPOINT_URL),
            help="where the lab answers (default %(default)s)",
        )
        command.add_argument("--region", metavar="REGION", default="us-east-1", help="(default %(default)s)")
        command.add_argument(
            "--allow-remote",
            action="store_true",
            help="permit an endpoint that is not this machine, such as a container (RYDELAB_ALLOW_REMOTE=1)",
        )
        return command

    def add_public_endpoint(command: argparse.ArgumentParser) -> None:
        command.add_argument(
            "--public-endpoint",
            metavar="URL",
            default=environ.get("RYDELAB_PUBLIC_ENDPOINT"),
            help="print the lab's address as this one, for readers elsewhere: outside of a container, say "
            "(RYDELAB_PUBLIC_ENDPOINT)",
        )

    deploy = add("deploy", _deploy, "deploy services, or what has changed of them", DEPLOY, DEPLOY_EXAMPLES)
    deploy.add_argument(
        "--design", metavar="DESIGN", help="how rides travel: microservices, direct-invoke, event-driven or queued"
    )
    deploy.add_argument(
        "--table-mode", metavar="MODE", help="how the record table is paid for: provisioned, autoscaled or on-demand"
    )
    deploy.add_argument(
        "--service", metavar="NAME", action="append", help="only this service; may be given several times"
    )
    deploy.add_argument(
        "--services-dir",
        metavar="DIR",
        type=Path,
        help="a folder of services, or one service (default: this project's)",
    )
    deploy.add_argument(
        "--parameter",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a template parameter, for each service that has it; may be given several times",
    )
    deploy.add_argument(
        "--wait",
        metavar="SECONDS",
        type=_seconds,
        default=0.0,
        help="go on trying for so long if no lab answers, or if it goes away meanwhile (default 0)",
    )
    add_public_endpoint(deploy)
    outputs = add("outputs", _outputs, "print URLs, table names and other outputs")
    add_public_endpoint(outputs)
    outputs.add_argument("--json", action="store_true", help="as JSON: service, output, value")
    destroy = add("destroy", _destroy, "delete services", DESTROY)
    destroy.add_argument(
        "--service", metavar="NAME", action="append", help="only this service; may be given several times"
    )
    invoke = add("invoke", _invoke, "call a function", INVOKE, INVOKE_EXAMPLES)
    invoke.add_argument("function", metavar="FUNCTION", help="its name in the template, such as RequestRide")
    invoke.add_argument("--event", metavar="FILE", help="a file with JSON, or - for standard input (default: {})")
    execute = add("execute", _execute, "execute a state machine", EXECUTE, EXECUTE_EXAMPLES)
    execute.add_argument("state_machine", metavar="MACHINE", help="its name in the template")
    execute.add_argument("--event", metavar="FILE", help="a file with JSON, or - for standard input (default: {})")
    logs = add("logs", _logs, "print a function's log", LOGS)
    logs.add_argument("function", metavar="FUNCTION", help="its name in the template, such as RequestRide")
    logs.add_argument("--follow", action="store_true", help="go on until Ctrl-C")
    return parser
