"""Tables are created with all their throughput, and updated.

Defect: `DynamoDBTableProvider` (``dynamodb/resource_providers/aws_dynamodb_table.py``) has no update, so that another
billing mode or other units were reported and not made. Its create leaves out OnDemandThroughput, WarmThroughput,
DeletionProtectionEnabled and PointInTimeRecoverySpecification.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError
from localstack import config
from localstack.services.cloudformation import provider_utils
from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent, ResourceRequest
from localstack.services.dynamodb.resource_providers.aws_dynamodb_table import DynamoDBTableProvider

from rydelab.plugins.cloudformation.changes import Properties, as_text
from rydelab.plugins.cloudformation.table_requests import (
    check_change,
    create_request,
    is_settled,
    is_true,
    next_update,
)

_LONGEST_PAUSE_S: Final = 0.5
_PAUSE_GROWTH_S: Final = 0.005


def install() -> None:
    """Replace LocalStack's create and its missing update."""
    DynamoDBTableProvider.create = _create
    DynamoDBTableProvider.update = _update


def _create(_: DynamoDBTableProvider, request: ResourceRequest) -> ProgressEvent:
    wanted, dynamodb = request.desired_state, request.aws_client_factory.dynamodb
    if not request.custom_context:
        name = wanted.get("TableName") or provider_utils.generate_default_name(
            request.stack_name, request.logical_resource_id
        )
        dynamodb.create_table(TableName=name, **create_request(wanted))
        return _wait(request, {**wanted, "TableName": name}, asked=[{}])
    table = dynamodb.describe_table(TableName=wanted["TableName"])["Table"]
    if not is_settled(table):
        return _wait(request, wanted)
    try:
        _follow(dynamodb, table, {}, {name: value for name, value in wanted.items() if name != "Tags"})
        if kinesis := wanted.get("KinesisStreamSpecification"):
            dynamodb.enable_kinesis_streaming_destination(TableName=table["TableName"], StreamArn=kinesis["StreamArn"])
    except ClientError as error:
        return _failed(str(error), wanted)  # the table is there, and its stack must know it
    return _done(wanted, table)


def _update(_: DynamoDBTableProvider, request: ResourceRequest) -> ProgressEvent:
    """Make the changes one after the other, as UpdateTable wants them: each waits until the table is ACTIVE again."""
    previous, desired, dynamodb = request.previous_state, request.desired_state, request.aws_client_factory.dynamodb
    check_change(previous, desired)
    table = dynamodb.describe_table(TableName=previous["TableName"])["Table"]
    if not is_settled(table):
        return _wait(request, desired)
    change = next_update(previous, desired, table)
    if change is None:
        _follow(dynamodb, table, previous, desired)
        return _done(desired, table)
    asked = request.custom_context.get("asked", [])
    if change in asked:
        return _failed(f"UpdateTable accepted {change}, but the table did not change", previous)
    dynamodb.update_table(TableName=table["TableName"], **change)
    return _wait(request, desired, asked=[*asked, change])


def _wait(request: ResourceRequest, model: Properties, *, asked: list[dict[str, Any]] | None = None) -> ProgressEvent:
    """Have the engine call again, ever less often; the time limit is for each request that was *asked*."""
    context: dict[str, Any] = {"looks": 0, "since_s": time.monotonic(), **request.custom_context}
    if asked is not None:
        context |= {"asked": asked, "looks": 0, "since_s": time.monotonic()}
    if time.monotonic() - context["since_s"] > config.CFN_PER_RESOURCE_TIMEOUT:
        return _failed(f"the table was not ACTIVE after {config.CFN_PER_RESOURCE_TIMEOUT} s", model)
    time.sleep(min(context["looks"] * _PAUSE_GROWTH_S, _LONGEST_PAUSE_S))
    context["looks"] += 1
    return ProgressEvent(OperationStatus.IN_PROGRESS, resource_model=dict(model), custom_context=context)


def _follow(dynamodb: Any, table: Properties, previous: Properties, desired: Properties) -> None:
    """Change what has operations of its own."""
    name = table["TableName"]
    before, after = _tags(previous), _tags(desired)
    # moto's TagResource adds a second tag with the same key, so that a changed one has to go first.
    if gone := sorted(key for key in before if before[key] != after.get(key)):
        dynamodb.untag_resource(ResourceArn=table["TableArn"], TagKeys=gone)
    if new := [{"Key": key, "Value": value} for key, value in after.items() if before.get(key) != value]:
        dynamodb.tag_resource(ResourceArn=table["TableArn"], Tags=new)
    recovery = "PointInTimeRecoverySpecification"
    if as_text(previous.get(recovery)) != as_text(desired.get(recovery)):
        enabled = is_true(desired.get(recovery, {}).get("PointInTimeRecoveryEnabled", False))
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled}
        )
    _follow_time_to_live(dynamodb, name, previous, desired)


def _follow_time_to_live(dynamodb: Any, table_name: str, previous: Properties, desired: Properties) -> None:
    before, after = (state.get("TimeToLiveSpecification") or {} for state in (previous, desired))
    if as_text(before) == as_text(after):
        return
    wanted = after or {**before, "Enabled": False}
    enabled = is_true(wanted.get("Enabled", True))
    now = dynamodb.describe_time_to_live(TableName=table_name)["TimeToLiveDescription"]
    is_on = now.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
    if enabled != is_on or (is_on and now.get("AttributeName") != wanted["AttributeName"]):
        dynamodb.update_time_to_live(
            TableName=table_name,
            TimeToLiveSpecification={"AttributeName": wanted["AttributeName"], "Enabled": enabled},
        )


def _tags(properties: Properties) -> Mapping[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or ()}


def _done(properties: Properties, table: Properties) -> ProgressEvent:
    model = {**properties, "TableName": table["TableName"], "Arn": table["TableArn"]}
    if stream := table.get("LatestStreamArn"):
        model["StreamArn"] = stream
    return ProgressEvent(OperationStatus.SUCCESS, resource_model=model)


def _failed(message: str, model: Properties) -> ProgressEvent:
    return ProgressEvent(OperationStatus.FAILED, resource_model=dict(model), message=message)
