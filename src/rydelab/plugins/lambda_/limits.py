"""What Lambda refuses before it runs anything, and LocalStack does not check."""

import json
from typing import Any, Final

from localstack.aws.api import CommonServiceException
from localstack.aws.api.lambda_ import InvalidParameterValueException, InvalidRequestContentException, InvocationType

# aws-facts: 6 MB synchronous, 1 MB asynchronous (Lambda API model, 2026).
_MAX_PAYLOAD_BYTES: Final = {None: 6 * 1024 * 1024, InvocationType.RequestResponse: 6 * 1024 * 1024}
_MAX_EVENT_BYTES: Final = 1024 * 1024
_RUNTIMES: Final = ("python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14")


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
