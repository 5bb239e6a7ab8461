"""The request that a custom resource's provider gets, and the answers that are taken."""

import json
from typing import Any

import pytest

from rydelab.plugins.cloudformation.custom_resource.protocol import (
    CustomResourceError,
    Request,
    read_answer,
    service_timeout_s,
)

STACK_ID = "arn:aws:cloudformation:us-east-1:000000000000:stack/s/1"
REQUEST = Request(
    request_type="Create",
    request_id="r-1",
    response_url="http://127.0.0.1:4566/answer",
    stack_id=STACK_ID,
    logical_resource_id="Stable",
    resource_type="Custom::Stable",
    properties={"ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:f", "Size": 1.5, "Open": False},
)


def answer(**members: Any) -> bytes:
    """Make a good answer with *members* in it; a member that is None is left out."""
    good = {
        "Status": "SUCCESS",
        "StackId": STACK_ID,
        "RequestId": "r-1",
        "LogicalResourceId": "Stable",
        "PhysicalResourceId": "p-1",
    }
    return json.dumps({key: value for key, value in (good | members).items() if value is not None}).encode()


def test_scalars_in_properties_reach_the_provider_as_text() -> None:
    assert REQUEST.as_event()["ResourceProperties"] == {
        "ServiceToken": REQUEST.service_token,
        "Size": "1.5",
        "Open": "false",
    }


def test_a_good_answer_gives_the_id_and_the_attributes() -> None:
    taken = read_answer(answer(Data={"Count": 3, "Open": True, "Names": ["a", 1]}, NoEcho=True), REQUEST)

    assert taken.succeeded
    assert taken.physical_resource_id == "p-1"
    assert taken.data == {"Count": "3", "Open": "true", "Names": ["a", "1"]}
    assert taken.no_echo


def test_a_failed_answer_gives_the_reason_and_needs_no_id() -> None:
    taken = read_answer(answer(Status="FAILED", Reason="no hay", PhysicalResourceId=None), REQUEST)

    assert not taken.succeeded
    assert taken.reason == "no hay"
    assert taken.physical_resource_id is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"<html>", "it is not JSON", id="not JSON"),
        pytest.param(b"[]", "it must be a JSON object", id="not an object"),
        pytest.param(answer(Status="DONE"), "Status must be SUCCESS or FAILED, got DONE", id="other status"),
        pytest.param(answer(Status=None), f"Status key in object {STACK_ID}|Stable|r-1", id="no status"),
        pytest.param(answer(PhysicalResourceId=None), "doesn't contain PhysicalResourceId key", id="no id"),
        pytest.param(answer(PhysicalResourceId=""), "doesn't contain PhysicalResourceId key", id="empty id"),
        pytest.param(answer(PhysicalResourceId=7), "doesn't contain PhysicalResourceId key", id="id is not text"),
        pytest.param(answer(PhysicalResourceId="é" * 513), "more than 1024 bytes", id="id too long in bytes"),
        pytest.param(answer(Status="FAILED"), "doesn't contain Reason key", id="failed without a reason"),
        pytest.param(answer(RequestId="r-2"), "RequestId must be the request's, r-1", id="other request"),
        pytest.param(answer(StackId=None), "doesn't contain StackId key", id="no stack"),
        pytest.param(answer(Data=[1]), "Data must be a JSON object", id="data is a list"),
        pytest.param(answer(Data={"x": "y" * 4096}), "Response object is too long.", id="more than 4096 bytes"),
    ],
)
def test_an_answer_that_cannot_be_taken_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(CustomResourceError) as refused:
        read_answer(body, REQUEST)

    assert reason in str(refused.value)


@pytest.mark.parametrize(("value", "seconds"), [(None, 3600), ("1", 1), (3600, 3600)])
def test_the_service_timeout_is_an_hour_unless_given(value: object, seconds: int) -> None:
    assert service_timeout_s({} if value is None else {"ServiceTimeout": value}) == seconds


@pytest.mark.parametrize("value", ["0", "3601", "1.5", "soon", "", True])
def test_a_wrong_service_timeout_is_named(value: object) -> None:
    with pytest.raises(CustomResourceError, match=f"ServiceTimeout must be 1 to 3600 seconds, got {value}"):
        service_timeout_s({"ServiceTimeout": value})
