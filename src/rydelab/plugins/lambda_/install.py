"""Puts our invocation path into LocalStack. Done once, when LocalStack loads its executor."""

from functools import cache
from typing import Any, Final

from localstack.aws.api.lambda_ import ServiceException, TooManyRequestsException
from localstack.constants import VERSION
from localstack.services.lambda_.invocation import lambda_service as lambda_service_module
from localstack.services.lambda_.invocation.lambda_models import Invocation, InvocationResult
from localstack.services.lambda_.invocation.lambda_service import LambdaService
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager
from localstack.services.lambda_.provider import LambdaProvider
from localstack.utils.patch import patch

from rydelab.plugins.lambda_ import limits, metrics
from rydelab.plugins.lambda_.async_events import AsyncEvents
from rydelab.plugins.lambda_.environments import EnvironmentPool

SUPPORTED_VERSION: Final = "4.14.0"


@cache
def install() -> None:
    """Replace LocalStack's assignment, invocation and event queue. Raises RuntimeError for another LocalStack."""
    if VERSION != SUPPORTED_VERSION:
        raise RuntimeError(f"the process executor is written for LocalStack {SUPPORTED_VERSION}, and this is {VERSION}")
    lambda_service_module.AssignmentService = EnvironmentPool
    lambda_service_module.LambdaEventManager = AsyncEvents
    LambdaVersionManager.invoke = _invoke

    @patch(LambdaService.invoke)
    def invoke(fn: Any, self: LambdaService, **request: Any) -> InvocationResult | None:
        limits.check_payload(request.get("payload"), request.get("invocation_type"))
        return fn(self, **request)

    @patch(LambdaProvider.create_function)
    def create_function(fn: Any, self: LambdaProvider, context: Any, request: Any) -> Any:
        limits.check_runtime(request)
        return fn(self, context, request)

    @patch(LambdaProvider.update_function_configuration)
    def update_function_configuration(fn: Any, self: LambdaProvider, context: Any, request: Any) -> Any:
        limits.check_runtime(request)
        return fn(self, context, request)


def _invoke(self: LambdaVersionManager, *, invocation: Invocation) -> InvocationResult:
    """Run one invocation of a version: a lease of its concurrency, an environment, the answer."""
    version = self.function_version
    if self.shutdown_event.is_set():
        raise ServiceException(f"{version.qualified_arn} is shutting down")
    try:
        with (
            self.counting_service.get_invocation_lease(self.function, version, self.provisioned_state) as kind,
            self.assignment_service.get_environment(self.id, version, kind) as environment,
        ):
            tracker = self.counting_service.on_demand_concurrency_trackers[(version.id.account, version.id.region)]
            concurrent = tracker.concurrent_executions[version.id.unqualified_arn()]
            outcome = environment.run(invocation)
    except TooManyRequestsException:
        metrics.throttled(version)
        raise
    metrics.invoked(version, outcome, concurrent)
    return InvocationResult(
        request_id=outcome.request_id,
        payload=outcome.payload,
        is_error=outcome.failure is not None,
        logs=outcome.log_tail,
        executed_version=version.id.qualifier,
    )
