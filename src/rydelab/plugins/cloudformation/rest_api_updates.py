"""REST APIs and their stages are updated.

Defect: `ApiGatewayRestApiProvider` and `ApiGatewayStageProvider` (``apigateway/resource_providers``) have no update, so
that a changed API answered as before.
"""

import json
from typing import Any, Final

from localstack.services.apigateway.resource_providers.aws_apigateway_restapi import ApiGatewayRestApiProvider
from localstack.services.apigateway.resource_providers.aws_apigateway_stage import ApiGatewayStageProvider
from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent, ResourceRequest

from rydelab.plugins.cloudformation.changes import as_text, changed_properties, refuse_changes

_API_DEFINITION: Final = frozenset({"Body", "Parameters", "Mode", "FailOnWarnings"})
_API_VALUES: Final = {"Name": "/name", "Description": "/description"}
_STAGE_VALUES: Final = {
    "DeploymentId": "/deploymentId",
    "Description": "/description",
    "TracingEnabled": "/tracingEnabled",
}
_DEFAULTS: Final = {"Description": "", "TracingEnabled": "false"}


def install() -> None:
    """Add the updates that LocalStack does not have."""
    ApiGatewayRestApiProvider.update = _update_rest_api
    ApiGatewayStageProvider.update = _update_stage


def _update_rest_api(_: ApiGatewayRestApiProvider, request: ResourceRequest) -> ProgressEvent:
    previous, desired, apigateway = request.previous_state, request.desired_state, request.aws_client_factory.apigateway
    api_id = previous["RestApiId"]
    changed = changed_properties(previous, desired, computed={"RestApiId", "RootResourceId", "Name"})
    refuse_changes(request.resource_type, changed, updatable={*_API_DEFINITION, *_API_VALUES})
    if changed & _API_DEFINITION and (body := desired.get("Body")):
        apigateway.put_rest_api(
            restApiId=api_id,
            mode=desired.get("Mode", "overwrite"),
            failOnWarnings=as_text(desired.get("FailOnWarnings")) == "true",
            # As LocalStack's create does, which was compared with AWS.
            parameters={"basepath": "ignore", **desired.get("Parameters", {})},
            body=(body if isinstance(body, str) else json.dumps(body)).encode(),
        )
    if operations := _replacements(changed, desired, _API_VALUES):
        apigateway.update_rest_api(restApiId=api_id, patchOperations=operations)
    root_id = apigateway.get_rest_api(restApiId=api_id)["rootResourceId"]
    return _done(request, RestApiId=api_id, RootResourceId=root_id, Name=desired.get("Name", previous["Name"]))


def _update_stage(_: ApiGatewayStageProvider, request: ResourceRequest) -> ProgressEvent:
    previous, desired = request.previous_state, request.desired_state
    changed = changed_properties(previous, desired, computed={"StageName"})
    refuse_changes(request.resource_type, changed, updatable={*_STAGE_VALUES, "Variables"})
    old, new = previous.get("Variables") or {}, desired.get("Variables") or {}
    operations = [
        *_replacements(changed, desired, _STAGE_VALUES),
        *({"op": "remove", "path": f"/variables/{name}"} for name in old.keys() - new.keys()),
        *(
            {"op": "replace", "path": f"/variables/{name}", "value": as_text(new[name])}
            for name in new
            if old.get(name) != new[name]
        ),
    ]
    stage_name = previous["StageName"]
    if operations:
        request.aws_client_factory.apigateway.update_stage(
            restApiId=previous["RestApiId"], stageName=stage_name, patchOperations=operations
        )
    return _done(request, StageName=stage_name)


def _replacements(changed: set[str], desired: dict[str, Any], paths: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"op": "replace", "path": path, "value": as_text(desired.get(name, _DEFAULTS.get(name, "")))}
        for name, path in paths.items()
        if name in changed
    ]


def _done(request: ResourceRequest, **computed: str) -> ProgressEvent:
    return ProgressEvent(OperationStatus.SUCCESS, resource_model={**request.desired_state, **computed})
