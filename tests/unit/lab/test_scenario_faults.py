"""The faults of a scenario: read from its file, and refused by file, key and value."""

from pathlib import Path

import pytest
import yaml

from rydelab.faults import KINDS, Fault
from rydelab.lab.scenarios import scenario
from rydelab.lab.scenarios.scenario_faults import RECORD_FUNCTION, TARGETS
from rydelab.lab.scenarios.toml_table import ScenarioError

SERVICES_DIR = Path(__file__).parents[3] / "services"
WITHOUT_FAULTS = """
[[phases]]
duration_s = 60
arrivals_per_s = 10
[[cells]]
design = "event-driven"
table_mode = "on-demand"
"""


def faults(text: str) -> tuple[Fault, ...]:
    return scenario.parse(WITHOUT_FAULTS + text, source="faulty.toml", name="faulty").faults


def test_a_scenario_needs_no_fault() -> None:
    assert faults("") == ()


def test_faults_are_read_with_their_parameters_in_their_order() -> None:
    read = faults("""
[[faults]]
kind = "function-error"
target = "PutRideRecord"
start_s = 10
length_s = 5
rate = 0.5
[[faults]]
kind = "emulator-paused"
length_s = 2
""")
    assert read == (
        Fault("function-error", "PutRideRecord", length_s=5.0, start_s=10.0, parameters={"rate": 0.5}),
        Fault("emulator-paused", "", length_s=2.0),
    )


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ('kind = "table-error"', "faults[0].kind = 'table-error': must be one of function-error, "),
        ('kind = "queue-refused"', "faults[0].target is missing"),
        (
            'kind = "queue-refused"\ntarget = "RideRecordTable"',
            "faults[0].target = 'RideRecordTable': must be one of RideQueue, DeadLetterQueue, PoisonQueue",
        ),
        (
            'kind = "emulator-paused"\ntarget = "RideQueue"\nlength_s = 1',
            "faults[0].target = 'RideQueue': means nothing to emulator-paused",
        ),
        ('kind = "topic-refused"\ntarget = "RidesSnsTopic"', "faults[0].length_s is missing"),
        ('kind = "emulator-paused"\nlength_s = 60', "faults[0].length_s = 60: must be a number above 0 to 45"),
        (
            'kind = "emulator-paused"\nlength_s = 1\nstart_s = 61',
            "faults[0].start_s = 61: must be a number from 0 to 60",
        ),
        (
            'kind = "topic-refused"\ntarget = "RidesSnsTopic"\nlength_s = 1\nrate = 2',
            "faults[0].rate = 2: must be a number from 0 to 1",
        ),
        (
            'kind = "topic-refused"\ntarget = "RidesSnsTopic"\nlength_s = 1\ndelay_ms = 2',
            "faults[0].delay_ms = 2: is not a setting here",
        ),
    ],
)
def test_a_mistake_is_told_with_file_key_and_value(fault: str, message: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        faults(f"[[faults]]\n{fault}\n")
    assert str(raised.value).startswith(f"faulty.toml: {message}")


def test_faults_that_are_no_tables_are_refused() -> None:
    with pytest.raises(ScenarioError, match=r"faults = 'many': must be one or more tables, each under \[\[faults\]\]"):
        scenario.parse(f'faults = "many"\n{WITHOUT_FAULTS}', source="faulty.toml", name="faulty")


def test_every_target_that_can_be_named_is_in_a_template() -> None:
    types = {
        "function": "AWS::Serverless::Function",
        "table": "AWS::DynamoDB::Table",
        "queue": "AWS::SQS::Queue",
        "topic": "AWS::SNS::Topic",
    }

    class Loader(yaml.SafeLoader):
        """Reads CloudFormation's short forms as nothing."""

    Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)
    resources: dict[str, str] = {}
    for template in SERVICES_DIR.glob("wild-rydes*/template.yaml"):
        document = yaml.load(template.read_text(), Loader)  # noqa: S506 (a safe loader)
        resources |= {name: one["Type"] for name, one in document["Resources"].items()}

    wrong = [
        name
        for kind, names in TARGETS.items()
        for name in names
        if name != RECORD_FUNCTION and resources.get(name) != types[kind]
    ]
    assert wrong == []
    assert {kind.target for kind in KINDS.values()} - {""} == TARGETS.keys()
