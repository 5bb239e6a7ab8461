"""What Lambda refuses before it runs anything, and LocalStack does not check."""

import base64
import json
from typing import Any, Final

from localstack.aws.api import CommonServiceException
from localstack.aws.api.lambda_ import InvalidParameterValueException, InvalidRequestContentException, InvocationType

# aws-facts: 6 MB synchronous, 1 MB asynchronous (Lambda API model, 2026).
_MAX_PAYLOAD_BYTES: Final = {None: 6 * 1024 * 1024, InvocationType.RequestResponse: 6 * 1024 * 1024}
_MAX_EVENT_BYTES: Final = 1024 * 1024
_RUNTIMES: Final = ("python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14")

# AWS Lambda developer guide, "Reserved environment variables".
_RESERVED_VARIABLES: Final = {
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
}


def check_payload(payload: bytes | None, invocation_type: str | None) -> None:
    """Refuse a payload that is too large (413) or is not JSON (400)."""
    if not payload:
        return
    limit_bytes = _MAX_PAYLOAD_BYTES.get(invocation_type, _MAX_EVENT_BYTES)
    if len(payload) > limit_bytes:
        message = f"Request must be smaller than {limit_bytes} bytes for the InvokeFunction operation"
        raise CommonServiceException("RequestEntityTooLargeException", message, status_code=413, sender_fault=True)
    try:
        json.loads(payload)
    except ValueError as error:
        raise InvalidRequestContentException(
            f"Could not parse request body into json: Could not parse payload into json: {error}", Type="User"
        ) from error


def client_context_header(client_context: str | None, invocation_type: str | None) -> str | None:
    """Return a request's client context as the Runtime API hands it out: JSON in ASCII on one line.

    Functions get it in synchronous invocations only. Raises InvalidRequestContentException if it is no JSON in Base64.
    """
    if not client_context:
        return None
    try:
        document = json.loads(base64.b64decode(client_context, validate=True))
        if not isinstance(document, dict):
            raise ValueError("not an object")  # noqa: TRY004, TRY301 (like the others, a request that cannot be read)
    except ValueError as error:
        raise InvalidRequestContentException(
            "Client context must be a valid Base64-encoded JSON object.", Type="User"
        ) from error
    return None if invocation_type == InvocationType.Event else json.dumps(document, separators=(",", ":"))


def check_environment(request: dict[str, Any]) -> None:
    """Refuse environment variables that are Lambda's own."""
    given = request.get("Environment", {}).get("Variables", {})
    if reserved := sorted(_RESERVED_VARIABLES & set(given)):
        raise InvalidParameterValueException(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}",
            Type="User",
        )


def check_runtime(request: dict[str, Any]) -> None:
    """Refuse a function that this lab could not run, when it is created and not when it is first called."""
    if request.get("PackageType", "Zip") != "Zip":
        raise InvalidParameterValueException(
            f"rydelab runs functions from zip archives only, not package type {request['PackageType']}.", Type="User"
        )
    runtime = request.get("Runtime")
    if runtime is not None and runtime not in _RUNTIMES:
        raise InvalidParameterValueException(
            f"rydelab runs Python functions only and cannot run runtime {runtime}; it accepts {', '.join(_RUNTIMES)}.",
            Type="User",
        )
