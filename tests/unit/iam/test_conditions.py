"""Condition operators, in a policy whose one statement they decide on."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from rydelab.iam.conditions import read_conditions
from rydelab.iam.errors import PolicyError

REQUEST = {
    "aws:username": ("mary",),
    "aws:sourceip": ("203.0.113.7",),
    "aws:currenttime": ("2026-11-21T05:00:00+00:00",),
    "aws:epochtime": ("1795237200",),
    "aws:securetransport": ("true",),
    "aws:sourcearn": ("arn:aws:sns:us-east-1:000000000000:rides",),
    "aws:tagkeys": ("team", "stage"),
    "s3:max-keys": ("10",),
    "empty": (),
}


def holds(operator: str, key: str, wanted: Any, values: dict[str, tuple[str, ...]] | None = None) -> bool:
    conditions = read_conditions({operator: {key: wanted}}, fills_variables=True)
    return all(condition.holds((REQUEST if values is None else values).get) for condition in conditions)


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "met"),
    [
        ("StringEquals", "aws:username", "mary", True),
        ("StringEquals", "AWS:UserName", ["john", "mary"], True),
        ("StringEquals", "aws:username", "Mary", False),
        ("StringEquals", "aws:username", "m*", False),
        ("StringEquals", "aws:username", "${aws:username}", True),
        ("StringNotEquals", "aws:username", ["john", "mary"], False),
        ("StringEqualsIgnoreCase", "aws:username", "Mary", True),
        ("StringNotEqualsIgnoreCase", "aws:username", "Mary", False),
        ("StringLike", "aws:username", "m?r*", True),
        ("StringNotLike", "aws:username", "m?r*", False),
        ("NumericEquals", "s3:max-keys", 10, True),
        ("NumericNotEquals", "s3:max-keys", "10.0", False),
        ("NumericLessThan", "s3:max-keys", "10", False),
        ("NumericLessThanEquals", "s3:max-keys", "10", True),
        ("NumericGreaterThan", "s3:max-keys", 9.5, True),
        ("NumericGreaterThanEquals", "s3:max-keys", "11", False),
        ("NumericEquals", "aws:username", "10", False),
        ("DateLessThan", "aws:CurrentTime", "2026-11-21T05:00:01Z", True),
        ("DateLessThanEquals", "aws:CurrentTime", "2026-11-21T05:00:00", True),
        ("DateGreaterThan", "aws:CurrentTime", "2026-11-21T07:00:00+02:00", False),
        ("DateGreaterThanEquals", "aws:EpochTime", "2026-11-21T05:00:00Z", True),
        ("DateEquals", "aws:EpochTime", "1795237200", True),
        ("DateNotEquals", "aws:EpochTime", "1795237201", True),
        ("DateLessThan", "aws:CurrentTime", "soon", False),
        ("Bool", "aws:SecureTransport", True, True),
        ("Bool", "aws:SecureTransport", "False", False),
        ("IpAddress", "aws:SourceIp", "203.0.113.0/24", True),
        ("IpAddress", "aws:SourceIp", ["198.51.100.1", "2001:db8::/32"], False),
        ("NotIpAddress", "aws:SourceIp", "203.0.113.7", False),
        ("ArnEquals", "aws:SourceArn", "arn:aws:sns:us-east-1:*:rides", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:r*", True),
        ("ArnNotLike", "aws:SourceArn", "arn:aws:sns:*:*:r*", False),
        ("ArnNotEquals", "aws:SourceArn", "arn:aws:sqs:*:*:*", True),
        ("Null", "aws:username", "false", True),
        ("Null", "aws:PrincipalTag/team", True, True),
        ("BinaryEquals", "aws:username", "mary", True),
    ],
)
def test_operators_compare_as_documented(operator: str, key: str, wanted: Any, *, met: bool) -> None:
    assert holds(operator, key, wanted) is met


@pytest.mark.parametrize(
    ("operator", "met"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("NumericLessThan", False),
        ("NotIpAddress", True),
        ("Bool", False),
        ("ArnLikeIfExists", True),
    ],
)
@pytest.mark.parametrize("key", ["absent", "empty"])
def test_a_key_that_the_request_does_not_have(operator: str, key: str, *, met: bool) -> None:
    assert holds(operator, key, "anything") is met


@pytest.mark.parametrize(
    ("operator", "wanted", "met"),
    [
        ("ForAllValues:StringEquals", ["team", "stage", "cost"], True),
        ("ForAllValues:StringEquals", ["team"], False),
        ("ForAnyValue:StringEquals", ["team"], True),
        ("ForAnyValue:StringEquals", ["cost"], False),
        ("ForAllValues:StringNotEquals", ["cost"], True),
        ("ForAllValues:StringNotEquals", ["team"], False),
        ("ForAnyValue:StringNotEquals", ["team"], True),
        ("ForAnyValue:StringLikeIfExists", ["st*"], True),
    ],
)
def test_several_values_of_a_key(operator: str, wanted: list[str], *, met: bool) -> None:
    assert holds(operator, "aws:TagKeys", wanted) is met


def test_all_conditions_of_a_statement_must_hold() -> None:
    both = {
        "StringEquals": {"aws:username": "mary", "aws:sourceip": "198.51.100.1"},
        "Bool": {"aws:SecureTransport": "true"},
    }

    conditions = read_conditions(both, fills_variables=True)

    assert [condition.holds(REQUEST.get) for condition in conditions] == [True, False, True]


def test_variables_are_literal_in_a_policy_of_the_older_version() -> None:
    (condition,) = read_conditions({"StringEquals": {"aws:username": "${aws:username}"}}, fills_variables=False)

    assert not condition.holds(REQUEST.get)
    assert condition.holds({"aws:username": ("${aws:username}",)}.get)


@pytest.mark.parametrize(
    "block",
    [{"StringIs": {"a": "b"}}, {"ForSomeValues:StringEquals": {"a": "b"}}, {"StringEquals": "a"}, "StringEquals"],
)
def test_what_is_no_condition_is_refused(block: Any) -> None:
    with pytest.raises(PolicyError):
        read_conditions(block, fills_variables=True)


some_examples = examples(max_examples=60, deadline=None)
PAIRS = [
    ("StringEquals", "StringNotEquals"),
    ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    ("StringLike", "StringNotLike"),
    ("NumericEquals", "NumericNotEquals"),
    ("DateEquals", "DateNotEquals"),
    ("IpAddress", "NotIpAddress"),
    ("ArnLike", "ArnNotLike"),
]
some_values = st.sampled_from(["a", "A", "b*", "7", "7.0", "10.0.0.1", "10.0.0.0/8", "arn:a:b:c:d:e", "arn:a:b:*:d:e"])


@some_examples
@given(pair=st.sampled_from(PAIRS), value=some_values, wanted=st.lists(some_values, min_size=1, max_size=3))
def test_a_negated_operator_is_the_opposite(pair: tuple[str, str], value: str, wanted: list[str]) -> None:
    positive, negated = (holds(operator, "key", wanted, {"key": (value,)}) for operator in pair)

    assert positive != negated


@some_examples
@given(
    pair=st.sampled_from(PAIRS),
    values=st.lists(some_values, min_size=1, max_size=3),
    wanted=st.lists(some_values, min_size=1, max_size=3),
)
def test_for_all_values_not_is_the_opposite_of_for_any_value(
    pair: tuple[str, str], values: list[str], wanted: list[str]
) -> None:
    request = {"key": tuple(values)}

    none_fits = holds(f"ForAllValues:{pair[1]}", "key", wanted, request)
    one_fits = holds(f"ForAnyValue:{pair[0]}", "key", wanted, request)

    assert none_fits != one_fits
