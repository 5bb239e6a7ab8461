import pytest

from bootstrap.errors import InputError
from bootstrap.intrinsics import Evaluator
from bootstrap.links import Link, Links, links_of
from bootstrap.order import dependencies, unmet_needs
from bootstrap.template import Json
from bootstrap.values import links_written_out, written_out

URL = Link("export", "fleet-dev-Url")
TOPIC = Link("SSM parameter", "/rides/dev/Topic")


def _links(template: dict[str, Json], **parameters: str) -> Links:
    given = {"Stage": "dev", **parameters}
    evaluator = Evaluator(template=template, references=given)
    return links_of(template, evaluator=evaluator, parameters=given)


def _with(value: Json) -> dict[str, Json]:
    return {"Resources": {"R": {"Type": "T", "Properties": {"P": [{"Deep": value}]}}}}


@pytest.mark.parametrize(
    ("value", "need"),
    [
        ({"Fn::ImportValue": {"Fn::Sub": "fleet-${Stage}-Url"}}, URL),
        ({"Fn::ImportValue": "fleet-dev-Url"}, URL),
        ({"Fn::Sub": ["${Base}/x", {"Base": {"Fn::ImportValue": "fleet-dev-Url"}}]}, URL),
        ({"Fn::Sub": "{{resolve:ssm:/rides/${Stage}/Topic}}"}, TOPIC),
        ({"Fn::Sub": "a {{resolve:ssm:/rides/${Stage}/Topic:3}} b ${Unknown.Arn}"}, TOPIC),
        ({"Fn::Sub": ["{{resolve:ssm:/rides/${S}/Topic}}", {"S": {"Ref": "Stage"}}]}, TOPIC),
        ({"Fn::Join": ["", ["{{resolve:ssm:/rides/", {"Ref": "Stage"}, "/Topic}}"]]}, TOPIC),
        ("{{resolve:ssm:/rides/dev/Topic}}", TOPIC),
        ("{{resolve:ssm-secure:/rides/dev/Topic}}", TOPIC),
    ],
)
def test_a_need_is_found_however_it_is_written(value: Json, need: Link) -> None:
    assert dict(_links(_with(value)).needs) == {need: "resource R"}


def test_an_ssm_parameter_type_is_a_need() -> None:
    template = {
        "Parameters": {"Topic": {"Type": "AWS::SSM::Parameter::Value<String>"}},
        "Resources": {"R": {"Type": "T"}},
    }

    assert dict(_links(template, Topic="/rides/dev/Topic").needs) == {TOPIC: "parameter Topic"}


def test_only_live_branches_and_resources_count() -> None:
    template = {
        "Conditions": {"ByHttp": {"Fn::Equals": [{"Ref": "Design"}, "http"]}},
        "Resources": {
            "R": {
                "Type": "T",
                "Properties": {
                    "P": {"Fn::If": ["ByHttp", {"Fn::ImportValue": "fleet-dev-Url"}, {"Ref": "AWS::NoValue"}]}
                },
            },
            "TopicName": {
                "Type": "AWS::SSM::Parameter",
                "Condition": "ByHttp",
                "Properties": {"Name": {"Fn::Sub": "/rides/${Stage}/Topic"}},
            },
        },
    }

    assert _links(template, Design="http") == Links(frozenset({TOPIC}), {URL: "resource R"})
    assert _links(template, Design="event") == Links(frozenset(), {})


def test_exports_and_ssm_parameters_are_provided() -> None:
    template = {
        "Resources": {
            "A": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": {"Fn::Sub": "/rides/${Stage}/Topic"}}},
            "NamedByCloudFormation": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": "x"}},
        },
        "Outputs": {
            "Url": {"Value": "x", "Export": {"Name": {"Fn::Sub": "fleet-${Stage}-Url"}}},
            "Plain": {"Value": "y"},
        },
    }

    assert _links(template).provides == {URL, TOPIC}


def test_a_need_whose_name_exists_only_after_deployment_is_refused() -> None:
    with pytest.raises(InputError, match="resource R: the name"):
        _links(_with({"Fn::ImportValue": {"Ref": "SomeResource"}}))


def test_a_service_waits_for_those_that_provide_what_it_needs() -> None:
    links = {
        "record": Links(frozenset(), {TOPIC: "resource Subscription"}),
        "rides": Links(frozenset({TOPIC}), {URL: "resource RequestRide"}),
        "fleet": Links(frozenset({URL}), {}),
    }

    assert dependencies(links) == {"record": {"rides"}, "rides": {"fleet"}, "fleet": set()}
    assert unmet_needs(links) == {}


def test_a_cycle_is_told_by_its_names() -> None:
    links = {
        "rides": Links(frozenset({TOPIC}), {URL: "resource RequestRide"}),
        "fleet": Links(frozenset({URL}), {TOPIC: "resource Subscription"}),
    }

    with pytest.raises(InputError) as error:
        dependencies(links)

    assert "fleet needs SSM parameter /rides/dev/Topic of rides" in str(error.value)
    assert "rides needs export fleet-dev-Url of fleet" in str(error.value)


def test_a_service_that_needs_what_it_provides_itself_is_a_cycle() -> None:
    with pytest.raises(InputError, match="rides needs SSM parameter /rides/dev/Topic of rides"):
        dependencies({"rides": Links(frozenset({TOPIC}), {TOPIC: "resource R"})})


def test_two_providers_of_one_name_are_told() -> None:
    with pytest.raises(InputError, match="a and b both provide export fleet-dev-Url"):
        dependencies({"a": Links(frozenset({URL}), {}), "b": Links(frozenset({URL}), {})})


def test_an_unmet_need_says_who_has_it_and_where() -> None:
    links = {"rides": Links(frozenset(), {URL: "resource RequestRide"})}

    assert unmet_needs(links) == {URL: ("rides", "resource RequestRide")}


def _written(value: Json) -> Json:
    template = _with(value)
    evaluator = Evaluator(template=template, references={"Stage": "dev"})
    written = written_out(template, evaluator=evaluator, values={URL: "https://x/${a}", TOPIC: "arn:${b}"})
    return written["Resources"]["R"]["Properties"]["P"][0]["Deep"]


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ({"Fn::ImportValue": {"Fn::Sub": "fleet-${Stage}-Url"}}, "https://x/${a}"),
        ("{{resolve:ssm:/rides/dev/Topic}}", "arn:${b}"),
        ({"Fn::Sub": "<{{resolve:ssm:/rides/${Stage}/Topic}}>${Stage}"}, {"Fn::Sub": "<arn:${!b}>${Stage}"}),
        (
            {"Fn::Sub": ["{{resolve:ssm:/rides/${S}/Topic}}", {"S": {"Ref": "Stage"}}]},
            {"Fn::Sub": ["arn:${!b}", {"S": {"Ref": "Stage"}}]},
        ),
        ("{{resolve:ssm:/rides/dev/Topic:3}}", "{{resolve:ssm:/rides/dev/Topic:3}}"),
        ("{{resolve:ssm-secure:/rides/dev/Topic}}", "{{resolve:ssm-secure:/rides/dev/Topic}}"),
    ],
)
def test_references_give_way_to_values_except_fixed_versions_and_secrets(reference: Json, value: Json) -> None:
    assert _written(reference) == value


def test_a_deployed_template_still_says_what_it_needs() -> None:
    template = _with({"Fn::ImportValue": "fleet-dev-Url"})
    evaluator = Evaluator(template=template, references={})

    assert links_written_out(written_out(template, evaluator=evaluator, values={URL: "u", TOPIC: "t"})) == {URL, TOPIC}
    assert links_written_out(template) == set()
