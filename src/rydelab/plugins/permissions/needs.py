"""What a request needs: which actions on which resources. Pure.

Source: AWS Service Authorization Reference, "Actions, resources, and condition keys for ...".
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

NO_RESOURCE: Final = "*"
"""The resource of an action that is about none."""
_PARTIQL_VERBS: Final = {"select": "Select", "insert": "Insert", "update": "Update", "delete": "Delete"}
_PARTIQL_TABLE: Final = re.compile(
    r"""\b(?:from|into|update)\s+["']?(?P<table>[\w.-]+?)["']?(?:\.["']?(?P<index>[\w.-]+)["']?)?(?:\s|$)""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a service, parsed."""

    service: str
    """As IAM names it, which is the prefix of its actions and the service in its ARNs."""
    operation: str
    request: Mapping[str, Any]
    region: str
    account_id: str

    def arn(self, resource: str) -> str:
        """Return the ARN of *resource*; what is one already stays as it is."""
        if resource.startswith("arn:"):
            return resource
        return f"arn:aws:{self.service}:{self.region}:{self.account_id}:{resource}"


@dataclass(frozen=True, slots=True)
class Need:
    """An action that must be allowed on a resource."""

    action: str
    resource: str | None
    """An ARN; ``*`` for an action that is about no resource; None if it cannot be told."""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The service's own condition keys, in lower case."""


def account_of(resource: str | None) -> str | None:
    """Return the account in an ARN; None without one, as in that of a bucket."""
    parts = (resource or "").split(":", 5)
    return parts[4] or None if len(parts) > 4 else None  # noqa: PLR2004 (the fifth part is the account)


def needs_of(call: Call) -> Iterator[Need]:
    """Yield what must be allowed for *call*; nothing for a call that everyone may make."""
    rule = _RULES.get(call.service)
    if rule is None:
        yield Need(f"{call.service}:{call.operation}", _only_arn(call))
        return
    try:
        needs = list(rule(call))
    except (AttributeError, IndexError, KeyError, TypeError):  # a malformed request, which the service will refuse
        needs = [Need(f"{call.service}:{call.operation}", None)]
    yield from needs


def _only_arn(call: Call) -> str | None:
    """Return the ARN of the service's own resource among the parameters, if there is just one."""
    prefix = f"arn:aws:{call.service}:"
    found = [value for value in call.request.values() if isinstance(value, str) and value.startswith(prefix)]
    return found[0] if len(found) == 1 else None


# -- DynamoDB ----------------------------------------------------------------------------------------------------------


def _dynamodb(call: Call) -> Iterator[Need]:
    request = call.request
    if "RequestItems" in request:  # BatchGetItem, BatchWriteItem
        yield from (_table_need(call, call.operation, table) for table in request["RequestItems"])
    elif "TransactItems" in request:
        yield from _transaction(call)
    elif statements := _statements(call):
        yield from (_statement(call, statement) for statement in statements)
    elif "TableName" in request:
        yield _table_need(call, call.operation, request["TableName"], index=request.get("IndexName"))
    else:
        yield Need(f"dynamodb:{call.operation}", _only_arn(call) or NO_RESOURCE)


def _table_need(
    call: Call, operation: str, table: str, *, index: str | None = None, enclosing: str | None = None
) -> Need:
    arn = call.arn(table if table.startswith("arn:") else f"table/{table}")
    keys = {"dynamodb:enclosingoperation": (enclosing,)} if enclosing else {}
    return Need(f"dynamodb:{operation}", f"{arn}/index/{index}" if index else arn, keys)


def _transaction(call: Call) -> Iterator[Need]:
    operations = {"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
    for action in call.request["TransactItems"]:
        for kind, body in action.items():
            operation = operations.get(kind, "ConditionCheckItem")
            yield _table_need(call, operation, body["TableName"], enclosing=call.operation)


def _statements(call: Call) -> list[str]:
    several = call.request.get("Statements") or call.request.get("TransactStatements") or [call.request]
    return [one["Statement"] for one in several if "Statement" in one]


def _statement(call: Call, statement: str) -> Need:
    verb = _PARTIQL_VERBS.get(statement.split(maxsplit=1)[0].lower(), "Select")
    found = _PARTIQL_TABLE.search(statement)
    if found is None:
        return Need(f"dynamodb:PartiQL{verb}", None)
    return _table_need(call, f"PartiQL{verb}", found["table"], index=found["index"])


# -- SQS, SNS, Lambda --------------------------------------------------------------------------------------------------


def _sqs(call: Call) -> Iterator[Need]:
    request = call.request
    action = f"sqs:{call.operation.removesuffix('Batch')}"
    if name := request.get("QueueUrl") or request.get("QueueName"):
        yield Need(action, call.arn(name.rpartition("/")[2]))
    else:
        yield Need(action, _only_arn(call) or request.get("SourceArn") or NO_RESOURCE)


def _sns(call: Call) -> Iterator[Need]:
    request = call.request
    action = f"sns:{call.operation.removesuffix('Batch')}"
    keys = {
        f"sns:{name.lower()}": (request[name],)
        for name in ("Protocol", "Endpoint")
        if isinstance(request.get(name), str)
    }
    if call.operation == "CreateTopic":
        yield Need(action, call.arn(request["Name"]), keys)
    elif subscription := request.get("SubscriptionArn"):
        yield Need(action, subscription.rpartition(":")[0], keys)
    else:
        yield Need(action, request.get("TopicArn") or request.get("TargetArn") or NO_RESOURCE, keys)


def _lambda(call: Call) -> Iterator[Need]:
    request = call.request
    operation = "InvokeFunction" if call.operation.startswith("Invoke") else call.operation
    action = f"lambda:{operation}"
    name = request.get("FunctionName")
    if "EventSourceMapping" in operation:
        keys = {"lambda:functionarn": (_function_arn(call, name, None),)} if name else {}
        uuid = request.get("UUID")
        yield Need(action, call.arn(f"event-source-mapping:{uuid}") if uuid else NO_RESOURCE, keys)
    elif name:
        yield Need(action, _function_arn(call, name, request.get("Qualifier")))
    else:
        yield Need(action, _only_arn(call) or NO_RESOURCE)


def _function_arn(call: Call, name: str, qualifier: str | None) -> str:
    """Return the ARN of what FunctionName names: a name, an ARN or a part of one, each perhaps with a qualifier."""
    if not name.startswith("arn:"):
        name = name.rpartition("function:")[2]  # of ACCOUNT:function:NAME
    arn = name if name.startswith("arn:") else call.arn(f"function:{name}")
    return f"{arn}:{qualifier}" if qualifier and not arn.endswith(f":{qualifier}") else arn


# -- SSM, Logs, EventBridge, S3, STS, IAM ------------------------------------------------------------------------------


def _ssm(call: Call) -> Iterator[Need]:
    request = call.request
    action = f"ssm:{call.operation}"
    several = request.get("Names") or [name for name in (request.get("Name"), request.get("Path")) if name]
    if "Parameter" not in call.operation or not several:
        yield Need(action, _only_arn(call) if "Parameter" not in call.operation else NO_RESOURCE)
    for name in several:
        yield Need(action, call.arn(name if name.startswith("arn:") else f"parameter/{name.lstrip('/')}"))


def _logs(call: Call) -> Iterator[Need]:
    request = call.request
    group = request.get("logGroupName") or request.get("logGroupIdentifier")
    if group is None:
        yield Need(f"logs:{call.operation}", _only_arn(call) or NO_RESOURCE)
    else:
        yield Need(f"logs:{call.operation}", _log_stream_arn(call, group, request.get("logStreamName", "")))


def _log_stream_arn(call: Call, group: str, stream: str = "") -> str:
    """Return the ARN of a stream, or of all of a group: operations on a group name it with nothing after the colon."""
    return call.arn(f"log-group:{group.removesuffix(':*').rpartition('log-group:')[2]}:log-stream:{stream}")


def _events(call: Call) -> Iterator[Need]:
    if call.operation == "PutEvents":
        buses = {entry.get("EventBusName") or "default" for entry in call.request.get("Entries", [])}
        yield from (Need("events:PutEvents", _bus_arn(call, bus)) for bus in sorted(buses))
    else:
        yield Need(f"events:{call.operation}", _only_arn(call))


def _bus_arn(call: Call, bus: str) -> str:
    return call.arn(bus if bus.startswith("arn:") else f"event-bus/{bus}")


_S3_ACTIONS: Final[Mapping[str, str]] = {
    "HeadObject": "GetObject",
    "GetObjectAttributes": "GetObject",
    "DeleteObjects": "DeleteObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListBuckets": "ListAllMyBuckets",
}


def _s3(call: Call) -> Iterator[Need]:
    request = call.request
    bucket, key = request.get("Bucket"), request.get("Key")
    action = f"s3:{_S3_ACTIONS.get(call.operation, call.operation)}"
    keys = {f"s3:{name.lower()}": (request[name],) for name in ("Prefix", "Delimiter") if request.get(name)}
    if bucket is None:
        yield Need(action, NO_RESOURCE)
        return
    if isinstance(source := request.get("CopySource"), str):  # its version stands behind a question mark
        yield Need("s3:GetObject", f"arn:aws:s3:::{source.lstrip('/').partition('?')[0]}")
    if call.operation == "CopyObject":
        action = "s3:PutObject"
    if call.operation == "DeleteObjects":
        for one in request["Delete"]["Objects"]:
            yield Need(action, f"arn:aws:s3:::{bucket}/{one['Key']}")
    else:
        yield Need(action, f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}", keys)


def _sts(call: Call) -> Iterator[Need]:
    if call.operation == "AssumeRole":
        names = {"sts:externalid": "ExternalId", "sts:rolesessionname": "RoleSessionName"}
        keys = {key: (call.request[name],) for key, name in names.items() if name in call.request}
        yield Need("sts:AssumeRole", call.request["RoleArn"], keys)
    # Every caller may ask who it is, and get a token for what it may do anyway.


def _iam(call: Call) -> Iterator[Need]:
    role = call.request.get("RoleName")
    resource = f"arn:aws:iam::{call.account_id}:role/{role}" if role else _only_arn(call)
    yield Need(f"iam:{call.operation}", resource)


def _without_resources(call: Call) -> Iterator[Need]:
    yield Need(f"{call.service}:{call.operation}", NO_RESOURCE)


_RULES: Final[Mapping[str, Callable[[Call], Iterator[Need]]]] = {
    "cloudwatch": _without_resources,
    "dynamodb": _dynamodb,
    "events": _events,
    "iam": _iam,
    "lambda": _lambda,
    "logs": _logs,
    "s3": _s3,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
    "sts": _sts,
    "xray": _without_resources,
}
