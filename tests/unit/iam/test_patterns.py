"""Wildcards and policy variables."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from rydelab.iam.patterns import arn_matches, matches, with_values, without_wildcards

some_examples = examples(max_examples=60, deadline=None)
few_letters = st.text("ab:", max_size=6)
patterns = st.text("ab:*?", max_size=6)


@some_examples
@given(pattern=patterns, value=few_letters)
def test_wildcards_stand_for_what_they_should(pattern: str, value: str) -> None:
    @cache
    def stands_for(at: int, left: int) -> bool:
        if at == len(pattern):
            return left == len(value)
        if pattern[at] == "*":
            return stands_for(at + 1, left) or (left < len(value) and stands_for(at, left + 1))
        return left < len(value) and pattern[at] in ("?", value[left]) and stands_for(at + 1, left + 1)

    assert matches(pattern, value) == stands_for(0, 0)


@pytest.mark.parametrize(
    ("pattern", "arn", "fits"),
    [
        ("arn:aws:sns:us-east-1:000000000000:rides", "arn:aws:sns:us-east-1:000000000000:rides", True),
        ("arn:aws:sns:*:*:rides*", "arn:aws:sns:us-east-1:000000000000:rides-dev", True),
        ("arn:aws:sns:*:rides", "arn:aws:sns:us-east-1:000000000000:rides", False),
        ("arn:aws:execute-api:*:*:api/*/POST/ride", "arn:aws:execute-api:eu-west-1:1:api/dev/POST/ride", True),
        ("arn:aws:lambda:*:*:function:*", "arn:aws:lambda:eu-west-1:1:function:Ride:live", True),
        ("*", "arn:aws:sns:us-east-1:000000000000:rides", False),
    ],
)
def test_the_parts_of_an_arn_are_compared_one_by_one(pattern: str, arn: str, *, fits: bool) -> None:
    assert arn_matches(pattern, arn) is fits


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("rides", "rides"),
        ("${aws:username}/*", "mary/*"),
        ("${AWS:UserName}", "mary"),
        ("${aws:PrincipalTag/team, 'none'}", "none"),
        ("${aws:nothing}", None),
        ("a${*}b", "a${*}b"),
        ("${aws:userid}", "x${*}y"),
    ],
)
def test_variables_are_filled_from_the_request(text: str, filled: str | None) -> None:
    values = {"aws:username": ("mary",), "aws:userid": ("x*y",)}

    assert with_values(text, values.get) == filled


def test_a_wildcard_that_comes_from_a_value_stands_for_itself() -> None:
    filled = with_values("${aws:userid}", {"aws:userid": ("x*y",)}.get)

    assert filled is not None
    assert matches(filled, "x*y")
    assert not matches(filled, "xzy")
    assert without_wildcards(filled) == "x*y"
