"""What the API shows of targets, activities and scheduled actions, page by page."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rydelab.capacity.autoscaling import Activity
from rydelab.plugins.autoscaling.errors import ApiError
from rydelab.plugins.autoscaling.records import ActionRecord
from rydelab.plugins.autoscaling.target import Target

type Members = Mapping[str, Any]
"""What a request says."""
type Answer = dict[str, Any]

DEFAULT_PAGE = 50


def target_answer(target: Target) -> Answer:
    """Return a ScalableTarget."""
    return {
        **target.id.as_members(),
        "MinCapacity": target.scaler.bounds.minimum,
        "MaxCapacity": target.scaler.bounds.maximum,
        "RoleARN": target.role_arn,
        "CreationTime": target.created,
        "SuspendedState": target.suspended.as_member(),
        "ScalableTargetARN": target.arn,
    }


def activity_answer(target: Target, uid: str, activity: Activity) -> Answer:
    """Return a ScalingActivity."""
    answer = {
        **target.id.as_members(),
        "ActivityId": uid,
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": datetime.fromtimestamp(activity.started, UTC),
        "StatusCode": activity.status,
        "StatusMessage": activity.status_message,
    }
    if activity.ended is not None:
        answer["EndTime"] = datetime.fromtimestamp(activity.ended, UTC)
    return answer


def action_answer(target: Target, record: ActionRecord) -> Answer:
    """Return a ScheduledAction."""
    return {
        **target.id.as_members(),
        **record.request,
        "ScheduledActionName": record.name,
        "ScheduledActionARN": record.arn,
        "CreationTime": record.created,
    }


def page(member: str, items: list[Answer], request: Members) -> Answer:
    """Return the part of *items* that *request* asks for, and the token of the next."""
    token = request.get("NextToken") or "0"
    if not token.isdigit() or int(token) > len(items):
        raise ApiError("InvalidNextTokenException", f"The token {token!r} is not valid")
    start = int(token)
    end = start + (request.get("MaxResults") or DEFAULT_PAGE)
    answer: Answer = {member: items[start:end]}
    if end < len(items):
        answer["NextToken"] = str(end)
    return answer
