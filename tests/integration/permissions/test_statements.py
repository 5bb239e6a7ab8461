"""Each statement in the services' templates is needed: without it the paths that need it are closed, and no other is.

The statements are those of the deployed stages, so that one that is added to a template and not here fails a test.
"""

import json
import time
import uuid
from collections.abc import Iterator, Mapping

import pytest
from botocore.exceptions import ClientError

import bootstrap
from tests.integration.conftest import FROM_TOPICS, Lab, policy
from tests.integration.permissions.paths import NOT_DELIVERED, NOT_POLLED, Paths
from tests.integration.permissions.stage import Stage

DESIGNS = ("event-driven", "queued")
SERVER_ERROR = '500 {"message": "Internal server error"}'
BASIC_EXECUTION = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def refused(action: str) -> str:
    return f"is not authorized to perform: {action} on resource: arn:aws:"


# What is seen, by path, without a statement. Paths that are not there go on as if nothing had happened.
IN_EVERY_DESIGN: dict[str, dict[str, str]] = {
    "Invoker: lambda:InvokeFunction on LambdaToInvoke": {"Invoker": refused("lambda:InvokeFunction")},
    "PurchaseStateMachine: lambda:InvokeFunction on ProcessPurchase": {"purchase": refused("lambda:InvokeFunction")},
    "PurchaseStateMachine: lambda:InvokeFunction on ProcessRefund": {"refund": refused("lambda:InvokeFunction")},
    "TransactionProcessor lets apigateway.amazonaws.com invoke it": {"GET /transactions": SERVER_ERROR},
    "RequestUnicornApig: dynamodb:Scan on UnicornsTable": {"GET /unicorn": refused("dynamodb:Scan")},
    "RequestUnicornApig lets apigateway.amazonaws.com invoke it": {"GET /unicorn": SERVER_ERROR},
    "RequestUnicornInvoke: dynamodb:Scan on UnicornsTable": {
        "RequestUnicornInvoke": refused("dynamodb:Scan"),
        "POST /ride": refused("dynamodb:Scan"),
    },
    "LoadTable: dynamodb:Scan, dynamodb:BatchWriteItem on UnicornsTable": {"LoadTable": refused("dynamodb:Scan")},
    "RequestRide lets apigateway.amazonaws.com invoke it": {"POST /ride": SERVER_ERROR},
    "RequestRide: lambda:InvokeFunction on RequestUnicornInvoke": {"POST /ride": refused("lambda:InvokeFunction")},
    "RequestRide: sns:Publish on RidesSnsTopic": {"POST /ride": refused("SNS:Publish")},
    "SiteBucket's policy: s3:GetObject on SiteBucket": {"page": "403"},
    "PutRideRecordHttp: dynamodb:PutItem on RideRecordTable": {"POST /record": refused("dynamodb:PutItem")},
    "PutRideRecordHttp lets apigateway.amazonaws.com invoke it": {"POST /record": SERVER_ERROR},
    "GetRideRecord: dynamodb:GetItem on RideRecordTable": {"GET /record/RIDE": refused("dynamodb:GetItem")},
    "GetRideRecord lets apigateway.amazonaws.com invoke it": {"GET /record/RIDE": SERVER_ERROR},
    "ProcessDeadLetters: dynamodb:PutItem on RideRecordTable": {"dead letters to record": "AccessDeniedException"},
    "ProcessDeadLetters: sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility on DeadLetterQueue": {
        "dead letters to record": refused("sqs:receivemessage")
    },
    "ProcessDeadLetters: sqs:SendMessage on PoisonQueue": {"dead letters to record": refused("sqs:sendmessage")},
}
EVENT_DRIVEN: dict[str, dict[str, str]] = {
    "PutRideRecordSns: dynamodb:PutItem on RideRecordTable": {"topic to record": refused("dynamodb:PutItem")},
    "PutRideRecordSns lets sns.amazonaws.com invoke it": {"topic to record": NOT_DELIVERED},
    "PutRideRecordSns: sqs:SendMessage on DeadLetterQueue": {"failed ride to dead letters": "no dead letter"},
}
QUEUED: dict[str, dict[str, str]] = {
    "RideQueue's policy: sqs:SendMessage on RideQueue": {"topic to record": NOT_DELIVERED},
    "PutRideRecordSqs: dynamodb:PutItem on RideRecordTable": {"topic to record": "the function failed"},
    "PutRideRecordSqs: sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes on RideQueue": {
        "topic to record": NOT_POLLED
    },
}
EXPECTED = {"event-driven": IN_EVERY_DESIGN | EVENT_DRIVEN, "queued": IN_EVERY_DESIGN | QUEUED}


@pytest.fixture(scope="module")
def stages(lab: Lab) -> Iterator[dict[str, Paths]]:
    """Deploy two designs, and let what fails be seen at once."""
    target = bootstrap.Target(lab.endpoint_url)
    bucket = f"answers-{uuid.uuid4().hex[:12]}"
    lab.client("s3").create_bucket(Bucket=bucket)
    paths: dict[str, Paths] = {}
    for design in DESIGNS:
        name = f"may-{design[:5]}"
        stage = Stage(lab, name, bootstrap.deploy(target, stage=name, design=design, table_mode="on-demand"))
        paths[design] = Paths(stage, _letters_of_subscriptions(stage), bucket)
    function = paths["event-driven"].stage.output("PutRideRecordSnsName")
    lab.client("lambda").put_function_event_invoke_config(FunctionName=function, MaximumRetryAttempts=0)
    yield paths
    for path in paths.values():
        bootstrap.destroy(target, stage=path.stage.name)


def _letters_of_subscriptions(stage: Stage) -> str:
    """Give the subscriptions of the stage's topic a dead-letter queue, and return its URL."""
    sqs, sns = stage.lab.client("sqs"), stage.lab.client("sns")
    url: str = sqs.create_queue(QueueName=f"{stage.name}-letters", Attributes={"Policy": policy(FROM_TOPICS)})[
        "QueueUrl"
    ]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for subscription in sns.list_subscriptions_by_topic(TopicArn=stage.output("RidesSnsTopicArn"))["Subscriptions"]:
        sns.set_subscription_attributes(
            SubscriptionArn=subscription["SubscriptionArn"],
            AttributeName="RedrivePolicy",
            AttributeValue=json.dumps({"deadLetterTargetArn": arn}),
        )
    return url


@pytest.mark.parametrize("design", DESIGNS)
def test_every_statement_of_the_templates_is_looked_at_here(stages: Mapping[str, Paths], design: str) -> None:
    stage = stages[design].stage

    assert {statement.name for statement in stage.statements()} == set(EXPECTED[design])
    assert stage.types_that_may_hide_statements() == set()


@pytest.mark.parametrize("design", DESIGNS)
def test_with_all_statements_every_path_is_open(stages: Mapping[str, Paths], design: str) -> None:
    assert stages[design].walk() == {}


@pytest.mark.parametrize(
    ("design", "name"),
    [*(("event-driven", name) for name in EXPECTED["event-driven"]), *(("queued", name) for name in QUEUED)],
)
def test_without_a_statement_its_paths_are_closed_and_no_other(
    stages: Mapping[str, Paths], design: str, name: str
) -> None:
    paths = stages[design]
    statement = next(statement for statement in paths.stage.statements() if statement.name == name)

    with statement.absent():
        if NOT_POLLED in EXPECTED[design][name].values():
            paths.wait_until_not_polled()
        seen = paths.walk()

    assert seen.keys() == EXPECTED[design][name].keys()
    for path, what in EXPECTED[design][name].items():
        assert what in seen[path]


def test_without_the_managed_policy_a_function_writes_no_log(
    stages: Mapping[str, Paths],
) -> None:
    lab, stage = stages["event-driven"].stage.lab, stages["event-driven"].stage
    iam, functions = lab.client("iam"), stage.of_type("AWS::Lambda::Function")
    roles = {logical: stage.physical(f"{logical}Role") for logical in functions}
    last = functions.pop("TransactionProcessor")  # keeps its permission: what it writes is written after the others'

    for logical in functions:
        iam.detach_role_policy(RoleName=roles[logical], PolicyArn=BASIC_EXECUTION)
    silent = {name: _invoked(lab, name) for name in functions.values()}
    _wait_for_log(lab, last, _invoked(lab, last))
    assert [name for name, request_id in silent.items() if request_id in _log(lab, name)] == []

    for logical in functions:
        iam.attach_role_policy(RoleName=roles[logical], PolicyArn=BASIC_EXECUTION)
    for name in functions.values():
        _wait_for_log(lab, name, _invoked(lab, name))


def test_a_role_that_does_not_trust_lambda_starts_no_environment(stages: Mapping[str, Paths]) -> None:
    lab, stage = stages["event-driven"].stage.lab, stages["event-driven"].stage
    iam, functions = lab.client("iam"), lab.client("lambda")
    name, role = stage.output("RequestUnicornInvokeName"), stage.physical("RequestUnicornInvokeRole")
    trusts_lambda = json.dumps(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
    trusts_other = trusts_lambda.replace("lambda.amazonaws.com", "ec2.amazonaws.com")

    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trusts_other)
    functions.update_function_configuration(FunctionName=name, Description="in a new environment")
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
    with pytest.raises(ClientError, match="The role defined for the function cannot be assumed by Lambda") as caught:
        functions.invoke(FunctionName=name)

    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trusts_lambda)
    assert "FunctionError" not in functions.invoke(FunctionName=name)


def _invoked(lab: Lab, name: str) -> str:
    """Invoke a function, whatever it makes of it, and return the request id."""
    answer = lab.client("lambda").invoke(FunctionName=name, Payload=b'{"MaxMessages": 1}')
    return str(answer["ResponseMetadata"]["RequestId"])


def _log(lab: Lab, name: str) -> str:
    logs = lab.client("logs")
    try:
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return ""
    return "".join(event["message"] for event in events)


def _wait_for_log(lab: Lab, name: str, text: str) -> None:
    deadline = time.monotonic() + 10
    while text not in _log(lab, name):
        assert time.monotonic() < deadline, f"{name} has not logged {text}"
        time.sleep(0.02)
