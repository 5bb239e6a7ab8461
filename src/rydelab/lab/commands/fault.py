"""The sub-command ``fault``: faults on purpose, set, listed and taken back."""

import argparse
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import bootstrap
from rydelab.cli import Command
from rydelab.errors import RydelabError
from rydelab.faults import KINDS, Fault, FaultError, Parameter
from rydelab.lab.emulation.fault_control import FaultControl, FaultRefusedError, SetFault, physical_target
from rydelab.settings import Settings, add_flags

DESCRIPTION = """\
Do something to a running lab on purpose, to see what a design makes of it: a function fails, a table refuses, an
environment is killed. A fault ends by itself when its time is over, also if this program or its terminal is gone, and
leaves nothing behind. In a scenario, [[faults]] do the same during a load (docs/faults.md).

examples:
  rydelab fault start function-error PutRideRecordSns --length 30 --rate 0.5
  rydelab fault start table-refused RideRecordTable --length 20
  rydelab fault start queue-refused RideQueue --length 10 --start-in 5 --stage test
  rydelab fault list                      what is on, what is to come, and what met how many requests
  rydelab fault stop                      end all of them now"""

START_DESCRIPTION = """\
Set one fault. TARGET is the name of a function, table, queue or topic as its template has it (PutRideRecordSns, at
--stage), its physical name, or its ARN.

kinds:
{kinds}

Seconds are real ones, whatever the lab's --clock-speed. Faults may overlap, also on one target."""


class FaultCommandError(RydelabError):
    """The command line asks for a fault that cannot be. The message is for people."""

    exit_status = 2


def _kinds() -> str:
    lines = []
    for name, kind in KINDS.items():
        flags = " ".join(map(_flag, kind.parameters))
        of = f"of a {kind.target}: " if kind.target else "of the whole lab: "
        text = f"{of}{kind.description}" + (f" ({flags})" if flags else "")
        lines += textwrap.wrap(text, 118, initial_indent=f"  {name:<20}", subsequent_indent=" " * 22)
    return "\n".join(lines)


def _flag(parameter: str) -> str:
    return f"--{parameter.replace('_', '-')}"


def _parameters() -> Mapping[str, Parameter]:
    return {name: one for kind in KINDS.values() for name, one in kind.parameters.items()}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)

    def add(name: str, summary: str, description: str) -> argparse.ArgumentParser:
        action = actions.add_parser(
            name,
            help=summary,
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        add_flags(action, "port", "endpoint", "allow_remote")
        return action

    add("list", "say which faults are on, to come, and over", "Say which faults are on, to come, and over.")
    start = add("start", "set a fault", START_DESCRIPTION.format(kinds=_kinds()))
    start.add_argument("kind", metavar="KIND", help="one of the kinds above")
    start.add_argument("target", metavar="TARGET", nargs="?", default="", help="what it happens to")
    add_flags(start, "stage")
    start.add_argument("--length", required=True, metavar="SECONDS", help="how long it lasts")
    start.add_argument("--start-in", default="0", metavar="SECONDS", help="how much later it begins (default 0)")
    for name, parameter in _parameters().items():
        start.add_argument(_flag(name), metavar="N" if not parameter.choices else "ERROR", help=_help(name, parameter))
    stop = add("stop", "end a fault, or all", "End the fault with that id, as list shows it, or all of them.")
    stop.add_argument("id", metavar="ID", nargs="?", help="which fault (default: all)")


def _help(name: str, parameter: Parameter) -> str:
    kinds = [kind for kind, one in KINDS.items() if name in one.parameters]
    where = f"{kinds[0]}: " if len(kinds) == 1 else ""
    choices = f": {' or '.join(parameter.choices)}" if parameter.choices else ""
    return f"{where}{parameter.description}{choices} (default {parameter.default})"


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    control = FaultControl(settings.endpoint_url)
    if arguments.action == "start":
        return _start(arguments, settings, control)
    if arguments.action == "stop":
        stopped = control.stop(arguments.id)
        print("\n".join(f"{one.id} ended: {_in_words(one)}" for one in stopped) or "There was none.")
        return 0
    present, ended = control.all()
    print("\n".join(_line(one) for one in [*present, *ended]) or "There is none, and there was none.")
    return 0


def _start(arguments: argparse.Namespace, settings: Settings, control: FaultControl) -> int:
    fault = _fault(arguments)
    unknown: bootstrap.BootstrapError | None = None
    try:
        target = bootstrap.Target(settings.endpoint_url, allow_remote=settings.allow_remote)
        fault = replace(fault, target=physical_target(target, fault, stage=settings.stage))
    except bootstrap.InputError as error:  # then it is a physical name or an ARN, or nothing
        unknown = error
    except bootstrap.BootstrapError as error:
        raise FaultCommandError(str(error)) from error
    try:
        started = control.start(fault)
    except FaultRefusedError as error:
        raise FaultCommandError(str(unknown or error)) from error
    when = f"in {fault.start_s:g} s" if fault.start_s else "now"
    print(f"{started.id}: {_in_words(started)}, from {when} on for {fault.length_s:g} s.")
    print(f"It ends by itself; `rydelab fault stop {started.id}` ends it before.")
    return 0


def _fault(arguments: argparse.Namespace) -> Fault:
    """Make the fault that the command line asks for. Raises FaultCommandError, which names flag and value."""
    given = {name: getattr(arguments, name) for name in _parameters() if getattr(arguments, name) is not None}
    try:
        return Fault(
            kind=arguments.kind,
            target=arguments.target,
            length_s=_number("--length", arguments.length, float),
            start_s=_number("--start-in", arguments.start_in, float),
            parameters={name: _value(name, text) for name, text in given.items()},
        )
    except FaultError as error:
        flags = {"length_s": "--length", "start_s": "--start-in", **{name: _flag(name) for name in given}}
        where = flags.get(error.where, error.where.upper())
        raise FaultCommandError(f"{where} {error.value if error.value != '' else "''"}: {error.complaint}") from error


def _value(name: str, text: str) -> str | float:
    parameter = _parameters()[name]
    if parameter.choices:
        return text
    return _number(_flag(name), text, int if parameter.is_whole else float)


def _number[N: (int, float)](flag: str, text: str, parse: Callable[[str], N]) -> N:
    try:
        return parse(text)
    except ValueError:
        kind = "a whole number" if parse is int else "a number"
        raise FaultCommandError(f"{flag} {text}: must be {kind}") from None


def _line(one: SetFault) -> str:
    now = time.time()
    times = {
        "waits": f"begins in {one.begins_at - now:.0f} s for {one.ends_at - one.begins_at:.0f} s",
        "on": f"{one.ends_at - now:.0f} s left",
        "over": f"lasted {one.ends_at - one.begins_at:.1f} s",
    }
    met = "met 1 request" if one.hits == 1 else f"met {one.hits} requests"
    return f"{one.id:<10}{one.state:<7}{_in_words(one)}; {times[one.state]}, {met}"


def _in_words(one: SetFault) -> str:
    parameters = "".join(f" {name}={value}" for name, value in one.parameters.items())
    return f"{one.kind} {one.target}".rstrip() + parameters


FAULT = Command(description=DESCRIPTION, add_arguments=_add_arguments, run=_run)
