"""A resource is replaced only if a property that needs it has another value.

Defect: the engine (``cloudformation/engine/v2/change_set_model.py``, `ChangeSetModel._resolve_requires_replacement`)
replaces a resource as soon as a create-only property refers to a resource that is updated, even though the reference
stays the same. An API's stage and a function's alias are then made a second time, which fails ("Stage already exists"),
and the first one is deleted.
"""

from typing import Any

from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
from localstack.utils.patch import patch

from rydelab.plugins.cloudformation.changes import differs


def install() -> None:
    """Decide on a replacement when both values of each property are known."""

    @patch(ChangeSetModelExecutor._execute_resource_change)  # noqa: SLF001 (there is no other place)
    def execute_resource_change(fn: Any, self: ChangeSetModelExecutor, name: str, before: Any, after: Any) -> None:
        if before and after and after.requires_replacement and before.resource_type == after.resource_type:
            provider = self.resource_provider_executor.try_load_resource_provider(after.resource_type)
            create_only = provider.SCHEMA.get("createOnlyProperties", ())
            after.requires_replacement = any(
                differs(before.properties.properties, after.properties.properties, pointer) for pointer in create_only
            )
        fn(self, name, before, after)
