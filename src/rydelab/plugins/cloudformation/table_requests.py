"""What to ask of DynamoDB so that a table becomes what its template says. Pure: requests and descriptions are values.

*properties* are those of ``AWS::DynamoDB::Table``, *table* is what DescribeTable says.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rydelab.plugins.cloudformation.changes import NotUpdatableError, Properties, changed_properties, refuse_changes

TYPE: Final = "AWS::DynamoDB::Table"

_COMPUTED: Final = frozenset({"TableName", "Arn", "StreamArn"})
_UPDATABLE: Final = frozenset(
    {
        "AttributeDefinitions",
        "BillingMode",
        "DeletionProtectionEnabled",
        "GlobalSecondaryIndexes",
        "OnDemandThroughput",
        "PointInTimeRecoverySpecification",
        "ProvisionedThroughput",
        "StreamSpecification",
        "Tags",
        "TimeToLiveSpecification",
        "WarmThroughput",
    }
)
_CREATED_WITH: Final = (
    "AttributeDefinitions",
    "BillingMode",
    "DeletionProtectionEnabled",
    "KeySchema",
    "LocalSecondaryIndexes",
    "OnDemandThroughput",
    "ProvisionedThroughput",
    "TableClass",
    "Tags",
    "WarmThroughput",
)
_THROUGHPUT: Final = ("ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput")
_NO_MAXIMUM: Final = {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}


def create_request(properties: Properties) -> dict[str, Any]:
    """Return the request of CreateTable, without TableName. Raises NotUpdatableError for what the lab does not do."""
    if "ImportSourceSpecification" in properties:
        raise NotUpdatableError(f"the lab cannot import from S3 into a resource of type {TYPE}")
    request = {name: properties[name] for name in _CREATED_WITH if name in properties}
    if indexes := properties.get("GlobalSecondaryIndexes"):
        request["GlobalSecondaryIndexes"] = [_index(index) for index in indexes]
    if encryption := properties.get("SSESpecification"):
        request["SSESpecification"] = {
            ("Enabled" if name == "SSEEnabled" else name): value for name, value in encryption.items()
        }
    if stream := properties.get("StreamSpecification"):
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream["StreamViewType"]}
    return request


def is_settled(table: Properties) -> bool:
    """Whether the table and its indexes can be used and changed."""
    indexes = table.get("GlobalSecondaryIndexes", ())
    return table["TableStatus"] == "ACTIVE" and all(index["IndexStatus"] == "ACTIVE" for index in indexes)


def check_change(previous: Properties, desired: Properties) -> None:
    """Raise NotUpdatableError for a change that takes another table, or that CloudFormation does not make."""
    refuse_changes(TYPE, changed_properties(previous, desired, computed=_COMPUTED), updatable=_UPDATABLE)
    old, new = _indexes(previous), _indexes(desired)
    for name in old.keys() & new.keys():
        if others := changed_properties(old[name], new[name]) - {*_THROUGHPUT, "ContributorInsightsSpecification"}:
            raise NotUpdatableError(
                f"{', '.join(sorted(others))} of index {name} cannot be changed: give it a new name"
            )
    if len(old.keys() ^ new.keys()) > 1:
        raise NotUpdatableError("Cannot perform more than one GSI creation or deletion in a single update")


def next_update(previous: Properties, desired: Properties, table: Properties) -> dict[str, Any] | None:
    """Return the next request of UpdateTable, without TableName, or None if *table* has everything that has changed.

    What has not changed in the template is left as it is: auto scaling may have changed the throughput since.
    """
    changed = changed_properties(previous, desired, computed=_COMPUTED)
    steps = (_index_deletion, _throughput, _index_creation, _deletion_protection, _stream)
    return next((request for step in steps if (request := step(changed, previous, desired, table))), None)


def _index_deletion(changed: set[str], _: Properties, desired: Properties, table: Properties) -> dict[str, Any]:
    doomed = _indexes(table).keys() - _indexes(desired).keys() if "GlobalSecondaryIndexes" in changed else ()
    return {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}} for name in doomed]} if doomed else {}


def _index_creation(changed: set[str], _: Properties, desired: Properties, table: Properties) -> dict[str, Any]:
    there = _indexes(table)
    wanted = desired.get("GlobalSecondaryIndexes") or () if "GlobalSecondaryIndexes" in changed else ()
    new = [{"Create": _index(index)} for index in wanted if index["IndexName"] not in there]
    if not new:
        return {}
    return {"AttributeDefinitions": desired["AttributeDefinitions"], "GlobalSecondaryIndexUpdates": new}


def _throughput(changed: set[str], previous: Properties, desired: Properties, table: Properties) -> dict[str, Any]:
    mode = desired.get("BillingMode", "PROVISIONED")
    is_switch = "BillingMode" in changed and mode != table.get("BillingModeSummary", {}).get(
        "BillingMode", "PROVISIONED"
    )
    request: dict[str, Any] = {"BillingMode": mode} if is_switch else {}
    request |= _units(changed, desired, table, mode=mode, is_switch=is_switch)
    old, new = _indexes(previous), _indexes(desired)
    updates = []
    for name, index in _indexes(table).items():
        if name in old and name in new:
            changed_of_index = changed_properties(old[name], new[name])
            if units := _units(changed_of_index, new[name], index, mode=mode, is_switch=is_switch):
                updates.append({"Update": {"IndexName": name, **units}})
    return request | ({"GlobalSecondaryIndexUpdates": updates} if updates else {})


def _units(
    changed: set[str], desired: Properties, described: Properties, *, mode: str, is_switch: bool
) -> dict[str, Any]:
    """Return the throughput to ask for a table or an index."""
    request: dict[str, Any] = {}
    for name in _THROUGHPUT:
        wanted = desired.get(name)
        if name == "OnDemandThroughput" and mode == "PAY_PER_REQUEST" and name in changed:
            wanted = {**_NO_MAXIMUM, **(wanted or {})}
        must_be_given = is_switch and name == "ProvisionedThroughput"
        if not wanted or (name not in changed and not must_be_given):
            continue
        units = {key: int(value) for key, value in wanted.items()}
        present = {**_NO_MAXIMUM, **described.get(name, {})}
        if must_be_given or any(present.get(key) != value for key, value in units.items()):
            request[name] = units
    return request


def _deletion_protection(changed: set[str], _: Properties, desired: Properties, table: Properties) -> dict[str, Any]:
    wanted = is_true(desired.get("DeletionProtectionEnabled", False))
    if "DeletionProtectionEnabled" in changed and wanted != table.get("DeletionProtectionEnabled", False):
        return {"DeletionProtectionEnabled": wanted}
    return {}


def _stream(changed: set[str], _: Properties, desired: Properties, table: Properties) -> dict[str, Any]:
    if "StreamSpecification" not in changed:
        return {}
    wanted = (desired.get("StreamSpecification") or {}).get("StreamViewType")
    stream = table.get("StreamSpecification") or {}
    present = stream.get("StreamViewType") if stream.get("StreamEnabled") else None
    if wanted == present:
        return {}
    if present:  # another view takes another stream
        return {"StreamSpecification": {"StreamEnabled": False}}
    return {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": wanted}}


def is_true(value: Any) -> bool:
    """Read a truth value of a template, which may be text."""
    return str(value).lower() == "true"


def _index(index: Properties) -> dict[str, Any]:
    return {name: value for name, value in index.items() if name != "ContributorInsightsSpecification"}


def _indexes(described: Properties) -> Mapping[str, Properties]:
    indexes: Sequence[Properties] = described.get("GlobalSecondaryIndexes") or ()
    return {index["IndexName"]: index for index in indexes}
