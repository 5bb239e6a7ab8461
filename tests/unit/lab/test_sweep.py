import json
from pathlib import Path

import pytest

from rydelab import cli
from rydelab.lab.scenarios.cell import Cell, parse_cells
from rydelab.lab.scenarios.scenario import Scenario, parse
from rydelab.lab.simulation.plays import Plays, mean_arrivals_per_s
from rydelab.lab.simulation.simulation import Place, arrivals_of
from rydelab.lab.simulation.sweep import SweepError, heaviest, parse_axes, swept, with_option
from rydelab.report.sweep import SweptAxis
from rydelab.simulator.profile import load_profile

SCENARIO = """
warm_up_rides = 0
drain_s = 60
[[phases]]
duration_s = 400
arrivals_per_s = 2
[[cells]]
design = "microservices"
table_mode = ["provisioned", "on-demand"]
sdk_retry_mode = "standard"
"""
CELLS = parse_cells("microservices:provisioned,microservices:on-demand")


def scenario() -> Scenario:
    return parse(SCENARIO, source="small.toml", name="small")


def plays() -> Plays:
    return Plays(scenario(), Place("exact", load_profile("local")))


def test_axes_are_read_with_short_names_and_in_order() -> None:
    axes = parse_axes(["wcu=10,1,5", "arrivals=0.5,20"], CELLS)

    assert axes == (SweptAxis("write_units", (1, 5, 10)), SweptAxis("arrivals", (0.5, 20.0)))
    assert parse_axes(["sdk_retry_mode=standard,legacy"], CELLS) == (
        SweptAxis("sdk_retry_mode", ("standard", "legacy")),
    )


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        (["wcu"], "--sweep wcu: must be NAME=VALUE,VALUE,… with NAME one of arrivals, wcu, rcu, read_units"),
        (["colour=red"], "--sweep colour=red: must be NAME=VALUE"),
        (["wcu="], "'': must be a whole number from 1 to 40000"),
        (["wcu=1,0"], "'0': must be a whole number from 1 to 40000"),
        (["wcu=1,2.5"], "'2.5': must be a whole number"),
        (["wcu=1,1"], "a value is there twice"),
        (["arrivals=0"], "'0' must be a number of arrivals a second above 0"),
        (["arrivals=inf"], "'inf' must be a number of arrivals"),
        (["sdk_retry_mode=never"], "'never': must be one of legacy, standard"),
        (["wcu=1", "write_units=2"], "write_units is varied already"),
        (["wcu=1", "rcu=1", "arrivals=1"], "--sweep arrivals=1: at most two settings can be varied"),
        (["max_write_units=10"], "max_write_units means nothing to a table that is on-demand or provisioned"),
        (["wcu=" + ",".join(map(str, range(1, 1200)))], "2,398 simulations are more than 2,000"),
    ],
)
def test_what_cannot_be_varied_is_named(texts: list[str], complaint: str) -> None:
    with pytest.raises(SweepError) as error:
        parse_axes(texts, CELLS)

    assert complaint in str(error.value)


def test_an_option_that_means_nothing_to_a_table_leaves_its_cell_as_it_is() -> None:
    on_demand = Cell("queued", "on-demand")

    assert with_option(on_demand, "write_units", 5) is on_demand
    assert with_option(on_demand, "memory_mb", 256).options == {"memory_mb": 256}


def test_a_maximum_goes_up_with_its_minimum() -> None:
    cell = Cell("queued", "autoscaled", {"max_write_units": 20})

    assert with_option(cell, "write_units", 10).options == {"write_units": 10, "max_write_units": 20}
    assert with_option(cell, "write_units", 50).options == {"write_units": 50, "max_write_units": 50}


def test_more_units_record_more_and_no_throttle_free_point_loses_a_ride() -> None:
    axes = parse_axes(["wcu=1,2,4", "arrivals=1,2,4"], CELLS)
    provisioned, on_demand = swept(plays(), CELLS, axes)

    # 400 s with a saved burst of 300 s: 1 unit takes 1 arrival a second and no more.
    became = {point.values: point.became for point in provisioned.points}
    assert [became[units, rate] for rate in (1.0, 2.0, 4.0) for units in (1, 2, 4)] == [
        *("all", "all", "all"),
        *("some", "all", "all"),
        *("some", "some", "all"),
    ]
    shares = [provisioned.at(units, 4.0).recorded_share for units in (1, 2, 4)]
    assert shares[0] < shares[1] < shares[2] == 1
    assert {point.became for point in on_demand.points} == {"all"}


def test_arrivals_are_those_of_a_second_on_average() -> None:
    (cell,) = swept(plays(), CELLS[:1], parse_axes(["arrivals=0.5,3"], CELLS))

    assert [point.cell.arrivals for point in cell.points] == [200, 1200]
    assert mean_arrivals_per_s(scenario()) == 2
    assert arrivals_of(heaviest(scenario(), parse_axes(["arrivals=0.5,3"], CELLS))) == 1200
    assert heaviest(scenario(), parse_axes(["wcu=5"], CELLS)).stretches == scenario().stretches


def test_a_sweep_is_shown_and_saved_with_its_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "small.toml").write_text(SCENARIO)
    arguments = ["simulate", str(tmp_path / "small.toml"), "--results", str(tmp_path / "results")]

    status = cli.main([*arguments, "--sweep", "wcu=1,4", "--sweep", "arrivals=1,4"])

    shown = capsys.readouterr().out
    assert status == 0
    assert "microservices provisioned" in shown
    assert "Simulated, not measured: engine exact" in shown
    (folder,) = (tmp_path / "results").iterdir()
    saved = json.loads((folder / "sweep.json").read_text())
    assert [axis["name"] for axis in saved["axes"]] == ["write_units", "arrivals"]
    assert [len(cell["points"]) for cell in saved["cells"]] == [4, 4]
    assert (folder / "sweep.txt").read_text() in shown
    assert (folder / "sweep.html").read_text().count("<svg") == 4


def test_a_sweep_of_nothing_that_can_be_varied_ends_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "small.toml").write_text(SCENARIO)

    status = cli.main(["simulate", str(tmp_path / "small.toml"), "--sweep", "wcu=none"])

    assert status == 2
    assert "rydelab: --sweep wcu=none: 'none': must be a whole number" in capsys.readouterr().err
