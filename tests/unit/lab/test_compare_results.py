"""What a run leaves on the disk."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rydelab.lab.cells.cell_result import Arrived, CellResult
from rydelab.lab.loading.requests_file import Request
from rydelab.lab.results import Plan, ResultsError, RunFolder, check_writable
from rydelab.lab.scenarios.cell import Cell
from rydelab.lab.scenarios.scenario import load
from rydelab.report.latency import latency
from rydelab.report.series import CellSeries
from rydelab.report.summary import CellId, CellSummary, RunSummary

STARTED = datetime(2026, 11, 20, 9, 5, 7, tzinfo=UTC)
SCENARIO = Path(__file__).parents[3] / "loadtests" / "scenarios" / "quick.toml"
CELL = CellId("queued", "provisioned", "write_units=5", 2)
SUMMARY = CellSummary(
    "queued", "provisioned", 3, {"recorded": 3}, None, (), latency([0.1]), 0, 0.05, variant="write_units=5", repeat=2
)
PLAN = Plan(
    name="quick",
    started_at="2026-11-20T09:05:07+00:00",
    cells=(Cell("queued", "provisioned", {"write_units": 5}),),
    repeats=2,
    thresholds=("lost == 0",),
)


def result(cell: CellSummary = SUMMARY) -> CellResult:
    """Return a cell with three arrivals, out of which one has no answer."""
    requests = [
        Request(0, 0.0, late_s=0.0, latency_s=0.02, status=201, ride_id="a", error=""),
        Request(1, 0.1, late_s=0.0, latency_s=0.5, status=None, ride_id=None, error="timed out"),
        Request(2, 0.2, late_s=0.0, latency_s=0.02, status=201, ride_id="c", error=""),
    ]
    fates = ("recorded", "refused", "dead_lettered")
    arrived = tuple(
        Arrived(request, fate, 1.5 if fate == "recorded" else None)
        for request, fate in zip(requests, fates, strict=True)
    )
    return CellResult(cell, CellSeries(cell.id, arrivals=(3,)), arrived)


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    folders = [RunFolder.create(tmp_path, name="quick", started=STARTED).path.name for _ in range(3)]

    assert folders == ["20261120-090507-quick", "20261120-090507-quick-2", "20261120-090507-quick-3"]


def test_a_run_says_what_it_was_with_a_copy_of_its_scenario(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, name="quick", started=STARTED)

    folder.save_plan(PLAN, load(SCENARIO), scenario_file=SCENARIO, settings={"own_lab": True})

    run = json.loads((folder.path / "run.json").read_text())
    assert folder.scenario_file.read_bytes() == SCENARIO.read_bytes()
    assert [phase["kind"] for phase in run["scenario"]["phases"]] == ["constant"]
    assert run["settings"] == {"own_lab": True}
    assert run["versions"].keys() >= {"python", "rydelab", "locust", "boto3"}
    assert run["machine"]["cpus"] >= 1
    assert folder.read_plan() == PLAN


def test_the_recorded_series_of_a_scenario_is_kept_with_it(tmp_path: Path) -> None:
    (tmp_path / "recorded").mkdir()
    (tmp_path / "recorded" / "a.csv").write_text("arrivals\n3\n")
    scenario_file = tmp_path / "my.toml"
    scenario_file.write_text(
        '[[phases]]\nkind = "series"\nfile = "recorded/a.csv"\ninterval_s = 1\n'
        '[[cells]]\ndesign = "queued"\ntable_mode = "on-demand"\n'
    )
    folder = RunFolder.create(tmp_path, name="my", started=STARTED)

    folder.save_plan(PLAN, load(scenario_file), scenario_file=scenario_file, settings={})

    assert load(folder.scenario_file).stretches == load(scenario_file).stretches


def test_each_arrival_is_a_row_with_its_cell_its_fate_and_its_record(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, name="quick", started=STARTED)

    folder.add_requests(result())

    with (folder.path / "requests.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["arrival"], row["fate"], row["recorded_s"]) for row in rows] == [
        ("0", "recorded", "1.500000"),
        ("1", "refused", ""),
        ("2", "dead_lettered", ""),
    ]
    assert {(row["design"], row["table_mode"], row["variant"], row["repeat"]) for row in rows} == {
        ("queued", "provisioned", "write_units=5", "2")
    }
    assert rows[1]["status"] == ""


def test_what_was_saved_is_read_back_whole(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, name="quick", started=STARTED)
    run = RunSummary("quick", "2026-11-20", cells=(SUMMARY,))
    series = CellSeries(CELL, arrivals=(3,), accepted=(2,), backlog=(None, 1))

    folder.save(run, [series], table="the table\n")

    assert json.loads((folder.path / "summary.json").read_text())["adds_up"] is True
    assert folder.read_back() == (run, {CELL: series})
    assert (folder.path / "summary.txt").read_text() == "the table\n"
    assert not list(folder.path.glob("*.new"))


def test_a_run_that_came_to_nothing_is_read_back_as_that(tmp_path: Path) -> None:
    assert RunFolder.create(tmp_path, name="quick", started=STARTED).read_back() == (None, {})


def test_the_requests_of_cells_that_will_be_run_again_are_removed(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, name="quick", started=STARTED)
    other = replace(SUMMARY, repeat=1)
    folder.add_requests(result())
    folder.add_requests(result(other))

    folder.keep_only([other.id])

    with (folder.path / "requests.csv").open(newline="") as file:
        assert [row["repeat"] for row in csv.DictReader(file)] == ["1", "1", "1"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [(None, r"run\.json: cannot be read: No such file"), ("{}", r"run\.json: does not say"), ("[", "does not say")],
)
def test_a_folder_that_is_no_run_cannot_be_gone_on_with(tmp_path: Path, text: str | None, complaint: str) -> None:
    if text is not None:
        (tmp_path / "run.json").write_text(text)

    with pytest.raises(ResultsError, match=complaint):
        RunFolder(tmp_path).read_plan()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ResultsError, match=r"cannot write results to .*file/results"):
        check_writable(tmp_path / "file" / "results")
