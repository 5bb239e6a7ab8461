"""The first thing that anybody does with this project: clone it and say `make compare`."""

import csv
import json
import os
import re
import socket
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CELLS = ("microservices", "event-driven")
ROWS = ("refused", "recorded", "dead_lettered", "in_flight", "lost", "ghost")

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clone what is committed, and nothing else."""
    folder = tmp_path_factory.mktemp("e2e") / "rydelab"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def port() -> int:
    """Find a port for the clone's lab: 4566 may be in use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@pytest.fixture(scope="module")
def compared(clone: Path, port: int) -> subprocess.CompletedProcess[str]:
    """Run `make compare`, which has to set everything up by itself."""
    run = make("compare", clone, port)
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    return run


def make(target: str, clone: Path, port: int) -> subprocess.CompletedProcess[str]:
    # Nothing of this test run's own environment may help.
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("RYDELAB_", "VIRTUAL_ENV", "PYTHON"))
    }
    return subprocess.run(
        ["make", *target.split()],
        cwd=clone,
        env=environ | {"RYDELAB_PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )


def test_make_alone_lists_the_commands_and_does_nothing(clone: Path, port: int) -> None:
    run = make("", clone, port)

    assert run.returncode == 0
    for command in ("make compare", "make test", "make up", "make setup"):
        assert command in run.stdout
    assert not (clone / "results").exists()


def test_the_table_says_what_became_of_every_ride(compared: subprocess.CompletedProcess[str]) -> None:
    lines = {line.split()[0]: line.split() for line in compared.stdout.splitlines() if line.startswith(CELLS)}

    assert set(lines) == set(CELLS)
    for _design, *numbers in lines.values():
        arrivals, *rows = map(int, numbers[:7])
        assert arrivals == 200 == sum(rows)
        assert rows == [0, 200, 0, 0, 0, 0]
        p50, p95, p99 = map(int, numbers[7:])
        assert 0 < p50 <= p95 <= p99
    assert "Every arrival is in exactly one row of its ledger" in compared.stdout


def test_everything_is_saved_and_the_ledger_can_be_recounted(
    clone: Path, compared: subprocess.CompletedProcess[str]
) -> None:
    (run,) = (clone / "results").iterdir()

    assert f"Saved in {run.relative_to(clone)}" in compared.stdout
    settings = json.loads((run / "run.json").read_text())
    assert settings["scenario"]["name"] == "quick"
    assert settings["versions"]["localstack-core"] == "4.14.0"
    summary = json.loads((run / "summary.json").read_text())
    assert summary["adds_up"]
    with (run / "requests.csv").open(newline="") as file:
        requests = list(csv.DictReader(file))
    for cell in summary["cells"]:
        own = [request for request in requests if request["design"] == cell["design"]]
        assert cell["arrivals"] == len(own) == sum(cell["rows"].values())
        fates = Counter(request["fate"] for request in own)
        assert {row: fates[row] for row in ROWS} == cell["rows"]
        assert len({request["ride_id"] for request in own}) == len(own)


def test_a_second_run_does_not_set_up_again(clone: Path, port: int, compared: subprocess.CompletedProcess[str]) -> None:
    assert re.search("Setting up", compared.stdout)

    assert "bin/setup" not in make("--dry-run compare", clone, port).stdout


@pytest.mark.usefixtures("compared")
def test_the_lab_that_was_started_for_it_is_gone(clone: Path, port: int) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0

    left = [path.name for path in Path("/proc").glob("[0-9]*") if str(clone).encode() in _command_line(path)]
    assert not left


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""
