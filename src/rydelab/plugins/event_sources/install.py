"""Puts our mapping from queues into LocalStack. Done once, when the process executor is loaded."""

from functools import cache
from typing import Any

from botocore.exceptions import ClientError
from localstack.services.lambda_.event_source_mapping.esm_worker import EsmWorker
from localstack.services.lambda_.event_source_mapping.esm_worker_factory import EsmWorkerFactory
from localstack.services.lambda_.provider import LambdaProvider
from localstack.utils.patch import patch

from rydelab.plugins.event_sources import checks, duplicates, redrive, sqs_metrics, visibility
from rydelab.plugins.event_sources.mapping import SqsMapping
from rydelab.plugins.local_queue import LocalQueue
from rydelab.plugins.supported_version import require_supported_version


def _is_from_queue(configuration: dict[str, Any]) -> bool:
    return ":sqs:" in configuration.get("EventSourceArn", "")


@cache
def install() -> None:
    """Replace LocalStack's poller of queues. Raises UnsupportedVersionError, and ValueError for a wrong setting."""
    require_supported_version("the SQS event source mapping")
    sqs_metrics.install()
    duplicates.install()
    redrive.install()
    visibility.install()

    @patch(EsmWorkerFactory.get_esm_worker)
    def get_esm_worker(fn: Any, self: EsmWorkerFactory) -> EsmWorker | SqsMapping:
        if _is_from_queue(self.esm_config):
            return SqsMapping(self.esm_config, enabled=self.enabled)
        return fn(self)

    @patch(LambdaProvider.validate_event_source_mapping)
    def validate_event_source_mapping(fn: Any, self: LambdaProvider, context: Any, request: Any) -> Any:
        checks.check_scaling(request)
        if _is_from_queue(request):
            checks.check_batching(request)
        validated = fn(self, context, request)
        if _is_from_queue(request):
            _, _, _, version, _ = validated
            checks.check_visibility_timeout(
                LocalQueue(request["EventSourceArn"]).visibility_timeout_s, version.config.timeout
            )
        return validated

    @patch(LambdaProvider.check_service_resource_exists)
    def check_service_resource_exists(fn: Any, self: LambdaProvider, *request: str) -> None:
        service, source_arn, function_arn, role_arn = request
        if service.startswith("sqs"):
            checks.check_permissions(role_arn, function_arn, source_arn)
        try:
            fn(self, *request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            raise checks.no_access(source_arn) from error
