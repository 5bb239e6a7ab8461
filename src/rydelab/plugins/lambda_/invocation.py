"""One invocation of a version: a lease of its concurrency, an environment, the answer, the metrics."""

from localstack.aws.api.lambda_ import ThrottleReason, TooManyRequestsException
from localstack.services.lambda_.invocation.lambda_models import Invocation, InvocationResult
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager

from rydelab.plugins.faults.functions import disturbance_of
from rydelab.plugins.lambda_ import activity, metrics
from rydelab.plugins.lambda_.code_in_use import code_in_use


class VersionReplacedError(Exception):
    """The version was updated or deleted between the request and this invocation; nothing has run."""


def invoke(self: LambdaVersionManager, *, invocation: Invocation) -> InvocationResult:
    """Run one event. In the place of ``LambdaVersionManager.invoke``.

    Raises TooManyRequestsException, VersionReplacedError, and SpawnError when no process can be started.
    """
    version = self.function_version
    with code_in_use(version.config.code):
        if self.shutdown_event.is_set():
            raise VersionReplacedError(version.qualified_arn)
        try:
            with (
                self.counting_service.get_invocation_lease(self.function, version, self.provisioned_state) as kind,
                self.assignment_service.get_environment(self.id, version, kind) as environment,
            ):
                tracker = self.counting_service.on_demand_concurrency_trackers[(version.id.account, version.id.region)]
                concurrent = tracker.concurrent_executions[version.id.unqualified_arn()]
                with activity.running(version.id.function_name):
                    outcome = environment.run(
                        invocation, disturbance_of(version.id.function_name, invocation.request_id)
                    )
        except TooManyRequestsException as refusal:
            metrics.throttled(version)
            if self.function.reserved_concurrent_executions is None:
                refusal.Reason = ThrottleReason.ConcurrentInvocationLimitExceeded  # LocalStack names the other one
            raise
        finally:
            if self.shutdown_event.is_set():  # the environment may have been started after all others were ended
                self.assignment_service.stop_environments_for_version(self.id)
    metrics.invoked(version, outcome, concurrent)
    return InvocationResult(
        request_id=outcome.request_id,
        payload=outcome.payload,
        is_error=outcome.failure is not None,
        logs=outcome.log_tail,
        executed_version=version.id.qualifier,
    )
