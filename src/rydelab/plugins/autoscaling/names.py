"""How Application Auto Scaling names things: resource ids, scalable dimensions, ARNs."""

import re
from dataclasses import dataclass

from rydelab.capacity.throttling import Access
from rydelab.plugins.autoscaling.errors import validation

NAMESPACE = "dynamodb"
_DIMENSION = re.compile(r"dynamodb:(table|index):(Read|Write)CapacityUnits")
_RESOURCE_ID = re.compile(r"table/([A-Za-z0-9_.-]+)(?:/index/([A-Za-z0-9_.-]+))?")


@dataclass(frozen=True, slots=True)
class ScalableId:
    """What scales: the read or the write capacity of a table, or of one of its global indexes."""

    table: str
    index: str | None
    access: Access

    @classmethod
    def of(cls, namespace: str, resource_id: str, dimension: str) -> "ScalableId":
        """Read it from the three names of a request. Raise ApiError unless they fit each other and DynamoDB."""
        resource = _RESOURCE_ID.fullmatch(resource_id)
        kind_and_access = _DIMENSION.fullmatch(dimension)
        if namespace == NAMESPACE and resource and kind_and_access:
            table, index = resource.groups()
            kind, access = kind_and_access.groups()
            if (kind == "index") == (index is not None):
                return cls(table, index, Access(access))
        raise validation("Unsupported service namespace, resource type or scalable dimension")

    @property
    def resource_id(self) -> str:
        """``table/T`` or ``table/T/index/I``."""
        return f"table/{self.table}" if self.index is None else f"table/{self.table}/index/{self.index}"

    @property
    def dimension(self) -> str:
        """``dynamodb:table:ReadCapacityUnits`` and the like."""
        return f"dynamodb:{'table' if self.index is None else 'index'}:{self.access}CapacityUnits"

    @property
    def metric_type(self) -> str:
        """The one predefined metric that a policy for it can track."""
        return f"DynamoDB{self.access}CapacityUtilization"

    @property
    def metric_dimensions(self) -> tuple[tuple[str, str], ...]:
        """The dimensions of its CloudWatch metrics."""
        table = ("TableName", self.table)
        return (table,) if self.index is None else (table, ("GlobalSecondaryIndexName", self.index))

    def as_members(self) -> dict[str, str]:
        """Return the three members that name it in answers."""
        return {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": self.resource_id,
            "ScalableDimension": self.dimension,
        }

    def __str__(self) -> str:
        return f"service namespace: {NAMESPACE}, resource ID: {self.resource_id}, scalable dimension: {self.dimension}"


@dataclass(frozen=True, slots=True)
class Place:
    """The account and region that ARNs name."""

    account: str
    region: str

    def target_arn(self, target_uid: str) -> str:
        """Return the ARN of a scalable target."""
        return f"arn:aws:application-autoscaling:{self.region}:{self.account}:scalable-target/{target_uid}"

    def policy_arn(self, scalable: ScalableId, uid: str, name: str) -> str:
        """Return the ARN of a scaling policy."""
        return f"{self._autoscaling}:scalingPolicy:{uid}:{self._resource(scalable)}:policyName/{name}"

    def action_arn(self, scalable: ScalableId, uid: str, name: str) -> str:
        """Return the ARN of a scheduled action."""
        return f"{self._autoscaling}:scheduledAction:{uid}:{self._resource(scalable)}:scheduledActionName/{name}"

    def alarm_arn(self, name: str) -> str:
        """Return the ARN of a CloudWatch alarm."""
        return f"arn:aws:cloudwatch:{self.region}:{self.account}:alarm:{name}"

    @property
    def role_arn(self) -> str:
        """The role of the service itself, which every target of DynamoDB has."""
        name = "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
        path = "aws-service-role/dynamodb.application-autoscaling.amazonaws.com"
        return f"arn:aws:iam::{self.account}:role/{path}/{name}"

    @property
    def _autoscaling(self) -> str:
        return f"arn:aws:autoscaling:{self.region}:{self.account}"

    @staticmethod
    def _resource(scalable: ScalableId) -> str:
        return f"resource/{NAMESPACE}/{scalable.resource_id}"
