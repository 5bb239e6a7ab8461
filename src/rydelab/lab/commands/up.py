"""The sub-commands ``up``, ``status`` and ``down``."""

import argparse
import signal
import sys
import time
from dataclasses import replace
from types import FrameType
from typing import NoReturn

from rydelab.cli import Command
from rydelab.lab.emulation import emulator
from rydelab.lab.emulation.emulator import Emulator, EmulatorError
from rydelab.settings import Settings, add_flags

LOG_POLL_INTERVAL_S = 0.1

UP_DESCRIPTION = """\
Start a lab on this machine: LocalStack with the plug-ins of this project, on 127.0.0.1 only, as the user that you are.
Needs Linux; no Docker, no Java, no root, no download.

examples:
  rydelab up                              until Ctrl-C
  rydelab up --detach                     in the background; `rydelab down` stops it
  rydelab up --port 4567                  a second lab beside the first, in the same data directory
  rydelab up --data-dir /var/tmp/lab      elsewhere
  rydelab up --enforce-iam 1              functions may do what their roles' policies allow, and nothing else
  rydelab up --clock-speed 60             auto scaling looks at a table once a second instead of once a minute

Every file that the lab writes is below DIR/PORT; its log is DIR/PORT/emulator.log. Tables, queues and functions are not
kept when it stops: the next lab starts empty."""

STATUS_DESCRIPTION = """\
Say which labs of a data directory run, one line each. With --port only that one is looked at. The exit status is 0 if
one runs, 1 if none does.

examples:
  rydelab status
  rydelab status --port 4567 && rydelab down --port 4567"""

DOWN_DESCRIPTION = """\
Stop a lab, however it was started, and every process of it. Stopping what does not run is no error.

examples:
  rydelab down
  rydelab down --port 4567
  rydelab down --all                      every lab of the data directory"""


def _add_up_arguments(parser: argparse.ArgumentParser) -> None:
    add_flags(parser, "port", "data_dir", "clock_speed", "enforce_iam")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--detach", action="store_true", help="return when the lab is ready, and leave it running")
    how.add_argument("--verbose", action="store_true", help="show the emulator's log, with a line for each request")


def _run_up(arguments: argparse.Namespace, settings: Settings) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    environment = {"LS_LOG": "info"} if arguments.verbose else {}
    lab = emulator.start(settings, detach=arguments.detach, environment=environment, progress=_say)
    if arguments.detach:
        _describe(lab, settings, stop=f"rydelab down{_flags_of(settings)}")
        return 0
    with lab:
        _describe(lab, settings, stop="Ctrl-C")
        try:
            status = _follow_log(lab) if arguments.verbose else lab.wait()
        except KeyboardInterrupt:
            _say("Stopping ...")
            return 0
    how = "was stopped" if status == 0 else f"ended by itself with status {status}; its log is {lab.log_file}"
    _say(f"The lab {how}.")
    return 0 if status == 0 else 1


def _run_status(arguments: argparse.Namespace, settings: Settings) -> int:
    ports = [settings.port] if arguments.port is not None else list(emulator.labs(settings.data_dir))
    running = [port for port in ports if _say_status(replace(settings, port=port))]
    elsewhere = None if running else emulator.find(emulator.local_endpoint(settings.port))
    if elsewhere:
        state = "ready" if elsewhere.ready else "starting"
        _say(f"{elsewhere.endpoint_url}  {state}, {emulator.whereabouts(elsewhere)}")
        return 0
    if not running:
        which = f"on port {settings.port}" if arguments.port is not None else f"of {settings.data_dir}"
        _say(f"No lab {which} runs.")
    return 0 if running else 1


def _say_status(settings: Settings) -> bool:
    if not emulator.is_running(settings):
        return False
    endpoint_url = emulator.local_endpoint(settings.port)
    info = emulator.find(endpoint_url)
    state = f"{'ready' if info.ready else 'starting'}, process {info.pid}" if info else "starting or stopping"
    clock = f", {_faster(info.clock_speed)}" if info and info.clock_speed != 1 else ""
    iam = ", IAM policies enforced" if info and info.enforce_iam else ""
    _say(f"{endpoint_url}  {state}, files in {settings.lab_dir}{clock}{iam}")
    return True


def _add_down_arguments(parser: argparse.ArgumentParser) -> None:
    add_flags(parser, "port", "data_dir")
    parser.add_argument("--all", action="store_true", help="stop every lab of the data directory")


def _run_down(arguments: argparse.Namespace, settings: Settings) -> int:
    ports = list(emulator.labs(settings.data_dir)) if arguments.all else [settings.port]
    stopped = [port for port in ports if emulator.stop(replace(settings, port=port))]
    for port in stopped:
        _say(f"Stopped the lab on port {port}.")
    if not stopped:
        elsewhere = None if arguments.all else emulator.find(emulator.local_endpoint(settings.port))
        if elsewhere:
            how = "docker compose down" if elsewhere.in_container else "--data-dir"
            raise EmulatorError(
                f"no lab of {settings.data_dir} runs on port {settings.port}, but another one does, "
                f"{emulator.whereabouts(elsewhere)}: stop it with {how}"
            )
        _say("Nothing to stop.")
    return 0


def _follow_log(lab: Emulator) -> int:
    """Copy the log to standard error until the lab ends; its exit status."""
    with lab.log_file.open(errors="replace") as log:
        while True:
            ended = lab.poll()
            sys.stderr.write(log.read())
            sys.stderr.flush()
            if ended is not None:
                return ended
            time.sleep(LOG_POLL_INTERVAL_S)


def _describe(lab: Emulator, settings: Settings, *, stop: str) -> None:
    _say(f"  files    {lab.lab_dir}")
    _say(f"  log      {lab.log_file}")
    if settings.clock_speed != 1:
        _say(f"  clock    {_faster(settings.clock_speed)}")
    if settings.enforce_iam:
        _say("  IAM      policies are enforced")
    _say(f"  to stop  {stop}")


def _faster(clock_speed: float) -> str:
    return f"control loops {clock_speed:g} times as fast as AWS's"


def _flags_of(settings: Settings) -> str:
    default = Settings()
    port = "" if settings.port == default.port else f" --port {settings.port}"
    data_dir = "" if settings.data_dir == default.data_dir.absolute() else f" --data-dir {settings.data_dir}"
    return port + data_dir


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    print(line, flush=True)


UP = Command(description=UP_DESCRIPTION, add_arguments=_add_up_arguments, run=_run_up)
STATUS = Command(
    description=STATUS_DESCRIPTION, add_arguments=lambda parser: add_flags(parser, "port", "data_dir"), run=_run_status
)
DOWN = Command(description=DOWN_DESCRIPTION, add_arguments=_add_down_arguments, run=_run_down)
