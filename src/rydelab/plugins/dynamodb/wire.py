"""Errors as DynamoDB puts them on the wire: an HTTP status and a body with ``__type``, message and members.

LocalStack's own serializer writes ``__type`` without the name space that AWS puts before it.
"""

import json
from base64 import b64encode
from http import HTTPStatus
from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext, ServiceException
from localstack.http import Response

from rydelab.plugins.dynamodb.store.errors import DynamoError

CONTENT_TYPE = "application/x-amz-json-1.0"

# Most of DynamoDB's errors have its own name space; these come from the frame that AWS builds its services in.
_DYNAMODB = "com.amazonaws.dynamodb.v20120810"
_NAME_SPACES = {
    "AccessDeniedException": "com.amazon.coral.service",
    "SerializationException": "com.amazon.coral.service",
    "UnknownOperationException": "com.amazon.coral.service",
    "ThrottlingException": "com.amazon.coral.availability",
    "ValidationException": "com.amazon.coral.validate",
}


def wire_type(code: str) -> str:
    """Return the ``__type`` of an error."""
    return f"{_NAME_SPACES.get(code, _DYNAMODB)}#{code}"


def error_response(context: RequestContext, error: DynamoError) -> Response:
    """Return the HTTP response that tells *error*."""
    # LocalStack's own handlers (its log, its counters) look for the exception here.
    context.service_exception = CommonServiceException(error.code, error.message, error.status)
    message = "Message" if error.code == "TransactionCanceledException" else "message"
    body = {"__type": wire_type(error.code), message: error.message, **error.members}
    return Response(
        json.dumps(body, default=_base64),
        status=error.status,
        headers={"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": context.request_id},
    )


def from_service_exception(error: ServiceException) -> DynamoError | None:
    """Return an error of moto's as one of ours; None if it is not the client's fault."""
    if error.status_code != HTTPStatus.BAD_REQUEST:
        return None
    return DynamoError(error.code.rpartition("#")[2], str(error))


def _base64(content: Any) -> str:
    return b64encode(bytes(content)).decode()
