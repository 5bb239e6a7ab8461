"""Looks often whether a function has been updated.

Defect: `LambdaFunctionProvider.update` (``lambda_/resource_providers/aws_lambda_function.py``) waits with a botocore
waiter that looks once a second, and does so twice if the code has changed.
"""

from typing import Any, Final

from botocore.waiter import Waiter
from localstack.utils.patch import patch

_WAITER: Final = "FunctionUpdatedV2"
_LOOK_EVERY_S: Final = 0.03
_LOOKS: Final = 10_000  # 300 s, as the waiter's own 300 looks


def install() -> None:
    """Shorten the pause of that waiter in this process, unless its caller sets one."""

    @patch(Waiter.wait)
    def wait(fn: Any, self: Waiter, **arguments: Any) -> None:
        if self.name == _WAITER:
            arguments.setdefault("WaiterConfig", {"Delay": _LOOK_EVERY_S, "MaxAttempts": _LOOKS})
        fn(self, **arguments)
