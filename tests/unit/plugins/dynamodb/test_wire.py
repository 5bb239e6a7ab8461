"""Errors on the wire."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from localstack.aws.api import CommonServiceException

from rydelab.plugins.dynamodb.store.errors import DynamoError, condition_failed, invalid, transaction_cancelled
from rydelab.plugins.dynamodb.wire import error_response, from_service_exception


def answered(error: DynamoError) -> tuple[Any, dict[str, Any], Any]:
    context: Any = SimpleNamespace(request_id="r-1", service_exception=None)
    response = error_response(context, error)
    return response, json.loads(response.data), context


@pytest.mark.parametrize(
    ("code", "type_"),
    [
        ("ThrottlingException", "com.amazon.coral.availability#ThrottlingException"),
        ("ValidationException", "com.amazon.coral.validate#ValidationException"),
        ("SerializationException", "com.amazon.coral.service#SerializationException"),
        ("RequestLimitExceeded", "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded"),
        (
            "ProvisionedThroughputExceededException",
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        ),
    ],
)
def test_the_type_has_the_name_space_that_aws_gives_it(code: str, type_: str) -> None:
    response, body, _ = answered(DynamoError(code, "no"))

    assert body == {"__type": type_, "message": "no"}
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/x-amz-json-1.0"
    assert response.headers["x-amzn-requestid"] == "r-1"


def test_members_go_beside_the_message_and_binary_content_as_base64() -> None:
    _, body, _ = answered(condition_failed({"p": {"S": "a"}, "b": {"B": b"\x00\xff"}}))

    assert body["Item"] == {"p": {"S": "a"}, "b": {"B": "AP8="}}


def test_a_cancellation_has_message_with_a_capital_and_its_reasons() -> None:
    _, body, _ = answered(transaction_cancelled([{"Code": "None"}]))

    assert body["Message"].endswith("[None]")
    assert "message" not in body
    assert body["CancellationReasons"] == [{"Code": "None"}]


def test_localstacks_own_handlers_find_the_exception_in_the_context() -> None:
    _, _, context = answered(invalid("no"))

    assert (context.service_exception.code, context.service_exception.status_code) == ("ValidationException", 400)


def test_what_moto_refuses_is_answered_alike_and_what_it_fails_at_is_not() -> None:
    refused = from_service_exception(
        CommonServiceException("com.amazonaws.dynamodb.v20120810#ResourceInUseException", "Table already exists: T")
    )

    assert refused is not None
    assert (refused.code, refused.message) == ("ResourceInUseException", "Table already exists: T")
    assert from_service_exception(CommonServiceException("InternalError", "oh", status_code=500)) is None
