"""What CloudFormation sends to a custom resource's provider, and what it accepts as the answer.

Source: "CloudFormation custom resource request and response reference" in AWS's user guide. Where AWS's own words for a
failure are known they are used.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MAX_ANSWER_BYTES = 4096
MAX_PHYSICAL_ID_BYTES = 1024
DEFAULT_SERVICE_TIMEOUT_S = 3600
MAX_SERVICE_TIMEOUT_S = 3600

RequestType = Literal["Create", "Update", "Delete"]


class CustomResourceError(Exception):
    """The operation failed; the message is the resource's status reason."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a provider."""

    request_type: RequestType
    request_id: str
    response_url: str
    stack_id: str
    logical_resource_id: str
    resource_type: str
    properties: Mapping[str, Any]
    """As in the template, ServiceToken included."""
    physical_resource_id: str | None = None
    """None for Create: the provider chooses it."""
    old_properties: Mapping[str, Any] | None = None
    """Only for Update."""

    @property
    def service_token(self) -> str:
        """The ARN of the Lambda function or SNS topic that gets the request."""
        return str(self.properties["ServiceToken"])

    def as_event(self) -> dict[str, Any]:
        """Return the JSON object that the provider gets."""
        event: dict[str, Any] = {
            "RequestType": self.request_type,
            "ServiceToken": self.service_token,
            "ResponseURL": self.response_url,
            "StackId": self.stack_id,
            "RequestId": self.request_id,
            "LogicalResourceId": self.logical_resource_id,
            "ResourceType": self.resource_type,
            "ResourceProperties": _scalars_as_text(self.properties),
        }
        if self.physical_resource_id is not None:
            event["PhysicalResourceId"] = self.physical_resource_id
        if self.old_properties is not None:
            event["OldResourceProperties"] = _scalars_as_text(self.old_properties)
        return event


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider put to the ResponseURL, checked."""

    succeeded: bool
    physical_resource_id: str | None
    """Never None if `succeeded`."""
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The attributes for ``Fn::GetAtt``; every scalar is text."""
    no_echo: bool = False
    """The data are a secret, not to be shown or logged."""


def read_answer(body: bytes, request: Request) -> Answer:
    """Read the answer to *request*. Raises CustomResourceError for one that CloudFormation does not accept."""
    if len(body) > MAX_ANSWER_BYTES:
        raise CustomResourceError("Response object is too long.")
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise CustomResourceError(f"Invalid Response object: it is not JSON ({error})") from None
    if not isinstance(answer, dict):
        raise CustomResourceError("Invalid Response object: it must be a JSON object")
    expected = {
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_resource_id,
    }
    for key, value in expected.items():
        if _member(answer, key, request) != value:
            raise CustomResourceError(f"Invalid Response object: {key} must be the request's, {value}")
    status = _member(answer, "Status", request)
    if status not in {"SUCCESS", "FAILED"}:
        raise CustomResourceError(f"Invalid Response object: Status must be SUCCESS or FAILED, got {status}")
    if status == "FAILED":
        physical_id = answer.get("PhysicalResourceId")
        return Answer(
            succeeded=False,
            physical_resource_id=physical_id if isinstance(physical_id, str) and physical_id else None,
            reason=_member(answer, "Reason", request),
        )
    return Answer(
        succeeded=True,
        physical_resource_id=_physical_id(answer, request),
        data=_data(answer),
        no_echo=answer.get("NoEcho") in (True, "true"),
    )


def service_timeout_s(properties: Mapping[str, Any]) -> int:
    """Return the seconds that CloudFormation waits for an answer. Raises CustomResourceError for a wrong setting."""
    value = properties.get("ServiceTimeout", DEFAULT_SERVICE_TIMEOUT_S)
    try:
        timeout_s = int(str(value))
    except ValueError:
        timeout_s = 0
    if not 1 <= timeout_s <= MAX_SERVICE_TIMEOUT_S:
        raise CustomResourceError(f"ServiceTimeout must be 1 to {MAX_SERVICE_TIMEOUT_S} seconds, got {value}")
    return timeout_s


def failure_reason(answer: Answer, request: Request) -> str:
    """Return the status reason of a resource whose provider answered FAILED."""
    return (
        "Received response status [FAILED] from custom resource. "
        f"Message returned: {answer.reason} (RequestId: {request.request_id})"
    )


def timeout_reason(request: Request) -> str:
    """Return the status reason of a resource whose provider did not answer in time."""
    return (
        "CloudFormation did not receive a response from your Custom Resource. "
        f"Please check your logs for requestId [{request.request_id}]."
    )


def _member(answer: Mapping[str, Any], key: str, request: Request) -> str:
    value = answer.get(key)
    if not isinstance(value, str) or not value:
        raise CustomResourceError(
            f"Vendor response doesn't contain {key} key in object "
            f"{request.stack_id}|{request.logical_resource_id}|{request.request_id}"
        )
    return value


def _physical_id(answer: Mapping[str, Any], request: Request) -> str:
    physical_id = _member(answer, "PhysicalResourceId", request)
    if len(physical_id.encode()) > MAX_PHYSICAL_ID_BYTES:
        raise CustomResourceError(f"Invalid PhysicalResourceId: it has more than {MAX_PHYSICAL_ID_BYTES} bytes")
    return physical_id


def _data(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    data = answer.get("Data") or {}
    if not isinstance(data, dict):
        raise CustomResourceError("Invalid Response object: Data must be a JSON object")
    text: Mapping[str, Any] = _scalars_as_text(data)
    return text


def _scalars_as_text(value: Any) -> Any:
    """Write numbers and truth values as CloudFormation does, which knows only text, lists and maps."""
    if isinstance(value, Mapping):
        return {key: _scalars_as_text(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_scalars_as_text(member) for member in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) or value is None else str(value)
