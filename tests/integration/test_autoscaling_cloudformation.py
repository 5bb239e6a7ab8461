"""Auto scaling by CloudFormation: the record service's template, changes, and what a mistake says."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import WaiterError

import bootstrap
from tests.integration.conftest import Lab

TEMPLATE = """
Parameters:
  Maximum: {Type: Number, Default: 8}
  Target: {Type: Number, Default: 70}
  Action: {Type: String, Default: morning}
  Access: {Type: String, Default: Write}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: RideId, AttributeType: S}]
      KeySchema: [{AttributeName: RideId, KeyType: HASH}]
      ProvisionedThroughput: {ReadCapacityUnits: 1, WriteCapacityUnits: 1}
  Writes:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      ServiceNamespace: dynamodb
      ResourceId: !Sub "table/${Table}"
      ScalableDimension: dynamodb:table:WriteCapacityUnits
      MinCapacity: 1
      MaxCapacity: !Ref Maximum
      SuspendedState: {DynamicScalingInSuspended: true}
      ScheduledActions:
        - ScheduledActionName: !Ref Action
          Schedule: cron(0 6 * * ? *)
          ScalableTargetAction: {MinCapacity: "2"}
  Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: rides
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref Writes
      TargetTrackingScalingPolicyConfiguration:
        PredefinedMetricSpecification:
          PredefinedMetricType: !Sub "DynamoDB${Access}CapacityUtilization"
        TargetValue: !Ref Target
        ScaleInCooldown: 60
Outputs:
  Table: {Value: !Ref Table}
  TargetId: {Value: !Ref Writes}
  PolicyArn: {Value: !Ref Policy}
"""


class Stack:
    """A stack of TEMPLATE."""

    def __init__(self, lab: Lab) -> None:
        self.name = f"scaled-{uuid.uuid4().hex[:8]}"
        self.cloudformation = lab.client("cloudformation")
        self.scaling = lab.client("application-autoscaling")
        self.cloudwatch = lab.client("cloudwatch")

    def deploy(self, kind: str, **parameters: str) -> dict[str, str]:
        """Create or update it (*kind* CREATE or UPDATE); its outputs."""
        change = {"StackName": self.name, "ChangeSetName": f"c{uuid.uuid4().hex[:8]}"}
        self.cloudformation.create_change_set(
            **change,
            ChangeSetType=kind,
            TemplateBody=TEMPLATE,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        _wait(self.cloudformation, "change_set_create_complete", **change)
        self.cloudformation.execute_change_set(**change)
        _wait(self.cloudformation, f"stack_{kind.lower()}_complete", StackName=self.name)
        (stack,) = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def delete(self) -> None:
        """Delete it."""
        self.cloudformation.delete_stack(StackName=self.name)
        _wait(self.cloudformation, "stack_delete_complete", StackName=self.name)

    def actions(self, table: str) -> list[str]:
        """Return the names of the table's scheduled actions."""
        actions = self.scaling.describe_scheduled_actions(ServiceNamespace="dynamodb", ResourceId=f"table/{table}")
        return [action["ScheduledActionName"] for action in actions["ScheduledActions"]]


@pytest.fixture
def stack(lab: Lab) -> Iterator[Stack]:
    stack = Stack(lab)
    yield stack
    stack.delete()


def test_the_record_service_deploys_auto_scaled_and_takes_all_away_again(lab: Lab) -> None:
    target = bootstrap.Target(lab.endpoint_url)
    stage = f"as{uuid.uuid4().hex[:6]}"
    name = "wild-rydes-ride-record"
    outputs = bootstrap.deploy(target, stage=stage, design="microservices", table_mode="autoscaled", services=[name])
    table = outputs[name]["RideRecordTableName"]
    scaling, cloudwatch = lab.client("application-autoscaling"), lab.client("cloudwatch")
    of_table = {"ServiceNamespace": "dynamodb", "ResourceIds": [f"table/{table}"]}

    targets = scaling.describe_scalable_targets(**of_table)["ScalableTargets"]
    policies = scaling.describe_scaling_policies(ServiceNamespace="dynamodb", ResourceId=f"table/{table}")
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix=f"TargetTracking-table/{table}-")["MetricAlarms"]

    assert {one["ScalableDimension"]: (one["MinCapacity"], one["MaxCapacity"]) for one in targets} == {
        "dynamodb:table:ReadCapacityUnits": (1, 40),
        "dynamodb:table:WriteCapacityUnits": (1, 40),
    }
    assert {policy["PolicyName"] for policy in policies["ScalingPolicies"]} == {
        f"{name}-{stage}-read",
        f"{name}-{stage}-write",
    }
    assert len(alarms) == 8
    assert sorted(alarm["Threshold"] for alarm in alarms) == [1.0] * 4 + [30.0] * 2 + [42.0] * 2

    bootstrap.destroy(target, stage=stage)

    assert scaling.describe_scalable_targets(**of_table)["ScalableTargets"] == []
    assert cloudwatch.describe_alarms(AlarmNamePrefix=f"TargetTracking-table/{table}-")["MetricAlarms"] == []


def test_physical_ids_are_those_of_aws(stack: Stack) -> None:
    outputs = stack.deploy("CREATE")

    table = outputs["Table"]
    assert outputs["TargetId"] == f"table/{table}|dynamodb:table:WriteCapacityUnits|dynamodb"
    (policy,) = stack.scaling.describe_scaling_policies(ServiceNamespace="dynamodb", ResourceId=f"table/{table}")[
        "ScalingPolicies"
    ]
    assert outputs["PolicyArn"] == policy["PolicyARN"]


def test_an_update_changes_target_policy_and_actions_in_place(stack: Stack) -> None:
    before = stack.deploy("CREATE")
    after = stack.deploy("UPDATE", Maximum="20", Target="50.5", Action="evening")

    assert after == before
    of_table = {"ServiceNamespace": "dynamodb", "ResourceIds": [f"table/{before['Table']}"]}
    (target,) = stack.scaling.describe_scalable_targets(**of_table)["ScalableTargets"]
    (policy,) = stack.scaling.describe_scaling_policies(ServiceNamespace="dynamodb", PolicyNames=["rides"])[
        "ScalingPolicies"
    ]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 20)
    assert target["SuspendedState"]["DynamicScalingInSuspended"] is True
    configuration = policy["TargetTrackingScalingPolicyConfiguration"]
    assert (configuration["TargetValue"], configuration["ScaleInCooldown"]) == (50.5, 60)
    assert stack.actions(before["Table"]) == ["evening"]


def test_a_mistake_fails_the_stack_with_the_services_words(stack: Stack) -> None:
    with pytest.raises(WaiterError):
        stack.deploy("CREATE", Access="Read")

    events = stack.cloudformation.describe_stack_events(StackName=stack.name)["StackEvents"]
    (reason,) = {
        event["ResourceStatusReason"]
        for event in events
        if event["LogicalResourceId"] == "Policy" and "FAILED" in event["ResourceStatus"]
    }
    assert "PredefinedMetricType must be DynamoDBWriteCapacityUtilization" in reason


def _wait(client: Any, waiter: str, **what: str) -> None:
    client.get_waiter(waiter).wait(**what, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
