from pathlib import Path

import pytest

from rydelab.lab.scenario import Cell, Scenario, ScenarioError, find, load, parse
from rydelab.lab.schedule import Phase, duration_s

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

    assert scenario.phases == (Phase(duration_s=2.0, arrivals_per_s=5.0),)
    assert scenario.cells == (Cell("queued", "provisioned"),)
    assert (scenario.timeout_s, scenario.warm_up_rides, scenario.drain_s) == (30.0, 20, 30.0)


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_scenario_that_we_ship_can_be_read_and_says_what_it_is_for(path: Path) -> None:
    scenario = load(path)

    assert scenario.name == path.stem
    assert scenario.description


def test_the_default_scenario_leaves_time_within_90_seconds() -> None:
    scenario = load(SCENARIOS / "quick.toml")

    assert duration_s(scenario.phases) * len(scenario.cells) <= 45


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
        ("rampage = 3" + SMALL, "my.toml: rampage = 3: is not a setting here (known: description, phases, cells, "),
        ("warm_up_rides = 2.5" + SMALL, "my.toml: warm_up_rides = 2.5: must be a whole number from 0 to 10000"),
        ("description = 1" + SMALL, "my.toml: description = 1: must be a text"),
        (SMALL + "speed = 1", "my.toml: cells[0].speed = 1: is not a setting here"),
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
