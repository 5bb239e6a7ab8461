"""The process that every execution environment is forked from.

It imports what a Lambda environment of AWS has anyway (boto3 above all) once, and then only forks: a child starts in
milliseconds and shares those pages. It runs one thread and no event loop, since both would be copied into the child.
It never reads a child's start-up document, so one function's environment variables are never in another's memory.

It adopts orphans and ends with the emulator: when its socket closes, everything below it is killed.
"""

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Final

from rydelab.workers import child, linux, protocol

# What awslambdaric and a typical handler import. `runtime_client` (the compiled client), `awslambdaric.bootstrap` and
# `lambda_runtime_client` are missing on purpose: they read the environment when they are imported.
_PRELOADED: Final = (
    "boto3",
    "botocore.httpsession",
    "botocore.signers",
    "botocore.endpoint",
    "botocore.parsers",
    "botocore.retryhandler",
    "botocore.retries.standard",
    "concurrent.futures",
    "datetime",
    "decimal",
    "http.client",
    "json",
    "logging",
    "random",
    "simplejson",
    "ssl",
    "traceback",
    "urllib3",
    "uuid",
    "awslambdaric.lambda_context",
    "awslambdaric.lambda_literals",
    "awslambdaric.lambda_runtime_log_utils",
    "awslambdaric.lambda_runtime_exception",
)


class WarmParent:
    """Forks children on request and reports when they end."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: set[int] = set()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def serve(self) -> None:
        """Serve until the spawner is gone, then kill everything and return."""
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        protocol.send(self._control, {"ready": os.getpid()})
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        poller.register(self._wake_read, select.POLLIN)
        while True:
            for descriptor, _ in poller.poll():
                if descriptor == self._wake_read:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake_read, 4096)
                    self._reap()
                elif not self._handle_message():
                    self._kill_everything()
                    return

    def _handle_message(self) -> bool:
        received = protocol.receive(self._control)
        if received is None:
            return False
        message, descriptors = received
        if "spawn" in message:
            self._spawn(message["spawn"], *descriptors)
            return True
        for name, number in (("kill", signal.SIGKILL), ("freeze", signal.SIGSTOP), ("thaw", signal.SIGCONT)):
            if name in message:
                self._signal(message[name], number)
        return True

    def _spawn(self, token: int, document_fd: int, output_fd: int) -> None:
        parent_pid = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:  # no more processes, or no more memory
            os.close(document_fd)
            os.close(output_fd)
            protocol.send(self._control, {"refused": token, "reason": str(error)})
            return
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            child.run(document_fd, output_fd, parent_pid=parent_pid)
        self._children.add(pid)
        os.close(document_fd)
        os.close(output_fd)
        pidfd = os.pidfd_open(pid)
        try:
            protocol.send(self._control, {"spawned": token, "pid": pid}, (pidfd,))
        finally:
            os.close(pidfd)

    def _signal(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to the environment of *pid*: its process group, and descendants that left the group."""
        if pid in self._children:
            _send_signal((-pid, pid, *linux.descendants_of(pid)), number)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                break
            if pid in self._children:
                self._children.discard(pid)
                # What the handler left in its process group must not outlive the environment.
                _send_signal((-pid,), signal.SIGKILL)
                with contextlib.suppress(OSError):
                    protocol.send(self._control, {"exited": pid, "status": status})
        self._kill_orphans()

    def _kill_orphans(self) -> None:
        """Kill adopted processes that belong to no living environment (a daemon that a handler started)."""
        for pid in linux.children_of(os.getpid()):
            if pid in self._children:
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getsid(pid) not in self._children:
                    os.kill(pid, signal.SIGKILL)

    def _kill_everything(self) -> None:
        while victims := linux.children_of(os.getpid()):
            for pid in victims:
                _send_signal((-pid, pid, *linux.descendants_of(pid)), signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-1, 0)


def _send_signal(pids: tuple[int, ...], number: signal.Signals) -> None:
    """Send a signal to processes and, where the number is negative, process groups; some may have ended."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def main() -> None:
    """Run the warm parent. ``argv``: the socket's descriptor, then the directory of what AWS's runtime carries."""
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)  # a child that starts a fresh interpreter must not get it
    runtime_dir = Path(sys.argv[2])
    linux.hide_memory()
    linux.adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the emulator decides
    child.use_runtime_dir(runtime_dir)
    for name in _PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # the collector would otherwise touch, and so copy, every shared page in every child
    WarmParent(control).serve()


if __name__ == "__main__":
    main()
