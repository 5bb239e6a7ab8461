"""A failed update leaves the stack as it was, and a deleted stack leaves nothing, or says what."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.cloudformation.conftest import Stack


def parameter(value: str, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}, **more}


def queue(delay_s: int, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": delay_s}, **more}


def refused(after: str) -> dict[str, Any]:
    """Return a resource that cannot be made, and that is tried after the resource *after*."""
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "NoSuchType", "Value": "x"}, "DependsOn": after}


def delay_s(stack: Stack, url: str) -> str:
    """Return the delay of the queue at *url*."""
    answer = stack.lab.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])
    delay: str = answer["Attributes"]["DelaySeconds"]
    return delay


def value(stack: Stack, name: str) -> str:
    """Return what the SSM parameter *name* holds."""
    value: str = stack.lab.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    return value


def is_there(stack: Stack, queue_url: str) -> bool:
    """Whether there is a queue at *queue_url*."""
    sqs = stack.lab.client("sqs")
    try:
        delay_s(stack, queue_url)
    except sqs.exceptions.QueueDoesNotExist:
        return False
    return True


BEFORE = {"Changed": queue(1), "Removed": queue(1), "Untouched": parameter("same"), "Later": parameter("old")}
AFTER = {
    "Changed": queue(2),
    "Added": queue(3, DependsOn="Changed"),
    "Broken": refused("Added"),
    "Untouched": parameter("same"),
    "Later": parameter("new", DependsOn="Broken"),
}


@pytest.fixture
def deployed(stack: Stack) -> Stack:
    stack.deploy(BEFORE)
    return stack


@pytest.mark.parametrize("update", [Stack.deploy, Stack.update], ids=["by a change set", "by UpdateStack"])
def test_a_failed_update_is_taken_back(deployed: Stack, update: Callable[[Stack, Any], str]) -> None:
    ids = {name: deployed.id_of(name) for name in BEFORE}

    assert update(deployed, AFTER) == "UPDATE_ROLLBACK_COMPLETE"

    assert "NoSuchType" in deployed.reason("Broken")
    assert {name: deployed.id_of(name) for name in deployed.resources()} == ids
    assert delay_s(deployed, ids["Changed"]) == "1"
    assert is_there(deployed, ids["Removed"])
    assert value(deployed, ids["Later"]) == "old"
    assert deployed.events("Added")[-2:] == ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]


def test_after_it_the_same_fails_again_and_something_better_works(deployed: Stack) -> None:
    deployed.deploy(AFTER)

    assert deployed.deploy(AFTER) == "UPDATE_ROLLBACK_COMPLETE"

    better = {name: resource for name, resource in AFTER.items() if name != "Broken"} | {"Later": parameter("new")}
    removed = deployed.id_of("Removed")
    assert deployed.deploy(better) == "UPDATE_COMPLETE"
    assert delay_s(deployed, deployed.id_of("Changed")) == "2"
    assert value(deployed, deployed.id_of("Later")) == "new"
    assert set(deployed.resources()) == {"Changed", "Added", "Untouched", "Later"}
    assert not is_there(deployed, removed)


def test_a_stack_whose_update_failed_is_deleted_with_all_that_it_has(deployed: Stack) -> None:
    queues = [deployed.id_of(name) for name in ("Changed", "Removed")]
    deployed.deploy(AFTER)

    assert deployed.delete() == "DELETE_COMPLETE"

    assert [url for url in queues if is_there(deployed, url)] == []


def test_a_replacement_is_taken_back_too(stack: Stack) -> None:
    def topic(name: str) -> dict[str, Any]:
        return {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"{stack.name}-{name}"}}}

    stack.deploy(topic("old"))
    old = stack.id_of("Topic")

    assert stack.deploy({**topic("new"), "Broken": refused("Topic")}) == "UPDATE_ROLLBACK_COMPLETE"

    topics = [topic["TopicArn"] for topic in stack.lab.client("sns").list_topics()["Topics"]]
    assert [arn for arn in topics if stack.name in arn] == [old]
    assert stack.id_of("Topic") == old


def test_a_change_set_that_is_not_executed_leaves_a_rolled_back_stack_as_it_is(deployed: Stack) -> None:
    deployed.deploy(AFTER)

    deployed.change_set({**BEFORE, "Later": parameter("new")})

    assert deployed.settled() == "UPDATE_ROLLBACK_COMPLETE"


def test_after_a_failed_creation_deleting_the_stack_deletes_what_was_made(stack: Stack) -> None:
    assert stack.deploy({"First": queue(1), "Broken": refused("First"), "Never": queue(2)}) == "ROLLBACK_COMPLETE"
    first = stack.id_of("First")

    assert stack.delete() == "DELETE_COMPLETE"

    assert not is_there(stack, first)
    assert stack.events("First")[-2:] == ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    assert stack.events("Never") == []


def test_what_a_stack_failed_to_make_because_it_was_there_already_is_not_deleted_with_it(stack: Stack) -> None:
    key, name = {"AttributeName": "Name"}, f"{stack.name}-of-somebody"
    properties = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{**key, "KeyType": "HASH"}],
        "AttributeDefinitions": [{**key, "AttributeType": "S"}],
    }
    dynamodb = stack.lab.client("dynamodb")
    dynamodb.create_table(**properties)
    assert stack.deploy({"Table": {"Type": "AWS::DynamoDB::Table", "Properties": properties}}) == "ROLLBACK_COMPLETE"

    assert stack.delete() == "DELETE_COMPLETE"

    assert dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"
    dynamodb.delete_table(TableName=name)


def test_a_stack_that_cannot_be_deleted_says_so_and_can_be_deleted_later(stack: Stack) -> None:
    key = {"AttributeName": "Name"}
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "DeletionProtectionEnabled": True,
            "KeySchema": [{**key, "KeyType": "HASH"}],
            "AttributeDefinitions": [{**key, "AttributeType": "S"}],
        },
    }
    stack.deploy({"Table": table, "Queue": queue(1)})
    name, dynamodb = stack.id_of("Table"), stack.lab.client("dynamodb")

    assert stack.delete() == "DELETE_FAILED"
    assert dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"

    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    assert stack.delete() == "DELETE_COMPLETE"
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.describe_table(TableName=name)


def test_a_retained_resource_outlives_its_stack(stack: Stack) -> None:
    stack.deploy({"Kept": queue(1, DeletionPolicy="Retain"), "Gone": queue(2)})
    kept, gone = stack.id_of("Kept"), stack.id_of("Gone")

    assert stack.delete() == "DELETE_COMPLETE"

    assert is_there(stack, kept)
    assert not is_there(stack, gone)
    stack.lab.client("sqs").delete_queue(QueueUrl=kept)
