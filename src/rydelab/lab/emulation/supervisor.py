"""The process above the emulator: starts it, stops it, and leaves no process behind. Linux only.

It runs as ``python -m rydelab.lab.emulation.supervisor``, a process of its own, because the promise must outlive
whoever gave it: the command may be killed, a test run may crash. Orphans of the emulator fall to it (it is a "child
subreaper"), so that what a Lambda handler put in the background is found and ended too.
"""

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import psutil

# From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

STOP_GRACE_S = 5.0
"""How long the emulator gets for an orderly stop before it is killed."""
EXIT_LOCKED = 75  # EX_TEMPFAIL of <sysexits.h>


def main() -> NoReturn:
    """Run one emulator until it ends, SIGTERM comes, or standard input closes; exit with its status."""
    parser = argparse.ArgumentParser(prog="rydelab.lab.emulation.supervisor")
    parser.add_argument("--lab-dir", type=Path, required=True)
    parser.add_argument("--endpoint-url", required=True)
    parser.add_argument("--detached", action="store_true", help="outlive the process that started this one")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()

    lock = os.open(arguments.lab_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(EXIT_LOCKED)
    lifeline = None if arguments.detached else sys.stdin.fileno()
    state_file = arguments.lab_dir / "lab.json"
    temporary_files = arguments.lab_dir / "tmp"
    try:
        shutil.rmtree(temporary_files, ignore_errors=True)  # what a lab left whose supervisor was killed
        temporary_files.mkdir()
        status = _supervise(arguments.command, lifeline, state_file, arguments.endpoint_url)
    finally:
        _end_descendants()
        state_file.unlink(missing_ok=True)
        shutil.rmtree(temporary_files, ignore_errors=True)
    sys.exit(status)


def _supervise(command: list[str], lifeline: int | None, state_file: Path, endpoint_url: str) -> int:
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    signals = _signals_as_bytes()
    # The emulator must die with this process, whatever happens to it. Safe here: this process has one thread.
    emulator = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)  # noqa: PLW1509
    _write_state(state_file, endpoint_url=endpoint_url, emulator_pid=emulator.pid)
    stop_asked = 0
    grace_ends: float | None = None  # set once the emulator was told to stop
    while (return_code := _reap(emulator.pid)) is None:
        timeout_s = None if grace_ends is None else max(0.0, grace_ends - time.monotonic())
        watched = [signals] if lifeline is None else [signals, lifeline]
        readable, _, _ = select.select(watched, [], [], timeout_s)
        if signals in readable:
            stop_asked += sum(number in {signal.SIGTERM, signal.SIGINT} for number in os.read(signals, 512))
        if lifeline is not None and lifeline in readable and not os.read(lifeline, 512):
            stop_asked = max(stop_asked, 1)
            lifeline = None
        if grace_ends is None:
            if stop_asked:
                os.kill(emulator.pid, signal.SIGTERM)
                grace_ends = time.monotonic() + STOP_GRACE_S
        elif stop_asked > 1 or time.monotonic() >= grace_ends:
            os.kill(emulator.pid, signal.SIGKILL)
            grace_ends = time.monotonic() + STOP_GRACE_S
    emulator.returncode = return_code  # it was reaped here: its Popen was never asked to poll or to send a signal
    if stop_asked:
        return 0
    # As a shell says it: a process that was ended by signal N has status 128 + N.
    return return_code if return_code >= 0 else 128 - return_code


def _signals_as_bytes() -> int:
    """Make a file descriptor from which each arriving signal's number can be read as one byte."""
    read_end, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda _number, _frame: None)
    return read_end


def _reap(emulator_pid: int) -> int | None:
    """Reap every child that has ended, orphans included; the emulator's return code if it is among them."""
    return_code = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == emulator_pid:
                return_code = os.waitstatus_to_exitcode(ended[1])
    return return_code


def _end_descendants() -> None:
    """Kill everything below this process, until nothing is left."""
    while descendants := psutil.Process().children(recursive=True):
        for process in descendants:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)


def _write_state(state_file: Path, *, endpoint_url: str, emulator_pid: int) -> None:
    state = {"endpoint_url": endpoint_url, "supervisor_pid": os.getpid(), "emulator_pid": emulator_pid}
    unfinished = state_file.with_suffix(".new")
    unfinished.write_text(json.dumps(state))
    unfinished.replace(state_file)


def _die_with_parent() -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


if __name__ == "__main__":
    main()
