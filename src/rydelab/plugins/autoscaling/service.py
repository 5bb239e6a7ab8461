"""The provider: LocalStack's gateway in front of the API, and the loop behind it."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext, ServiceException
from localstack.services.plugins import Service, ServiceLifecycleHook, aws_provider

from rydelab.plugins import lab_clock
from rydelab.plugins.autoscaling.api import Api
from rydelab.plugins.autoscaling.cloudwatch import CloudWatchAlarms, leave_alarms_to_the_loop
from rydelab.plugins.autoscaling.dynamodb import DynamoDbTables, counts_units
from rydelab.plugins.autoscaling.errors import ApiError
from rydelab.plugins.autoscaling.fleet import Fleet
from rydelab.plugins.autoscaling.loop import Loop
from rydelab.plugins.autoscaling.names import Place
from rydelab.plugins.autoscaling.request_check import check_request
from rydelab.plugins.dynamodb.provider import settings

LOG = logging.getLogger(__name__)

type Handler = Callable[[RequestContext, dict[str, Any]], dict[str, Any]]

OPERATIONS: dict[str, Callable[[Api, dict[str, Any]], dict[str, Any]]] = {
    "RegisterScalableTarget": Api.register_scalable_target,
    "DescribeScalableTargets": Api.describe_scalable_targets,
    "DeregisterScalableTarget": Api.deregister_scalable_target,
    "PutScalingPolicy": Api.put_scaling_policy,
    "DescribeScalingPolicies": Api.describe_scaling_policies,
    "DeleteScalingPolicy": Api.delete_scaling_policy,
    "DescribeScalingActivities": Api.describe_scaling_activities,
    "PutScheduledAction": Api.put_scheduled_action,
    "DescribeScheduledActions": Api.describe_scheduled_actions,
    "DeleteScheduledAction": Api.delete_scheduled_action,
    "TagResource": Api.tag_resource,
    "UntagResource": Api.untag_resource,
    "ListTagsForResource": Api.list_tags_for_resource,
}
"""GetPredictiveScalingForecast is not there: predictive scaling is not for DynamoDB."""


class AutoScalingProvider(ServiceLifecycleHook):  # type: ignore[misc]
    """Application Auto Scaling for the DynamoDB tables of this emulator. LocalStack loads it when it is first used."""

    service = "application-autoscaling"

    def __init__(self) -> None:
        self._settings = settings().capacity
        self._fleets: dict[Place, Fleet] = {}
        self._lock = threading.Lock()
        self._loop = Loop(
            lambda: list(self._fleets.values()),
            period_s=self._settings.scaling_period_s,
            clock_speed=lab_clock.speed(),
        )

    def on_before_start(self) -> None:
        """Start the loop."""
        if not counts_units():
            LOG.warning("nothing counts the units that tables consume, so auto scaling keeps bounds and no more")
        leave_alarms_to_the_loop()
        self._loop.start()

    def on_before_stop(self) -> None:
        """Stop the loop."""
        self._loop.stop()

    def dispatch_table(self) -> dict[str, Handler]:
        """Return what LocalStack calls for each operation."""
        return {
            name: self._handler(operation, changes=not name.startswith(("Describe", "List")))
            for name, operation in OPERATIONS.items()
        }

    def _handler(self, operation: Callable[[Api, dict[str, Any]], dict[str, Any]], *, changes: bool) -> Handler:
        def handle(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
            try:
                check_request(context.operation, request)
                answer = operation(Api(self._fleet(Place(context.account_id, context.region))), request)
            except ApiError as error:
                raise _exception(error) from error
            if changes:
                self._loop.wake()
            return answer

        return handle

    def _fleet(self, place: Place) -> Fleet:
        with self._lock:
            if place not in self._fleets:
                self._fleets[place] = Fleet(
                    place,
                    tables=DynamoDbTables(place),
                    alarms=CloudWatchAlarms(place),
                    settings=self._settings,
                    clock_speed=lab_clock.speed(),
                )
            return self._fleets[place]


def _exception(error: ApiError) -> ServiceException:
    exception = CommonServiceException(error.code, error.message, status_code=400, sender_fault=True)
    for member, value in error.members.items():
        setattr(exception, member, value)
    return exception


@aws_provider(api="application-autoscaling")  # type: ignore[untyped-decorator, unused-ignore]
def application_autoscaling() -> Service:
    """Make the service."""
    provider = AutoScalingProvider()
    return Service.for_provider(provider, dispatch_table_factory=AutoScalingProvider.dispatch_table)
