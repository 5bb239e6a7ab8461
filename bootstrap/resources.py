"""Deployed resources, found by the name that their template gives them."""

from bootstrap.deployment import stacks_of
from bootstrap.errors import InputError
from bootstrap.stacks import StackOperations
from bootstrap.target import Clients, Target, connected

_IN_WORDS = {
    "AWS::DynamoDB::Table": "table",
    "AWS::Lambda::Function": "function",
    "AWS::SNS::Topic": "topic",
    "AWS::SQS::Queue": "queue",
    "AWS::StepFunctions::StateMachine": "state machine",
}


def find(target: Target, kind: str, name: str, *, stage: str = "dev") -> str:
    """Return the physical id of the resource *name* of the type *kind* under *stage*; see `physical_id`."""
    with connected(target) as clients:
        return physical_id(clients, kind, name, stage=stage)


def physical_id(clients: Clients, kind: str, name: str, *, stage: str) -> str:
    """Return the physical id of the one resource of the type *kind* under *stage* that is called *name*.

    *name* is its logical id, or the physical id itself. Raises InputError, which lists what there is.
    """
    word = _IN_WORDS[kind]
    operations = StackOperations(clients.cloudformation, lambda _: None)
    found: dict[str, list[str]] = {}
    for stack in stacks_of(operations, stage).values():
        pages = clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack.stack_id)
        for page in pages:
            for resource in page["StackResourceSummaries"]:
                if resource["ResourceType"] == kind and "PhysicalResourceId" in resource:
                    found.setdefault(resource["LogicalResourceId"], []).append(resource["PhysicalResourceId"])
    ids = found.get(name) or [one for group in found.values() for one in group if one == name]
    if not ids:
        there_is = ", ".join(sorted(found)) or "none; `deploy` comes first"
        raise InputError(f"no {word} {name!r} under stage {stage}; there is: {there_is}")
    if len(ids) > 1:
        raise InputError(f"several {word}s are called {name!r}; give one of: {', '.join(sorted(ids))}")
    return ids[0]
