"""A function gets its reserved concurrency, and loses what its template no longer says.

Defect: `LambdaFunctionProvider` (``lambda_/resource_providers/aws_lambda_function.py``) ignores
ReservedConcurrentExecutions. Its update changes only the properties that the template names, so that one that was
removed, such as DeadLetterConfig, stays in force.
"""

from typing import Any, Final

from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent, ResourceRequest
from localstack.services.lambda_.resource_providers.aws_lambda_function import LambdaFunctionProvider
from localstack.utils.patch import patch

_RESERVED: Final = "ReservedConcurrentExecutions"
_DEFAULTS: Final[dict[str, Any]] = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "Layers": [],
    "MemorySize": 128,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
}


def install() -> None:
    """Complete LocalStack's create and update."""

    @patch(LambdaFunctionProvider.create)
    def create(fn: Any, self: LambdaFunctionProvider, request: ResourceRequest) -> ProgressEvent:
        event = fn(self, request)
        if event.status is OperationStatus.SUCCESS and _RESERVED in event.resource_model:
            _reserve(request, event.resource_model)
        return event

    @patch(LambdaFunctionProvider.update)
    def update(fn: Any, self: LambdaFunctionProvider, request: ResourceRequest) -> ProgressEvent:
        previous, desired = request.previous_state, request.desired_state
        removed = previous.keys() - desired.keys()
        request.desired_state = desired | {name: value for name, value in _DEFAULTS.items() if name in removed}
        event = fn(self, request)
        if event.status is OperationStatus.SUCCESS:
            if previous.get(_RESERVED) != desired.get(_RESERVED):
                _reserve(request, {**desired, "FunctionName": event.resource_model["FunctionName"]})
            if _RESERVED in removed:
                del event.resource_model[_RESERVED]
        return event


def _reserve(request: ResourceRequest, model: dict[str, Any]) -> None:
    functions, name = request.aws_client_factory.lambda_, model["FunctionName"]
    if _RESERVED in model:
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(model[_RESERVED]))
    else:
        functions.delete_function_concurrency(FunctionName=name)
