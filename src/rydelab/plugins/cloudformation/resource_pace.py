"""Looks often whether a resource is ready.

Defect: the engine looks at a resource that is being made once a second (``cloudformation/resource_provider.py``,
`ResourceProviderExecutor.deploy_loop`). A function is ready after 50 ms, so nearly all of a deployment's time is that
wait.
"""

from typing import Any, Final

from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor
from localstack.utils.patch import patch

_LOOK_EVERY_S: Final = 0.03


def install() -> None:
    """Shorten the pause of the engine's deployment loop; its time limit stays."""

    @patch(ResourceProviderExecutor.deploy_loop)
    def deploy_loop(fn: Any, self: ResourceProviderExecutor, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("sleep_time", _LOOK_EVERY_S)
        return fn(self, *args, **kwargs)
