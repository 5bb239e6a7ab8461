"""A stack still lists a resource that was replaced.

Defect: the engine deletes the old resource of a replacement under the logical id of the new one
(``cloudformation/engine/v2/change_set_model_executor.py``, `ChangeSetModelExecutor._execute_resource_change`), and
DescribeStackResources then forgets both (``cloudformation/v2/entities.py``, `Stack.set_resource_status`).
"""

from collections.abc import Callable
from typing import Any, Final

from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
from localstack.utils.patch import patch

_CLEAN_UP: Final = "cleanup-from-replacement-"


def install() -> None:
    """Keep the state of the new resource while the old one goes."""

    @patch(ChangeSetModelExecutor._defer_action)  # noqa: SLF001 (there is no other place)
    def defer_action(fn: Any, self: ChangeSetModelExecutor, name: str, action: Callable[[], None]) -> None:
        states, logical_id = self._change_set.stack.resource_states, name.removeprefix(_CLEAN_UP)

        def clean_up() -> None:
            new = states[logical_id]
            action()
            states[logical_id] = new

        fn(self, name, clean_up if name.startswith(_CLEAN_UP) else action)
