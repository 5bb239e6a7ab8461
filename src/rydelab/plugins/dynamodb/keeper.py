"""LocalStack's own DynamoDB provider (DynamoDB Local) as what keeps the items behind the front."""

from collections.abc import Mapping
from typing import Any

from localstack.aws.api import RequestContext
from localstack.aws.forwarder import HttpFallbackDispatcher, create_aws_request_context
from localstack.services.dynamodb.provider import DynamoDBProvider

from rydelab.plugins.dynamodb.store.elsewhere import Keeper

_AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/dynamodb/aws4_request, SignedHeaders=host, Signature=none"
)


class LocalStackKeeper:
    """Asks LocalStack's provider. Its streams see every write, as one of a single item."""

    def __init__(self) -> None:
        self.provider = DynamoDBProvider()
        self.operations = HttpFallbackDispatcher(self.provider, self.provider.get_forward_url)

    def of(self, account: str, region: str) -> Keeper:
        """Return what does operations on the tables of one account and region."""

        def do(operation: str, request: dict[str, Any]) -> Mapping[str, Any]:
            context = create_aws_request_context("dynamodb", operation, parameters=request, region=region)
            context.account_id, context.region = account, region
            context.request.headers["Authorization"] = _AUTHORIZATION.format(account=account, region=region)
            answer: Mapping[str, Any] = self.operations[operation](context, context.service_request)
            return answer

        return do

    def forward(self, context: RequestContext, request: Any) -> Any:
        """Do a client's own request."""
        return self.operations[context.operation.name](context, request)
