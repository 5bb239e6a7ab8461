"""The entry point through which LocalStack finds the process executor (``LAMBDA_RUNTIME_EXECUTOR=rydelab``)."""

from typing import Any

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class ProcessExecutorPlugin(RuntimeExecutorPlugin):  # type: ignore[misc]
    """Runs each execution environment as a child process of this machine."""

    name = "rydelab"

    def load(self, *_args: Any, **_kwargs: Any) -> type[Any]:
        """Put our invocation path in place and return the executor class; the import waits until Lambda is used."""
        from rydelab.plugins.event_sources.install import install as install_event_sources  # noqa: PLC0415
        from rydelab.plugins.lambda_ import install  # noqa: PLC0415
        from rydelab.plugins.lambda_.executor import ProcessExecutor  # noqa: PLC0415

        install.install()
        install_event_sources()
        return ProcessExecutor
