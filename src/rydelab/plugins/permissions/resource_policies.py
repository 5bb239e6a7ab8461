"""The policy of a function, queue, topic, bucket or role: what it says about who may use it."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from localstack.services.lambda_.invocation.models import lambda_stores
from localstack.services.s3.models import s3_stores
from localstack.services.sns.models import sns_stores
from localstack.services.sqs.models import sqs_stores
from moto.iam.models import iam_backends

_LATEST: Final = "$LATEST"
_ARN_COLONS: Final = 5


def document_of(arn: str) -> str | None:
    """Return the policy document of the resource *arn*; None if it has none, or is none that could have one."""
    if arn.count(":") < _ARN_COLONS:
        return None
    _, partition, service, region, account_id, resource = arn.split(":", 5)
    find = _FINDERS.get(service)
    return find(partition, region, account_id, resource) if find else None


def _of_function(_partition: str, region: str, account_id: str, resource: str) -> str | None:
    kind, _, rest = resource.partition(":")
    name, _, qualifier = rest.partition(":")
    function = lambda_stores[account_id][region].functions.get(name) if kind == "function" else None
    held = function.permissions.get(qualifier or _LATEST) if function else None
    return json.dumps({"Version": held.policy.Version, "Statement": held.policy.Statement}) if held else None


def _of_queue(_partition: str, region: str, account_id: str, resource: str) -> str | None:
    queue = sqs_stores[account_id][region].queues.get(resource)
    return queue.attributes.get("Policy") if queue else None


def _of_topic(partition: str, region: str, account_id: str, resource: str) -> str | None:
    topic = sns_stores[account_id][region].topics.get(f"arn:{partition}:sns:{region}:{account_id}:{resource}")
    return topic["attributes"].get("Policy") if topic else None


def _of_bucket(_partition: str, _region: str, _account_id: str, resource: str) -> str | None:
    name = resource.partition("/")[0]
    anywhere = s3_stores["000000000000"]["us-east-1"]
    owner = anywhere.global_bucket_map.get(name)
    bucket = s3_stores[owner]["us-east-1"].buckets.get(name) if owner else None
    return bucket.policy if bucket else None


def _of_role(partition: str, _region: str, account_id: str, resource: str) -> str | None:
    name = resource.rpartition("/")[2]
    roles = tuple(iam_backends[account_id][partition].roles.values())
    return next((role.assume_role_policy_document for role in roles if role.name == name), None)


_FINDERS: Final[Mapping[str, Callable[[str, str, str, str], str | None]]] = {
    "lambda": _of_function,
    "sqs": _of_queue,
    "sns": _of_topic,
    "s3": _of_bucket,
    "iam": _of_role,
}
