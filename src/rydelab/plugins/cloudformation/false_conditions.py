"""A resource whose condition has become false is deleted.

Defect: `ChangeSetModelPreproc.visit_node_resources` (``cloudformation/engine/v2/change_set_model_preproc.py``) passes
over a resource whose condition is false, also if it was true before. The resource stays, and no stack knows it any
more.
"""

from typing import Any

from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor


def install() -> None:
    """Let the executor visit what was deployed, whatever its condition says now."""

    def visit_node_resources(self: ChangeSetModelExecutor, node_resources: Any) -> None:
        for node in node_resources.resources:
            if node.name in self._before_resolved_resources or _is_wanted(self, node):
                self.visit(node)

    ChangeSetModelExecutor.visit_node_resources = visit_node_resources


def _is_wanted(executor: ChangeSetModelExecutor, node: Any) -> bool:
    if not node.condition_reference:
        return True
    condition = executor._resolve_resource_condition_reference(node.condition_reference)  # noqa: SLF001
    return condition.after is not False
