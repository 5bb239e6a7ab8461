"""The CloudFormation resource type: asks a resource's provider, waits for its answer, and keeps what it said."""

import json
import logging
import secrets
import string
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from localstack import config
from localstack.http import Request as HttpRequest
from localstack.http import Response
from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)
from localstack.services.edge import ROUTER

from rydelab.plugins.cloudformation.custom_resource.inbox import PATH, Inbox
from rydelab.plugins.cloudformation.custom_resource.protocol import (
    Answer,
    CustomResourceError,
    Request,
    RequestType,
    failure_reason,
    read_answer,
    service_timeout_s,
    timeout_reason,
)

LOG = logging.getLogger(__name__)

STATE = "rydelab-custom-resource"
"""The key, among the attributes that a provider returned, of what we must remember about the resource."""

_inbox_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a resource that was asked for before."""

    physical_resource_id: str
    properties: Mapping[str, Any]
    requested: bool
    """False if creation failed before its provider was asked: then there is nothing to delete."""

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> "Known":
        """Read it from the *model* that an earlier operation returned."""
        return cls(**model[STATE])

    def as_model(self, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what LocalStack keeps for the resource: the attributes for ``Fn::GetAtt``, and this."""
        state = {
            "physical_resource_id": self.physical_resource_id,
            "properties": dict(self.properties),
            "requested": self.requested,
        }
        return {**_by_path(data or {}), STATE: state}


class CustomResourceProvider(ResourceProvider):  # type: ignore[misc]
    """Create, update and delete, each by one request to the Lambda function or SNS topic in ``ServiceToken``."""

    SCHEMA = {"primaryIdentifier": [f"/properties/{STATE}/physical_resource_id"]}  # noqa: RUF012 (LocalStack's name)

    def create(self, request: ResourceRequest) -> ProgressEvent:
        """Ask for a new resource; its provider chooses the physical id."""
        known = Known(_placeholder_id(request), request.desired_state, requested=False)
        try:
            answer = _ask(request, "Create", request.desired_state)
        except _NotAskedError as error:
            return _failed(known, str(error))
        except CustomResourceError as error:
            return _failed(Known(known.physical_resource_id, known.properties, requested=True), str(error))
        return _succeeded(answer, request.desired_state)

    def update(self, request: ResourceRequest) -> ProgressEvent:
        """Ask for a change. A new physical id in the answer means a replacement: the old resource is deleted."""
        known = Known.of(request.previous_state)
        if known.properties.get("ServiceToken") != request.desired_state.get("ServiceToken"):
            return _failed(known, "Modifying service token is not allowed.")
        try:
            answer = _ask(request, "Update", request.desired_state, known)
        except CustomResourceError as error:
            return _failed(known, str(error))
        if answer.physical_resource_id != known.physical_resource_id:
            # AWS does this after all other resources, and a failure here does not fail the update either.
            try:
                _ask(request, "Delete", known.properties, known)
            except CustomResourceError as error:
                LOG.warning("%s: the replaced resource was not deleted: %s", request.logical_resource_id, error)
        return _succeeded(answer, request.desired_state)

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        """Ask for the end of the resource."""
        known = Known.of(request.desired_state)
        if known.requested:
            try:
                _ask(request, "Delete", known.properties, known)
            except CustomResourceError as error:
                return _failed(known, str(error))
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model={})


class CustomResourceProviderPlugin(CloudFormationResourceProviderPlugin):  # type: ignore[misc]
    """Also serves ``Custom::…``: LocalStack looks those types up under this name."""

    name = "AWS::CloudFormation::CustomResource"

    def __init__(self) -> None:
        self.factory: type[ResourceProvider] | None = None

    def load(self) -> None:
        """Make the resource type available."""
        self.factory = CustomResourceProvider


class _NotAskedError(CustomResourceError):
    """The request did not reach the provider of the resource."""


def _ask(
    request: ResourceRequest, request_type: RequestType, properties: Mapping[str, Any], known: Known | None = None
) -> Answer:
    """Send one request and wait for a good answer. Raises CustomResourceError with the reason if there is none."""
    if not isinstance(properties.get("ServiceToken"), str):
        raise _NotAskedError("Invalid service token.")
    try:
        timeout_s = service_timeout_s(properties)
    except CustomResourceError as error:
        raise _NotAskedError(str(error)) from None
    request_id = str(uuid.uuid4())
    with _inbox().expect(request_id) as expectation:
        message = Request(
            request_type=request_type,
            request_id=request_id,
            response_url=expectation.url,
            stack_id=request.stack_id,
            logical_resource_id=request.logical_resource_id,
            resource_type=request.resource_type,
            properties=properties,
            physical_resource_id=known.physical_resource_id if known else None,
            old_properties=known.properties if known and request_type == "Update" else None,
        )
        LOG.info(
            "%s of %s: request %s to %s", request_type, message.logical_resource_id, request_id, message.service_token
        )
        _send(request.aws_client_factory, message)
        body = expectation.wait(timeout_s)
    if body is None:
        raise CustomResourceError(timeout_reason(message))
    answer = read_answer(body, message)
    if not answer.succeeded:
        raise CustomResourceError(failure_reason(answer, message))
    return answer


def _send(clients: Any, message: Request) -> None:
    token = message.service_token
    event = json.dumps(message.as_event())
    try:
        match token.split(":")[2:3]:
            case ["lambda"]:
                clients.lambda_.invoke(FunctionName=token, InvocationType="Event", Payload=event.encode())
            case ["sns"]:
                clients.sns.publish(TopicArn=token, Subject="AWS CloudFormation custom resource request", Message=event)
            case _:
                raise _NotAskedError("Invalid service token.")
    except (ClientError, BotoCoreError) as error:
        raise _NotAskedError(f"The request could not be sent to {token}: {error}") from error


@cache
def _make_inbox() -> Inbox:
    inbox = Inbox(config.external_service_url(protocol="http"))

    def put(request: HttpRequest, request_id: str) -> Response:
        accepted = inbox.deliver(request_id, request.args.get("X-Amz-Signature", ""), request.get_data())
        return Response(status=200 if accepted else 403)

    ROUTER.add(f"{PATH}/<request_id>", put, methods=["PUT"])
    return inbox


def _inbox() -> Inbox:
    """Return the one inbox of this process; the first call adds its route to the gateway."""
    with _inbox_lock:  # two stacks may be deployed at once, and `cache` alone would make two
        return _make_inbox()


def _succeeded(answer: Answer, properties: Mapping[str, Any]) -> ProgressEvent:
    known = Known(answer.physical_resource_id or "", properties, requested=True)
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=known.as_model(answer.data))


def _failed(known: Known, reason: str) -> ProgressEvent:
    return ProgressEvent(status=OperationStatus.FAILED, resource_model=known.as_model(), message=reason)


def _placeholder_id(request: ResourceRequest) -> str:
    """Make the physical id that CloudFormation shows for a resource whose provider has not named one."""
    suffix = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(12))
    return f"{request.stack_name}-{request.logical_resource_id}-{suffix}"


def _by_path(data: Mapping[str, Any]) -> dict[str, Any]:
    """Add each attribute whose name has dots where LocalStack's ``Fn::GetAtt`` looks for it: one map in another."""
    attributes = dict(data)
    for name, value in data.items():
        *parents, last = name.split(".")
        place: Any = attributes
        for parent in parents:
            place = place.setdefault(parent, {}) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[last] = value
    return attributes
