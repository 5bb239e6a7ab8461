"""The alarms of policies in LocalStack's CloudWatch."""

import logging
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError
from localstack.aws.connect import connect_to
from localstack.services.cloudwatch.alarm_scheduler import AlarmScheduler
from localstack.utils.patch import patch

from rydelab.capacity.alarms import Alarm
from rydelab.capacity.metrics import NAMESPACE
from rydelab.plugins.autoscaling.names import Place, ScalableId
from rydelab.plugins.supported_version import require_supported_version

_COMPARED = {"GreaterThanThreshold": "greater than", "LessThanThreshold": "less than"}
_managed: set[str] = set()
"""ARNs of the alarms whose state the scaling loop decides."""


class CloudWatchAlarms:
    """Alarms by CloudWatch's own API, as an `AlarmBoard`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._client: Any = connect_to(
            region_name=place.region,
            aws_access_key_id=place.account,
            config=Config(retries={"total_max_attempts": 1}),  # the loop comes again by itself
        ).cloudwatch

    def put(self, alarm: Alarm, scalable: ScalableId, policy_arn: str) -> None:
        """Make or replace an alarm."""
        _managed.add(self._place.alarm_arn(alarm.name))
        self._client.put_metric_alarm(
            AlarmName=alarm.name,
            AlarmDescription=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy_arn}.",
            ActionsEnabled=True,
            OKActions=[policy_arn],
            AlarmActions=[policy_arn],
            InsufficientDataActions=[policy_arn],
            Namespace=NAMESPACE,
            MetricName=alarm.metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in scalable.metric_dimensions],
            Statistic=alarm.statistic,
            Period=alarm.period_s,
            EvaluationPeriods=alarm.evaluation_periods,
            Threshold=alarm.threshold,
            ComparisonOperator=alarm.comparison,
        )

    def set_state(self, alarm: Alarm) -> None:
        """Show the state that the scaling loop has found."""
        try:
            self._client.set_alarm_state(AlarmName=alarm.name, StateValue=alarm.state, StateReason=_reason(alarm))
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"ResourceNotFound", "ResourceNotFoundException"}:
                raise

    def delete(self, names: list[str]) -> None:
        """Delete alarms."""
        self._client.delete_alarms(AlarmNames=names)
        _managed.difference_update(self._place.alarm_arn(name) for name in names)


def leave_alarms_to_the_loop() -> None:
    """Keep LocalStack from evaluating the alarms of policies, and from warning that it cannot run a policy.

    It would look at them by the real clock, seldom (an alarm of 15 points every 15 minutes), and overwrite their state.
    """
    require_supported_version("the auto scaling plug-in")

    @patch(AlarmScheduler.schedule_metric_alarm)
    def schedule_metric_alarm(fn: Any, self: AlarmScheduler, alarm_arn: str) -> None:
        if alarm_arn not in _managed:
            fn(self, alarm_arn)

    logging.getLogger("localstack.services.cloudwatch.provider_v2").addFilter(_is_no_policy_action)


def _is_no_policy_action(record: logging.LogRecord) -> bool:
    arguments = record.args if isinstance(record.args, tuple) else ()
    return not (record.levelno == logging.WARNING and arguments[:1] == ("autoscaling",))


def _reason(alarm: Alarm) -> str:
    points = f"{alarm.evaluation_periods} datapoints were"
    beyond = f"{_COMPARED[alarm.comparison]} the threshold ({alarm.threshold})"
    match alarm.state:
        case "ALARM":
            return f"Threshold Crossed: {points} {beyond}."
        case "OK":
            return f"Threshold Crossed: not all of the last {points} {beyond}."
        case _:
            return f"Insufficient Data: fewer than {points} received."
