import json
from pathlib import Path

import pytest

from rydelab import cli
from rydelab.capacity.price_file import packaged_prices
from rydelab.lab.scenarios.cell import Cell, parse_cells
from rydelab.lab.scenarios.scenario import parse
from rydelab.lab.simulation.plays import Plays
from rydelab.lab.simulation.simulation import Place
from rydelab.lab.simulation.sizing import Sizer, candidates, least, suffices, throttle_free_units
from rydelab.simulator.engine import EngineName
from rydelab.simulator.profile import load_profile

STEADY = """
warm_up_rides = 0
drain_s = 60
thresholds = {thresholds}
[[phases]]
duration_s = 400
arrivals_per_s = {per_s}
[[cells]]
design = "microservices"
table_mode = "provisioned"
write_units = 1
sdk_retry_mode = "standard"
"""
EVERY_MODE = candidates(parse_cells("microservices:*:sdk_retry_mode=standard"), every_mode=False)


def sizer(*, per_s: float = 2.0, thresholds: str = "[]", engine: EngineName = "exact") -> Sizer:
    scenario = parse(STEADY.format(per_s=per_s, thresholds=thresholds), source="steady.toml", name="steady")
    return Sizer(Plays(scenario, Place(engine, load_profile("local"))), packaged_prices())


@pytest.mark.parametrize(("wanted", "high"), [(7, 10), (10, 10), (1, 10), (37, 10), (40_000, 30_000)])
def test_the_least_that_is_enough_is_found_also_above_where_it_was_looked_for(wanted: int, high: int) -> None:
    assert least(1, high, lambda number: number >= wanted) == wanted


def test_there_is_no_least_where_the_most_is_not_enough() -> None:
    assert least(1, 10, lambda _: False) is None


@pytest.mark.parametrize(
    ("per_s", "units"),
    [
        ([], 1),
        ([1.0] * 1000, 1),
        # 300 units are saved, and 1 more comes each second: 2 a second last 300 s.
        ([2.0] * 299, 1),
        ([2.0] * 302, 2),
        # A peak of 20 for 60 s takes 1,200 in 60 s: u x (300 + 60) >= 1,200.
        ([1.0] * 600 + [20.0] * 60 + [1.0] * 600, 4),
    ],
)
def test_units_that_throttle_nothing_are_counted_with_their_burst(per_s: list[float], units: int) -> None:
    assert throttle_free_units(per_s) == units


def test_a_fixed_table_gets_no_unit_more_than_it_needs() -> None:
    found = sizer()

    # 800 writes in 400 s: one unit gives 700 with its burst, two give enough.
    sized = found.sized(EVERY_MODE[0])

    assert sized is not None
    assert sized.cell == Cell("microservices", "provisioned", {"sdk_retry_mode": "standard", "write_units": 2})
    assert suffices(sized.summary)
    assert not suffices(found.plays.of(Cell("microservices", "provisioned", {"sdk_retry_mode": "standard"})))


def test_tables_that_suffice_are_ranked_by_what_they_cost() -> None:
    ranked = sizer(per_s=0.5).ranked(EVERY_MODE)

    assert {sized.cell.table_mode for sized in ranked} == {"provisioned", "autoscaled", "on-demand"}
    assert [sized.bill.total for sized in ranked] == sorted(sized.bill.total for sized in ranked)
    assert all(sized.confirmed and suffices(sized.summary) for sized in ranked)
    # One unit for 0.5 a second, 0.47 + 0.09; on demand 1.3 million x 0.625 = 0.82; auto scaling has alarms for 0.80.
    assert [sized.cell.table_mode for sized in ranked] == ["provisioned", "on-demand", "autoscaled"]


def test_what_meets_no_threshold_is_not_found() -> None:
    assert sizer(thresholds='["p50_ms < 1"]').ranked(EVERY_MODE) == ()


def test_what_the_aggregate_engine_finds_is_confirmed_one_by_one() -> None:
    quick = sizer(engine="aggregate")

    (sized,) = quick.ranked(EVERY_MODE[:1])

    assert sized.confirmed
    assert suffices(quick.plays.of(sized.cell, engine="exact"))


def test_on_demand_is_cheaper_below_a_traffic_that_can_be_reckoned() -> None:
    found = sizer(engine="aggregate")

    (change,) = found.changes(found.ranked(EVERY_MODE))

    # One write and one read unit are 0.4745 + 0.0949 = 0.5694 a month; on demand r a second are
    # r x 2,628,000 x 0.625 a million = 1.6425 r: as much at 0.347 a second.
    assert change.arrivals_per_s == pytest.approx(0.347, rel=0.1)
    assert change.below.cell.table_mode == "on-demand"
    assert change.above.cell.options["write_units"] == 1


def test_candidates_are_every_mode_of_each_design_without_its_units() -> None:
    text = "queued:provisioned:write_units=5:memory_mb=256,queued:on-demand,queued:autoscaled:write_units=2"
    cells = parse_cells(text)

    assert candidates(cells, every_mode=True) == (
        *(Cell("queued", mode, {"memory_mb": 256}) for mode in ("provisioned", "autoscaled", "on-demand")),
        *(Cell("queued", mode) for mode in ("provisioned", "autoscaled", "on-demand")),
    )
    assert [str(cell) for cell in candidates(cells, every_mode=False)] == [
        *("queued provisioned memory_mb=256", "queued on-demand", "queued autoscaled"),
    ]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.main(["size", *arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_the_command_says_what_is_cheapest_and_what_else_would_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "steady.toml"
    file.write_text(STEADY.format(per_s=0.5, thresholds='["p99_ms < 1000"]'))

    status, out, _ = run(capsys, str(file))

    assert status == 0
    assert "Cheapest: microservices provisioned, 1 write unit, sdk_retry_mode=standard: $" in out
    assert "Wanted: every ride recorded, p99_ms < 1000." in out
    assert "arrivals a second on average microservices on-demand, sdk_retry_mode=standard is cheaper" in out
    assert "NOTE: the load lasts 400 s, and a rested table has saved 300 s of its units" in out
    assert "list prices of us-east-1" in out


def test_the_command_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "steady.toml"
    file.write_text(STEADY.format(per_s=0.5, thresholds="[]"))

    status, out, _ = run(capsys, str(file), "--json", "--no-exchange", "--cells", "microservices:on-demand")

    document = json.loads(out)
    assert status == 0
    assert [table["table_mode"] for table in document["tables"]] == ["on-demand"]
    assert document["exchanges"] is None
    assert float(document["tables"][0]["a_month"]) > 0


def test_the_command_ends_with_status_1_if_nothing_does_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "steady.toml"
    file.write_text(STEADY.format(per_s=0.5, thresholds='["p50_ms < 1"]'))

    status, out, _ = run(capsys, str(file))

    assert status == 1
    assert "In vain: microservices provisioned sdk_retry_mode=standard: no setting does it." in out


def test_a_scenario_that_is_not_there_ends_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, error = run(capsys, "nowhere")

    assert status == 2
    assert "no scenario 'nowhere'" in error
