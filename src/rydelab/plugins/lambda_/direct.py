"""The Lambda service called as Python, not through an SDK client of the emulator to itself.

A client builds, signs, routes and parses a request that never leaves the process, which was a quarter of the time of an
event-driven ride. It would also repeat a throttled call up to four times, which API Gateway does not do on AWS. SNS and
the mappings from queues use `invoke` too.
"""

from typing import Any

from botocore.exceptions import ClientError
from localstack.aws.api import ServiceException
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsProxyIntegration
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.lambda_service import LambdaService
from localstack.utils.patch import patch
from localstack.utils.strings import long_uid

from rydelab.plugins.permissions.guard import require_service

_services: list[LambdaService] = []


def install() -> None:
    """Replace API Gateway's call. An API Gateway integration with a role of its own keeps its client."""

    @patch(LambdaService.__init__)
    def init(fn: Any, self: LambdaService) -> None:
        fn(self)
        _services.append(self)

    stock_call = RestApiAwsProxyIntegration.call_lambda

    def call_lambda(function_arn: str, event: bytes, source_arn: str, credentials: str | None = None) -> bytes:
        if credentials or not _services:
            return stock_call(function_arn, event, source_arn, credentials)  # type: ignore[no-any-return]
        try:
            require_service("apigateway", source_arn, "lambda:InvokeFunction", function_arn)
            result = invoke(function_arn, event, "RequestResponse")
        except ServiceException as error:
            raise _as_client_error(error) from error
        return (result.payload if result else None) or b""

    RestApiAwsProxyIntegration.call_lambda = staticmethod(call_lambda)


def invoke(function_arn: str, payload: bytes, invocation_type: str) -> InvocationResult | None:
    """Invoke a function, version or alias. Raises LocalStack's ServiceException for a refusal."""
    _, _, _, region, account_id, _, name, *qualifier = function_arn.split(":")
    return _services[-1].invoke(
        function_name=name,
        qualifier=qualifier[0] if qualifier else None,
        region=region,
        account_id=account_id,
        invocation_type=invocation_type,
        client_context=None,
        request_id=long_uid(),
        payload=payload,
        trace_context={},
    )


def _as_client_error(error: ServiceException) -> ClientError:
    return ClientError({"Error": {"Code": error.code, "Message": error.message}}, "Invoke")
