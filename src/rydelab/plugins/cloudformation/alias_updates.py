"""A function's alias moves to another version.

Defect: `LambdaAliasProvider` (``lambda_/resource_providers/lambda_alias.py``) has no update, so that callers of the
alias kept running the old code.
"""

from typing import Final

from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent, ResourceRequest
from localstack.services.lambda_.resource_providers.lambda_alias import LambdaAliasProvider

from rydelab.plugins.cloudformation.changes import changed_properties, refuse_changes

_UPDATABLE: Final = frozenset({"FunctionVersion", "Description", "RoutingConfig"})


def install() -> None:
    """Add the update that LocalStack does not have."""
    LambdaAliasProvider.update = _update


def _update(_: LambdaAliasProvider, request: ResourceRequest) -> ProgressEvent:
    previous, desired = request.previous_state, request.desired_state
    changed = changed_properties(previous, desired, computed={"Id"})
    refuse_changes(request.resource_type, changed, updatable=_UPDATABLE)
    weights = (desired.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or ()
    request.aws_client_factory.lambda_.update_alias(
        FunctionName=previous["FunctionName"],
        Name=previous["Name"],
        FunctionVersion=desired["FunctionVersion"],
        Description=desired.get("Description", ""),
        RoutingConfig={
            "AdditionalVersionWeights": {one["FunctionVersion"]: float(one["FunctionWeight"]) for one in weights}
        },
    )
    return ProgressEvent(OperationStatus.SUCCESS, resource_model={**desired, "Id": previous["Id"]})
