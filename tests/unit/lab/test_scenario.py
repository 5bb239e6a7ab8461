from pathlib import Path

import pytest

from rydelab.lab.scenarios.cell import Cell
from rydelab.lab.scenarios.scenario import Scenario, find, load, parse
from rydelab.lab.scenarios.schedule import Stretch
from rydelab.lab.scenarios.toml_table import ScenarioError

SCENARIOS = Path(__file__).parents[3] / "loadtests" / "scenarios"

SMALL = """
[[phases]]
duration_s = 2
arrivals_per_s = 5
[[cells]]
design = "queued"
table_mode = "provisioned"
"""


def parsed(text: str) -> Scenario:
    return parse(text, source="my.toml", name="my")


def test_a_scenario_needs_only_phases_and_cells() -> None:
    scenario = parsed(SMALL)

    assert scenario.stretches == (Stretch(duration_s=2.0, from_per_s=5.0, to_per_s=5.0),)
    assert (scenario.process, scenario.mix, scenario.thresholds) == ("even", {"ride": 1.0}, ())
    assert scenario.cells == (Cell("queued", "provisioned"),)
    assert (scenario.timeout_s, scenario.warm_up_rides, scenario.drain_s) == (30.0, 20, 30.0)


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_scenario_that_we_ship_can_be_read_and_says_what_it_is_for(path: Path) -> None:
    scenario = load(path)

    assert scenario.name == path.stem
    assert scenario.description


def test_the_default_scenario_loads_its_cells_for_two_minutes_at_most() -> None:
    scenario = load(SCENARIOS / "quick.toml")

    assert len(scenario.cells) >= 4
    assert scenario.duration_s * len(scenario.cells) <= 120


def test_the_workshops_scenario_is_the_workshops_load() -> None:
    scenario = load(SCENARIOS / "workshop.toml")

    assert scenario.duration_s == 180
    assert sum(1 for _ in scenario.arrivals()) == 1800
    assert {cell.options["write_units"] for cell in scenario.cells if cell.table_mode == "provisioned"} == {1}


PHASES = """
[[phases]]
kind = "ramp"
duration_s = 10
from_per_s = 0
to_per_s = 20
[[phases]]
kind = "spike"
duration_s = 30
arrivals_per_s = 1
peak_per_s = 10
peak_after_s = 5
peak_s = 20
[[phases]]
kind = "steps"
duration_s = 20
from_per_s = 1
to_per_s = 2
steps = 2
[[phases]]
kind = "series"
file = "recorded/monday.csv"
column = "Sum"
interval_s = 60
scale = 0.5
[[cells]]
design = "queued"
table_mode = "on-demand"
"""


def test_every_kind_of_phase_is_written_out(tmp_path: Path) -> None:
    (tmp_path / "recorded").mkdir()
    (tmp_path / "recorded" / "monday.csv").write_text("Timestamp,Sum\n09:00,120\n09:01,0\n")

    scenario = parse(PHASES, source="my.toml", name="my", folder=tmp_path)

    assert scenario.stretches == (
        Stretch(10, 0, 20),
        *(Stretch(5, 1, 1), Stretch(20, 10, 10), Stretch(5, 1, 1)),
        *(Stretch(10, 1, 1), Stretch(10, 2, 2)),
        *(Stretch(60, 1, 1), Stretch(60, 0, 0)),
    )
    assert scenario.duration_s == 180
    assert scenario.series_files == ("recorded/monday.csv",)
    assert [phase.summary["kind"] for phase in scenario.phases] == ["ramp", "spike", "steps", "series"]
    assert [phase.summary["arrivals_per_s"] for phase in scenario.phases[:3]] == [10, 1, 1.5]


@pytest.mark.parametrize(
    ("series", "complaint"),
    [
        (None, "phases[3].file = 'recorded/monday.csv': {folder}/recorded/monday.csv cannot be read: No such file"),
        ("Timestamp,Sum\n", "phases[3].file = 'recorded/monday.csv': {folder}/recorded/monday.csv has no row"),
        ("a,b\n1,2\n", "phases[3].column = 'Sum': {folder}/recorded/monday.csv has no such column (it has a, b)"),
        ("Sum\n1\nmany\n", "phases[3].file = 'recorded/monday.csv': {folder}/recorded/monday.csv line 3: 'many' is"),
        ("Sum\n-1\n", "phases[3].file = 'recorded/monday.csv': {folder}/recorded/monday.csv line 2: '-1' is"),
        ("Sum\nnan\n", "phases[3].file = 'recorded/monday.csv': {folder}/recorded/monday.csv line 2: 'nan' is"),
    ],
)
def test_a_mistake_in_a_series_is_named_with_its_line(tmp_path: Path, series: str | None, complaint: str) -> None:
    if series is not None:
        (tmp_path / "recorded").mkdir()
        (tmp_path / "recorded" / "monday.csv").write_text(series)

    with pytest.raises(ScenarioError) as raised:
        parse(PHASES, source="my.toml", name="my", folder=tmp_path)

    assert str(raised.value).startswith(f"my.toml: {complaint.format(folder=tmp_path)}")


def test_a_series_from_elsewhere_is_refused() -> None:
    with pytest.raises(ScenarioError, match="must be in the scenario's folder or below it"):
        parsed(PHASES.replace("recorded/", "../"))


def test_a_table_of_cells_stands_for_every_design_with_every_mode() -> None:
    scenario = parsed(
        SMALL.replace(
            'design = "queued"\ntable_mode = "provisioned"',
            'design = ["queued", "event-driven"]\ntable_mode = ["provisioned", "autoscaled", "on-demand"]\n'
            "write_units = 5\nmax_write_units = 9\nmemory_mb = 256",
        )
    )

    assert len(scenario.cells) == 6
    assert scenario.cells[:3] == (
        Cell("queued", "provisioned", {"write_units": 5, "memory_mb": 256}),
        Cell("queued", "autoscaled", {"write_units": 5, "max_write_units": 9, "memory_mb": 256}),
        Cell("queued", "on-demand", {"memory_mb": 256}),
    )


def test_thresholds_and_a_mix_are_read() -> None:
    scenario = parsed(
        'thresholds = ["lost == 0", "queued:* p95_ms < 300"]\n' + SMALL + "[mix]\nride = 9\nunicorn = 1\n"
        '[arrivals]\nprocess = "poisson"\nseed = 4\n'
    )

    assert [threshold.metric for threshold in scenario.thresholds] == ["lost", "p95_ms"]
    assert scenario.mix == {"ride": 9, "unicorn": 1}
    assert (scenario.process, scenario.seed) == ("poisson", 4)


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_generators_that_share_a_load_lose_and_double_no_arrival(of: int) -> None:
    scenario = parsed(
        SMALL.replace("duration_s = 2", "duration_s = 20")
        + '[mix]\nride = 2\nrecord = 1\n[arrivals]\nprocess = "poisson"\nseed = 4\n'
    )

    shares = [list(scenario.arrivals(part=part, of=of)) for part in range(of)]

    assert sorted((arrival for share in shares for arrival in share), key=lambda one: one.number) == list(
        scenario.arrivals()
    )
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x =", "my.toml: not TOML: "),
        ("", "my.toml: phases is missing"),
        ("phases = 3", "my.toml: phases = 3: must be one or more tables, each under [[phases]]"),
        ("phases = []", "my.toml: phases = []: must be one or more tables"),
        ("[[phases]]\nduration_s = 1", "my.toml: phases[0].arrivals_per_s is missing"),
        (
            SMALL.replace("duration_s = 2", "duration_s = 0"),
            "my.toml: phases[0].duration_s = 0: must be a number above 0",
        ),
        (SMALL.replace("duration_s = 2", "duration_s = nan"), "my.toml: phases[0].duration_s = nan: must be a number"),
        (
            SMALL.replace("duration_s = 2", "duration_s = true"),
            "my.toml: phases[0].duration_s = True: must be a number",
        ),
        (SMALL.replace("duration_s = 2", "duration_s = inf"), "my.toml: phases[0].duration_s = inf: must be a number"),
        (SMALL.replace("= 5", "= -1"), "my.toml: phases[0].arrivals_per_s = -1: must be a number from 0 to 10000"),
        (SMALL.replace("= 5", '= "5"'), "my.toml: phases[0].arrivals_per_s = '5': must be a number"),
        (SMALL.replace("arrivals_per_s", "arrivals_per_sec"), "my.toml: phases[0].arrivals_per_s is missing"),
        (SMALL.replace("queued", "queue"), "my.toml: cells[0].design = 'queue': must be one of microservices, "),
        (SMALL.replace('"queued"', "[1]"), "my.toml: cells[0].design = [1]: must be one of microservices, "),
        (SMALL.replace("provisioned", "free"), "my.toml: cells[0].table_mode = 'free': must be one of provisioned, "),
        ("timeout = 3" + SMALL, "my.toml: timeout = 3: is not a setting here; did you mean timeout_s?"),
        ("rampage = 3" + SMALL, "my.toml: rampage = 3: is not a setting here (known: phases, arrivals, "),
        ("warm_up_rides = 2.5" + SMALL, "my.toml: warm_up_rides = 2.5: must be a whole number from 0 to 10000"),
        ("description = 1" + SMALL, "my.toml: description = 1: must be a text"),
        (SMALL + "speed = 1", "my.toml: cells[0].speed = 1: is not a setting here"),
        (SMALL + "memory_mb = 64", "my.toml: cells[0].memory_mb = 64: must be a whole number from 128 to 10240"),
        (SMALL + "write_units = true", "my.toml: cells[0].write_units = True: must be a whole number from 1 to"),
        (
            SMALL + 'sdk_retry_mode = "fast"',
            "my.toml: cells[0].sdk_retry_mode = 'fast': must be one of legacy, standard",
        ),
        (SMALL + "max_write_units = 9", "my.toml: cells[0].max_write_units = 9: means nothing to a table that"),
        (
            SMALL.replace("provisioned", "autoscaled") + "write_units = 41",
            "my.toml: cells[0].write_units = 41: puts the maximum below the minimum",
        ),
        (SMALL.replace("[[phases]]", '[[phases]]\nkind = "wave"'), "my.toml: phases[0].kind = 'wave': must be one of"),
        (SMALL.replace("[[phases]]", '[[phases]]\nkind = "ramp"'), "my.toml: phases[0].from_per_s is missing"),
        (SMALL + '[arrivals]\nprocess = "odd"', "my.toml: arrivals.process = 'odd': must be one of even, poisson"),
        (SMALL + "[arrivals]\nspeed = 1", "my.toml: arrivals.speed = 1: is not a setting here"),
        (SMALL + "[mix]\nrides = 1", "my.toml: mix.rides = 1: is not a setting here; did you mean ride?"),
        (SMALL + "[mix]\nride = 0", "my.toml: mix = {'ride': 0.0, "),
        ("thresholds = 3" + SMALL, "my.toml: thresholds = 3: must be a list of texts"),
        (
            'thresholds = ["lost = 0"]' + SMALL,
            "my.toml: thresholds[0] = 'lost = 0': must be [DESIGN:MODE] METRIC COMPARISON NUMBER",
        ),
        (
            SMALL + '[[cells]]\ndesign = "queued"\ntable_mode = "provisioned"',
            "my.toml: cells[1] = queued provisioned: is there already",
        ),
    ],
)
def test_a_mistake_is_named_with_file_key_and_value(text: str, complaint: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        parsed(text)

    assert str(raised.value).startswith(complaint)


def test_a_scenario_is_found_by_its_name() -> None:
    assert find("quick", folder=SCENARIOS) == SCENARIOS / "quick.toml"


def test_a_path_is_taken_as_it_is() -> None:
    assert find("elsewhere/my.toml", folder=SCENARIOS) == Path("elsewhere/my.toml")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ScenarioError, match=r"no scenario 'quik' in .*quick"):
        find("quik", folder=SCENARIOS)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"gone\.toml: cannot be read"):
        load(tmp_path / "gone.toml")
