"""The command ``rydelab``: reads settings, runs one sub-command, and turns errors into one sentence."""

import argparse
import importlib.metadata
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from rydelab.errors import RydelabError
from rydelab.settings import Settings, resolve

EXIT_BAD_INPUT = 2  # argparse's own
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as a shell says it

# Every sub-command: the `Command` that runs it (imported only when it is used), and its line in `rydelab --help`.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "compare": (
        "rydelab.lab.commands.compare:COMPARE",
        "run a scenario on several designs and show what became of each ride",
    ),
    "load": ("rydelab.lab.commands.load:LOAD", "send a scenario to what is deployed, such as a service of your own"),
    "simulate": ("rydelab.lab.commands.simulate:SIMULATE", "play a scenario or recorded traffic in virtual time"),
    "validate": ("rydelab.lab.commands.validate:VALIDATE", "hold the simulator against a lab"),
    "report": ("rydelab.lab.commands.report:REPORT", "show the report of a run again, or compare two runs"),
    "size": ("rydelab.lab.commands.size:SIZE", "find the cheapest table that loses nothing of a scenario"),
    "cost": ("rydelab.lab.commands.cost:COST", "show what each design costs a month on AWS, line by line"),
    "dlq": ("rydelab.lab.commands.dlq:DLQ", "show dead letters, bring them back to the table, or delete them"),
    "fault": (
        "rydelab.lab.commands.fault:FAULT",
        "have functions fail, tables refuse and more, on purpose and for a while",
    ),
    "tables": ("rydelab.lab.commands.tables:TABLES", "show live what each table consumes, may consume and refuses"),
    "up": ("rydelab.lab.commands.up:UP", "start a lab on this machine"),
    "status": ("rydelab.lab.commands.up:STATUS", "say which labs run, and where"),
    "down": ("rydelab.lab.commands.up:DOWN", "stop a lab that runs in the background"),
    "doctor": ("rydelab.lab.commands.doctor:DOCTOR", "say what this machine lacks for a lab, and what mends it"),
}

DESCRIPTION = """\
A laboratory for serverless designs on one machine: LocalStack that behaves as AWS does under load, the services of the
Wild Rydes workshop on it, and a ledger of what became of every ride."""

EXAMPLES = """\
examples:
  rydelab up                      start a lab on http://127.0.0.1:4566 and keep it until Ctrl-C
  rydelab up --detach             the same, in the background; `rydelab down` stops it
  rydelab up --port 4567          a second lab beside the first

`rydelab COMMAND --help` explains a command. RYDELAB_PORT, RYDELAB_DATA_DIR, RYDELAB_ENDPOINT, RYDELAB_STAGE,
RYDELAB_CLOCK_SPEED and RYDELAB_ENFORCE_IAM set what the flags of the same name set; a flag wins."""


@dataclass(frozen=True, slots=True)
class Command:
    """One sub-command."""

    description: str
    """What it does, for its `--help`; examples are welcome."""
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Settings], int]
    """Does the work and returns the exit status. Raises RydelabError for what a person can act on."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line *argv* (default: the process's own) and return the exit status."""
    try:
        return run(sys.argv[1:] if argv is None else argv, os.environ)
    except RydelabError as error:
        print(f"rydelab: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever reads our output, such as `head`, has seen enough. At exit nothing may be flushed to the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_INTERRUPTED


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the command line *argv* with the variables *environ*. Raises RydelabError; exits by itself for bad usage."""
    parser = argparse.ArgumentParser(
        prog="rydelab",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"rydelab {importlib.metadata.version('rydelab')}")
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", required=True)
    completes = "_ARGCOMPLETE" in environ  # a shell asks what may come next in this line
    words = environ.get("COMP_LINE", "").split()[1:] if completes else argv
    chosen = next((word for word in words if not word.startswith("-")), None)
    command = None
    for name, (location, summary) in COMMANDS.items():
        sub_parser = parsers.add_parser(
            name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
        )
        if name == chosen:
            command = _load(location)
            sub_parser.description = command.description
            command.add_arguments(sub_parser)
    if completes:
        import_module("argcomplete").autocomplete(parser)  # which ends the process
    arguments = parser.parse_args(argv)
    assert command is not None  # noqa: S101 (parse_args exits unless a known command is named)
    return command.run(arguments, resolve(vars(arguments), environ))


def _load(location: str) -> Command:
    module, attribute = location.split(":")
    command: Command = getattr(import_module(module), attribute)
    return command
