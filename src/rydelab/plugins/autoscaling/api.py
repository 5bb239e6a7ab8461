"""The operations of the API, on one account and region: requests and answers are as in AWS's model of the service."""

import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from rydelab.capacity.autoscaling import Bounds
from rydelab.capacity.schedule import ScheduledAction, parse_schedule
from rydelab.plugins.autoscaling.answers import Answer, Members, action_answer, activity_answer, page, target_answer
from rydelab.plugins.autoscaling.errors import ApiError, not_found, validation
from rydelab.plugins.autoscaling.fleet import Fleet
from rydelab.plugins.autoscaling.names import ScalableId
from rydelab.plugins.autoscaling.records import ActionRecord, PolicyRecord
from rydelab.plugins.autoscaling.target import Target, next_due

MAX_TAGS = 50


class Api:
    """One method for each operation; requests have passed `check_request`. Safe to call from many threads."""

    def __init__(self, fleet: Fleet, *, unix_time: Callable[[], float] = time.time) -> None:
        self._fleet = fleet
        self._unix_time = unix_time

    # Targets

    def register_scalable_target(self, request: Members) -> Answer:
        """Make a target, or change one that is there."""
        scalable, now = _scalable(request), self._unix_time()
        with self._fleet.lock:
            target = self._fleet.targets.get(scalable)
            if target is None:
                target = self._register(scalable, request, now)
            else:
                if request.get("Tags"):
                    raise validation("Tags can be given to a new scalable target only: use TagResource")
                bounds = target.scaler.bounds
                minimum = request.get("MinCapacity", bounds.minimum)
                target.set_bounds(_bounds(minimum, request.get("MaxCapacity", bounds.maximum)), now)
            if request.get("RoleARN"):
                target.role_arn = request["RoleARN"]
            target.suspended = target.suspended.changed(request.get("SuspendedState") or {})
            return {"ScalableTargetARN": target.arn}

    def describe_scalable_targets(self, request: Members) -> Answer:
        """Show targets."""
        with self._fleet.lock:
            targets = [
                target
                for target in self._fleet.targets.values()
                if _matches(request, target.id, request.get("ResourceIds"))
            ]
            return page("ScalableTargets", [target_answer(target) for target in targets], request)

    def deregister_scalable_target(self, request: Members) -> Answer:
        """Delete a target with its policy and scheduled actions."""
        with self._fleet.lock:
            self._fleet.remove(_scalable(request))
        return {}

    # Policies

    def put_scaling_policy(self, request: Members) -> Answer:
        """Make a policy, or change one that is there."""
        scalable, name = _scalable(request), request["PolicyName"]
        with self._fleet.lock:
            target = self._fleet.target(scalable, verb="registered")
            existing = target.policy
            if existing is not None and existing.name != name:
                raise validation("Only one TargetTrackingScaling policy for a given metric specification is allowed.")
            configuration = _tracking(scalable, request, existing)
            record = existing or PolicyRecord(
                name=name,
                arn=self._fleet.place.policy_arn(scalable, str(uuid.uuid4()), name),
                created=datetime.fromtimestamp(self._unix_time(), UTC),
                configuration={},
            )
            try:
                self._fleet.put_policy(target, record.with_configuration(configuration))
            except ValueError as error:
                raise validation(str(error)) from None
            return {"PolicyARN": record.arn, "Alarms": self._alarms(target)}

    def describe_scaling_policies(self, request: Members) -> Answer:
        """Show policies."""
        with self._fleet.lock:
            policies = [
                self._policy(target, target.policy)
                for target in self._fleet.targets.values()
                if target.policy is not None
                and _matches(request, target.id)
                and target.policy.name in (request.get("PolicyNames") or [target.policy.name])
            ]
            return page("ScalingPolicies", policies, request)

    def delete_scaling_policy(self, request: Members) -> Answer:
        """Delete a policy and its alarms."""
        scalable, name = _scalable(request), request["PolicyName"]
        with self._fleet.lock:
            target = self._fleet.targets.get(scalable)
            if target is None or target.policy is None or target.policy.name != name:
                raise not_found(f"No scaling policy found for {scalable}, policy name: {name}")
            self._fleet.delete_policy(target)
        return {}

    # Activities

    def describe_scaling_activities(self, request: Members) -> Answer:
        """Show activities, the latest first."""
        with self._fleet.lock:
            activities = [
                activity_answer(target, uid, activity)
                for target, uid, activity in self._fleet.activities()
                if _matches(request, target.id)
            ]
        activities.reverse()  # of those that began together, the later is the first
        activities.sort(key=lambda activity: activity["StartTime"], reverse=True)
        return page("ScalingActivities", activities, request)

    # Scheduled actions

    def put_scheduled_action(self, request: Members) -> Answer:
        """Make a scheduled action, or change one that is there."""
        scalable, name, now = _scalable(request), request["ScheduledActionName"], self._unix_time()
        with self._fleet.lock:
            target = self._fleet.target(scalable, verb="registered")
            existing = target.actions.get(name)
            wanted = dict(existing.request) if existing else {}
            wanted |= {member: request[member] for member in _ACTION_MEMBERS if request.get(member) is not None}
            action, due = next_due(_action(name, wanted), clock_speed=self._fleet.clock_speed, now=now)
            target.actions[name] = ActionRecord(
                name=name,
                arn=existing.arn if existing else self._fleet.place.action_arn(scalable, str(uuid.uuid4()), name),
                created=existing.created if existing else datetime.fromtimestamp(now, UTC),
                request=wanted,
                action=action,
                due=due,
            )
        return {}

    def describe_scheduled_actions(self, request: Members) -> Answer:
        """Show scheduled actions."""
        with self._fleet.lock:
            actions = [
                action_answer(target, record)
                for target in self._fleet.targets.values()
                if _matches(request, target.id)
                for record in target.actions.values()
                if record.name in (request.get("ScheduledActionNames") or [record.name])
            ]
        return page("ScheduledActions", actions, request)

    def delete_scheduled_action(self, request: Members) -> Answer:
        """Delete a scheduled action."""
        scalable, name = _scalable(request), request["ScheduledActionName"]
        with self._fleet.lock:
            target = self._fleet.targets.get(scalable)
            if target is None or target.actions.pop(name, None) is None:
                raise not_found(f"No scheduled action found for {scalable}, scheduled action name: {name}")
        return {}

    # Tags

    def tag_resource(self, request: Members) -> Answer:
        """Add or change tags of a target."""
        with self._fleet.lock:
            target = self._tagged(request["ResourceARN"])
            target.tags = _tags(target.tags | request["Tags"], target.arn)
        return {}

    def untag_resource(self, request: Members) -> Answer:
        """Remove tags of a target."""
        with self._fleet.lock:
            target = self._tagged(request["ResourceARN"])
            target.tags = {key: value for key, value in target.tags.items() if key not in request["TagKeys"]}
        return {}

    def list_tags_for_resource(self, request: Members) -> Answer:
        """Show the tags of a target."""
        with self._fleet.lock:
            return {"Tags": dict(self._tagged(request["ResourceARN"]).tags)}

    # Inside

    def _register(self, scalable: ScalableId, request: Members, now: float) -> Target:
        for member in ("MinCapacity", "MaxCapacity"):
            if request.get(member) is None:
                raise validation(f"{member} is required for a new scalable target")
        tags = _tags(request.get("Tags") or {}, scalable.resource_id)
        bounds = _bounds(request["MinCapacity"], request["MaxCapacity"])
        reading = self._fleet.tables.read(scalable)
        if reading is None:
            kind = "table" if scalable.index is None else "index"
            raise validation(f"DynamoDB {kind} does not exist: {scalable.resource_id}")
        # An on-demand table has no capacity to move; should it be provisioned later, this is corrected by the alarms.
        capacity = bounds.minimum if reading.provisioned is None else reading.provisioned
        target = self._fleet.add(scalable, bounds, capacity=capacity, now=now)
        target.tags = tags
        target.set_bounds(bounds, now)
        return target

    def _tagged(self, arn: str) -> Target:
        for target in self._fleet.targets.values():
            if target.arn == arn:
                return target
        message = f"The scalable target with ARN {arn} does not exist."
        raise ApiError("ResourceNotFoundException", message, ResourceName=arn)

    def _alarms(self, target: Target) -> list[Answer]:
        place = self._fleet.place
        return [{"AlarmName": alarm.name, "AlarmARN": place.alarm_arn(alarm.name)} for alarm in target.scaler.alarms]

    def _policy(self, target: Target, record: PolicyRecord) -> Answer:
        return {
            **target.id.as_members(),
            "PolicyARN": record.arn,
            "PolicyName": record.name,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": dict(record.configuration),
            "Alarms": self._alarms(target),
            "CreationTime": record.created,
        }


_ACTION_MEMBERS = ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")


def _scalable(request: Members) -> ScalableId:
    return ScalableId.of(request["ServiceNamespace"], request["ResourceId"], request["ScalableDimension"])


def _matches(request: Members, scalable: ScalableId, resource_ids: Sequence[str] | None = None) -> bool:
    """Tell whether the filters of a Describe request let *scalable* through."""
    named = scalable.as_members()
    wanted = {member: request.get(member) or named[member] for member in named}
    return wanted == named and (not resource_ids or scalable.resource_id in resource_ids)


def _bounds(minimum: int, maximum: int) -> Bounds:
    if maximum < minimum:
        raise validation("Maximum capacity cannot be less than minimum capacity")
    try:
        return Bounds(minimum=minimum, maximum=maximum)
    except ValueError as error:
        raise validation(str(error)) from None


def _tracking(scalable: ScalableId, request: Members, existing: PolicyRecord | None) -> Members:
    """Return the configuration that *request* asks for. Raise ApiError for what DynamoDB cannot have."""
    kind = request.get("PolicyType") or ("TargetTrackingScaling" if existing else "StepScaling")
    if kind != "TargetTrackingScaling":
        raise validation(f"Policy type {kind} is not supported for service namespace dynamodb")
    configuration: Members | None = request.get("TargetTrackingScalingPolicyConfiguration")
    if configuration is None:
        if existing:
            return existing.configuration
        raise validation("TargetTrackingScalingPolicyConfiguration is required for a TargetTrackingScaling policy")
    if configuration.get("CustomizedMetricSpecification"):
        raise validation(
            "CustomizedMetricSpecification is not supported by this lab: use PredefinedMetricSpecification"
        )
    metric = configuration.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    if metric != scalable.metric_type:
        raise validation(
            f"PredefinedMetricType must be {scalable.metric_type} for scalable dimension {scalable.dimension}, "
            f"got {metric}"
        )
    return configuration


def _action(name: str, wanted: Members) -> ScheduledAction:
    if "Schedule" not in wanted:
        raise validation("Schedule is required for a new scheduled action")
    target_action = wanted.get("ScalableTargetAction") or {}
    minimum, maximum = target_action.get("MinCapacity"), target_action.get("MaxCapacity")
    if minimum is None and maximum is None:
        raise validation("ScalableTargetAction must have MinCapacity, MaxCapacity or both")
    lowest = 1 if minimum is None else minimum
    _bounds(lowest, lowest if maximum is None else maximum)
    start, end = wanted.get("StartTime"), wanted.get("EndTime")
    try:
        schedule = parse_schedule(
            wanted["Schedule"],
            zone=wanted.get("Timezone", "UTC"),
            start=start.timestamp() if start else 0.0,
            end=end.timestamp() if end else None,
        )
    except ValueError as error:
        raise validation(str(error)) from None
    return ScheduledAction(name, schedule, minimum=minimum, maximum=maximum)


def _tags(tags: dict[str, str], resource: str) -> dict[str, str]:
    if len(tags) > MAX_TAGS:
        message = f"The number of tags exceeds the limit of {MAX_TAGS} tags for a resource"
        raise ApiError("TooManyTagsException", message, ResourceName=resource)
    return dict(tags)
