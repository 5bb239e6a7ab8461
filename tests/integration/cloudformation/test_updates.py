"""Updates of other resources: what the stack reports is what happened."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.cloudformation.conftest import Stack
from tests.integration.conftest import FUNCTION_ROLE


def log_group(days: int) -> dict[str, Any]:
    return {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}}}


def api(answer: str, *, deployment: str, **stage: Any) -> dict[str, Any]:
    """Return an API whose ``GET /`` gives *answer* without asking anyone, deployed as *deployment*."""
    integration = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": answer}}},
    }
    get = {"responses": {"200": {"description": "ok"}}, "x-amazon-apigateway-integration": integration}
    body = {"openapi": "3.0.1", "info": {"title": "api", "version": "1"}, "paths": {"/": {"get": get}}}
    return {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "api", "Body": body}},
        # As SAM does it: another definition, another deployment.
        deployment: {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "Api"}}},
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "DeploymentId": {"Ref": deployment},
                "StageName": "try",
                **stage,
            },
        },
    }


def function(answer: str, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": FUNCTION_ROLE,
            "Code": {"ZipFile": f"def handler(event, context):\n    return {answer!r}\n"},
            **properties,
        },
    }


def published(answer: str, *, version: str) -> dict[str, Any]:
    """Return a function that answers *answer*, published as the resource *version*, to which its alias leads."""
    return {
        "Function": function(answer),
        version: {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "Name": "live",
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
            },
        },
    }


def topic(name: str) -> dict[str, Any]:
    return {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}}


def test_a_type_without_an_update_fails_the_stack_instead_of_doing_nothing(stack: Stack) -> None:
    stack.deploy(log_group(1))

    assert stack.deploy(log_group(3)) == "UPDATE_ROLLBACK_COMPLETE"

    assert stack.reason("Group") == "the lab cannot update a resource of type AWS::Logs::LogGroup"
    assert stack.resources() == {"Group": "UPDATE_COMPLETE"}  # as it was


def test_a_changed_api_answers_anew_on_the_stage_it_had(stack: Stack) -> None:
    stack.deploy(api('"neigh"', deployment="First"))
    url = f"{stack.lab.endpoint_url}/_aws/execute-api/{stack.id_of('Api')}/try/"
    assert get(url) == "neigh"

    assert stack.deploy(api('"snort"', deployment="Second")) == "UPDATE_COMPLETE"

    assert get(url) == "snort"
    assert stack.events("Stage")[-2:] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]


def test_variables_and_description_of_a_stage_follow_the_template(stack: Stack) -> None:
    stack.deploy(api('"neigh"', deployment="Only", Variables={"stable": "north", "old": "1"}))

    changed = api('"neigh"', deployment="Only", Variables={"stable": "south"}, Description="for a try")
    assert stack.deploy(changed) == "UPDATE_COMPLETE"

    stage = stack.lab.client("apigateway").get_stage(restApiId=stack.id_of("Api"), stageName="try")
    assert (stage["variables"], stage["description"]) == ({"stable": "south"}, "for a try")


def test_an_alias_moves_to_the_new_version_and_stays_the_same_alias(stack: Stack) -> None:
    stack.deploy(published("trot", version="First"))
    alias = stack.id_of("Alias")

    assert stack.deploy(published("gallop", version="Second")) == "UPDATE_COMPLETE"

    answer = stack.lab.client("lambda").invoke(FunctionName=alias)
    assert json.load(answer["Payload"]) == "gallop"
    assert stack.id_of("Alias") == alias
    assert stack.events("Alias")[-2:] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]


def test_a_changed_name_still_makes_another_resource(stack: Stack) -> None:
    stack.deploy(topic(f"{stack.name}-old"))
    old = stack.id_of("Topic")

    assert stack.deploy(topic(f"{stack.name}-new")) == "UPDATE_COMPLETE"

    assert stack.id_of("Topic").endswith("-new")
    assert stack.resources() == {"Topic": "UPDATE_COMPLETE"}
    sns = stack.lab.client("sns")
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.get_topic_attributes(TopicArn=old)


def test_new_code_and_configuration_of_a_function_are_there_at_once(stack: Stack) -> None:
    stack.deploy({"Function": function("trot", Timeout=3)})

    begin = time.monotonic()
    assert stack.deploy({"Function": function("gallop", Timeout=5)}) == "UPDATE_COMPLETE"
    elapsed_s = time.monotonic() - begin

    answer = stack.lab.client("lambda").invoke(FunctionName=stack.id_of("Function"))
    assert json.load(answer["Payload"]) == "gallop"
    assert elapsed_s < 0.9  # LocalStack waits for two whole seconds


def test_a_function_is_deployed_in_less_than_a_second(stack: Stack) -> None:
    begin = time.monotonic()
    assert stack.deploy({"Function": function("trot")}) == "CREATE_COMPLETE"
    elapsed_s = time.monotonic() - begin

    assert elapsed_s < 0.9  # LocalStack looks once a second whether it is ready


def test_a_function_gets_its_reserved_concurrency_and_loses_what_its_template_no_longer_says(stack: Stack) -> None:
    queue = {"Queue": {"Type": "AWS::SQS::Queue"}}
    dead_letters = {"DeadLetterConfig": {"TargetArn": {"Fn::GetAtt": ["Queue", "Arn"]}}}
    stack.deploy({**queue, "Function": function("trot", ReservedConcurrentExecutions=5, Timeout=9, **dead_letters)})
    functions, name = stack.lab.client("lambda"), stack.id_of("Function")
    assert functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 5

    assert stack.deploy({**queue, "Function": function("trot", ReservedConcurrentExecutions="2")}) == "UPDATE_COMPLETE"
    assert functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 2
    configuration = functions.get_function_configuration(FunctionName=name)
    assert configuration["Timeout"] == 3
    assert not configuration.get("DeadLetterConfig", {}).get("TargetArn")

    assert stack.deploy({**queue, "Function": function("trot")}) == "UPDATE_COMPLETE"
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=name)


def test_a_condition_that_becomes_false_deletes_what_it_let_in(stack: Stack) -> None:
    conditional = {"Queue": {"Type": "AWS::SQS::Queue", "Condition": "Wanted"}, **topic(stack.name)}
    sections = {
        "Parameters": {"Want": {"Type": "String"}},
        "Conditions": {"Wanted": {"Fn::Equals": [{"Ref": "Want"}, "yes"]}},
    }
    stack.deploy(conditional, **sections, parameters={"Want": "yes"})
    queue, sqs = stack.id_of("Queue"), stack.lab.client("sqs")

    assert stack.deploy(conditional, **sections, parameters={"Want": "no"}) == "UPDATE_COMPLETE"

    assert list(stack.resources()) == ["Topic"]
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    assert stack.deploy(conditional, **sections, parameters={"Want": "yes"}) == "UPDATE_COMPLETE"
    assert set(stack.resources()) == {"Topic", "Queue"}


def test_sam_templates_can_be_read_at_the_same_time(make_stack: Callable[[], Stack]) -> None:
    simple = {"Table": {"Type": "AWS::Serverless::SimpleTable"}}
    failures: list[BaseException] = []

    def make(stack: Stack) -> None:
        try:
            for _ in range(4):
                stack.change_set(simple, Transform="AWS::Serverless-2016-10-31")
                stack.delete()
        except BaseException as failure:  # noqa: BLE001 (told below)
            failures.append(failure)

    threads = [threading.Thread(target=make, args=[make_stack()]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def get(url: str) -> Any:
    with urllib.request.urlopen(url) as response:  # noqa: S310
        return json.load(response)
