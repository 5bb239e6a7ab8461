"""CloudFormation stacks, one at a time: look, change through a change set, delete, and say why it failed."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from bootstrap.errors import DeploymentError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

type Report = Callable[[str], None]

SETTLED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
"""The statuses of a stack whose last deployment succeeded."""

# AWS lets a stack in these be deleted, and nothing else.
_ONLY_DELETION_HELPS = frozenset(
    {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"}
)
# A change set was made and never executed: there is nothing in it to keep.
_NEVER_DEPLOYED = "REVIEW_IN_PROGRESS"

_OPERATION_TIMEOUT_S = 600
_SETTLING_TIMEOUT_S = 3
_FIRST_POLL_S, _LONGEST_POLL_S = 0.02, 0.25

_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True, slots=True)
class Stack:
    """What CloudFormation says of a stack."""

    name: str
    stack_id: str
    status: str
    status_reason: str
    change_set_id: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What a stack shall become."""

    template: Mapping[str, str]
    """``TemplateBody`` or ``TemplateURL``."""
    parameters: Mapping[str, str]
    tags: Mapping[str, str]


class StackOperations:
    """Operations on stacks, which wait until they are done and report each event as a line.

    They raise DeploymentError if the stack fails. `stop` ends every wait at once with a DeploymentError.
    """

    def __init__(self, client: "CloudFormationClient", report: Report) -> None:
        self._client = client
        self._report = report
        self._stopped = threading.Event()
        # While LocalStack makes a change set it changes its environment variables, and two at once get in each other's
        # way ("AWS Region cannot be found": `_apply_global_serverless_transformation`).
        self._one_change_set_at_a_time = threading.Lock()

    def stop(self) -> None:
        """End the waits of all threads."""
        self._stopped.set()

    def find(self, name: str) -> Stack | None:
        """Return the stack called *name* (or with that id), or None if there is none."""
        try:
            [described] = self._client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return _stack(described)

    def all(self) -> list[Stack]:
        """Return every stack there is."""
        pages = self._client.get_paginator("describe_stacks").paginate()
        stacks = [_stack(described) for page in pages for described in page["Stacks"]]
        return [stack for stack in stacks if stack.status != "DELETE_COMPLETE"]

    def template(self, name: str) -> Any:
        """Return the template with which stack *name* was deployed, parsed if it is JSON, else as text.

        None for a stack whose first deployment is not done.
        """
        return self._client.get_template(StackName=name, TemplateStage="Original").get("TemplateBody")

    def ready_for_change(self, name: str) -> Stack | None:
        """Wait for what is under way with stack *name*, and delete what cannot be updated.

        Return the stack to update, or None if it is to be created.
        """
        stack = self.find(name)
        if stack and stack.status.endswith("_IN_PROGRESS") and stack.status != _NEVER_DEPLOYED:
            self._report(f"{name}: waiting, it is in {stack.status}")
            for _ in self._polls(name):
                stack = self.find(name)
                if stack is None or not stack.status.endswith("_IN_PROGRESS"):
                    break
        if stack and stack.status == "CREATE_FAILED" and self._was_created(stack):
            return stack  # LocalStack's word for an update whose template it refused: the stack is as it was
        if stack and stack.status in {*_ONLY_DELETION_HELPS, _NEVER_DEPLOYED}:
            self._report(f"{name}: deleting it first, since a former deployment left it in {stack.status}")
            self.delete(stack)
            return None
        return stack

    def apply(self, name: str, change: Change, existing: Stack | None) -> bool:
        """Make stack *name* what *change* says, by a change set. Return False if it was so already."""
        created = self._create_change_set(name, change, existing)
        if created is None:
            return False
        stack_id, change_set_id = created
        events = _Events(self._client, name, stack_id)
        events.skip()
        self._client.execute_change_set(ChangeSetName=change_set_id)
        for _ in self._polls(name):
            last_status = self._report_all(events)
            if last_status is None or last_status.endswith("_IN_PROGRESS"):
                continue
            stack = self.find(stack_id)
            if stack and stack.status in SETTLED and stack.change_set_id == change_set_id:
                # LocalStack announces success before it stores outputs and exports; the change set's id comes last.
                return True
            if stack and stack.status not in SETTLED and self._is_final(stack.status, events):
                break
        self._report_all(events)
        raise DeploymentError(f"{name} failed: {events.reason()}")

    def delete(self, stack: Stack) -> None:
        """Delete *stack* and everything in it."""
        events = _Events(self._client, stack.name, stack.stack_id)
        events.skip()
        self._client.delete_stack(StackName=stack.stack_id)
        for _ in self._polls(stack.name):
            last_status = self._report_all(events)
            if last_status == "DELETE_COMPLETE":
                return
            if last_status == "DELETE_FAILED" and self._is_final(last_status, events):
                raise DeploymentError(f"{stack.name} could not be deleted: {events.reason()}")

    def _was_created(self, stack: Stack) -> bool:
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=stack.stack_id)
        events = [event for page in pages for event in page["StackEvents"] if _is_of_stack(event)]
        return any(event["ResourceStatus"] in SETTLED for event in events)

    def _create_change_set(self, name: str, change: Change, existing: Stack | None) -> tuple[str, str] | None:
        """Return the ids of the stack and the change set, or None if there is nothing to change."""
        request: dict[str, Any] = {
            **change.template,
            "StackName": existing.stack_id if existing else name,
            "ChangeSetName": f"bootstrap-{uuid.uuid4().hex}",
            "ChangeSetType": "UPDATE" if existing else "CREATE",
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in sorted(change.parameters.items())
            ],
            "Tags": [{"Key": key, "Value": value} for key, value in sorted(change.tags.items())],
        }
        try:
            with self._one_change_set_at_a_time:
                created = self._client.create_change_set(**request)
        except ClientError as error:
            self._delete_if_never_deployed(name, existing)
            message = error.response.get("Error", {}).get("Message") or str(error)
            raise DeploymentError(f"{name}: CloudFormation refuses the template: {message}") from error
        stack_id, change_set_id = created["StackId"], created["Id"]
        for _ in self._polls(name):
            change_set = self._described(change_set_id)
            if change_set["Status"] == "CREATE_COMPLETE":
                return stack_id, change_set_id
            if change_set["Status"] == "FAILED":
                break
        reason = change_set.get("StatusReason", "no reason given")
        if existing and any(words in reason for words in _NOTHING_TO_DO):
            self._client.delete_change_set(ChangeSetName=change_set_id)
            return None
        self._delete_if_never_deployed(name, existing)
        raise DeploymentError(f"{name}: CloudFormation refuses the template: {reason}")

    def _delete_if_never_deployed(self, name: str, existing: Stack | None) -> None:
        # A refused template leaves an empty stack behind, which nobody asked for.
        if existing is None and (stack := self.find(name)):
            self._client.delete_stack(StackName=stack.stack_id)

    def _described(self, change_set_id: str) -> Any:
        return self._client.describe_change_set(ChangeSetName=change_set_id)

    def _is_final(self, status: str, events: "_Events") -> bool:
        # LocalStack says CREATE_FAILED on its way to ROLLBACK_COMPLETE, and DELETE_FAILED for each resource that it
        # cannot delete before it goes on with the others.
        if status.endswith("_FAILED"):
            return events.quiet_s() > _SETTLING_TIMEOUT_S
        return not status.endswith("_IN_PROGRESS")

    def _report_all(self, events: "_Events") -> str | None:
        new = events.new()
        last = {event["LogicalResourceId"]: position for position, event in enumerate(new)}
        for position, event in enumerate(new):
            if event["ResourceStatus"].endswith("_IN_PROGRESS") and last[event["LogicalResourceId"]] > position:
                continue  # its end is in this batch too, and says it all
            if _is_of_stack(event) and event["ResourceStatus"].endswith("_FAILED"):
                continue  # on LocalStack not the last word; the error message is
            if event["ResourceStatus"].startswith("DELETE_") and not event.get("PhysicalResourceId"):
                continue  # LocalStack tries to delete even what was never made
            reason = event.get("ResourceStatusReason")
            # LocalStack gives the reason of what did not fail, too.
            suffix = f": {reason}" if reason and event["ResourceStatus"].endswith("_FAILED") else ""
            resource = "" if _is_of_stack(event) else f" {event['LogicalResourceId']} ({event['ResourceType']})"
            self._report(f"{events.stack_name}:{resource} {event['ResourceStatus']}{suffix}")
        return events.stack_status

    def _polls(self, name: str) -> Iterator[None]:
        """Yield again and again; raise DeploymentError after `_OPERATION_TIMEOUT_S`, or when stopped."""
        deadline = time.monotonic() + _OPERATION_TIMEOUT_S
        interval_s = _FIRST_POLL_S
        while time.monotonic() < deadline:
            yield
            if self._stopped.wait(interval_s):
                raise DeploymentError(f"{name}: stopped waiting")
            interval_s = min(interval_s * 1.5, _LONGEST_POLL_S)
        raise DeploymentError(f"{name}: CloudFormation was not done after {_OPERATION_TIMEOUT_S} s")


class _Events:
    """The events of one stack, each once, oldest first."""

    def __init__(self, client: "CloudFormationClient", stack_name: str, stack_id: str) -> None:
        self.stack_name = stack_name
        self.stack_status: str | None = None
        """What the newest event of the stack itself says."""
        self._client = client
        self._stack_id = stack_id
        self._seen: set[str] = set()
        self._taken: list[StackEventTypeDef] = []
        self._newest_at_s = time.monotonic()

    def skip(self) -> None:
        """Forget what has happened so far."""
        self._unseen()

    def new(self) -> list["StackEventTypeDef"]:
        """Return what has happened since the last call."""
        events = self._unseen()
        self._taken += events
        if events:
            self._newest_at_s = time.monotonic()
        for event in events:
            if _is_of_stack(event):
                self.stack_status = event["ResourceStatus"]
        return events

    def quiet_s(self) -> float:
        """Return how long nothing new has been met, in seconds."""
        return time.monotonic() - self._newest_at_s

    def reason(self) -> str:
        """Say which resource failed, and why: the first that failed by itself."""
        failed = [event for event in self._taken if event.get("ResourceStatus", "").endswith("_FAILED")]
        of_resources = [event for event in failed if not _is_of_stack(event)]
        for event in (*of_resources, *failed):
            reason = event.get("ResourceStatusReason", "")
            if "cancelled" not in reason:
                what = "" if _is_of_stack(event) else f"{event['LogicalResourceId']} ({event['ResourceType']}): "
                return f"{what}{reason or event['ResourceStatus']}"
        reasons = [event["ResourceStatusReason"] for event in self._taken if event.get("ResourceStatusReason")]
        return reasons[-1] if reasons else f"it ended in {self.stack_status}, and CloudFormation gives no reason"

    def _unseen(self) -> list["StackEventTypeDef"]:
        unseen: list[StackEventTypeDef] = []
        # Newest first: as soon as a page brings one that was seen, the pages behind it were seen as well.
        for page in self._client.get_paginator("describe_stack_events").paginate(StackName=self._stack_id):
            events = page["StackEvents"]
            fresh = [event for event in events if event["EventId"] not in self._seen]
            unseen += fresh
            if len(fresh) < len(events):
                break
        self._seen.update(event["EventId"] for event in unseen)
        return unseen[::-1]


def _is_of_stack(event: "StackEventTypeDef") -> bool:
    # A nested stack is a resource of the same type, with another id.
    return event.get("ResourceType") == "AWS::CloudFormation::Stack" and (
        event.get("PhysicalResourceId") == event["StackId"]
    )


def _stack(described: Any) -> Stack:
    def pairs(section: str, key: str, value: str) -> dict[str, str]:
        items: Sequence[Mapping[str, str]] = described.get(section, ())
        return {item[key]: item.get(value, "") for item in items}

    return Stack(
        name=described["StackName"],
        stack_id=described["StackId"],
        status=described["StackStatus"],
        status_reason=described.get("StackStatusReason", ""),
        change_set_id=described.get("ChangeSetId", ""),
        parameters=pairs("Parameters", "ParameterKey", "ParameterValue"),
        outputs=pairs("Outputs", "OutputKey", "OutputValue"),
        tags=pairs("Tags", "Key", "Value"),
    )
