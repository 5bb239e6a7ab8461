"""What a policy's conditions can ask of a request."""

import pytest

from rydelab.iam.principals import Anybody, RoleSession, Service
from rydelab.plugins.permissions.callers import RoleCaller
from rydelab.plugins.permissions.condition_keys import ConditionKeys, Facts
from rydelab.plugins.permissions.needs import Need

ROLE = RoleSession("000000000000", "arn:aws:iam::000000000000:role/r", "f", "AROA1")
NEED = Need("sns:Subscribe", "arn:aws:sns:us-east-1:000000000000:t", {"sns:protocol": ("sqs",)})
TOPIC = "arn:aws:sns:us-east-1:111111111111:t"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:principalarn", ROLE.role_arn),
        ("aws:userid", "AROA1:f"),
        ("aws:principalisawsservice", "false"),
        ("aws:requestedregion", "us-east-1"),
        ("sns:protocol", "sqs"),
        ("aws:sourceip", None),
        ("aws:sourcearn", None),
        ("aws:principaltag/team", None),
        ("aws:unheardof", None),
    ],
)
def test_a_roles_request_has(key: str, value: str | None) -> None:
    keys = ConditionKeys(RoleCaller(ROLE, None), NEED, Facts("us-east-1", "000000000000"))

    assert keys(key) == (None if value is None else (value,))


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        ("sns", "aws:sourcearn", TOPIC),
        ("sns", "aws:sourceaccount", "111111111111"),
        ("sns", "aws:sourceowner", None),
        ("events", "aws:sourceowner", "111111111111"),
        ("sns", "aws:principalservicename", "sns.amazonaws.com"),
        ("sns", "aws:principalarn", None),
    ],
)
def test_a_services_request_has(service: str, key: str, value: str | None) -> None:
    keys = ConditionKeys(Service(service, "us-east-1"), NEED, Facts("us-east-1", "000000000000", source_arn=TOPIC))

    assert keys(key) == (None if value is None else (value,))


def test_a_bucket_acts_for_its_own_account() -> None:
    facts = Facts("us-east-1", "000000000000", source_arn="arn:aws:s3:::bucket")

    assert ConditionKeys(Service("s3", "us-east-1"), NEED, facts)("aws:sourceaccount") == ("000000000000",)


def test_anybody_is_nobody_in_particular() -> None:
    keys = ConditionKeys(Anybody(), NEED, Facts("us-east-1", "000000000000"))

    assert keys("aws:principalarn") is None
    assert keys("aws:securetransport") == ("true",)
