"""The entry point through which LocalStack finds the process executor (``LAMBDA_RUNTIME_EXECUTOR=rydelab``)."""

from typing import Any

from localstack import config
from localstack.runtime import hooks
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import get_runtime_executor


class ProcessExecutorPlugin(RuntimeExecutorPlugin):  # type: ignore[misc]
    """Runs each execution environment as a child process of this machine."""

    name = "rydelab"

    def load(self, *_args: Any, **_kwargs: Any) -> type[Any]:
        """Put our invocation path in place and return the executor class; the import waits until Lambda is used."""
        from rydelab.plugins.event_sources.install import install as install_event_sources  # noqa: PLC0415
        from rydelab.plugins.faults.messages import install as install_refusals_of_messages  # noqa: PLC0415
        from rydelab.plugins.lambda_ import install  # noqa: PLC0415
        from rydelab.plugins.lambda_.executor import ProcessExecutor  # noqa: PLC0415
        from rydelab.plugins.sns.install import install as install_sns_delivery  # noqa: PLC0415

        install.install()
        install_event_sources()
        install_sns_delivery()
        install_refusals_of_messages()
        return ProcessExecutor


@hooks.on_infra_start()
def install_process_executor() -> None:
    """Load the executor before Lambda is, in a LocalStack that was not started by `rydelab up`.

    LocalStack itself asks for its executor only when its Lambda service is made, and with it what we replace.
    """
    if ProcessExecutorPlugin.name == config.LAMBDA_RUNTIME_EXECUTOR:
        get_runtime_executor()
