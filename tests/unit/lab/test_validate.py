"""The command `rydelab validate` on a run that is there already: one that the simulator itself has made."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rydelab import cli
from rydelab.lab.results import Plan, RunFolder
from rydelab.lab.scenarios.scenario import load
from rydelab.lab.simulation.simulation import Place, cell_result, simulate_cells
from rydelab.report.summary import RunSummary
from rydelab.simulator.profile import load_profile

SCENARIO = """
warm_up_rides = 0
drain_s = 400
[[phases]]
duration_s = 30
arrivals_per_s = 12
[[cells]]
design = ["direct-invoke", "event-driven"]
table_mode = "provisioned"
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Save what looks like a measured run."""
    file = tmp_path / "family.toml"
    file.write_text(SCENARIO, encoding="utf-8")
    scenario = load(file)
    started = datetime(2026, 11, 21, tzinfo=UTC)
    folder = RunFolder.create(tmp_path, name="family", started=started)
    plan = Plan("family", started.isoformat(), scenario.cells, repeats=1, thresholds=())
    folder.save_plan(plan, scenario, scenario_file=file, settings={"clock_speed": 1.0})
    place = Place("exact", load_profile("local"))
    results = [cell_result(*one) for one in simulate_cells(scenario, scenario.cells, place)]
    cells = tuple(replace(result.summary, began_at=0.0) for result in results)
    summary = RunSummary("family", started.isoformat(), cells)
    folder.save(summary, [result.series for result in results], table="")
    return folder


def test_a_run_that_is_as_predicted_passes(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["validate", "--run", str(run.path)])

    assert status == 0
    assert "14 of 14 predictions are within their bounds" in capsys.readouterr().out
    assert "event-driven" in (run.path / "validation.txt").read_text(encoding="utf-8")


def test_a_run_that_came_to_something_else_fails(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    path = run.path / "summary.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["cells"][0]["rows"]["recorded"] -= 20
    document["cells"][0]["rows"]["refused"] += 20
    path.write_text(json.dumps(document), encoding="utf-8")

    status = cli.main(["validate", "--run", str(run.path)])

    assert status == 1
    assert "direct-invoke provisioned: recorded" in capsys.readouterr().out


def test_a_folder_without_a_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["validate", "--run", str(tmp_path)]) == 2
    assert "run.json: cannot be read" in capsys.readouterr().err
