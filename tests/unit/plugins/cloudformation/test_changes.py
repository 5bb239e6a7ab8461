"""Which properties differ between a deployed resource and its template."""

import pytest

from rydelab.plugins.cloudformation.changes import NotUpdatableError, changed_properties, differs, refuse_changes


def test_a_number_and_its_text_are_the_same() -> None:
    previous = {"Units": {"Read": 1, "Write": "2"}, "Enabled": True, "List": ["1", 2]}
    desired = {"Units": {"Read": "1", "Write": 2}, "Enabled": "true", "List": [1, "2"]}

    assert changed_properties(previous, desired) == set()


def test_what_was_added_changed_or_removed_has_changed() -> None:
    assert changed_properties({"Gone": 1, "Same": 2, "Other": 3}, {"Same": 2, "Other": 4, "New": 5}) == {
        "Gone",
        "Other",
        "New",
    }


def test_what_only_the_deployed_resource_has_has_not_changed() -> None:
    previous = {"Arn": "arn:x", "TableName": "made-up"}

    assert changed_properties(previous, {}, computed={"Arn", "TableName"}) == set()
    assert changed_properties(previous, {"TableName": "mine"}, computed={"Arn", "TableName"}) == {"TableName"}


def test_a_change_that_cannot_be_made_is_named() -> None:
    refuse_changes("AWS::X::Y", {"Name"}, updatable={"Name", "Size"})

    with pytest.raises(NotUpdatableError, match="the lab cannot change Colour, Kind of a resource of type AWS::X::Y"):
        refuse_changes("AWS::X::Y", {"Name", "Kind", "Colour"}, updatable={"Name"})


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        pytest.param("/properties/Name", True, id="another value"),
        pytest.param("/properties/Size", False, id="the same number as text"),
        pytest.param("/properties/Where/Region", True, id="a member with another value"),
        pytest.param("/properties/Where/Zone", False, id="a member that is the same"),
        pytest.param("/properties/Absent/Member", False, id="neither has it"),
        pytest.param("/properties/Name/Member", False, id="no such member in a text"),
        pytest.param("/properties/Rules/*/Kind", False, id="below a list"),
    ],
)
def test_a_property_is_compared_by_its_place(pointer: str, *, expected: bool) -> None:
    previous = {"Name": "a", "Size": 1, "Where": {"Region": "x", "Zone": "1"}, "Rules": [{"Kind": 1}]}
    desired = {"Name": "b", "Size": "1", "Where": {"Region": "y", "Zone": 1}, "Rules": [{"Kind": 2}]}

    assert differs(previous, desired, pointer) is expected
