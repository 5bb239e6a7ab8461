"""Who may do what: examples of AWS's evaluation logic, and what holds for any policies."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from rydelab.iam.document import Policy, read
from rydelab.iam.errors import PolicyError
from rydelab.iam.evaluation import Limit, Request, evaluate
from rydelab.iam.principals import RoleSession, Service

ACCOUNT, OTHER_ACCOUNT = "000000000000", "111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/PutRide"
SESSION = RoleSession(ACCOUNT, ROLE, "PutRideRecordHttp", "AROAEXAMPLE")
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/Rides"
PUT = Request(SESSION, "dynamodb:PutItem", TABLE, ACCOUNT)
ALLOW = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": TABLE}
DENY = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> Policy:
    return read(json.dumps({"Version": "2012-10-17", "Statement": statements}))


def reason(request: Request, *identity: dict[str, Any], **others: Any) -> str | None:
    """Return why the request is refused, as AWS says it."""
    refusal = evaluate(request, identity=[policy(*identity)], **others)
    return None if refusal is None else refusal.why()


def test_what_nothing_allows_is_refused_in_awss_words() -> None:
    refusal = evaluate(PUT)

    assert refusal is not None
    assert f"{refusal.what()} {refusal.why()}" == (
        "User: arn:aws:sts::000000000000:assumed-role/PutRide/PutRideRecordHttp is not authorized to perform: "
        "dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/Rides because no identity-based "
        "policy allows the dynamodb:PutItem action"
    )


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({}, True),
        ({"Action": "DYNAMODB:putitem"}, True),
        ({"Action": ["dynamodb:Get*", "dynamodb:Put????"]}, True),
        ({"Action": "*"}, True),
        ({"Action": "dynamodb:Put"}, False),
        ({"Resource": "*"}, True),
        ({"Resource": "arn:aws:dynamodb:*:*:table/*"}, True),
        ({"Resource": f"{TABLE}/index/*"}, False),
        ({"Resource": "arn:aws:dynamodb"}, True),
        ({"Resource": TABLE.lower()}, False),
        ({"Resource": "arn:aws:dynamodb:*:${aws:PrincipalAccount}:table/Rides"}, True),
        ({"Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}}, True),
        ({"Condition": {"StringEquals": {"aws:PrincipalAccount": OTHER_ACCOUNT}}}, False),
    ],
)
def test_a_statement_applies_if_action_resource_and_conditions_fit(change: dict[str, Any], *, allowed: bool) -> None:
    request = Request(*(SESSION, "dynamodb:PutItem", TABLE, ACCOUNT), {"aws:principalaccount": (ACCOUNT,)}.get)

    assert (reason(request, {**ALLOW, **change}) is None) is allowed


def test_not_action_and_not_resource_are_all_others() -> None:
    all_but_scan = {"Effect": "Allow", "NotAction": "dynamodb:Scan", "NotResource": "arn:aws:dynamodb:*:*:table/Secret"}

    assert reason(PUT, all_but_scan) is None
    assert reason(Request(SESSION, "dynamodb:Scan", TABLE, ACCOUNT), all_but_scan) is not None
    assert reason(Request(SESSION, "dynamodb:PutItem", TABLE.replace("Rides", "Secret"), ACCOUNT), all_but_scan)


def test_a_deny_wins_wherever_it_is() -> None:
    assert reason(PUT, ALLOW, DENY) == "with an explicit deny in an identity-based policy"
    of_table = policy({**DENY, "Principal": {"AWS": ROLE}})
    assert reason(PUT, ALLOW, resource=of_table) == "with an explicit deny in a resource-based policy"
    limits = [Limit("permissions boundary", [policy(ALLOW, DENY)])]
    assert reason(PUT, ALLOW, limits=limits) == "with an explicit deny in a permissions boundary"


def test_a_limit_allows_nothing_and_takes_away_what_it_does_not_allow() -> None:
    assert reason(PUT, limits=[Limit("permissions boundary", [policy(ALLOW)])]) is not None
    assert reason(PUT, ALLOW, limits=[Limit("permissions boundary", [policy(ALLOW)])]) is None
    assert reason(PUT, ALLOW, limits=[Limit("session policy", [policy()])]) == (
        "because no session policy allows the dynamodb:PutItem action"
    )


@pytest.mark.parametrize(
    ("principal", "enough"),
    [
        ({"AWS": ROLE}, True),
        ({"AWS": SESSION.arn}, True),
        ({"AWS": "AROAEXAMPLE"}, True),
        ("*", True),
        ({"AWS": [OTHER_ACCOUNT, "*"]}, True),
        ({"AWS": ACCOUNT}, False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, False),
        ({"Service": "lambda.amazonaws.com"}, False),
        ({"AWS": "arn:aws:iam::000000000000:role/Other"}, False),
    ],
)
def test_within_an_account_a_resources_policy_that_names_the_caller_is_enough(principal: Any, *, enough: bool) -> None:
    of_table = policy({**ALLOW, "Principal": principal})

    assert (reason(PUT, resource=of_table) is None) is enough
    assert reason(PUT, ALLOW, resource=of_table) is None


def test_between_accounts_both_must_allow() -> None:
    table = TABLE.replace(ACCOUNT, OTHER_ACCOUNT)
    put = Request(SESSION, "dynamodb:PutItem", table, OTHER_ACCOUNT)
    allow = {**ALLOW, "Resource": table}
    of_table = policy({**allow, "Principal": {"AWS": ACCOUNT}})

    assert reason(put, allow) == "because no resource-based policy allows the dynamodb:PutItem action"
    assert reason(put, resource=of_table) == "because no identity-based policy allows the dynamodb:PutItem action"
    assert reason(put, allow, resource=of_table) is None


def test_a_role_is_assumed_only_by_whom_its_trust_policy_names() -> None:
    assume = Request(SESSION, "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/Admin", ACCOUNT)
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    by_name = policy({**trust, "Principal": {"AWS": ROLE}})
    by_account = policy({**trust, "Principal": {"AWS": ACCOUNT}})

    assert reason(assume, allow, resource_must_allow=True) is not None
    assert reason(assume, resource=by_name, resource_must_allow=True) is None
    assert reason(assume, resource=by_account, resource_must_allow=True) is not None
    assert reason(assume, allow, resource=by_account, resource_must_allow=True) is None


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({}, True),
        ({"Principal": {"Service": ["events.amazonaws.com", "sns.us-east-1.amazonaws.com"]}}, True),
        ({"Principal": {"Service": "sns.eu-west-1.amazonaws.com"}}, False),
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": ACCOUNT}}, False),
        ({"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:sns:*:*:rides"}}}, True),
        ({"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:sns:*:*:other"}}}, False),
        ({"NotPrincipal": {"Service": "sns.amazonaws.com"}}, False),
    ],
)
def test_a_service_needs_the_resources_policy(change: dict[str, Any], *, allowed: bool) -> None:
    topic = {"aws:sourcearn": (f"arn:aws:sns:us-east-1:{ACCOUNT}:rides",)}
    send = Request(
        Service("sns", "us-east-1"), "sqs:SendMessage", f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", ACCOUNT, topic.get
    )
    statement = {
        "Effect": "Allow",
        "Action": "SQS:SendMessage",
        "Resource": "*",
        "Principal": {"Service": "sns.amazonaws.com"},
    }
    statement |= change
    if "NotPrincipal" in change:
        del statement["Principal"]

    assert (evaluate(send, resource=policy(statement)) is None) is allowed


def test_a_resource_that_the_lab_cannot_name_is_allowed_by_any_and_denied_by_a_star_alone() -> None:
    unnamed = Request(SESSION, "glue:GetTable", None, ACCOUNT)
    some = {"Effect": "Allow", "Action": "glue:*", "Resource": "arn:aws:glue:*:*:table/x"}

    assert reason(unnamed, some) is None
    assert reason(unnamed, some, {**some, "Effect": "Deny"}) is None
    assert reason(unnamed, some, {**some, "Effect": "Deny", "Resource": "*"}) is not None


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        '{"Statement": [1]}',
        '{"Statement": {"Effect": "Maybe", "Action": "*", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "a:b", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": [1], "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Is": {"a": "b"}}}}',
    ],
)
def test_what_is_no_policy_is_refused(document: str) -> None:
    with pytest.raises(PolicyError):
        read(document)


# ---- for any policies ----

some_examples = examples(max_examples=60, deadline=None)
actions = st.sampled_from(["dynamodb:PutItem", "dynamodb:Scan", "dynamodb:*", "sqs:SendMessage", "*"])
resources = st.sampled_from([TABLE, "arn:aws:dynamodb:*:*:table/*", "arn:aws:sqs:*:*:*", "*"])
conditions = st.sampled_from([{}, {"StringEquals": {"color": "White"}}, {"StringNotLike": {"color": "W*"}}])
statements = st.builds(
    lambda effect, acts, where, condition, negated: {
        "Effect": effect,
        ("NotAction" if negated else "Action"): acts,
        "Resource": where,
        "Condition": condition,
    },
    st.sampled_from(["Allow", "Deny"]),
    st.lists(actions, min_size=1, max_size=2),
    st.lists(resources, min_size=1, max_size=2),
    conditions,
    st.booleans(),
)
requests = st.builds(
    lambda action, resource, colors: Request(SESSION, action, resource, ACCOUNT, colors.get),
    st.sampled_from(["dynamodb:PutItem", "dynamodb:Scan", "sqs:SendMessage"]),
    st.sampled_from([TABLE, f"arn:aws:sqs:us-east-1:{ACCOUNT}:rides"]),
    st.sampled_from([{}, {"color": ("White",)}, {"color": ("Golden",)}]),
)


def allowed(request: Request, given_statements: list[dict[str, Any]]) -> bool:
    return evaluate(request, identity=[policy(*given_statements)]) is None


@some_examples
@given(requests, st.lists(statements, max_size=4))
def test_a_request_is_allowed_if_and_only_if_an_allow_and_no_deny_applies(
    request: Request, some: list[dict[str, Any]]
) -> None:
    # One statement alone: what it applies to is seen by letting it allow.
    applies = [allowed(request, [{**one, "Effect": "Allow"}]) for one in some]
    effects = {one["Effect"] for one, does in zip(some, applies, strict=True) if does}

    assert allowed(request, some) == (effects == {"Allow"})


@some_examples
@given(requests, st.lists(statements, min_size=1, max_size=4), st.randoms())
def test_neither_order_nor_grouping_of_statements_matters(
    request: Request, some: list[dict[str, Any]], random: Any
) -> None:
    shuffled = random.sample(some, len(some))

    apart = evaluate(request, identity=[policy(one) for one in shuffled]) is None

    assert apart == allowed(request, some)


@some_examples
@given(requests, st.lists(statements, max_size=3), statements)
def test_one_more_allow_never_takes_away_and_one_more_deny_never_gives(
    request: Request, some: list[dict[str, Any]], one: dict[str, Any]
) -> None:
    before = allowed(request, some)

    assert allowed(request, [*some, {**one, "Effect": "Allow"}]) >= before
    assert allowed(request, [*some, {**one, "Effect": "Deny"}]) <= before


@some_examples
@given(requests, statements)
def test_a_list_of_actions_and_resources_is_as_good_as_single_statements(request: Request, one: dict[str, Any]) -> None:
    assume("Action" in one)  # the list of a NotAction is one thing
    single = [
        {**one, "Action": action, "Resource": resource} for action in one["Action"] for resource in one["Resource"]
    ]

    assert allowed(request, single) == allowed(request, [one])
