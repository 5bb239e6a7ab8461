"""CloudFormation through its API: ``stack`` on the session's lab, ``quick`` where tables change at once."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from rydelab.lab.emulation import emulator
from tests.integration.conftest import Lab, lab_settings, make_function_role

DEADLINE_S = 60
POLL_INTERVAL_S = 0.05
UPDATE_DELAY_S = 0.2

type Template = Mapping[str, Any]
type Resources = Mapping[str, Any]


@dataclass
class Stack:
    """A stack of its own, deployed by change sets as ``bootstrap`` does it."""

    lab: Any
    name: str = field(default_factory=lambda: f"stack-{uuid.uuid4().hex[:8]}")
    stack_id: str = ""

    def deploy(self, resources: Resources, /, **sections: Any) -> str:
        """Create the stack, or update it, and return its status when it is done."""
        change_set = self.change_set(resources, **sections)
        self._client.execute_change_set(ChangeSetName=change_set)
        return self.settled()

    def update(self, resources: Resources) -> str:
        """Update the stack with UpdateStack and return its status when it is done."""
        self._client.update_stack(StackName=self.name, TemplateBody=json.dumps({"Resources": resources}))
        return self.settled()

    def change_set(self, resources: Resources, **sections: Any) -> str:
        """Make a change set, which must have changes, and return its id."""
        parameters = sections.pop("parameters", {})
        created = self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"c{uuid.uuid4().hex}",
            ChangeSetType="UPDATE" if self.exists() else "CREATE",
            TemplateBody=json.dumps({"Resources": resources, **sections}),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        self.stack_id = created["StackId"]
        change_set: str = created["Id"]
        described = self._client.describe_change_set(ChangeSetName=change_set)
        assert described["Status"] == "CREATE_COMPLETE", described["StatusReason"]
        return change_set

    def delete(self) -> str:
        """Delete the stack and return its status when it is done."""
        self._client.delete_stack(StackName=self.stack_id)
        return self.settled()

    def exists(self) -> bool:
        """Whether there is such a stack."""
        stacks = self._client.list_stacks()["StackSummaries"]
        return any(stack["StackName"] == self.name and stack["StackStatus"] != "DELETE_COMPLETE" for stack in stacks)

    def settled(self) -> str:
        """Return the status when it has been the same for a while, and nothing is under way."""
        deadline = time.monotonic() + DEADLINE_S
        seen: list[str] = []
        while time.monotonic() < deadline:
            seen.append(self._client.describe_stacks(StackName=self.stack_id)["Stacks"][0]["StackStatus"])
            steps = 10 if seen[-1].endswith("FAILED") else 2  # a failure may be on the way to something else
            if len(seen) >= steps and len(set(seen[-steps:])) == 1 and not seen[-1].endswith("_IN_PROGRESS"):
                return seen[-1]
            time.sleep(POLL_INTERVAL_S)
        pytest.fail(f"{self.name} is still in {seen[-1]}")

    def id_of(self, logical_id: str) -> str:
        """Return the physical id of a resource."""
        detail = self._client.describe_stack_resource(StackName=self.name, LogicalResourceId=logical_id)
        physical_id: str = detail["StackResourceDetail"]["PhysicalResourceId"]
        return physical_id

    def resources(self) -> dict[str, str]:
        """Return the status of each resource by its logical id."""
        resources = self._client.describe_stack_resources(StackName=self.name)["StackResources"]
        return {resource["LogicalResourceId"]: resource["ResourceStatus"] for resource in resources}

    def events(self, logical_id: str) -> list[str]:
        """Return the statuses that a resource went through, oldest first."""
        return [event["ResourceStatus"] for event in self._events() if event["LogicalResourceId"] == logical_id]

    def reason(self, logical_id: str) -> str:
        """Return why a resource failed: the last reason that was given."""
        reasons = [
            str(event["ResourceStatusReason"])
            for event in self._events()
            if event["LogicalResourceId"] == logical_id and event["ResourceStatus"].endswith("_FAILED")
        ]
        return reasons[-1]

    def _events(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self._client.describe_stack_events(StackName=self.stack_id)["StackEvents"]
        return events[::-1]

    @property
    def _client(self) -> Any:
        return self.lab.client("cloudformation")


def _stacks(lab: Any) -> Iterator[Callable[[], Stack]]:
    made: list[Stack] = []

    def make() -> Stack:
        made.append(Stack(lab))
        return made[-1]

    yield make
    for stack in made:
        lab.client("cloudformation").delete_stack(StackName=stack.name)


@pytest.fixture
def make_stack(lab: Any) -> Iterator[Callable[[], Stack]]:
    yield from _stacks(lab)


@pytest.fixture
def stack(make_stack: Callable[[], Stack]) -> Stack:
    return make_stack()


@pytest.fixture(scope="session")
def quick_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    delays = {
        "RYDELAB_DYNAMODB_UPDATE_DELAY_S": str(UPDATE_DELAY_S),
        "RYDELAB_DYNAMODB_MODE_SWITCH_DELAY_S": str(UPDATE_DELAY_S),
    }
    with emulator.start(lab_settings(tmp_path_factory.mktemp("lab")), environment=delays) as running:
        lab = Lab(running.endpoint_url)
        make_function_role(lab.client("iam"))
        yield lab
        lab.close()


@pytest.fixture
def quick(quick_lab: Lab) -> Iterator[Stack]:
    for make in _stacks(quick_lab):
        yield make()
