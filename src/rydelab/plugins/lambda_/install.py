"""Puts our invocation path into LocalStack. Done once, when LocalStack loads its executor."""

from functools import cache
from typing import Any, Final

from localstack.aws.api.lambda_ import ServiceException
from localstack.services.lambda_.invocation import lambda_service as lambda_service_module
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.lambda_service import LambdaService
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager
from localstack.services.lambda_.provider import LambdaProvider
from localstack.utils.patch import Patch, patch

from rydelab.plugins.faults.functions import refuse_invoke
from rydelab.plugins.lambda_ import code_in_use, direct, invocation, limits, ranges, role_checks
from rydelab.plugins.lambda_.async_events import AsyncEvents
from rydelab.plugins.lambda_.environments import EnvironmentPool
from rydelab.plugins.supported_version import require_supported_version

_MAX_REPLACED: Final = 5


@cache
def install() -> None:
    """Replace LocalStack's assignment, invocation and event queue. Raises UnsupportedVersionError."""
    require_supported_version("the process executor")
    lambda_service_module.AssignmentService = EnvironmentPool
    lambda_service_module.LambdaEventManager = AsyncEvents
    LambdaVersionManager.invoke = invocation.invoke
    code_in_use.install()
    direct.install()

    @patch(LambdaService.invoke)
    def invoke(fn: Any, self: LambdaService, **request: Any) -> InvocationResult | None:
        invocation_type = request.get("invocation_type")
        request["payload"] = request.get("payload") or None  # no body is an empty event, {}
        limits.check_payload(request["payload"], invocation_type)
        refuse_invoke(request["function_name"])
        request["client_context"] = limits.client_context_header(request.get("client_context"), invocation_type)
        for _ in range(_MAX_REPLACED):
            try:
                return fn(self, **request)
            except invocation.VersionReplacedError:
                continue  # the version that has taken its place is there already
        raise ServiceException(f"{request['function_name']} was replaced {_MAX_REPLACED} times during one request")

    for operation in (
        LambdaProvider.put_function_event_invoke_config,
        LambdaProvider.update_function_event_invoke_config,
    ):
        Patch.function(operation, _check_event_invoke).apply()

    @patch(LambdaProvider.create_function)
    def create_function(fn: Any, self: LambdaProvider, context: Any, request: Any) -> Any:
        limits.check_runtime(request)
        limits.check_environment(request)
        ranges.check_function(request)
        role_checks.check_dead_letter_target(request, request["FunctionName"], request["Role"])
        return fn(self, context, request)

    @patch(LambdaProvider.update_function_configuration)
    def update_function_configuration(fn: Any, self: LambdaProvider, context: Any, request: Any) -> Any:
        limits.check_runtime(request)
        limits.check_environment(request)
        ranges.check_function(request)
        if "Role" in request:
            role_checks.check_new_role(self.lambda_service, request["Role"], context.region)
        if "Role" in request or "DeadLetterConfig" in request:
            now = self.get_function_configuration(context, request["FunctionName"])
            role_checks.check_dead_letter_target(now | request, now["FunctionName"], request.get("Role") or now["Role"])
        return fn(self, context, request)


def _check_event_invoke(fn: Any, self: LambdaProvider, context: Any, *arguments: Any, **request: Any) -> Any:
    ranges.check_event_invoke(request)
    return fn(self, context, *arguments, **request)
