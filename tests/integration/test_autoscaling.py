"""Application Auto Scaling moves the capacity of tables and indexes, in a lab whose minutes take half a second."""

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rydelab.lab.emulation import emulator
from tests.integration.conftest import Lab, lab_settings

CLOCK_SPEED = 120.0
MINUTE_S = 60.0 / CLOCK_SPEED
POLL_INTERVAL_S = 0.05
DEADLINE_S = 30.0


@pytest.fixture(scope="module")
def fast_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    settings = replace(lab_settings(tmp_path_factory.mktemp("fast-lab")), clock_speed=CLOCK_SPEED)
    with emulator.start(settings) as running:
        lab = Lab(running.endpoint_url)
        yield lab
        lab.close()


class Scaled:
    """A table of the lab, and what auto scaling does to it."""

    def __init__(self, lab: Lab, units: int) -> None:
        self.name = f"Rides-{uuid.uuid4().hex[:8]}"
        self.dynamodb = lab.client("dynamodb")
        self.scaling = lab.client("application-autoscaling")
        self.cloudwatch = lab.client("cloudwatch")
        throughput = {"ReadCapacityUnits": units, "WriteCapacityUnits": units}
        self.dynamodb.create_table(
            TableName=self.name,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("Ride", "Day")],
            KeySchema=[{"AttributeName": "Ride", "KeyType": "HASH"}],
            ProvisionedThroughput=throughput,
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "ByDay",
                    "KeySchema": [{"AttributeName": "Day", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                    "ProvisionedThroughput": throughput,
                }
            ],
        )

    def named(self, *, index: str | None = None, access: str = "Write") -> dict[str, str]:
        """Return how the API names the capacity of the table or of an index."""
        kind, suffix = ("table", "") if index is None else ("index", f"/index/{index}")
        return {
            "ServiceNamespace": "dynamodb",
            "ResourceId": f"table/{self.name}{suffix}",
            "ScalableDimension": f"dynamodb:{kind}:{access}CapacityUnits",
        }

    def register(self, minimum: int, maximum: int, **named: Any) -> str:
        """Register a target; its ARN."""
        request = {**self.named(**named), "MinCapacity": minimum, "MaxCapacity": maximum}
        arn: str = self.scaling.register_scalable_target(**request)["ScalableTargetARN"]
        return arn

    def track(self, target_value: float = 70.0, *, access: str = "Write", **named: Any) -> dict[str, Any]:
        """Put a policy and return it as it is described."""
        named = self.named(access=access, **named)
        self.scaling.put_scaling_policy(
            **named,
            PolicyName=f"{self.name}-policy",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": target_value,
                "PredefinedMetricSpecification": {"PredefinedMetricType": f"DynamoDB{access}CapacityUtilization"},
            },
        )
        policy: dict[str, Any] = self.scaling.describe_scaling_policies(**named)["ScalingPolicies"][0]
        return policy

    def alarms(self, policy: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the alarms of a policy as CloudWatch has them, in the policy's order."""
        names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
        alarms = self.cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
        return sorted(alarms, key=lambda alarm: names.index(alarm["AlarmName"]))

    def deregister_all(self) -> None:
        """Deregister what the test has registered on this table."""
        targets = self.scaling.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
        for target in targets:
            if target["ResourceId"].split("/")[1] == self.name:
                self.scaling.deregister_scalable_target(**{name: target[name] for name in self.named()})

    def write(self) -> None:
        """Write five small items, as far as the capacity lets them through."""
        for number in range(5):
            try:
                item = {"Ride": {"S": f"{number}-{uuid.uuid4().hex}"}, "Day": {"S": str(number)}}
                self.dynamodb.put_item(TableName=self.name, Item=item)
            except self.dynamodb.exceptions.ProvisionedThroughputExceededException:
                return

    def units(self, *, index: str | None = None) -> tuple[int, int]:
        """Return the provisioned read and write units."""
        table = self.dynamodb.describe_table(TableName=self.name)["Table"]
        described = table if index is None else table["GlobalSecondaryIndexes"][0]
        throughput = described["ProvisionedThroughput"]
        return throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]

    def activities(self, **named: Any) -> list[dict[str, Any]]:
        """Return the activities of the table or an index, the latest first."""
        activities: list[dict[str, Any]] = self.scaling.describe_scaling_activities(**self.named(**named))[
            "ScalingActivities"
        ]
        return activities

    def finished(self, count: int, meanwhile: Callable[[], None] = lambda: None, **named: Any) -> list[dict[str, Any]]:
        """Wait until *count* activities have ended, and return them, the earliest first."""
        deadline = time.monotonic() + DEADLINE_S
        while len(ended := [one for one in self.activities(**named) if "EndTime" in one]) < count:
            assert time.monotonic() < deadline, f"only {len(ended)} of {count} activities ended: {ended}"
            meanwhile()
            time.sleep(POLL_INTERVAL_S)
        return ended[::-1]


@pytest.fixture
def table_of(fast_lab: Lab) -> Iterator[Callable[[int], Scaled]]:
    made: list[Scaled] = []

    def make(units: int) -> Scaled:
        made.append(Scaled(fast_lab, units))
        return made[-1]

    yield make
    for scaled in made:
        scaled.deregister_all()


def test_two_minutes_above_the_target_scale_out_to_the_maximum(table_of: Callable[[int], Scaled]) -> None:
    rides = table_of(1)
    rides.register(1, 8)
    policy = rides.track()

    (activity,) = rides.finished(1, meanwhile=rides.write)

    assert activity["Description"] == "Setting write capacity units to 8."
    assert activity["Cause"] == (
        f"monitor alarm {policy['Alarms'][0]['AlarmName']} in state ALARM triggered policy {policy['PolicyName']}"
    )
    assert activity["StatusCode"] == "Successful"
    assert activity["StatusMessage"] == (
        "Successfully set write capacity units to 8. Change successfully fulfilled by dynamodb."
    )
    assert rides.units() == (1, 8)
    assert rides.units(index="ByDay") == (1, 1)
    # Two one-minute points lie more than a minute apart: the first of them may have begun before the policy was there.
    assert _minutes(policy["CreationTime"], activity["StartTime"]) > 1
    assert _minutes(activity["StartTime"], activity["EndTime"]) >= 36.7 / 60  # UpdateTable takes its time


def test_the_four_alarms_are_cloudwatchs_and_follow_the_capacity(table_of: Callable[[int], Scaled]) -> None:
    rides = table_of(1)
    rides.register(1, 8)
    policy = rides.track()

    def thresholds() -> list[float]:
        return [alarm["Threshold"] for alarm in rides.alarms(policy)]

    high, low, *provisioned = rides.alarms(policy)
    assert high["AlarmName"].startswith(f"TargetTracking-table/{rides.name}-AlarmHigh-")
    assert high["AlarmActions"] == high["OKActions"] == high["InsufficientDataActions"] == [policy["PolicyARN"]]
    assert (high["Namespace"], high["MetricName"]) == ("AWS/DynamoDB", "ConsumedWriteCapacityUnits")
    assert high["Dimensions"] == [{"Name": "TableName", "Value": rides.name}]
    assert (high["Statistic"], high["Period"], high["EvaluationPeriods"]) == ("Sum", 60, 2)
    assert (low["ComparisonOperator"], low["EvaluationPeriods"]) == ("LessThanThreshold", 15)
    assert [alarm["MetricName"] for alarm in provisioned] == ["ProvisionedWriteCapacityUnits"] * 2
    assert [alarm["EvaluationPeriods"] for alarm in provisioned] == [2, 3]
    assert thresholds() == [42.0, 30.0, 1.0, 1.0]

    rides.finished(1, meanwhile=rides.write)
    _wait(lambda: thresholds() == [336.0, 240.0, 8.0, 8.0])

    rides.scaling.delete_scaling_policy(**rides.named(), PolicyName=policy["PolicyName"])
    assert rides.alarms(policy) == []


def test_fifteen_minutes_below_scale_in_to_the_minimum(table_of: Callable[[int], Scaled]) -> None:
    rides = table_of(10)
    rides.register(2, 40)
    policy = rides.track()

    (activity,) = rides.finished(1)

    assert activity["Description"] == "Setting write capacity units to 2."
    assert activity["Cause"].startswith(f"monitor alarm {policy['Alarms'][1]['AlarmName']} in state ALARM triggered")
    assert 14 <= _minutes(policy["CreationTime"], activity["StartTime"]) < 30  # the first minute had begun
    assert rides.units() == (10, 2)
    assert rides.alarms(policy)[1]["StateValue"] == "ALARM"


def test_scaling_goes_on_without_an_alarm_that_somebody_deleted(table_of: Callable[[int], Scaled]) -> None:
    rides = table_of(1)
    rides.register(1, 8)
    policy = rides.track()
    high, *others = [alarm["AlarmName"] for alarm in policy["Alarms"]]
    rides.cloudwatch.delete_alarms(AlarmNames=[high, *others])

    (activity,) = rides.finished(1, meanwhile=rides.write)

    assert activity["Cause"].startswith(f"monitor alarm {high} in state ALARM")
    assert rides.units() == (1, 8)


def test_an_index_scales_by_itself(table_of: Callable[[int], Scaled]) -> None:
    rides = table_of(1)
    rides.register(1, 6, index="ByDay")
    policy = rides.track(50.0, index="ByDay")

    (activity,) = rides.finished(1, meanwhile=rides.write, index="ByDay")

    assert activity["Description"] == "Setting write capacity units to 6."
    assert rides.units(index="ByDay") == (1, 6)
    assert rides.units() == (1, 1)
    high = rides.alarms(policy)[0]
    assert high["AlarmName"].startswith(f"TargetTracking-table/{rides.name}/index/ByDay-AlarmHigh-")
    assert {dimension["Name"]: dimension["Value"] for dimension in high["Dimensions"]} == {
        "TableName": rides.name,
        "GlobalSecondaryIndexName": "ByDay",
    }


def test_reads_and_writes_that_scale_together_take_turns(table_of: Callable[[int], Scaled]) -> None:
    rides = table_of(1)
    rides.register(4, 40)
    rides.register(3, 40, access="Read")

    rides.finished(1)
    (activity,) = rides.finished(1, access="Read")

    assert rides.units() == (3, 4)
    assert (activity["Description"], activity["Cause"]) == (
        "Setting read capacity units to 3.",
        "minimum capacity was set to 3",
    )


def test_decreases_are_bounded_by_the_tables_quota(table_of: Callable[[int], Scaled]) -> None:
    rides = table_of(40)
    # Four are there at once; another may come with the full hour.
    for number, maximum in enumerate(range(39, 33, -1), 1):
        rides.register(1, maximum)
        if (last := rides.finished(number)[-1])["StatusCode"] == "Failed":
            break

    assert number in (5, 6)
    assert last["StatusMessage"].startswith(
        f"Failed to set write capacity units to {maximum}. Reason: Subscriber limit exceeded: Provisioned throughput "
        "decreases are limited within a given UTC day."
    )
    assert rides.units() == (40, maximum + 1)


def test_a_scheduled_action_moves_the_bounds_and_the_capacity(table_of: Callable[[int], Scaled]) -> None:
    rides = table_of(1)
    rides.register(1, 8)
    rides.scaling.put_scheduled_action(
        **rides.named(),
        ScheduledActionName="rush hour",
        Schedule="rate(1 minute)",
        ScalableTargetAction={"MinCapacity": 5, "MaxCapacity": 50},
    )

    ran = rides.finished(2)
    rides.scaling.delete_scheduled_action(**rides.named(), ScheduledActionName="rush hour")

    first, moved = sorted(ran, key=lambda activity: activity["Description"] == "Setting write capacity units to 5.")
    assert first["Description"] == "Setting min capacity to 5 and max capacity to 50"
    assert first["Cause"] == "scheduled action name rush hour was triggered"
    assert moved["Cause"] == "minimum capacity was set to 5"
    _wait(lambda: rides.units() == (1, 5))
    (target,) = rides.scaling.describe_scalable_targets(
        ServiceNamespace="dynamodb", ResourceIds=[f"table/{rides.name}"]
    )["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (5, 50)


def test_errors_have_the_names_that_clients_catch(table_of: Callable[[int], Scaled]) -> None:
    rides = table_of(1)
    scaling = rides.scaling
    with pytest.raises(scaling.exceptions.ObjectNotFoundException, match="No scalable target found for service"):
        scaling.deregister_scalable_target(**rides.named())
    with pytest.raises(scaling.exceptions.ValidationException, match="DynamoDB table does not exist: table/None"):
        scaling.register_scalable_target(**rides.named() | {"ResourceId": "table/None"}, MinCapacity=1, MaxCapacity=2)
    with pytest.raises(scaling.exceptions.ValidationException, match="at 'serviceNamespace' failed to satisfy"):
        scaling.describe_scalable_targets(ServiceNamespace="s3")
    with pytest.raises(scaling.exceptions.ResourceNotFoundException) as missing:
        scaling.list_tags_for_resource(ResourceARN="arn:aws:application-autoscaling:us-east-1:000000000000:none")
    assert missing.value.response["ResourceName"] == "arn:aws:application-autoscaling:us-east-1:000000000000:none"
    with pytest.raises(scaling.exceptions.InvalidNextTokenException):
        scaling.describe_scaling_policies(ServiceNamespace="dynamodb", NextToken="x")
    with pytest.raises(ClientError, match="GetPredictiveScalingForecast"):
        scaling.get_predictive_scaling_forecast(
            **rides.named(), PolicyName="p", StartTime="2026-01-01T00:00:00Z", EndTime="2026-01-02T00:00:00Z"
        )


def test_tags_and_pages_reach_the_client(table_of: Callable[[int], Scaled]) -> None:
    rides = table_of(1)
    arn = rides.register(1, 8)
    rides.register(1, 8, access="Read")
    rides.scaling.tag_resource(ResourceARN=arn, Tags={"team": "rides", "stage": "dev"})
    rides.scaling.untag_resource(ResourceARN=arn, TagKeys=["stage"])

    pages = rides.scaling.get_paginator("describe_scalable_targets").paginate(
        ServiceNamespace="dynamodb", ResourceIds=[f"table/{rides.name}"], PaginationConfig={"PageSize": 1}
    )

    assert rides.scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "rides"}
    assert [len(page["ScalableTargets"]) for page in pages] == [1, 1]


def _minutes(start: datetime, end: datetime) -> float:
    """Return the lab's minutes between two answers."""
    return (end - start).total_seconds() / MINUTE_S


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(POLL_INTERVAL_S)
