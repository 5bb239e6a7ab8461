"""An update that was not made is not reported as one.

Defect: `ResourceProviderExecutor.execute_action` (``cloudformation/resource_provider.py``) reports UPDATE_COMPLETE for
a resource whose type has no update, and for one whose update found something missing; any other failure says "Failed
to delete resource". The updates that our services need are in ``table_updates``, ``rest_api_updates`` and
``alias_updates``.
"""

from typing import Any, Final

from localstack.services.cloudformation.resource_provider import (
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceProviderExecutor,
    convert_payload,
)
from localstack.utils.patch import patch

from rydelab.plugins.cloudformation.changes import NotUpdatableError

NOT_UPDATABLE: Final = "NotUpdatable"
"""CloudFormation's own code for an update that a type does not have; nothing was changed."""

_UPDATES: Final = frozenset({"Modify", "Dynamic"})


def install() -> None:
    """Let the engine report what an update really came to."""

    @patch(ResourceProviderExecutor.execute_action)
    def execute_action(fn: Any, self: ResourceProviderExecutor, provider: ResourceProvider, payload: Any) -> Any:
        if payload["action"] not in _UPDATES:
            return fn(self, provider, payload)
        request = convert_payload(stack_name=self.stack_name, stack_id=self.stack_id, payload=payload)
        if request.previous_state is None:  # it was deployed as nothing, when its type was not known yet
            return provider.create(request)
        try:
            return provider.update(request)
        except NotImplementedError:
            return _failed(f"the lab cannot update a resource of type {request.resource_type}")
        except NotUpdatableError as error:
            return _failed(str(error))


def _failed(message: str) -> ProgressEvent:
    return ProgressEvent(OperationStatus.FAILED, resource_model={}, message=message, error_code=NOT_UPDATABLE)
