"""Tables and their capacity, by DynamoDB's own API; what they have consumed, by the front that counts it."""

from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError
from localstack.aws.connect import connect_to
from localstack.config import SERVICE_PROVIDER_CONFIG
from moto.dynamodb.models import dynamodb_backends

from rydelab.capacity.throttling import Access, BillingMode
from rydelab.plugins.autoscaling.names import Place, ScalableId
from rydelab.plugins.autoscaling.ports import Reading, TableBusyError, UpdateRefusedError
from rydelab.plugins.dynamodb.provider import metered_tables, settings
from rydelab.plugins.dynamodb.store.table import OrderedTable

type Members = dict[str, Any]


class DynamoDbTables:
    """The tables of one account and region, as `Tables`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._client: Any = connect_to(
            region_name=place.region,
            aws_access_key_id=place.account,
            # A refusal is an answer here, and the loop asks again by itself.
            config=Config(retries={"total_max_attempts": 1}),
        ).dynamodb

    def read(self, scalable: ScalableId) -> Reading | None:
        """Return what DescribeTable says, and the units that the capacity model has counted."""
        description = self._describe(scalable)
        if description is None:
            return None
        table, resource = description
        mode = table.get("BillingModeSummary", {}).get("BillingMode", BillingMode.PROVISIONED)
        return Reading(
            provisioned=_units(resource)[scalable.access] if mode == BillingMode.PROVISIONED else None,
            consumed_units=consumed_units(self._place, scalable),
            updating=table["TableStatus"] != "ACTIVE",
        )

    def set_capacity(self, scalable: ScalableId, units: int) -> None:
        """Ask for UpdateTable."""
        description = self._describe(scalable)
        if description is None:
            raise UpdateRefusedError(f"{scalable.resource_id} does not exist")
        # What an update is about to change would be set back if it ended between the question and the request.
        if description[0]["TableStatus"] == "UPDATING":
            raise TableBusyError(scalable.table)
        wanted = _units(description[1]) | {scalable.access: units}
        throughput = {f"{access}CapacityUnits": value for access, value in wanted.items()}
        change: Members = {"ProvisionedThroughput": throughput}
        if scalable.index is not None:
            change = {"GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": scalable.index, **change}}]}
        try:
            self._client.update_table(TableName=scalable.table, **change)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceInUseException":
                raise TableBusyError(scalable.table) from error
            raise UpdateRefusedError(error.response["Error"]["Message"]) from error

    def _describe(self, scalable: ScalableId) -> tuple[Members, Members] | None:
        """Return the table, and the table or index itself."""
        try:
            table: Members = self._client.describe_table(TableName=scalable.table)["Table"]
        except self._client.exceptions.ResourceNotFoundException:
            return None
        if scalable.index is None:
            return table, table
        indexes = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}
        return (table, indexes[scalable.index]) if scalable.index in indexes else None


def _units(resource: Members) -> dict[Access, int]:
    throughput = resource.get("ProvisionedThroughput", {})
    return {access: int(throughput.get(f"{access}CapacityUnits", 0)) for access in Access}


def counts_units() -> bool:
    """Tell whether the DynamoDB of this emulator is the one that counts what tables consume."""
    return settings().enforcement and SERVICE_PROVIDER_CONFIG.get_provider("dynamodb") == "rydelab"


def consumed_units(place: Place, scalable: ScalableId) -> float | None:
    """Return the units that a table or index has consumed since it was made; None if nobody counts them."""
    table = dynamodb_backends[place.account][place.region].tables.get(scalable.table)
    if not counts_units() or not isinstance(table, OrderedTable):
        return None
    metered = metered_tables().of(table)
    with metered.lock:
        resource = metered.capacity.resources.get(scalable.index)
        return None if resource is None else resource.limiters[scalable.access].consumed_units
