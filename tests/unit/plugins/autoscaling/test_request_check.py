"""What is checked of every request by the model of the service."""

from typing import Any

import botocore.session
import pytest

from rydelab.plugins.autoscaling.errors import ApiError
from rydelab.plugins.autoscaling.request_check import check_request

TARGET = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/Rides",
    "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
}


@pytest.fixture(scope="module")
def service() -> Any:
    return botocore.session.get_session().get_service_model("application-autoscaling")


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        (
            "DeregisterScalableTarget",
            TARGET | {"ResourceId": None},
            "1 validation error detected: Value null at 'resourceId' failed to satisfy constraint: Member must",
        ),
        (
            "DeregisterScalableTarget",
            TARGET | {"ResourceId": "", "ServiceNamespace": "s3"},
            "'serviceNamespace' failed to satisfy constraint: Member must satisfy enum value set: [ecs, ",
        ),
        (
            "PutScalingPolicy",
            TARGET | {"PolicyName": "p", "TargetTrackingScalingPolicyConfiguration": {}},
            "Value null at 'targetTrackingScalingPolicyConfiguration.targetValue' failed to satisfy constraint",
        ),
        (
            "PutScalingPolicy",
            TARGET | {"PolicyName": "p" * 257},
            "at 'policyName' failed to satisfy constraint: Member must have length less than or equal to 256",
        ),
    ],
)
def test_a_malformed_request_is_refused(service: Any, operation: str, request_: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError) as refusal:
        check_request(service.operation_model(operation), request_)

    assert refusal.value.code == "ValidationException"
    assert message in refusal.value.message


def test_a_well_formed_request_passes(service: Any) -> None:
    tags = {"Tags": {"team": "rides"}, "MinCapacity": 1, "SuspendedState": {"DynamicScalingInSuspended": True}}
    check_request(service.operation_model("RegisterScalableTarget"), TARGET | tags)
