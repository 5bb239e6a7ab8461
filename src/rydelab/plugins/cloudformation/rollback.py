"""A failed update is taken back.

Defect: after a failed update `ChangeSetModelExecutor.execute`
(``cloudformation/engine/v2/change_set_model_executor.py``) keeps what it has changed so far, still deletes what the new
template no longer has, and forgets every resource that it has not come to; `execute_change_set` and `update_stack`
(``cloudformation/v2/provider.py``) then store the new template as the deployed one. Deleting the stack leaves the
forgotten resources behind, and deploying the same again finds nothing to do. `update_stack` even says UPDATE_COMPLETE.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from localstack.aws.api.cloudformation import ChangeAction, ExecutionStatus, ResourceStatus, StackStatus
from localstack.services.cloudformation.engine.v2.change_set_model_executor import (
    ChangeSetModelExecutor,
    TriggerRollback,
)
from localstack.services.cloudformation.engine.v2.change_set_model_preproc import PreprocProperties
from localstack.services.cloudformation.resource_provider import OperationStatus
from localstack.services.cloudformation.v2.entities import Stack
from localstack.utils.patch import patch

from rydelab.plugins.cloudformation.silent_non_updates import NOT_UPDATABLE
from rydelab.plugins.cloudformation.stack_deletion import delete_resource, was_made

_DONE: Final = frozenset({ResourceStatus.CREATE_COMPLETE, ResourceStatus.UPDATE_COMPLETE})
_CHANGES: Final = "rydelab_changes"

type Resource = Mapping[str, Any]
"""LocalStack's record of a deployed resource."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What an update has done, or tried to do, to one resource."""

    name: str
    before: Any
    """The resource in the old template, resolved; false if it is new."""
    after: Any
    """The resource in the new template."""
    old: Resource
    """Its record before the update; empty if it is new."""
    new: Resource


def install() -> None:
    """Remember what an update does, and undo it when it fails."""

    @patch(ChangeSetModelExecutor._execute_resource_change)  # noqa: SLF001 (there is no other place)
    def execute_resource_change(fn: Any, self: ChangeSetModelExecutor, name: str, before: Any, after: Any) -> None:
        fn(self, name, before, after)
        if after:
            old = self._before_resolved_resources.get(name, {})
            vars(self).setdefault(_CHANGES, []).append(_Change(name, before, after, old, self.resources[name]))

    @patch(ChangeSetModelExecutor.execute)
    def execute(fn: Any, self: ChangeSetModelExecutor) -> Any:
        change_set, stack = self._change_set, self._change_set.stack
        if stack.status != StackStatus.UPDATE_IN_PROGRESS:
            return fn(self)
        try:
            self.process()
        except Exception as error:  # noqa: BLE001 (as LocalStack does: whatever stops an update fails it)
            reason = error.reason if isinstance(error, TriggerRollback) else str(error)
        else:
            self.process = _nothing  # it is done; what follows are the deletions
            return fn(self)
        stack.set_stack_status(StackStatus.UPDATE_ROLLBACK_IN_PROGRESS, reason)
        is_undone = _undo_all(self, vars(self).get(_CHANGES, []))
        change_set.set_execution_status(ExecutionStatus.EXECUTE_FAILED)
        stack.set_stack_status(
            StackStatus.UPDATE_ROLLBACK_COMPLETE if is_undone else StackStatus.UPDATE_ROLLBACK_FAILED
        )
        sys.exit()  # ends this thread: what the provider does next takes the new template for the deployed one

    @patch(Stack.set_stack_status)
    def set_stack_status(fn: Any, self: Stack, status: StackStatus, reason: str | None = None) -> None:
        # A change set for a stack that was rolled back makes no new stack of it.
        if status != StackStatus.REVIEW_IN_PROGRESS or not self.resolved_resources:
            fn(self, status, reason)


def _nothing() -> None:
    """Do nothing."""


def _undo_all(executor: ChangeSetModelExecutor, changes: list[_Change]) -> bool:
    """Undo *changes*, the last one first, and give the stack its resources back. Return whether all were undone."""
    stack = executor._change_set.stack  # noqa: SLF001 (there is no other place)
    resources = dict(stack.resolved_resources)
    undone = True
    for change in reversed(changes):
        if not change.old or _is_replaced(change):
            undone &= _delete_new(executor, change)
        else:
            undone &= _update_back(executor, change)
            resources[change.name] = executor.resources[change.name]
    stack.resolved_resources = resources
    return undone


def _is_replaced(change: _Change) -> bool:
    return bool(change.after.requires_replacement or change.before.resource_type != change.after.resource_type)


def _delete_new(executor: ChangeSetModelExecutor, change: _Change) -> bool:
    """Delete what was made anew, so that the old resource, if there is one, stands again."""
    is_gone = delete_resource(executor, change.name, change.new) if was_made(change.new) else True
    if change.old:
        _restore(executor, change)
    else:
        executor._change_set.stack.resource_states.pop(change.name, None)  # noqa: SLF001
    return is_gone


def _update_back(executor: ChangeSetModelExecutor, change: _Change) -> bool:
    is_done = change.new["ResourceStatus"] in _DONE
    now = change.new["Properties"] if is_done else {**change.old["Properties"], **change.after.properties.properties}
    event = executor._execute_resource_action(  # noqa: SLF001 (there is no other place)
        action=ChangeAction.Modify,
        logical_resource_id=change.name,
        resource_type=change.after.resource_type,
        before_properties=PreprocProperties(now),
        after_properties=change.before.properties,
    )
    if event.error_code == NOT_UPDATABLE:  # nothing was changed, so there was nothing to undo
        _restore(executor, change)
        return True
    if event.status is OperationStatus.SUCCESS:
        _event(executor, change, event.status)
        return True
    _restore(executor, change)
    _event(executor, change, event.status, event.message)
    return False


def _restore(executor: ChangeSetModelExecutor, change: _Change) -> None:
    executor.resources[change.name] = change.old
    _event(executor, change, OperationStatus.SUCCESS)


def _event(
    executor: ChangeSetModelExecutor, change: _Change, status: OperationStatus, reason: str | None = None
) -> None:
    executor._process_event(  # noqa: SLF001 (there is no other place)
        action=ChangeAction.Modify,
        logical_resource_id=change.name,
        event_status=status,
        resource_type=change.old["Type"],
        reason=reason,
    )
