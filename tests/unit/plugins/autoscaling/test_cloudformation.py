"""The CloudFormation types, on a service that is a dictionary."""

from types import SimpleNamespace
from typing import Any

import pytest
from localstack.services.cloudformation.resource_provider import OperationStatus

from rydelab.plugins.autoscaling.cloudformation import ScalableTargetProvider, ScalingPolicyProvider

NAMED = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/Rides",
    "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
}
TARGET_ID = "table/Rides|dynamodb:table:WriteCapacityUnits|dynamodb"
TARGET = NAMED | {"MinCapacity": 1, "MaxCapacity": 8, "RoleARN": "arn:role", "SuspendedState": {}}
TRACKING = {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0}}
POLICY = NAMED | {"PolicyName": "rides", "PolicyType": "TargetTrackingScaling", "PolicyARN": "arn:policy"} | TRACKING


class FakeService:
    """A client whose answers the test gives."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self.asked.append((operation, request))
            return self.answers[operation]

        return call


def request(service: FakeService, properties: dict[str, Any]) -> Any:
    return SimpleNamespace(
        desired_state=properties,
        previous_state=None,
        resource_type="AWS::ApplicationAutoScaling::Something",
        aws_client_factory=SimpleNamespace(application_autoscaling=service),
    )


def test_a_target_is_read_as_the_service_shows_it() -> None:
    service = FakeService(describe_scalable_targets={"ScalableTargets": [TARGET]})

    event = ScalableTargetProvider().read(request(service, NAMED))

    assert event.status == OperationStatus.SUCCESS
    assert event.resource_model == TARGET | {"Id": TARGET_ID}


def test_a_policy_is_read_by_the_id_of_its_target() -> None:
    service = FakeService(describe_scaling_policies={"ScalingPolicies": [POLICY]})

    event = ScalingPolicyProvider().read(request(service, {"ScalingTargetId": TARGET_ID, "PolicyName": "rides"}))

    assert service.asked == [("describe_scaling_policies", NAMED | {"PolicyNames": ["rides"]})]
    assert event.resource_model["Arn"] == "arn:policy"
    assert event.resource_model["ResourceId"] == "table/Rides"


@pytest.mark.parametrize("provider", [ScalableTargetProvider(), ScalingPolicyProvider()])
def test_what_is_not_there_is_not_found(provider: Any) -> None:
    service = FakeService(
        describe_scalable_targets={"ScalableTargets": []}, describe_scaling_policies={"ScalingPolicies": []}
    )

    event = provider.read(request(service, NAMED | {"PolicyName": "rides"}))

    assert (event.status, event.error_code) == (OperationStatus.FAILED, "NotFound")


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (NAMED | {"PolicyType": "TargetTrackingScaling"}, "Property PolicyName is required."),
        ({"PolicyName": "rides", "PolicyType": "T"}, "Property ResourceId is required."),
        (
            {"PolicyName": "rides", "ScalingTargetId": "table/Rides"},
            "ScalingTargetId must be resource|dimension|namespace, got 'table/Rides'",
        ),
        (
            NAMED | {"PolicyName": "rides", "TargetTrackingScalingPolicyConfiguration": {"TargetValue": "much"}},
            "TargetValue must be a number, got 'much'",
        ),
    ],
)
def test_a_property_that_cannot_be_is_named(properties: dict[str, Any], message: str) -> None:
    event = ScalingPolicyProvider().create(request(FakeService(), properties))

    assert (event.status, event.message) == (OperationStatus.FAILED, message)
