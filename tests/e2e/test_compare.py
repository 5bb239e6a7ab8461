"""The first thing that anybody does with this project: clone it and say `make compare`."""

import csv
import json
import os
import re
import socket
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ARRIVALS = 450
CELLS = {
    (design, table_mode) for design in ("microservices", "event-driven") for table_mode in ("provisioned", "on-demand")
}
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


def runs(clone: Path) -> list[Path]:
    return [path for path in (clone / "results").iterdir() if path.is_dir()]


def test_make_alone_lists_the_commands_and_does_nothing(clone: Path, port: int) -> None:
    run = make("", clone, port)

    assert run.returncode == 0
    for command in ("make compare", "make test", "make up", "make setup"):
        assert command in run.stdout
    assert runs(clone) == []


@pytest.fixture(scope="module")
def run(clone: Path, compared: subprocess.CompletedProcess[str]) -> Path:
    """Return the folder of the run."""
    (folder,) = runs(clone)
    assert f"Saved in {folder.relative_to(clone)}" in compared.stdout
    return folder


@pytest.fixture(scope="module")
def cells(run: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what each cell came to, by design and table mode."""
    summary = json.loads((run / "summary.json").read_text())
    assert summary["adds_up"]
    return {(cell["design"], cell["table_mode"]): cell for cell in summary["cells"]}


def test_the_table_says_what_became_of_every_ride(
    compared: subprocess.CompletedProcess[str], cells: dict[tuple[str, str], dict[str, Any]]
) -> None:
    lines = compared.stdout.splitlines()

    assert set(cells) == CELLS
    for (design, table_mode), cell in cells.items():
        counts = [str(number) for number in (cell["arrivals"], *(cell["rows"][row] for row in ROWS))]
        rows = [at for at, line in enumerate(lines) if line.split()[:8] == [design, *counts]]
        assert any(lines[at + 1].strip() == table_mode for at in rows)
    assert "Every arrival is in exactly one row of its ledger" in compared.stdout


def test_a_table_with_one_write_unit_fails_in_the_way_of_each_design(
    cells: dict[tuple[str, str], dict[str, Any]],
) -> None:
    for (_design, table_mode), cell in cells.items():
        assert cell["arrivals"] == ARRIVALS == sum(cell["rows"].values())
        assert cell["rows"]["lost"] == 0
        assert cell["rewrites"] == 0
        if table_mode == "on-demand":
            assert cell["rows"]["recorded"] == ARRIVALS
            assert sum(cell["throttles"].values()) == 0
        else:
            assert cell["throttles"]["TableWriteProvisionedThroughputExceeded"] > 100
    synchronous, asynchronous = cells["microservices", "provisioned"], cells["event-driven", "provisioned"]
    # Who waits for the record gets slow answers and errors; who does not is promised a ride that waits for its record.
    assert synchronous["rows"]["refused"] > 50
    assert synchronous["latency"]["max_ms"] > 5_000
    assert asynchronous["rows"]["refused"] == 0
    assert asynchronous["latency"]["p95_ms"] < 5_000
    assert asynchronous["rows"]["in_flight"] > 50
    assert asynchronous["time_to_record"]["max_ms"] > 5_000


def test_everything_is_saved_and_the_ledger_can_be_recounted(
    run: Path, cells: dict[tuple[str, str], dict[str, Any]]
) -> None:
    settings = json.loads((run / "run.json").read_text())
    assert settings["scenario"]["name"] == "quick"
    assert settings["versions"]["localstack-core"] == "4.14.0"
    assert settings["settings"]["enforce_iam"] is True
    with (run / "requests.csv").open(newline="") as file:
        requests = list(csv.DictReader(file))
    for key, cell in cells.items():
        own = [request for request in requests if (request["design"], request["table_mode"]) == key]
        assert cell["arrivals"] == len(own)
        fates = Counter(request["fate"] for request in own)
        # Which of the errors left a record behind cannot be told for an answer without a RideId.
        accepted = ("recorded", "dead_lettered", "in_flight", "lost")
        assert {row: fates[row] for row in accepted} == {row: cell["rows"][row] for row in accepted}
        assert fates["refused"] + fates["ghost"] == cell["rows"]["refused"] + cell["rows"]["ghost"]
        ride_ids = [request["ride_id"] for request in own if request["ride_id"]]
        assert len(set(ride_ids)) == len(ride_ids)


def test_every_cell_says_what_happened_over_time(run: Path) -> None:
    series = {
        (cell["cell"]["design"], cell["cell"]["table_mode"]): cell
        for cell in json.loads((run / "series.json").read_text())["cells"]
    }

    assert set(series) == CELLS
    for (design, table_mode), cell in series.items():
        assert sum(cell["arrivals"]) == ARRIVALS
        (writes, *_) = cell["capacity"]
        # More when a write went through whose ride had been answered with an error already.
        assert sum(writes["consumed"]) >= sum(cell["recorded"]) > 0
        if table_mode == "provisioned":
            assert set(writes["provisioned"]) == {1.0}
            assert min(writes["burst_left"]) < 3
            assert sum(writes["throttles"]) > 100
        if design == "event-driven":
            assert max(value or 0 for value in cell["backlog"]) > (50 if table_mode == "provisioned" else -1)


def test_the_report_is_one_page_that_needs_nothing_else(run: Path) -> None:
    page = (run / "report.html").read_text()

    assert "<html" in page
    assert len(page) < 5_000_000
    assert not re.search(r"""(src|href)=["']https?://""", page)
    assert (run / "report.md").read_text().startswith("#")


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
