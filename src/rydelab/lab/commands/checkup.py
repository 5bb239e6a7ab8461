"""What a machine has and lacks for rydelab: one finding for each thing that is looked at. Nothing is changed.

A finding is a *problem* if `rydelab up` or `rydelab compare` would not work as it should. It is a *note* if only
something else would not, such as containers or the tests of pages, or if what was found may stay.
"""

import contextlib
import importlib.metadata
import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import psutil

from rydelab.lab.emulation import emulator
from rydelab.settings import Settings
from rydelab.workers import landlock

ROOT = Path(__file__).parents[4]
"""The checkout that this runs from, if it does: then the files below are there."""
LOCK, PROJECT = ROOT / "requirements.lock", ROOT / "pyproject.toml"

LEAST_FREE_BYTES = 1_000_000_000
"""A lab writes a few megabytes, a long run's results some tens; a full disk stops both in the middle."""
LEAST_MEMORY_BYTES = 2_000_000_000
"""A lab takes half a gigabyte, each function that waits some tens of megabytes more."""
ENGINE_TIMEOUT_S = 10.0
_ENGINE_SOCKET = Path("/var/run/docker.sock")
_SUPERVISOR = "rydelab.lab.emulation.supervisor"
_OF_A_LAB = re.compile(rf"rydelab\.plugins\.runtime|{re.escape(_SUPERVISOR)}|from rydelab\.workers import warm_parent")
_SETUP = f"touch {LOCK.name} && make setup"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one thing."""

    about: str
    state: Literal["ok", "note", "problem"]
    found: str
    mend: str | None = None
    """The command that puts it right; None where nothing need be."""


def checkup(settings: Settings) -> Iterator[Finding]:
    """Look at everything, one thing after the other."""
    yield _python()
    yield _packages()
    yield _plug_ins()
    yield _port(settings)
    yield _disk(settings)
    yield _memory()
    yield _sandbox()
    yield _engine()
    yield _browser()
    yield from _labs(settings)
    yield _stray_processes()


def _python() -> Finding:
    here = ".".join(map(str, sys.version_info[:3]))
    wanted = importlib.metadata.metadata("rydelab")["Requires-Python"]
    if sys.platform != "linux":
        return Finding("Python", "problem", f"{here} on {sys.platform}; a lab needs Linux", "docker compose up")
    least = re.search(r">=(\d+)\.(\d+)", wanted or "")
    if least and sys.version_info[:2] != (int(least[1]), int(least[2])):
        version = f"{least[1]}.{least[2]}"
        return Finding("Python", "problem", f"{here}, needs {version}", f"pyenv install {version} && make setup")
    return Finding("Python", "ok", f"{here}, {sys.executable}")


def _packages() -> Finding:
    if not LOCK.is_file():
        return Finding("packages", "note", f"no {LOCK.name} beside the code, so nothing to hold them against")
    locked = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\\n]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    wrong = [difference for name, wanted in locked if (difference := _difference(name, wanted))]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""  # noqa: PLR2004 (enough to see what it is about)
        return Finding("packages", "problem", f"not as {LOCK.name} has them: {', '.join(wrong[:3])}{more}", _SETUP)
    return Finding("packages", "ok", f"all {len(locked)} of {LOCK.name}, in its versions")


def _difference(name: str, wanted: str) -> str | None:
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return f"{name} {wanted} is missing"
    return None if found == wanted else f"{name} is {found}, not {wanted}"


def _plug_ins() -> Finding:
    """Compare the entry points of the installed project with those declared: an old installation lacks new ones."""
    installed = {
        (point.group, point.name, point.value) for point in importlib.metadata.distribution("rydelab").entry_points
    }
    if not PROJECT.is_file():
        return Finding("plug-ins", "ok", f"{len(installed)} entry points are installed")
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    groups = {"console_scripts": project["scripts"], **project["entry-points"]}
    declared = {(group, name, value) for group, points in groups.items() for name, value in points.items()}
    if odd := sorted(name for _, name, _ in declared ^ installed):
        return Finding("plug-ins", "problem", f"not installed as {PROJECT.name} has them: {', '.join(odd)}", _SETUP)
    return Finding("plug-ins", "ok", f"all {len(declared)} entry points of {PROJECT.name} are installed")


def _port(settings: Settings) -> Finding:
    about = f"port {settings.port}"
    taken = emulator.why_taken(settings.port)
    if taken is None:
        return Finding(about, "ok", "free")
    running = emulator.find(emulator.local_endpoint(settings.port), timeout_s=1)
    if running:
        return Finding(about, "ok", f"a lab runs there, {emulator.whereabouts(running)}")
    return Finding(about, "problem", taken, f"rydelab up --port {_free_port(settings.port)}")


def _free_port(after: int) -> int:
    ports = itertools.chain(range(max(after + 1, 1024), 65536), range(1024, after))
    return next(port for port in ports if emulator.why_taken(port) is None)


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return Finding("disk", "problem", f"{folder} cannot be written to", "rydelab up --data-dir DIR")
    if free < LEAST_FREE_BYTES:
        return Finding("disk", "problem", f"{_size(free)} free below {folder}", "rydelab up --data-dir DIR")
    return Finding("disk", "ok", f"{_size(free)} free below {folder}")


def _memory() -> Finding:
    free: int = psutil.virtual_memory().available
    found = f"{_size(free)} free, {os.cpu_count()} processors"
    if free < LEAST_MEMORY_BYTES:
        return Finding("memory", "note", found, "ps -eo rss,pid,args --sort=-rss | head  # then end what can be spared")
    return Finding("memory", "ok", found)


def _sandbox() -> Finding:
    abi = landlock.abi_version()
    if abi >= landlock.FIRST_ABI:
        return Finding("sandbox", "ok", f"Landlock {abi}: functions can change their own files only")
    return Finding(
        "sandbox",
        "note",
        f"no Landlock {landlock.FIRST_ABI} (Linux 6.2): functions can change every file that you can",
        "boot with Linux 6.2 or newer and lsm=landlock (cat /sys/kernel/security/lsm shows what is on)",
    )


def _engine() -> Finding:
    """Look for a container engine with Compose: only `docker compose up` and its tests need it."""
    about = "containers"
    if shutil.which("docker") is None:
        return Finding(about, "note", "no docker: labs run without it", "https://docs.docker.com/engine/install/")
    version = _output("docker", "version", "--format", "{{.Server.Version}}")
    if version is None:
        is_denied = _ENGINE_SOCKET.exists() and not os.access(_ENGINE_SOCKET, os.W_OK)
        mend = 'sudo usermod -aG docker "$USER"  # then log in again' if is_denied else "sudo systemctl start docker"
        return Finding(about, "note", "docker is installed, but its engine does not answer", mend)
    compose = _output("docker", "compose", "version", "--short")
    if compose is None:
        where = "https://docs.docker.com/compose/install/linux/"
        return Finding(about, "note", f"engine {version}, but no `docker compose`", where)
    return Finding(about, "ok", f"engine {version}, Compose {compose}")


def _output(*command: str) -> str | None:
    """Return what *command* printed, or None if it failed or took too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ENGINE_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _browser() -> Finding:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        return Finding("browser", "note", "no chromium: tests of pages are left out", "sudo apt-get install chromium")
    return Finding("browser", "ok", found)


def _labs(settings: Settings) -> Iterator[Finding]:
    """Look at the labs of the data directory: those that run, and the files of those that do not."""
    for port in emulator.labs(settings.data_dir):
        lab = replace(settings, port=port)
        if emulator.is_running(lab):
            yield Finding(f"lab {port}", "ok", f"runs, {emulator.local_endpoint(port)}")
            continue
        size = sum(path.lstat().st_size for path in lab.lab_dir.rglob("*") if not path.is_dir())
        was_killed = (lab.lab_dir / "lab.json").exists()
        how = "was killed and left" if was_killed else "does not run; there are"
        yield Finding(f"lab {port}", "note", f"{how} {_size(size)} of files", f"rm -r {lab.lab_dir}")


def _stray_processes() -> Finding:
    """Look for processes of labs that nobody is responsible for any more: their parent is gone."""
    own_space = Path("/proc/self/ns/pid").stat().st_ino
    strays = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if not _OF_A_LAB.search(line) or _SUPERVISOR in line:
            continue
        with contextlib.suppress(psutil.Error, OSError):  # it is gone meanwhile, or another user's
            in_container = Path(f"/proc/{process.pid}/ns/pid").stat().st_ino != own_space
            if not in_container and _is_orphan(process):
                strays.append(str(process.pid))
    if strays:
        pids = " ".join(strays)
        return Finding("processes", "problem", f"left of labs that were killed: {pids}", f"kill {pids}")
    return Finding("processes", "ok", "nothing is left of labs that were killed")


def _is_orphan(process: psutil.Process) -> bool:
    parent = process.parent()
    return parent is None or parent.pid == 1 or parent.name() == "systemd"


def _size(count: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:  # noqa: PLR2004 (the next unit)
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
