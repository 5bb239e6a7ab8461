"""DynamoDB kept in LocalStack's own process by moto: no Java, no download, and no capacity limits yet."""

from localstack.aws.api.dynamodb import DynamodbApi
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import Service, aws_provider


class MotoDynamoDb(DynamodbApi):  # type: ignore[misc]
    """A provider without an operation of its own: the dispatcher hands every operation to moto."""


@aws_provider(api="dynamodb", name="rydelab")
def dynamodb() -> Service:
    """Make the service that ``PROVIDER_OVERRIDE_DYNAMODB=rydelab`` chooses."""
    return Service.for_provider(MotoDynamoDb(), dispatch_table_factory=MotoFallbackDispatcher)
