from pathlib import Path

import pytest

from bootstrap import template
from bootstrap.errors import InputError


def _load(tmp_path: Path, text: str) -> object:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    return template.load(path)


def test_short_forms_become_cloudformations_functions(tmp_path: Path) -> None:
    loaded = _load(
        tmp_path,
        """
Conditions:
  Both: !And [!Condition A, !Not [!Equals [!Ref Stage, dev]]]
Resources:
  Thing:
    Type: A::B
    Properties:
      Arn: !GetAtt Other.Nested.Arn
      Text: !Sub
        - "${Name}-x"
        - Name: !ImportValue shared
""",
    )

    assert loaded == {
        "Conditions": {
            "Both": {"Fn::And": [{"Condition": "A"}, {"Fn::Not": [{"Fn::Equals": [{"Ref": "Stage"}, "dev"]}]}]}
        },
        "Resources": {
            "Thing": {
                "Type": "A::B",
                "Properties": {
                    "Arn": {"Fn::GetAtt": ["Other", "Nested.Arn"]},
                    "Text": {"Fn::Sub": ["${Name}-x", {"Name": {"Fn::ImportValue": "shared"}}]},
                },
            }
        },
    }


def test_a_policy_version_stays_text_and_is_not_read_as_a_date(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "Resources: {R: {Type: T, Properties: {Version: 2012-10-17, Count: 3, Enabled: true}}}")

    assert loaded == {
        "Resources": {"R": {"Type": "T", "Properties": {"Version": "2012-10-17", "Count": 3, "Enabled": True}}}
    }


def test_json_is_a_template_too(tmp_path: Path) -> None:
    loaded = _load(tmp_path, '{"Resources": {"R": {"Type": "T", "Properties": {"P": {"Ref": "X"}}}}}')

    assert loaded == {"Resources": {"R": {"Type": "T", "Properties": {"P": {"Ref": "X"}}}}}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("Resources:\n  R: {Type: T\n", "line 3, column 1", id="broken yaml, with its line"),
        pytest.param("- a\n- b\n", "no Resources", id="a list"),
        pytest.param("", "no Resources", id="nothing"),
        pytest.param("Resources: {}", "no Resources", id="no resource"),
        pytest.param("Resources: {R: {Properties: {}}}", "resource R must have a Type", id="no type"),
        pytest.param("Resources: {R: text}", "R must be a mapping", id="a resource that is text"),
        pytest.param("Resources: {R: {Type: T}}\nParameters: [a]", "Parameters must be a mapping", id="wrong section"),
        pytest.param("a: !!python/object:os.system {}", "could not determine a constructor", id="a python object"),
    ],
)
def test_what_is_not_a_template_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as error:
        _load(tmp_path, text)

    assert "template.yaml" in str(error.value)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(InputError, match="cannot be read"):
        template.load(path)
