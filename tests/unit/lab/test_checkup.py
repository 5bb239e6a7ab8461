"""What `rydelab doctor` finds: each thing in good order, and each with its defect."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rydelab import cli
from rydelab.lab.commands import checkup as doctor
from rydelab.lab.commands.checkup import Finding, checkup
from rydelab.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Settings(port=probe.getsockname()[1], data_dir=tmp_path)


def about(settings: Settings, what: str) -> Finding:
    [finding] = [finding for finding in checkup(settings) if finding.about == what]
    return finding


def test_this_environment_has_what_a_lab_needs(settings: Settings) -> None:
    states = {finding.about: finding.state for finding in checkup(settings)}

    for needed in ("Python", "packages", "plug-ins", f"port {settings.port}", "disk"):
        assert states[needed] == "ok", needed


def test_packages_that_are_not_as_locked_are_named(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("boto3==0.0.1 \\\n    --hash=sha256:00\nno-such-package==2 ; python_version > '3'\n")
    monkeypatch.setattr(doctor, "LOCK", lock)

    found = about(settings, "packages")

    assert found.state == "problem"
    assert "boto3 is " in found.found
    assert ", not 0.0.1, no-such-package 2 is missing" in found.found
    assert found.mend == "touch requirements.lock && make setup"


def test_a_plug_in_that_was_declared_after_the_installation_is_named(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "pyproject.toml"
    declared = doctor.PROJECT.read_text(encoding="utf-8")
    group = '[project.entry-points."localstack.runtime.server"]\n'
    assert group in declared
    project.write_text(declared.replace(group, f'{group}newer = "rydelab.plugins.newer:Newer"\n'))
    monkeypatch.setattr(doctor, "PROJECT", project)

    assert about(settings, "plug-ins") == Finding(
        "plug-ins",
        "problem",
        "not installed as pyproject.toml has them: newer",
        "touch requirements.lock && make setup",
    )


def test_a_taken_port_comes_with_a_free_one(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.port))
        found = about(settings, f"port {settings.port}")

    assert found.state == "problem"
    assert found.mend is not None
    command, _, port = found.mend.rpartition(" ")
    assert command == "rydelab up --port"
    assert about(replace(settings, port=int(port)), f"port {port}").state == "ok"


def test_a_folder_that_cannot_hold_a_lab_is_a_problem(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 1e18)

    found = about(settings, "disk")

    assert (found.state, found.mend) == ("problem", "rydelab up --data-dir DIR")


@pytest.mark.parametrize(
    ("docker", "expected"),
    [
        pytest.param(None, ("note", "no docker: labs run without it"), id="no docker"),
        pytest.param("exit 1", ("note", "docker is installed, but its engine does not answer"), id="no engine"),
        pytest.param(
            '[ "$1" = version ] && echo 27.1', ("note", "engine 27.1, but no `docker compose`"), id="no compose"
        ),
        pytest.param('[ "$1" = version ] && echo 27.1 || echo 2.40', ("ok", "engine 27.1, Compose 2.40"), id="both"),
    ],
)
def test_containers(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, docker: str | None, expected: tuple[str, str]
) -> None:
    if docker is not None:
        (tmp_path / "docker").write_text(f"#!/bin/sh\n{docker}\n")
        (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    finding = about(settings, "containers")

    assert (finding.state, finding.found) == expected
    assert (finding.mend is None) == (finding.state == "ok")


def test_without_a_browser_the_tests_of_pages_are_left_out(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert about(settings, "browser").mend == "sudo apt-get install chromium"


def test_the_files_of_a_former_lab_may_go(settings: Settings) -> None:
    former = replace(settings, port=4001)
    former.lab_dir.mkdir()
    (former.lab_dir / "emulator.log").write_text("x" * 5000)

    found = about(settings, "lab 4001")
    (former.lab_dir / "lab.json").write_text("{}")
    killed = about(settings, "lab 4001")

    assert found == Finding("lab 4001", "note", "does not run; there are 5 KB of files", f"rm -r {former.lab_dir}")
    assert killed.found == "was killed and left 5 KB of files"


@pytest.fixture
def stray() -> Iterator[int]:
    """Leave a process behind that looks like an emulator, and whose parent is gone."""
    command = [sys.executable, "-c", "import time; time.sleep(60)", "rydelab.plugins.runtime"]
    parent = f"""
import subprocess
child = subprocess.Popen({command!r}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(child.pid)
child.returncode = 0  # nobody waits for it
"""
    done = subprocess.run([sys.executable, "-c", parent], capture_output=True, check=True, text=True)
    pid = int(done.stdout)
    yield pid
    os.kill(pid, signal.SIGKILL)


def test_a_process_that_nothing_will_stop_is_named(settings: Settings, stray: int) -> None:
    found = about(settings, "processes")

    assert found.state == "problem"
    assert found.mend is not None
    assert str(stray) in found.mend.split()[1:]


def test_the_command_prints_and_its_exit_status_says_whether_there_is_a_problem(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--port", str(settings.port), "--data-dir", str(settings.data_dir)]
    assert cli.main(["doctor", *flags]) == 0
    assert f"ok       port {settings.port}   free\n" in capsys.readouterr().out

    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.port))
        assert cli.main(["doctor", *flags, "--json"]) == 1

    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    [problem] = [finding for finding in document["findings"] if finding["state"] == "problem"]
    assert problem["about"] == f"port {settings.port}"
    assert problem["mend"].startswith("rydelab up --port ")
