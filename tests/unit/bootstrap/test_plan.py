from pathlib import Path

import pytest

from bootstrap import services as service_folders
from bootstrap.errors import InputError
from bootstrap.plan import Plan, Request, make_plan

THING = "Resources: {Thing: {Type: AWS::SNS::Topic}}\n"


def _plan(services_dir: Path, **given: object) -> Plan:
    return make_plan(Request(**{"stage": "dev", "region": "us-east-1", "services_dir": services_dir, **given}))  # type: ignore[arg-type]


def _service(folder: Path, text: str = THING) -> Path:
    folder.mkdir(parents=True)
    (folder / "template.yaml").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("design", "rides_wait_for", "record_waits_for"),
    [
        ("microservices", {"wild-rydes-ride-fleet", "wild-rydes-ride-record"}, set()),
        ("direct-invoke", {"wild-rydes-ride-fleet", "wild-rydes-ride-record"}, set()),
        ("event-driven", {"wild-rydes-ride-fleet"}, {"wild-rydes"}),
        ("queued", {"wild-rydes-ride-fleet"}, {"wild-rydes"}),
    ],
)
def test_the_order_of_the_workshops_services_follows_from_the_design(
    design: str, rides_wait_for: set[str], record_waits_for: set[str]
) -> None:
    names = ["wild-rydes", "wild-rydes-ride-fleet", "wild-rydes-ride-record"]

    plan = _plan(service_folders.default_dir(), services=names, offered={"Stage": "dev", "Design": design})

    assert plan.dependencies == {
        "wild-rydes": rides_wait_for,
        "wild-rydes-ride-fleet": set(),
        "wild-rydes-ride-record": record_waits_for,
    }


def test_a_folder_with_a_template_is_a_service_and_so_is_each_folder_in_a_folder(tmp_path: Path) -> None:
    _service(tmp_path / "all" / "one")
    _service(tmp_path / "all" / "two")
    (tmp_path / "all" / "notes").mkdir()

    assert set(_plan(tmp_path / "all").stacks) == {"one", "two"}
    assert set(_plan(tmp_path / "all", services=["two"]).stacks) == {"two"}
    assert _plan(tmp_path / "all" / "one").stacks["one"].stack_name == "one-dev"


def test_a_broken_template_matters_only_if_it_is_deployed(tmp_path: Path) -> None:
    _service(tmp_path / "good")
    _service(tmp_path / "bad", "nonsense")

    assert set(_plan(tmp_path, services=["good"]).stacks) == {"good"}
    with pytest.raises(InputError, match="no Resources"):
        _plan(tmp_path)


def test_a_parameter_goes_to_the_templates_that_have_it(tmp_path: Path) -> None:
    _service(tmp_path / "plain")
    _service(
        tmp_path / "sized", f"Parameters: {{Units: {{Type: Number, Default: 1}}, Stage: {{Type: String}}}}\n{THING}"
    )

    plan = _plan(tmp_path, offered={"Stage": "dev", "Design": "queued"}, parameters={"Units": "5"})

    assert plan.stacks["plain"].parameters == {}
    assert plan.stacks["sized"].parameters == {"Units": "5", "Stage": "dev"}


@pytest.mark.parametrize(
    ("declaration", "value", "complaint"),
    [
        ("{Type: String}", None, "parameter P has no default: give it with --parameter P=VALUE"),
        ("{Type: String, AllowedValues: [a, b]}", "c", "parameter P=c: must be one of a, b"),
        ("{Type: String, AllowedPattern: '[a-z]+'}", "A1", r"parameter P=A1: must match \[a-z\]"),
        ("{Type: String, AllowedPattern: x, ConstraintDescription: must be x}", "y", "parameter P=y: must be x"),
        ("{Type: Number}", "many", "parameter P=many: must be a number"),
        ("{Type: Number, MinValue: 1}", "0", "parameter P=0: must be at least 1"),
        ("{Type: Number, MaxValue: 10}", "11", "parameter P=11: must be at most 10"),
        ("{Type: String, MaxLength: 3}", "long", "parameter P=long: must have at most 3 characters"),
        ("{Type: String, MinLength: 3}", "s", "parameter P=s: must have at least 3 characters"),
    ],
)
def test_a_value_that_the_template_does_not_allow_is_refused(
    tmp_path: Path, declaration: str, value: str | None, complaint: str
) -> None:
    _service(tmp_path / "one", f"Parameters:\n  P: {declaration}\n{THING}")

    with pytest.raises(InputError, match=complaint):
        _plan(tmp_path, parameters={} if value is None else {"P": value})


def test_a_parameter_that_no_template_has_is_refused(tmp_path: Path) -> None:
    _service(tmp_path / "one", f"Parameters: {{Units: {{Type: Number, Default: 1}}}}\n{THING}")

    with pytest.raises(InputError, match="parameter 'Unit': no template of one has it; there are: Units"):
        _plan(tmp_path, parameters={"Unit": "1"})


@pytest.mark.parametrize("stage", ["", "Dev", "1st", "a_b", "x" * 21, "dev/../prod"])
def test_a_stage_that_cannot_be_part_of_a_name_is_refused(tmp_path: Path, stage: str) -> None:
    _service(tmp_path / "one")

    with pytest.raises(InputError, match=r"stage .*: must be a lower-case word"):
        _plan(tmp_path, stage=stage)


def test_an_unknown_service_is_named_with_those_that_are(tmp_path: Path) -> None:
    _service(tmp_path / "one")

    with pytest.raises(InputError, match=r"no service 'two' in .*; there are: one"):
        _plan(tmp_path, services=["two"])


def test_a_folder_without_services_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        _plan(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"neither it nor a folder in it has a template\.yaml"):
        _plan(tmp_path)


def test_a_folder_whose_name_cannot_be_a_stack_name_is_named(tmp_path: Path) -> None:
    _service(tmp_path / "my_service")

    with pytest.raises(InputError, match=r"my_service.*must start with a letter"):
        _plan(tmp_path)
