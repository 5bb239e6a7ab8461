"""What a function may do: its role's policies, those of what it uses, and AWS's words when it may not."""

import io
import json
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.integration.conftest import Lab, policy

ANY_CALL = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    client = boto3.client(event["service"])
    try:
        if event["operation"] == "presigned":
            return {"url": client.generate_presigned_url("get_object", Params=event["parameters"])}
        answer = getattr(client, event["operation"])(**event["parameters"])
    except ClientError as error:
        response = error.response
        return {"status": response["ResponseMetadata"]["HTTPStatusCode"], **response["Error"]}
    return {"status": answer["ResponseMetadata"]["HTTPStatusCode"], "Arn": answer.get("Arn")}
"""
HERE = "us-east-1:000000000000"
TRUSTS_LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


@dataclass
class Caller:
    """A function that makes the calls that it is told, with a role of its own."""

    lab: Lab
    name: str

    @property
    def session_arn(self) -> str:
        """Whom AWS names in its refusals."""
        return f"arn:aws:sts::000000000000:assumed-role/{self.name}/{self.name}"

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make a call with the function's credentials; return its status, and the error if there is one."""
        event = {"service": service, "operation": operation, "parameters": parameters}
        response = self.lab.client("lambda").invoke(FunctionName=self.name, Payload=json.dumps(event).encode())
        answer: dict[str, Any] = json.load(response["Payload"])
        assert "FunctionError" not in response, answer
        return answer

    def allow(self, *statements: dict[str, Any]) -> None:
        """Replace the role's policy."""
        self.lab.client("iam").put_role_policy(RoleName=self.name, PolicyName="own", PolicyDocument=policy(*statements))

    def role(self, name: str) -> str:
        """Make a role that trusts Lambda; return its ARN."""
        iam = self.lab.client("iam")
        return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(TRUSTS_LAMBDA))["Role"]["Arn"])


@pytest.fixture(scope="module")
def made(lab: Lab) -> Iterator[Caller]:
    """Make the function once: its role's policies can change while it runs."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("index.py", ANY_CALL)
    caller = Caller(lab, f"caller-{uuid.uuid4().hex[:12]}")
    functions = lab.client("lambda")
    functions.create_function(
        FunctionName=caller.name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=caller.role(caller.name),
        Code={"ZipFile": archive.getvalue()},
        Timeout=20,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=caller.name, WaiterConfig={"Delay": 0.1})
    yield caller
    functions.delete_function(FunctionName=caller.name)


@pytest.fixture
def caller(made: Caller) -> Caller:
    """Return the function, allowed nothing."""
    made.allow({"Effect": "Allow", "Action": "nothing:Nothing", "Resource": "*"})
    return made


@pytest.fixture
def table(lab: Lab) -> Iterator[str]:
    name = f"table-{uuid.uuid4().hex[:12]}"
    lab.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield name
    lab.client("dynamodb").delete_table(TableName=name)


@dataclass(frozen=True)
class Refused:
    """A call, and how AWS refuses it."""

    service: str
    operation: str
    parameters: dict[str, Any]
    action: str
    """As the service spells it."""
    resource: str
    code: str
    status: int


REFUSED = [
    Refused(
        *("dynamodb", "put_item", {"TableName": "T", "Item": {"Id": {"S": "1"}}}),
        *("dynamodb:PutItem", f"arn:aws:dynamodb:{HERE}:table/T", "AccessDeniedException", 400),
    ),
    Refused(
        *("lambda", "invoke", {"FunctionName": "F"}),
        *("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:F", "AccessDeniedException", 403),
    ),
    Refused(
        *("ssm", "get_parameter", {"Name": "/a/b"}),
        *("ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter/a/b", "AccessDeniedException", 400),
    ),
    Refused(
        *("sqs", "send_message", {"QueueUrl": "http://127.0.0.1/000000000000/q", "MessageBody": "ride"}),
        *("sqs:sendmessage", f"arn:aws:sqs:{HERE}:q", "AccessDenied", 403),
    ),
    Refused(
        *("sns", "publish", {"TopicArn": f"arn:aws:sns:{HERE}:t", "Message": "ride"}),
        *("SNS:Publish", f"arn:aws:sns:{HERE}:t", "AuthorizationError", 403),
    ),
    Refused(
        *("s3", "get_object", {"Bucket": "b", "Key": "k"}),
        *("s3:GetObject", '"arn:aws:s3:::b/k"', "AccessDenied", 403),
    ),
    Refused(
        *("stepfunctions", "start_execution", {"stateMachineArn": f"arn:aws:states:{HERE}:stateMachine:m"}),
        *("states:StartExecution", f"arn:aws:states:{HERE}:stateMachine:m", "AccessDeniedException", 400),
    ),
    Refused(
        *("events", "put_events", {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]}),
        *("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default", "AccessDeniedException", 400),
    ),
    Refused(
        *("iam", "get_role", {"RoleName": "r"}),
        *("iam:GetRole", "arn:aws:iam::000000000000:role/r", "AccessDenied", 403),
    ),
]


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused.action)
def test_a_function_that_may_not_is_told_so_in_the_services_own_words(caller: Caller, refused: Refused) -> None:
    answer = caller.call(refused.service, refused.operation, **refused.parameters)

    assert answer["Message"] == (
        f"User: {caller.session_arn} is not authorized to perform: {refused.action} on resource: {refused.resource} "
        f"because no identity-based policy allows the {refused.action} action"
    )
    assert (answer["Code"], answer["status"]) == (refused.code, refused.status)


def test_every_function_may_ask_who_it_is(caller: Caller) -> None:
    assert caller.call("sts", "get_caller_identity") == {"status": 200, "Arn": caller.session_arn}


def test_a_change_of_a_policy_is_in_force_at_the_next_call(caller: Caller, table: str) -> None:
    put = {"TableName": table, "Item": {"Id": {"S": "1"}}}
    allow = {"Effect": "Allow", "Action": "dynamodb:Put*", "Resource": f"arn:aws:dynamodb:*:*:table/{table}"}

    assert caller.call("dynamodb", "put_item", **put)["status"] == 400
    caller.allow(allow)
    assert caller.call("dynamodb", "put_item", **put)["status"] == 200
    caller.allow(allow, {"Effect": "Deny", "Action": "*", "Resource": "*"})
    denied = caller.call("dynamodb", "put_item", **put)
    assert denied["Message"].endswith("with an explicit deny in an identity-based policy")


def test_managed_policies_count_in_their_default_version_and_the_boundary_limits_them(
    caller: Caller, table: str
) -> None:
    iam, get = caller.lab.client("iam"), {"TableName": table, "Key": {"Id": {"S": "1"}}}
    nothing = {"Effect": "Allow", "Action": "nothing:Nothing", "Resource": "*"}
    read = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}
    arn = iam.create_policy(PolicyName=f"{caller.name}-read", PolicyDocument=policy(nothing))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=caller.name, PolicyArn=arn)

    assert caller.call("dynamodb", "get_item", **get)["status"] == 400
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(read), SetAsDefault=True)
    assert caller.call("dynamodb", "get_item", **get)["status"] == 200

    boundary = iam.create_policy(PolicyName=f"{caller.name}-boundary", PolicyDocument=policy(nothing))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=caller.name, PermissionsBoundary=boundary)
    refused = caller.call("dynamodb", "get_item", **get)
    assert refused["Message"].endswith("because no permissions boundary allows the dynamodb:GetItem action")
    iam.delete_role_permissions_boundary(RoleName=caller.name)
    iam.detach_role_policy(RoleName=caller.name, PolicyArn=arn)


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, False),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "127.0.0.1"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True),
        ({"NumericLessThan": {"aws:EpochTime": "1000"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/caller-*"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "rides"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/other, 'none'}"}}, False),
        ({"StringLike": {"aws:userid": "*:caller-*"}}, True),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, False),
        ({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}, True),
        ({"Null": {"aws:SourceVpc": "true"}}, True),
    ],
)
def test_conditions_are_asked_of_the_request(caller: Caller, table: str, condition: Any, *, allowed: bool) -> None:
    caller.lab.client("iam").tag_role(RoleName=caller.name, Tags=[{"Key": "team", "Value": "rides"}])
    caller.allow({"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": "*", "Condition": condition})

    assert caller.call("dynamodb", "scan", TableName=table)["status"] == (200 if allowed else 400)


def test_a_functions_policy_may_let_a_role_invoke_it(caller: Caller) -> None:
    functions = caller.lab.client("lambda")
    role_arn = f"arn:aws:iam::000000000000:role/{caller.name}"
    invoke_itself = {"FunctionName": caller.name, "InvocationType": "DryRun"}

    assert caller.call("lambda", "invoke", **invoke_itself)["Code"] == "AccessDeniedException"
    functions.add_permission(
        FunctionName=caller.name, StatementId="itself", Action="lambda:InvokeFunction", Principal=role_arn
    )
    assert caller.call("lambda", "invoke", **invoke_itself)["status"] == 204
    functions.remove_permission(FunctionName=caller.name, StatementId="itself")


def test_a_role_is_assumed_only_by_whom_it_trusts(caller: Caller) -> None:
    other = caller.role(f"{caller.name}-other")
    assume = {"RoleArn": other, "RoleSessionName": "mine"}
    caller.allow({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": other})

    refused = caller.call("sts", "assume_role", **assume)  # the other role trusts Lambda, and not this role
    assert refused["Code"] == "AccessDenied"
    assert refused["Message"] == (
        f"User: {caller.session_arn} is not authorized to perform: sts:AssumeRole on resource: {other}"
    )
    account = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}
    caller.lab.client("iam").update_assume_role_policy(RoleName=f"{caller.name}-other", PolicyDocument=policy(account))
    assert caller.call("sts", "assume_role", **assume)["status"] == 200


def test_a_session_may_do_what_its_own_policy_allows_too(caller: Caller) -> None:
    caller.allow({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"})
    assumed = caller.lab.client("sts").assume_role(  # by the owner, whom nothing restricts
        RoleArn=f"arn:aws:iam::000000000000:role/{caller.name}",
        RoleSessionName="bounded",
        Policy=policy({"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"}),
    )["Credentials"]
    dynamodb = boto3.client(
        "dynamodb",
        endpoint_url=caller.lab.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )

    assert "TableNames" in dynamodb.list_tables()
    with pytest.raises(ClientError, match="because no session policy allows the dynamodb:DescribeLimits action"):
        dynamodb.describe_limits()
    dynamodb.close()


def test_a_signed_url_is_worth_what_its_signer_may_do_and_one_without_signature_what_anybody_may(
    caller: Caller,
) -> None:
    s3, bucket = caller.lab.client("s3"), f"bucket-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="ride", Body=b"hello")
    url = caller.call("s3", "presigned", Bucket=bucket, Key="ride")["url"]

    assert _status(url) == _status(url.partition("?")[0]) == 403
    caller.allow({"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"})
    assert (_status(url), _status(url.partition("?")[0])) == (200, 403)
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(everybody))
    assert _status(url.partition("?")[0]) == 200


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:  # noqa: S310 (an address of the lab)
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_function_is_not_made_with_a_role_that_cannot_do_what_it_must(caller: Caller) -> None:
    lab = caller.lab
    functions, other = lab.client("lambda"), caller.role(f"{caller.name}-poor")
    queue = f"queue-{uuid.uuid4().hex[:12]}"
    lab.client("sqs").create_queue(QueueName=queue)
    queue_arn = f"arn:aws:sqs:{HERE}:{queue}"

    with pytest.raises(ClientError, match="The role defined for the function cannot be assumed by Lambda"):
        functions.update_function_configuration(FunctionName=caller.name, Role=f"{other}-that-is-not-there")
    with pytest.raises(ClientError, match="execution role does not have permissions to call SendMessage on SQS"):
        functions.update_function_configuration(FunctionName=caller.name, DeadLetterConfig={"TargetArn": queue_arn})
    with pytest.raises(ClientError, match="execution role does not have permissions to call ReceiveMessage on SQS"):
        functions.create_event_source_mapping(FunctionName=caller.name, EventSourceArn=queue_arn)


def test_a_bucket_may_not_notify_a_queue_whose_policy_does_not_let_it(lab: Lab) -> None:
    s3, sqs, name = lab.client("s3"), lab.client("sqs"), f"notes-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    notify = {"QueueConfigurations": [{"QueueArn": f"arn:aws:sqs:{HERE}:{name}", "Events": ["s3:ObjectCreated:*"]}]}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": f"arn:aws:sqs:{HERE}:{name}",
        "Condition": {
            "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{name}"},
            "StringEquals": {"aws:SourceAccount": "000000000000"},
        },
    }

    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=notify)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(statement)})
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=notify)
    assert "s3:TestEvent" in sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]
