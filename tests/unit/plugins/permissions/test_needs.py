"""Which action on which resource each call needs."""

from typing import Any

import pytest

from rydelab.plugins.permissions.needs import Call, account_of, needs_of

HERE = "us-east-1:000000000000"
TABLE = f"arn:aws:dynamodb:{HERE}:table/Rides"
QUEUE = f"arn:aws:sqs:{HERE}:rides"
TOPIC = f"arn:aws:sns:{HERE}:rides"
FUNCTION = f"arn:aws:lambda:{HERE}:function:Ride"


def needs(service: str, operation: str, request: dict[str, Any]) -> list[tuple[str, str | None]]:
    call = Call(service, operation, request, region="us-east-1", account_id="000000000000")
    return [(need.action, need.resource) for need in needs_of(call)]


@pytest.mark.parametrize(
    ("service", "operation", "request_", "expected"),
    [
        ("dynamodb", "PutItem", {"TableName": "Rides"}, [("dynamodb:PutItem", TABLE)]),
        ("dynamodb", "PutItem", {"TableName": TABLE}, [("dynamodb:PutItem", TABLE)]),
        ("dynamodb", "Query", {"TableName": "Rides", "IndexName": "i"}, [("dynamodb:Query", f"{TABLE}/index/i")]),
        ("dynamodb", "ListTables", {}, [("dynamodb:ListTables", "*")]),
        (
            "dynamodb",
            "BatchWriteItem",
            {"RequestItems": {"Rides": [], "Others": []}},
            [("dynamodb:BatchWriteItem", TABLE), ("dynamodb:BatchWriteItem", TABLE.replace("Rides", "Others"))],
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "Rides"}}, {"ConditionCheck": {"TableName": "Rides"}}]},
            [("dynamodb:PutItem", TABLE), ("dynamodb:ConditionCheckItem", TABLE)],
        ),
        (
            "dynamodb",
            "TransactGetItems",
            {"TransactItems": [{"Get": {"TableName": "Rides"}}]},
            [("dynamodb:GetItem", TABLE)],
        ),
        (
            "dynamodb",
            "ExecuteStatement",
            {"Statement": 'SELECT * FROM "Rides"."byName" WHERE a = 1'},
            [("dynamodb:PartiQLSelect", f"{TABLE}/index/byName")],
        ),
        (
            "dynamodb",
            "BatchExecuteStatement",
            {"Statements": [{"Statement": "insert into Rides value {}"}, {"Statement": "UPDATE 'Rides' SET a = 1"}]},
            [("dynamodb:PartiQLInsert", TABLE), ("dynamodb:PartiQLUpdate", TABLE)],
        ),
        (
            "dynamodb",
            "ExecuteTransaction",
            {"TransactStatements": [{"Statement": "DELETE FROM Rides WHERE a = 1"}]},
            [("dynamodb:PartiQLDelete", TABLE)],
        ),
        (
            "sqs",
            "SendMessage",
            {"QueueUrl": "http://127.0.0.1:4566/queue/us-east-1/000000000000/rides"},
            [("sqs:SendMessage", QUEUE)],
        ),
        ("sqs", "DeleteMessageBatch", {"QueueUrl": "http://sqs/000000000000/rides"}, [("sqs:DeleteMessage", QUEUE)]),
        ("sqs", "GetQueueUrl", {"QueueName": "rides"}, [("sqs:GetQueueUrl", QUEUE)]),
        ("sqs", "StartMessageMoveTask", {"SourceArn": QUEUE}, [("sqs:StartMessageMoveTask", QUEUE)]),
        ("sqs", "ListQueues", {}, [("sqs:ListQueues", "*")]),
        ("sns", "Publish", {"TopicArn": TOPIC}, [("sns:Publish", TOPIC)]),
        ("sns", "PublishBatch", {"TopicArn": TOPIC}, [("sns:Publish", TOPIC)]),
        ("sns", "Publish", {"PhoneNumber": "+1"}, [("sns:Publish", "*")]),
        ("sns", "Unsubscribe", {"SubscriptionArn": f"{TOPIC}:1-2-3"}, [("sns:Unsubscribe", TOPIC)]),
        ("sns", "CreateTopic", {"Name": "rides"}, [("sns:CreateTopic", TOPIC)]),
        ("lambda", "Invoke", {"FunctionName": "Ride"}, [("lambda:InvokeFunction", FUNCTION)]),
        ("lambda", "Invoke", {"FunctionName": FUNCTION}, [("lambda:InvokeFunction", FUNCTION)]),
        ("lambda", "Invoke", {"FunctionName": "000000000000:function:Ride"}, [("lambda:InvokeFunction", FUNCTION)]),
        ("lambda", "Invoke", {"FunctionName": "Ride:live"}, [("lambda:InvokeFunction", f"{FUNCTION}:live")]),
        ("lambda", "Invoke", {"FunctionName": "Ride", "Qualifier": "2"}, [("lambda:InvokeFunction", f"{FUNCTION}:2")]),
        ("lambda", "GetFunction", {"FunctionName": "Ride"}, [("lambda:GetFunction", FUNCTION)]),
        ("lambda", "ListFunctions", {}, [("lambda:ListFunctions", "*")]),
        ("lambda", "CreateEventSourceMapping", {"FunctionName": "Ride"}, [("lambda:CreateEventSourceMapping", "*")]),
        ("ssm", "GetParameter", {"Name": "/a/b"}, [("ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter/a/b")]),
        (
            "ssm",
            "GetParameters",
            {"Names": ["a", "/b"]},
            [("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/{name}") for name in "ab"],
        ),
        (
            "ssm",
            "GetParametersByPath",
            {"Path": "/a"},
            [("ssm:GetParametersByPath", f"arn:aws:ssm:{HERE}:parameter/a")],
        ),
        ("ssm", "DescribeParameters", {}, [("ssm:DescribeParameters", "*")]),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "/aws/lambda/Ride", "logStreamName": "s"},
            [("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/aws/lambda/Ride:log-stream:s")],
        ),
        ("logs", "DescribeLogGroups", {}, [("logs:DescribeLogGroups", "*")]),
        (
            "events",
            "PutEvents",
            {"Entries": [{}, {}]},
            [("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default")],
        ),
        ("s3", "PutObject", {"Bucket": "b", "Key": "a/k"}, [("s3:PutObject", "arn:aws:s3:::b/a/k")]),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "k"}, [("s3:GetObject", "arn:aws:s3:::b/k")]),
        ("s3", "ListObjectsV2", {"Bucket": "b"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
        ("s3", "ListBuckets", {}, [("s3:ListAllMyBuckets", "*")]),
        (
            "s3",
            "CopyObject",
            {"Bucket": "b", "Key": "k", "CopySource": "a/k?versionId=1"},
            [("s3:GetObject", "arn:aws:s3:::a/k"), ("s3:PutObject", "arn:aws:s3:::b/k")],
        ),
        (
            "s3",
            "DeleteObjects",
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "k"}]}},
            [("s3:DeleteObject", "arn:aws:s3:::b/k")],
        ),
        ("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::1:role/r"}, [("sts:AssumeRole", "arn:aws:iam::1:role/r")]),
        ("sts", "GetCallerIdentity", {}, []),
        ("iam", "GetRole", {"RoleName": "r"}, [("iam:GetRole", "arn:aws:iam::000000000000:role/r")]),
        ("cloudwatch", "PutMetricData", {}, [("cloudwatch:PutMetricData", "*")]),
        (
            "states",
            "StartExecution",
            {"stateMachineArn": f"arn:aws:states:{HERE}:stateMachine:m", "input": "{}"},
            [("states:StartExecution", f"arn:aws:states:{HERE}:stateMachine:m")],
        ),
        ("dynamodb", "TransactWriteItems", {"TransactItems": [{"Put": {}}]}, [("dynamodb:TransactWriteItems", None)]),
        ("dynamodb", "ExecuteStatement", {"Statement": ""}, [("dynamodb:ExecuteStatement", None)]),
        ("glue", "GetTable", {"Name": "t"}, [("glue:GetTable", None)]),
    ],
)
def test_a_call_needs(
    service: str, operation: str, request_: dict[str, Any], expected: list[tuple[str, str | None]]
) -> None:
    assert needs(service, operation, request_) == expected


def test_needs_have_the_services_own_condition_keys() -> None:
    subscribe = Call("sns", "Subscribe", {"TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": QUEUE}, "us-east-1", "0")

    (need,) = needs_of(subscribe)

    assert need.keys == {"sns:protocol": ("sqs",), "sns:endpoint": (QUEUE,)}


def test_the_account_of_a_resource() -> None:
    assert account_of(TABLE) == "000000000000"
    assert account_of("arn:aws:s3:::bucket/key") is None
    assert account_of("*") is None
    assert account_of(None) is None
