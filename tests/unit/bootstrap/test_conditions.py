import pytest

from bootstrap.conditions import decided
from bootstrap.errors import InputError
from bootstrap.intrinsics import UNKNOWN, Evaluator
from bootstrap.template import Json


def _evaluator(conditions: dict[str, Json], **parameters: str) -> Evaluator:
    return Evaluator(template={"Conditions": conditions}, references={"AWS::Region": "us-east-1", **parameters})


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"Fn::Equals": [{"Ref": "Design"}, "queued"]}, True),
        ({"Fn::Equals": ["a", "b"]}, False),
        ({"Fn::Equals": [True, "true"]}, True),
        ({"Fn::Equals": [1, "1"]}, True),
        ({"Fn::Equals": [{"Fn::Sub": "${Design}-${AWS::Region}"}, "queued-us-east-1"]}, True),
        ({"Fn::Equals": [{"Fn::Join": ["/", [{"Ref": "Design"}, "x"]]}, "queued/x"]}, True),
        ({"Fn::Equals": [{"Fn::Select": [1, {"Fn::Split": [",", "a,b"]}]}, "b"]}, True),
        ({"Fn::Not": [{"Condition": "Yes"}]}, False),
        ({"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]}, False),
        ({"Fn::Or": [{"Condition": "No"}, {"Condition": "Yes"}]}, True),
        ({"Fn::Equals": [{"Fn::If": ["Yes", "a", "b"]}, "a"]}, True),
        ({"Fn::Equals": [{"Ref": "SomeResource"}, "a"]}, UNKNOWN),
        ({"Fn::Not": [{"Condition": "Open"}]}, UNKNOWN),
        ({"Fn::And": [{"Condition": "Open"}, {"Condition": "No"}]}, False),
        ({"Fn::And": [{"Condition": "Open"}, {"Condition": "Yes"}]}, UNKNOWN),
        ({"Fn::Or": [{"Condition": "Open"}, {"Condition": "Yes"}]}, True),
    ],
)
def test_a_condition_is_worked_out_from_the_parameters(condition: Json, holds: object) -> None:
    evaluator = _evaluator(
        {
            "Asked": condition,
            "Yes": {"Fn::Equals": ["a", "a"]},
            "No": {"Fn::Equals": ["a", "b"]},
            "Open": {"Fn::Equals": [{"Ref": "SomeResource"}, "x"]},
        },
        Design="queued",
    )

    assert evaluator.condition("Asked") is holds


def test_a_value_is_looked_up_in_a_mapping() -> None:
    evaluator = Evaluator(
        template={"Mappings": {"Size": {"dev": {"Memory": 128}}}}, references={"Stage": "dev", "Other": "prod"}
    )

    assert evaluator.value({"Fn::FindInMap": ["Size", {"Ref": "Stage"}, "Memory"]}) == 128
    with pytest.raises(InputError, match="nothing at Size / prod / Memory"):
        evaluator.value({"Fn::FindInMap": ["Size", {"Ref": "Other"}, "Memory"]})


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ({"Condition": "Asked"}, "defined by itself"),
        ({"Condition": "Nowhere"}, "'Nowhere' is used but not defined"),
        ({"Fn::Equals": ["a"]}, "Fn::Equals takes 2 arguments"),
        ({"Fn::Maybe": ["a"]}, "condition Asked: .* is not a condition"),
        ("text", "condition Asked: 'text' is not a condition"),
    ],
)
def test_a_condition_that_is_written_wrongly_is_named(condition: Json, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        _evaluator({"Asked": condition}).condition("Asked")


TEMPLATE: dict[str, Json] = {
    "Parameters": {"Design": {"Type": "String"}},
    "Conditions": {"Queued": {"Fn::Equals": [{"Ref": "Design"}, "queued"]}},
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Condition": "Queued"},
        "Function": {
            "Type": "AWS::Serverless::Function",
            "DependsOn": ["Queue", "Table"],
            "Properties": {
                "Timeout": {"Fn::If": ["Queued", 30, 29]},
                "Queue": {"Fn::If": ["Queued", {"Ref": "Queue"}, {"Ref": "AWS::NoValue"}]},
                "Policies": [{"Fn::If": ["Queued", "q", {"Ref": "AWS::NoValue"}]}, "always"],
                # A policy's condition has nothing to do with the template's.
                "Statement": {"Condition": {"StringEquals": {"a": "b"}}},
            },
        },
        "Table": {"Type": "AWS::DynamoDB::Table"},
    },
    "Outputs": {"QueueUrl": {"Condition": "Queued", "Value": {"Ref": "Queue"}}},
}


def test_what_a_condition_leaves_out_is_gone_from_the_decided_template() -> None:
    template = decided(TEMPLATE, Evaluator(template=TEMPLATE, references={"Design": "microservices"}))

    assert template == {
        "Parameters": {"Design": {"Type": "String"}},
        "Resources": {
            "Function": {
                "Type": "AWS::Serverless::Function",
                "DependsOn": ["Table"],
                "Properties": {
                    "Timeout": 29,
                    "Policies": ["always"],
                    "Statement": {"Condition": {"StringEquals": {"a": "b"}}},
                },
            },
            "Table": {"Type": "AWS::DynamoDB::Table"},
        },
        "Outputs": {},
    }


def test_what_a_condition_lets_in_is_unconditional_in_the_decided_template() -> None:
    template = decided(TEMPLATE, Evaluator(template=TEMPLATE, references={"Design": "queued"}))

    assert template["Resources"]["Queue"] == {"Type": "AWS::SQS::Queue"}
    assert template["Resources"]["Function"]["DependsOn"] == ["Queue", "Table"]
    assert template["Resources"]["Function"]["Properties"]["Queue"] == {"Ref": "Queue"}
    assert template["Outputs"] == {"QueueUrl": {"Value": {"Ref": "Queue"}}}


def test_what_cannot_be_decided_is_left_to_cloudformation() -> None:
    assert decided(TEMPLATE, Evaluator(template=TEMPLATE, references={})) == TEMPLATE


def test_deciding_leaves_the_template_that_was_read_alone() -> None:
    before = repr(TEMPLATE)

    decided(TEMPLATE, Evaluator(template=TEMPLATE, references={"Design": "microservices"}))

    assert repr(TEMPLATE) == before
