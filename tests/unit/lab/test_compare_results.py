"""What a run leaves on the disk."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rydelab.lab.cell import Cell
from rydelab.lab.ledger import Evidence
from rydelab.lab.requests_file import Request
from rydelab.lab.results import ResultsError, RunFolder, check_writable
from rydelab.lab.scenario import load
from rydelab.report.latency import latency
from rydelab.report.summary import CellSummary, RunSummary

STARTED = datetime(2026, 11, 20, 9, 5, 7, tzinfo=UTC)
SCENARIO = Path(__file__).parents[3] / "loadtests" / "scenarios" / "quick.toml"
CELL = Cell("queued", "provisioned")


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    folders = [RunFolder(tmp_path, name="quick", started=STARTED).path.name for _ in range(3)]

    assert folders == ["20261120-090507-quick", "20261120-090507-quick-2", "20261120-090507-quick-3"]


def test_a_run_says_what_it_was_with_a_copy_of_its_scenario(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, name="quick", started=STARTED)

    copy = folder.save_run(load(SCENARIO), scenario_file=SCENARIO, started=STARTED, settings={"own_lab": True})

    run = json.loads((folder.path / "run.json").read_text())
    assert copy.read_bytes() == SCENARIO.read_bytes()
    assert run["started_at"] == "2026-11-20T09:05:07+00:00"
    assert run["scenario"]["phases"] == [{"kind": "constant", "duration_s": 20, "arrivals_per_s": 10}]
    assert run["settings"] == {"own_lab": True}
    assert run["versions"].keys() >= {"python", "rydelab", "locust", "boto3"}
    assert run["machine"]["cpus"] >= 1


def test_each_arrival_is_a_row_with_its_cell_and_its_fate_in_the_order_of_the_schedule(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, name="quick", started=STARTED)
    requests = [
        Request(1, 0.1, late_s=0.0, latency_s=0.5, status=None, ride_id=None, error="timed out"),
        Request(0, 0.0, late_s=0.0, latency_s=0.02, status=201, ride_id="a", error=""),
        Request(2, 0.2, late_s=0.0, latency_s=0.02, status=201, ride_id="c", error=""),
    ]

    folder.add_requests(CELL, requests, Evidence(recorded={"a"}, dead_lettered={"c"}))

    with (folder.path / "requests.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["arrival"], row["fate"]) for row in rows] == [
        ("0", "recorded"),
        ("1", "refused"),
        ("2", "dead_lettered"),
    ]
    assert {(row["design"], row["table_mode"]) for row in rows} == {("queued", "provisioned")}
    assert rows[1]["status"] == ""


def test_a_summary_is_saved_whole_and_says_whether_it_adds_up(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, name="quick", started=STARTED)
    cell = CellSummary("queued", "provisioned", 3, {"recorded": 3}, None, (), latency([0.1]), 0, 0.05)

    folder.save_summary(RunSummary("quick", "2026-11-20", cells=(cell,)), table="the table\n")

    summary = json.loads((folder.path / "summary.json").read_text())
    assert summary["adds_up"] is True
    assert summary["cells"][0]["latency"] == {"count": 1, "p50_ms": 100, "p95_ms": 100, "p99_ms": 100, "max_ms": 100}
    assert (folder.path / "summary.txt").read_text() == "the table\n"
    assert not list(folder.path.glob("*.new"))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ResultsError, match=r"cannot write results to .*file/results"):
        check_writable(tmp_path / "file" / "results")
