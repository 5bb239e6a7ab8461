"""The few Linux calls, on this very process and harmless ones below it."""

import os
import subprocess
import threading
from collections.abc import Iterator

import pytest

from rydelab.workers import linux


@pytest.fixture
def family() -> Iterator[subprocess.Popen[bytes]]:
    """Return a shell with a child; made by another thread than the main one."""
    made: list[subprocess.Popen[bytes]] = []
    thread = threading.Thread(
        target=lambda: made.append(subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE))
    )
    thread.start()
    thread.join()
    [shell] = made
    yield shell
    for pid in [*linux.descendants_of(shell.pid), shell.pid]:
        os.kill(pid, 9)
    shell.communicate()


def test_children_are_found_whichever_thread_made_them(family: subprocess.Popen[bytes]) -> None:
    assert family.pid in linux.children_of(os.getpid())


def test_descendants_are_found_below_children(family: subprocess.Popen[bytes]) -> None:
    assert family.stdout is not None
    child_pid = int(family.stdout.readline())
    assert linux.descendants_of(family.pid) == [child_pid]


def test_a_process_that_is_gone_has_no_children_and_no_memory() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert linux.descendants_of(process.pid) == []
    assert linux.memory_mb(process.pid) == 0


def test_the_memory_of_a_process_is_what_it_holds() -> None:
    before_mb = linux.memory_mb(os.getpid())
    kept = bytearray(os.urandom(1) * 50 * 2**20)
    assert 45 <= linux.memory_mb(os.getpid()) - before_mb <= 60
    del kept


@pytest.mark.parametrize(("given", "expected"), [(None, {}), ("/opt/lib", {"LD_LIBRARY_PATH": "/opt/lib"})])
def test_only_what_the_loader_needs_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, given: str | None, expected: dict[str, str]
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    if given is not None:
        monkeypatch.setenv("LD_LIBRARY_PATH", given)
    assert linux.loader_environment() == expected
