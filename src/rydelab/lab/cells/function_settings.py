"""What a cell sets through Lambda's API, because the templates have no parameter for it."""

from collections.abc import Mapping
from typing import Any

from rydelab.errors import RydelabError
from rydelab.lab.cells.deployment import Deployment


class FunctionSettingError(RydelabError):
    """A setting of a function that Lambda did not take. The message is for people."""


def apply(options: Mapping[str, str | int], deployment: Deployment, lambda_: Any) -> None:
    """Set memory and reserved concurrency of the functions of *deployment* as *options* say; *lambda_* is a client.

    Raises FunctionSettingError.
    """
    if (memory_mb := options.get("memory_mb")) is not None:
        for name in deployment.functions.values():
            lambda_.update_function_configuration(FunctionName=name, MemorySize=memory_mb)
        for name in deployment.functions.values():
            lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    for option, function in (
        ("ride_concurrency", "RequestRide"),
        ("record_concurrency", deployment.record_function or ""),
    ):
        if (concurrency := options.get(option)) is not None:
            if function not in deployment.functions:
                raise FunctionSettingError(f"{option}={concurrency}: stage {deployment.stage} has no such function")
            lambda_.put_function_concurrency(
                FunctionName=deployment.functions[function], ReservedConcurrentExecutions=concurrency
            )
