"""``AWS::ApplicationAutoScaling::ScalableTarget`` and ``::ScalingPolicy``, by the service's own API."""

from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError
from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)

type Members = dict[str, Any]

_TARGET_ID = ("ResourceId", "ScalableDimension", "ServiceNamespace")
_ID_SEPARATOR = "|"


class ScalableTargetProvider(ResourceProvider):  # type: ignore[misc]
    """A scalable target with its scheduled actions. Its physical id is ``resource|dimension|namespace``, as on AWS."""

    SCHEMA = {  # noqa: RUF012 (LocalStack's name)
        "primaryIdentifier": ["/properties/Id"],
        "createOnlyProperties": [f"/properties/{name}" for name in _TARGET_ID],
    }

    def create(self, request: ResourceRequest) -> ProgressEvent:
        """Register the target, then its scheduled actions."""
        return _carried_out(request, lambda client: _register(client, request.desired_state))

    def update(self, request: ResourceRequest) -> ProgressEvent:
        """Change what is not part of the id; scheduled actions that are gone from the template are deleted."""

        def update(client: Any) -> Members:
            wanted = _action_names(request.desired_state)
            for name in _action_names(request.previous_state or {}):
                if name not in wanted:
                    client.delete_scheduled_action(**_named(request.previous_state), ScheduledActionName=name)
            return _register(client, request.desired_state)

        return _carried_out(request, update)

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        """Deregister the target, which deletes all that it has."""
        return _deleted(request, lambda client: client.deregister_scalable_target(**_named(request.desired_state)))

    def read(self, request: ResourceRequest) -> ProgressEvent:
        """Return the target as the service shows it."""

        def read(client: Any) -> Members:
            named = _named(request.desired_state)
            targets = client.describe_scalable_targets(
                ServiceNamespace=named["ServiceNamespace"],
                ScalableDimension=named["ScalableDimension"],
                ResourceIds=[named["ResourceId"]],
            )["ScalableTargets"]
            if not targets:
                raise _MissingError(_target_id(named))
            shown = {name: targets[0][name] for name in ("MinCapacity", "MaxCapacity", "RoleARN", "SuspendedState")}
            return {**named, **shown, "Id": _target_id(named)}

        return _carried_out(request, read)


class ScalingPolicyProvider(ResourceProvider):  # type: ignore[misc]
    """A target tracking policy. Its physical id is its ARN."""

    SCHEMA = {  # noqa: RUF012 (LocalStack's name)
        "primaryIdentifier": ["/properties/Arn"],
        "createOnlyProperties": [f"/properties/{name}" for name in ("PolicyName", "ScalingTargetId", *_TARGET_ID)],
    }

    def create(self, request: ResourceRequest) -> ProgressEvent:
        """Put the policy."""
        return _carried_out(request, lambda client: _put_policy(client, request.desired_state))

    def update(self, request: ResourceRequest) -> ProgressEvent:
        """Put the policy again; its ARN and its alarms stay."""
        return self.create(request)

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        """Delete the policy and its alarms."""
        model = request.desired_state
        return _deleted(
            request,
            lambda client: client.delete_scaling_policy(**_named(_located(model)), PolicyName=model["PolicyName"]),
        )

    def read(self, request: ResourceRequest) -> ProgressEvent:
        """Return the policy as the service shows it."""

        def read(client: Any) -> Members:
            model = _located(request.desired_state)
            named = _named(model)
            policies = client.describe_scaling_policies(**named, PolicyNames=[model["PolicyName"]])["ScalingPolicies"]
            if not policies:
                raise _MissingError(model["PolicyName"])
            configuration = "TargetTrackingScalingPolicyConfiguration"
            return {
                **named,
                "PolicyName": policies[0]["PolicyName"],
                "PolicyType": policies[0]["PolicyType"],
                configuration: policies[0][configuration],
                "Arn": policies[0]["PolicyARN"],
            }

        return _carried_out(request, read)


class ScalableTargetPlugin(CloudFormationResourceProviderPlugin):  # type: ignore[misc]
    """Makes the type known to LocalStack."""

    name = "AWS::ApplicationAutoScaling::ScalableTarget"

    def __init__(self) -> None:
        self.factory: type[ResourceProvider] | None = None

    def load(self) -> None:
        """Make the resource type available."""
        self.factory = ScalableTargetProvider


class ScalingPolicyPlugin(CloudFormationResourceProviderPlugin):  # type: ignore[misc]
    """Makes the type known to LocalStack."""

    name = "AWS::ApplicationAutoScaling::ScalingPolicy"

    def __init__(self) -> None:
        self.factory: type[ResourceProvider] | None = None

    def load(self) -> None:
        """Make the resource type available."""
        self.factory = ScalingPolicyProvider


class _MissingError(Exception):
    """What was to be read is not there."""


_ALREADY_GONE = "ObjectNotFoundException"
_TARGET_MEMBERS = ("MinCapacity", "MaxCapacity", "RoleARN", "SuspendedState")
_ACTION_MEMBERS = ("ScheduledActionName", "Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")


def _register(client: Any, model: Members) -> Members:
    named = _named(model)
    client.register_scalable_target(**named, **_selected(model, _TARGET_MEMBERS))
    for action in model.get("ScheduledActions") or []:
        client.put_scheduled_action(**named, **_selected(action, _ACTION_MEMBERS))
    return {**model, "Id": _target_id(named)}


def _put_policy(client: Any, model: Members) -> Members:
    located = _located(model)
    configuration = dict(model.get("TargetTrackingScalingPolicyConfiguration") or {})
    if "TargetValue" in configuration:
        configuration["TargetValue"] = _number("TargetValue", configuration["TargetValue"])
    answer = client.put_scaling_policy(
        **_named(located),
        PolicyName=model["PolicyName"],
        PolicyType=model["PolicyType"],
        **({"TargetTrackingScalingPolicyConfiguration": configuration} if configuration else {}),
    )
    return {**model, **_named(located), "Arn": answer["PolicyARN"]}


def _carried_out(request: ResourceRequest, operation: Callable[[Any], Members]) -> ProgressEvent:
    """Return what became of *operation*, which gets the service's client and returns the resource's properties."""
    try:
        model = operation(request.aws_client_factory.application_autoscaling)
    except ClientError as error:
        return _failed(request, error.response["Error"]["Message"], code=error.response["Error"]["Code"])
    except _MissingError as error:
        return _failed(request, f"{request.resource_type} {error} was not found.", code="NotFound")
    except KeyError as error:
        return _failed(request, f"Property {error.args[0]} is required.", code="InvalidRequest")
    except ValueError as error:
        return _failed(request, str(error), code="InvalidRequest")
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _deleted(request: ResourceRequest, operation: Callable[[Any], object]) -> ProgressEvent:
    try:
        operation(request.aws_client_factory.application_autoscaling)
    except ClientError as error:
        # A target takes its policies with it, whichever of them CloudFormation deletes first.
        if error.response["Error"]["Code"] != _ALREADY_GONE:
            return _failed(request, error.response["Error"]["Message"], code=error.response["Error"]["Code"])
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model={})


def _failed(request: ResourceRequest, message: str, *, code: str) -> ProgressEvent:
    return ProgressEvent(
        status=OperationStatus.FAILED, resource_model=request.desired_state, message=message, error_code=code
    )


def _named(model: Members) -> dict[str, str]:
    return {name: str(model[name]) for name in _TARGET_ID}


def _target_id(named: Members) -> str:
    return _ID_SEPARATOR.join(named[name] for name in _TARGET_ID)


def _located(model: Members) -> Members:
    """Return a policy's properties with the three names of its target, which ScalingTargetId may stand for."""
    if "ScalingTargetId" not in model:
        return model
    parts = str(model["ScalingTargetId"]).split(_ID_SEPARATOR)
    if len(parts) != len(_TARGET_ID):
        raise ValueError(f"ScalingTargetId must be resource|dimension|namespace, got {model['ScalingTargetId']!r}")
    return {**model, **dict(zip(_TARGET_ID, parts, strict=True))}


def _number(name: str, value: Any) -> float:
    """Return a number that a template's parameter may have made a text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, got {value!r}") from None


def _selected(model: Members, names: Sequence[str]) -> Members:
    return {name: model[name] for name in names if model.get(name) is not None}


def _action_names(model: Members) -> set[str]:
    return {action["ScheduledActionName"] for action in model.get("ScheduledActions") or []}
