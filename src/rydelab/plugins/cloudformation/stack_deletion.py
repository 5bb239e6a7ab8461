"""A deleted stack leaves nothing behind, or says what.

Defect: `CloudformationProviderV2.delete_stack` (``cloudformation/v2/provider.py``) ends in DELETE_COMPLETE whatever
became of the resources: a table under deletion protection stays, and no stack knows it any more. After a failed
creation `ChangeSetModelExecutor` (``cloudformation/engine/v2/change_set_model_executor.py``) also deletes what was
never made, by the name in the template: perhaps it failed because somebody else has a resource of that name.
"""

import sys
from collections.abc import Mapping
from typing import Any, Final

from localstack.aws.api.cloudformation import ChangeAction, ResourceStatus, StackStatus
from localstack.services.cloudformation.engine.v2.change_set_model_executor import (
    ChangeSetModelExecutor,
    ChangeSetModelExecutorResult,
)
from localstack.services.cloudformation.engine.v2.change_set_model_preproc import PreprocProperties
from localstack.services.cloudformation.resource_provider import OperationStatus
from localstack.utils.patch import patch

_RETAINED: Final = frozenset({"Retain", "RetainExceptOnCreate"})


def install() -> None:
    """Delete the resources that a stack has, not those that its template names."""

    @patch(ChangeSetModelExecutor.execute)
    def execute(fn: Any, self: ChangeSetModelExecutor) -> ChangeSetModelExecutorResult:
        stack = self._change_set.stack
        if stack.status != StackStatus.DELETE_IN_PROGRESS:
            return fn(self)
        left = {name: resource for name, resource in _in_order(stack) if not _delete(self, name, resource)}
        if left:
            stack.resolved_resources = dict(reversed(left.items()))
            reason = f"The following resource(s) failed to delete: [{', '.join(sorted(left))}]. "
            stack.set_stack_status(StackStatus.DELETE_FAILED, reason)
            sys.exit()  # ends this thread: what the provider does next says DELETE_COMPLETE
        return ChangeSetModelExecutorResult(resources={}, outputs=[])


def delete_resource(executor: ChangeSetModelExecutor, name: str, resource: Mapping[str, Any]) -> bool:
    """Delete what the record *resource* stands for, with events of the stack; return whether it is gone."""
    _event(executor, name, resource, event_status=OperationStatus.IN_PROGRESS)
    event = executor._execute_resource_action(  # noqa: SLF001 (there is no other place)
        action=ChangeAction.Remove,
        logical_resource_id=name,
        resource_type=resource["Type"],
        before_properties=PreprocProperties(resource["Properties"]),
        after_properties=None,
        part_of_replacement=True,  # leaves the executor's own records alone
    )
    _event(executor, name, resource, event_status=event.status, reason=event.message)
    return event.status is OperationStatus.SUCCESS


def was_made(resource: Mapping[str, Any]) -> bool:
    """Whether there is something to delete: a failed creation may have left nothing."""
    return bool(resource.get("Properties"))


def _in_order(stack: Any) -> list[tuple[str, Mapping[str, Any]]]:
    # They were made in this order, each after those that it refers to.
    return [(name, resource) for name, resource in reversed(stack.resolved_resources.items()) if was_made(resource)]


def _delete(executor: ChangeSetModelExecutor, name: str, resource: Mapping[str, Any]) -> bool:
    """Delete a resource unless its DeletionPolicy keeps it; return whether the stack is rid of it."""
    template = executor._change_set.stack.processed_template or {}  # noqa: SLF001
    policy = template.get("Resources", {}).get(name, {}).get("DeletionPolicy")
    if policy not in _RETAINED:
        return delete_resource(executor, name, resource)
    _event(executor, name, resource, event_status=OperationStatus.SUCCESS, custom_status=ResourceStatus.DELETE_SKIPPED)
    return True


def _event(executor: ChangeSetModelExecutor, name: str, resource: Mapping[str, Any], **event: Any) -> None:
    executor._process_event(  # noqa: SLF001 (there is no other place)
        action=ChangeAction.Remove, logical_resource_id=name, resource_type=resource["Type"], **event
    )
