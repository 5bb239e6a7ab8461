"""LocalStack's runtime executor and execution environment, over ``rydelab.workers``."""

import itertools
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError
from localstack import config
from localstack.aws.api import CommonServiceException
from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment as StockEnvironment
from localstack.services.lambda_.invocation.execution_environment import RuntimeStatus
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InitializationType, InvocationResult
from localstack.services.lambda_.invocation.lambda_models import Invocation as StockInvocation
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor
from localstack.utils.xray.trace_header import TraceHeader

from rydelab.plugins.lambda_.logs import LogStream
from rydelab.workers import linux
from rydelab.workers.execution_environment import ExecutionEnvironment
from rydelab.workers.model import Disturbance, FunctionSpec, Invocation, Outcome
from rydelab.workers.spawner import Spawner

# Variables that LocalStack sets for its own start-up program in a container, and that AWS does not have.
_LOCALSTACK_VARIABLES: Final = (
    "AWS_LAMBDA_FUNCTION_TIMEOUT",
    "EDGE_PORT",
    "LOCALSTACK_FUNCTION_ACCOUNT_ID",
    "LOCALSTACK_INIT_LOG_LEVEL",
    "LOCALSTACK_MAX_PAYLOAD_SIZE",
    "LOCALSTACK_POST_INVOKE_WAIT_MS",
    "LOCALSTACK_RUNTIME_ENDPOINT",
    "LOCALSTACK_RUNTIME_ID",
    "LOCALSTACK_USER",
)
_environment_numbers = itertools.count()


@cache
def spawner() -> Spawner:
    """Return the spawner of this emulator."""
    linux.raise_descriptor_limit()  # an environment takes half a dozen
    return Spawner(work_dir())


def work_dir() -> Path:
    """Return the directory below which every environment has its own."""
    return Path(tempfile.gettempdir()) / "lambda-environments"


class ProcessExecutor(RuntimeExecutor):  # type: ignore[misc]
    """Runs one execution environment as a child process. LocalStack asks for it per environment."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002 (LocalStack's name)
        super().__init__(id=id, function_version=function_version)
        self._environment: ExecutionEnvironment | None = None
        self._init_duration_ms: float | None = None

    def start(self, env_vars: dict[str, Any]) -> None:
        """Start the environment and run its init phase. A failed init is the first invocation's to report."""
        settings = self.function_version.config
        code_dir = settings.code.get_unzipped_code_location()
        stream = LogStream(
            account_id=self.function_version.id.account,
            region=self.function_version.id.region,
            group=env_vars["AWS_LAMBDA_LOG_GROUP_NAME"],
            stream=env_vars["AWS_LAMBDA_LOG_STREAM_NAME"],
            role_arn=settings.role,
            function_name=self.function_version.id.function_name,
        )
        self._environment = ExecutionEnvironment(
            FunctionSpec(
                name=self.function_version.id.function_name,
                version=self.function_version.id.qualifier,
                handler=settings.handler,
                code_dir=code_dir,
                timeout_s=settings.timeout,
                memory_mb=settings.memory_size,
                environment=_environment_variables(env_vars, settings.runtime, code_dir, settings.environment or {}),
                layer_dirs=tuple(layer.code.get_unzipped_code_location() for layer in settings.layers),
            ),
            spawner(),
            runtime=settings.runtime,
            work_dir=work_dir() / f"{next(_environment_numbers)}-{self.id[:8]}",
            log_sink=stream.write,
        )
        self._init_duration_ms = self._environment.start()

    def run(self, invocation: Invocation) -> Outcome:
        """Run one event. Raises SpawnError when no process can be started."""
        if self._environment is None:
            raise RuntimeError(f"environment {self.id} has not been started")
        init_duration_ms, self._init_duration_ms = self._init_duration_ms, None
        return self._environment.invoke(invocation, init_duration_ms=init_duration_ms)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one event, in LocalStack's form."""
        outcome = self.run(
            Invocation(
                request_id=payload["invoke-id"],
                payload=payload["payload"].encode(),
                invoked_arn=payload["invoked-function-arn"],
                trace_id=payload["trace-id"],
            )
        )
        return InvocationResult(
            request_id=outcome.request_id,
            payload=outcome.payload,
            is_error=outcome.failure is not None,
            logs=outcome.log_tail,
        )

    def stop(self) -> None:
        """End the environment and everything it started."""
        if self._environment is not None:
            self._environment.stop()

    def freeze(self) -> None:
        """Stop the idle environment until its next invocation."""
        if self._environment is not None:
            self._environment.freeze()

    def get_address(self) -> str:
        """Return where environments run: this machine."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Return where a handler reaches LocalStack."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Return nothing: the Runtime API is the environment's own, not a route of LocalStack."""
        return ""

    def get_logs(self) -> str:
        """Return nothing: output goes to CloudWatch Logs with its invocation."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack the code and the layers, and have the warm parent ready."""
        function_version.config.code.prepare_for_execution()
        for layer in function_version.config.layers:
            layer.code.prepare_for_execution()
        spawner().start()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Do nothing: LocalStack removes the code, environments remove their own files."""


class ProcessEnvironment(StockEnvironment):  # type: ignore[misc]
    """LocalStack's environment, without its timers.

    Its own starts a thread for every release, to notice idleness; here the pool looks at ``returned_at`` now and then.
    """

    def __init__(
        self,
        function_version: FunctionVersion,
        initialization_type: InitializationType,
        version_manager_id: str,
    ) -> None:
        super().__init__(function_version, initialization_type, lambda *_: None, version_manager_id)
        self.returned_at = 0.0
        self._started_on = datetime.now(UTC).date()

    def get_log_group_name(self) -> str:
        """Return the group of the function's LoggingConfig."""
        name: str = self.function_version.config.logging_config.get("LogGroup") or super().get_log_group_name()
        return name

    def get_log_stream_name(self) -> str:
        """Return the name that AWS gives: the day on which the environment started (UTC), version, environment."""
        return f"{self._started_on:%Y/%m/%d}/[{self.function_version.id.qualifier}]{self.id}"

    def get_credentials(self) -> Any:
        """Return credentials of the function's role, for this environment alone. Raises LocalStack's refusal."""
        try:
            return super().get_credentials()
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            raise CommonServiceException(
                "AccessDeniedException",
                "The role defined for the function cannot be assumed by Lambda.",
                status_code=HTTPStatus.FORBIDDEN,
                sender_fault=True,
            ) from error

    def start(self) -> None:
        """Start the environment in the caller's thread."""
        self.status = RuntimeStatus.STARTING
        self.runtime_executor.start(self.get_environment_variables())
        self.status = RuntimeStatus.READY

    def freeze(self) -> None:
        """Stop the idle environment until its next invocation."""
        self.runtime_executor.freeze()

    def stop(self) -> None:
        """End the environment. Can be called twice."""
        self.status = RuntimeStatus.STOPPED
        self.runtime_executor.stop()

    def run(self, invocation: StockInvocation, disturbance: Disturbance | None = None) -> Outcome:
        """Run one event."""
        trace = invocation.trace_context.get("aws_trace_header") or TraceHeader().ensure_root_exists()
        trace.ensure_sampled_exists()
        trace.ensure_parent_exists()
        executor: ProcessExecutor = self.runtime_executor
        return executor.run(
            Invocation(
                request_id=invocation.request_id,
                payload=bytes(invocation.payload),
                invoked_arn=invocation.invoked_arn,
                trace_id=trace.to_header_str(),
                client_context=invocation.client_context,
                disturbance=disturbance,
            )
        )


def _environment_variables(
    stock: dict[str, Any], runtime: str, code_dir: Path, own: Mapping[str, str]
) -> dict[str, str]:
    """Return what the handler finds in ``os.environ``: AWS's variables, then the function's *own*.

    Source: AWS Lambda developer guide, "Defined runtime environment variables".
    """
    variables = {name: str(value) for name, value in stock.items() if name not in _LOCALSTACK_VARIABLES}
    variables |= {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "LAMBDA_TASK_ROOT": str(code_dir),
        "LAMBDA_RUNTIME_DIR": str(work_dir() / "runtime"),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "PWD": str(code_dir),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}",
    }
    variables.update(own)
    return variables
