"""The command `rydelab simulate`: from a scenario or a trace to a folder that cannot be taken for a measured one."""

import json
from pathlib import Path

import pytest

from rydelab import cli
from rydelab.lab.results import ResultsError, RunFolder
from rydelab.lab.scenarios.scenario import parse
from rydelab.lab.simulation.simulation import scaled, traffic_of
from rydelab.report.folder import read_run
from rydelab.report.summary import Simulated
from rydelab.simulator.traffic import RECORD, RIDE, Arrivals, Rate

SCENARIO = """
drain_s = 5
thresholds = ["recorded == 40"]
[[phases]]
duration_s = 2
arrivals_per_s = 20
[[cells]]
design = ["direct-invoke", "queued"]
table_mode = "provisioned"
"""


@pytest.fixture
def scenario_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def simulate(tmp_path: Path, *arguments: object) -> tuple[int, Path | None]:
    """Run the command; return its exit status and the folder that it made."""
    status = cli.main(["simulate", *map(str, arguments), "--results", str(tmp_path / "results")])
    folders = sorted((tmp_path / "results").glob("*")) if (tmp_path / "results").exists() else []
    return status, folders[-1] if folders else None


def test_a_scenario_becomes_a_run_that_says_everywhere_that_it_was_simulated(
    scenario_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, folder = simulate(tmp_path, scenario_file, "--seed", 7)

    assert status == 0
    assert folder is not None
    assert folder.name.endswith("-small-simulated")
    run = read_run(folder)
    assert run.summary.simulated == Simulated("exact", "local", 7)
    assert [cell.rows["recorded"] for cell in run.summary.cells] == [40, 40]
    words = "Simulated, not measured: engine exact, service times of profile local, seed 7."
    printed = capsys.readouterr()
    assert words in printed.out
    assert "engine exact (up to 2,000,000), profile local" in printed.err
    for name in ("summary.txt", "report.md", "report.html"):
        text = (folder / name).read_text(encoding="utf-8")
        assert words in " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split()), name
        assert "checked by RideId" not in text
    assert "What would become of every ride" in (folder / "report.html").read_text(encoding="utf-8")
    assert len((folder / "requests.csv").read_text(encoding="utf-8").splitlines()) == 1 + 80
    assert (folder / "scenario.toml").read_bytes() == scenario_file.read_bytes()


def test_the_same_seed_writes_the_same_numbers(scenario_file: Path, tmp_path: Path) -> None:
    _, first = simulate(tmp_path / "a", scenario_file)
    _, second = simulate(tmp_path / "b", scenario_file)

    assert first is not None
    assert second is not None
    for name in ("series.json", "requests.csv"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_scale_multiplies_the_arrivals(scenario_file: Path, tmp_path: Path) -> None:
    status, folder = simulate(tmp_path, scenario_file, "--scale", 2.5, "--threshold", "arrivals == 100")

    assert status == 1  # of the scenario's own thresholds, since 100 are recorded and not 40
    assert folder is not None
    run = read_run(folder)
    assert {cell.arrivals for cell in run.summary.cells} == {100}
    assert run.summary.simulated is not None
    assert run.summary.simulated.words.endswith("seed 0, 2.5 times the scenario's arrivals.")


def test_a_trace_is_played_on_the_cells_that_are_asked_for(tmp_path: Path) -> None:
    trace = tmp_path / "monday.csv"
    trace.write_text("arrivals\n30\n0\n60\n", encoding="utf-8")

    status, folder = simulate(tmp_path, trace, "--cells", "event-driven:on-demand", "--profile", "aws")

    assert status == 0
    assert folder is not None
    run = read_run(folder)
    (cell,) = run.summary.cells
    assert (cell.arrivals, cell.rows["recorded"]) == (90, 90)
    series = run.series[cell.id].arrivals
    assert [sum(value or 0 for value in series[at : at + 60]) for at in (0, 60, 120)] == [30, 0, 60]
    assert (folder / "monday.csv").exists()
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["settings"]["profile"] == "aws"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere"], "no scenario 'nowhere'"),
        (
            ["quick", "--profile", "moon"],
            "--profile: profile 'moon': there are local, aws, or a file that ends in .toml",
        ),
        (["quick", "--profile", "none.toml"], "--profile none.toml: cannot be read: No such file"),
        (["quick", "--scale", "1e9", "--engine", "exact"], "arrivals in a cell are more than 20,000,000"),
        (["quick", "--cells", "slow:on-demand"], "'slow' is no design"),
        (["quick", "--threshold", "speed > 1"], "speed is not measured"),
    ],
)
def test_bad_input_is_named_and_ends_with_2(
    arguments: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, folder = simulate(tmp_path, *arguments)

    assert status == 2
    assert folder is None
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("flag", [("--scale", "0"), ("--scale", "many"), ("--seed", "-1"), ("--engine", "guess")])
def test_a_wrong_flag_ends_with_2(flag: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        simulate(tmp_path, "quick", *flag)

    assert caught.value.code == 2


def test_a_trace_without_arrivals_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "night.csv"
    trace.write_text("arrivals\n0\n", encoding="utf-8")

    assert simulate(tmp_path, trace) == (2, None)
    assert "night.csv: nobody comes" in capsys.readouterr().err


def test_a_simulated_run_cannot_be_gone_on_with(scenario_file: Path, tmp_path: Path) -> None:
    _, folder = simulate(tmp_path, scenario_file)

    assert folder is not None
    with pytest.raises(ResultsError, match="was simulated"):
        RunFolder(folder).read_plan()


def test_a_mix_is_played_arrival_by_arrival_or_as_shares() -> None:
    text = SCENARIO + "[mix]\nride = 1\nrecord = 1\n"
    scenario = parse(text, source="mix.toml", name="mix")

    exact, rate = traffic_of(scenario, "exact"), traffic_of(scenario, "aggregate")

    assert isinstance(exact, Arrivals)
    assert exact.kinds == bytes([RIDE, RECORD] * 20)
    assert isinstance(rate, Rate)
    assert (list(rate.arrivals), dict(rate.mix)) == ([20.0, 20.0], {"ride": 1.0, "record": 1.0})


def test_a_ramp_becomes_a_rate_with_the_same_arrivals() -> None:
    ramp = SCENARIO.replace("arrivals_per_s = 20", 'kind = "ramp"\nfrom_per_s = 0\nto_per_s = 20')
    scenario = scaled(parse(ramp, source="ramp.toml", name="ramp"), 3)

    rate = traffic_of(scenario, "aggregate")

    assert isinstance(rate, Rate)
    assert list(rate.arrivals) == pytest.approx([15.0, 45.0])
