"""The templates: valid for AWS, and in each design and table mode exactly what that needs."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.services.deployed import SERVICES, SERVICES_DIR, module
from tests.unit.services.templates import deployed, resources, template

WILD_RYDES, FLEET, RECORD, GUIDES = SERVICES
DESIGNS = ("microservices", "direct-invoke", "event-driven", "queued")
TABLE_MODES = ("provisioned", "autoscaled", "on-demand")

FLEET_ARN = {"Fn::Sub": "{{resolve:ssm:/wild-rydes-ride-fleet/${Stage}/RequestUnicornInvokeArn}}"}
FLEET_URL = {"Fn::ImportValue": {"Fn::Sub": "wild-rydes-ride-fleet-${Stage}-RequestUnicornUrl"}}
RECORD_URL = {"Fn::Sub": "{{resolve:ssm:/wild-rydes-ride-record/${Stage}/URL}}"}
TOPIC_ARN = {"Fn::Sub": "{{resolve:ssm:/wild-rydes/${Stage}/SnsTopicArn}}"}


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    # SAM asks the SDK for the region, to know how its ARNs begin.
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def functions(service: str, **parameters: str) -> dict[str, Any]:
    return resources(service, "AWS::Lambda::Function", **parameters)


def permissions(service: str, function: str, **parameters: str) -> set[tuple[str, str]]:
    """Return what the function may do beyond its log: pairs of an action and the one resource that it is allowed on."""
    role = resources(service, "AWS::IAM::Role", **parameters)[f"{function}Role"]
    granted = set()
    for policy in role.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            granted |= {(action, _name(statement["Resource"])) for action in actions}
    return granted


def _name(resource: Any) -> str:
    if isinstance(resource, list):
        [resource] = resource
    [value] = resource.values()
    return value[0] if isinstance(value, list) else str(value)


# ---- valid ----


def test_cfn_lint_finds_nothing() -> None:
    files = [str(SERVICES_DIR / service / "template.yaml") for service in SERVICES]

    lint = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--regions", "us-east-1", "--", *files],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (lint.returncode, lint.stdout, lint.stderr) == (0, "", "")


@pytest.mark.parametrize("service", SERVICES)
def test_every_function_has_the_workshop_s_runtime_and_a_handler_that_exists(service: str) -> None:
    everything = {"Design": "event-driven"}, {"Design": "queued"}
    for parameters in everything:
        known = parameters if "Design" in template(service)["Parameters"] else {}
        for function in functions(service, **known).values():
            package, _, handler = function["Handler"].partition("/")
            module_name, attribute = handler.split(".")
            assert package == "handlers"
            assert callable(getattr(module(service, module_name), attribute))
            assert (function["Runtime"], function["MemorySize"]) == ("python3.13", 128)


def test_the_functions_have_their_names() -> None:
    assert set(functions(WILD_RYDES)) == {"RequestRide"}
    assert set(functions(FLEET)) == {"RequestUnicornApig", "RequestUnicornInvoke", "LoadTable"}
    assert {name for design in DESIGNS for name in functions(RECORD, Design=design)} == {
        "PutRideRecordHttp",
        "GetRideRecord",
        "PutRideRecordSns",
        "PutRideRecordSqs",
        "ProcessDeadLetters",
    }
    assert set(functions(GUIDES)) == {
        "Invoker",
        "LambdaToInvoke",
        "TransactionProcessor",
        "ProcessPurchase",
        "ProcessRefund",
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_function_s_name_is_an_output(service: str) -> None:
    document = deployed(service)

    names = {name for name, entry in document["Resources"].items() if entry["Type"] == "AWS::Lambda::Function"}

    assert {f"{name}Name" for name in names} <= set(document["Outputs"])


@pytest.mark.parametrize("service", SERVICES)
def test_the_retry_mode_of_the_sdk_can_be_chosen_and_is_the_workshop_s_by_default(service: str) -> None:
    parameter = template(service)["Parameters"]["SdkRetryMode"]

    assert (parameter["Default"], parameter["AllowedValues"]) == ("legacy", ["legacy", "standard"])
    for function in functions(service).values():
        assert function["Environment"]["Variables"]["AWS_RETRY_MODE"] == {"Ref": "SdkRetryMode"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_api_is_deployed_to_the_stage_and_nowhere_else(service: str) -> None:
    [stage] = resources(service, "AWS::ApiGateway::Stage").values()
    [deployment] = resources(service, "AWS::ApiGateway::Deployment").values()

    assert stage["StageName"] == {"Ref": "Stage"}
    assert "StageName" not in deployment


# ---- who talks to whom ----


@pytest.mark.parametrize(
    ("design", "ways"),
    [
        ("microservices", {"REQUEST_UNICORN_URL": FLEET_URL, "RIDE_RECORD_URL": RECORD_URL}),
        ("direct-invoke", {"REQUEST_UNICORN_ARN": FLEET_ARN, "RIDE_RECORD_URL": RECORD_URL}),
        ("event-driven", {"REQUEST_UNICORN_ARN": FLEET_ARN, "RIDES_SNS_TOPIC_ARN": {"Ref": "RidesSnsTopic"}}),
        ("queued", {"REQUEST_UNICORN_ARN": FLEET_ARN, "RIDES_SNS_TOPIC_ARN": {"Ref": "RidesSnsTopic"}}),
    ],
)
def test_request_ride_knows_the_ways_of_its_design_and_no_others(design: str, ways: dict[str, Any]) -> None:
    variables = functions(WILD_RYDES, Design=design)["RequestRide"]["Environment"]["Variables"]

    assert {name: value for name, value in variables.items() if name.endswith(("_ARN", "_URL"))} == ways
    assert functions(WILD_RYDES)["RequestRide"]["Timeout"] == 29


@pytest.mark.parametrize(
    ("design", "granted"),
    [
        ("microservices", set()),
        ("direct-invoke", {("lambda:InvokeFunction", FLEET_ARN["Fn::Sub"])}),
        ("event-driven", {("lambda:InvokeFunction", FLEET_ARN["Fn::Sub"]), ("sns:Publish", "RidesSnsTopic")}),
        ("queued", {("lambda:InvokeFunction", FLEET_ARN["Fn::Sub"]), ("sns:Publish", "RidesSnsTopic")}),
    ],
)
def test_request_ride_may_do_only_what_its_design_needs(design: str, granted: set[tuple[str, str]]) -> None:
    assert permissions(WILD_RYDES, "RequestRide", Design=design) == granted


@pytest.mark.parametrize(
    ("service", "function", "design", "granted"),
    [
        (FLEET, "RequestUnicornApig", None, {("dynamodb:Scan", "UnicornsTable")}),
        (FLEET, "RequestUnicornInvoke", None, {("dynamodb:Scan", "UnicornsTable")}),
        (
            FLEET,
            "LoadTable",
            None,
            {("dynamodb:Scan", "UnicornsTable"), ("dynamodb:BatchWriteItem", "UnicornsTable")},
        ),
        (RECORD, "PutRideRecordHttp", "microservices", {("dynamodb:PutItem", "RideRecordTable")}),
        (RECORD, "GetRideRecord", "microservices", {("dynamodb:GetItem", "RideRecordTable")}),
        (
            RECORD,
            "PutRideRecordSns",
            "event-driven",
            {("dynamodb:PutItem", "RideRecordTable"), ("sqs:SendMessage", "DeadLetterQueue")},
        ),
        (
            RECORD,
            "PutRideRecordSqs",
            "queued",
            {
                ("dynamodb:PutItem", "RideRecordTable"),
                ("sqs:ReceiveMessage", "RideQueue"),
                ("sqs:DeleteMessage", "RideQueue"),
                ("sqs:GetQueueAttributes", "RideQueue"),
            },
        ),
        (
            RECORD,
            "ProcessDeadLetters",
            "queued",
            {
                ("dynamodb:PutItem", "RideRecordTable"),
                ("sqs:ReceiveMessage", "DeadLetterQueue"),
                ("sqs:DeleteMessage", "DeadLetterQueue"),
                ("sqs:ChangeMessageVisibility", "DeadLetterQueue"),
                ("sqs:SendMessage", "PoisonQueue"),
            },
        ),
        (GUIDES, "Invoker", None, {("lambda:InvokeFunction", "LambdaToInvoke")}),
        (GUIDES, "LambdaToInvoke", None, set()),
        (GUIDES, "TransactionProcessor", None, set()),
        (GUIDES, "ProcessPurchase", None, set()),
        (GUIDES, "ProcessRefund", None, set()),
        # A state machine has a role as a function has one.
        (
            GUIDES,
            "PurchaseStateMachine",
            None,
            {("lambda:InvokeFunction", "ProcessPurchase"), ("lambda:InvokeFunction", "ProcessRefund")},
        ),
    ],
)
def test_a_function_may_do_only_what_it_does(
    service: str, function: str, design: str | None, granted: set[tuple[str, str]]
) -> None:
    parameters = {"Design": design} if design else {}

    assert permissions(service, function, **parameters) == granted


@pytest.mark.parametrize("design", DESIGNS)
def test_the_topic_exists_and_is_announced_only_where_rides_are_events(design: str) -> None:
    by_event = design in ("event-driven", "queued")

    assert bool(resources(WILD_RYDES, "AWS::SNS::Topic", Design=design)) is by_event
    assert ("RidesSnsTopicArn" in deployed(WILD_RYDES, Design=design)["Outputs"]) is by_event
    parameters = resources(WILD_RYDES, "AWS::SSM::Parameter", Design=design).values()
    assert [parameter["Name"] for parameter in parameters] == (
        [{"Fn::Sub": "/wild-rydes/${Stage}/SnsTopicArn"}] if by_event else []
    )


def test_the_services_announce_themselves_under_the_agreed_names() -> None:
    names = {
        parameter["Name"]["Fn::Sub"]
        for service in SERVICES
        for parameter in resources(service, "AWS::SSM::Parameter").values()
    }
    exports = {
        output["Export"]["Name"]["Fn::Sub"]
        for service in SERVICES
        for output in deployed(service)["Outputs"].values()
        if "Export" in output
    }

    assert names == {
        "/wild-rydes/${Stage}/SnsTopicArn",
        "/wild-rydes-ride-fleet/${Stage}/RequestUnicornInvokeArn",
        "/wild-rydes-ride-record/${Stage}/URL",
    }
    assert exports == {
        "wild-rydes-ride-fleet-${Stage}-RequestUnicornUrl",
        "wild-rydes-ride-record-${Stage}-RideRecordUrl",
    }


def test_a_page_from_anywhere_may_post_a_ride() -> None:
    [api] = resources(WILD_RYDES, "AWS::ApiGateway::RestApi").values()
    ride = api["Body"]["paths"]["/ride"]

    assert set(ride) == {"post", "options"}
    answer = ride["options"]["x-amazon-apigateway-integration"]["responses"]["default"]["responseParameters"]
    assert answer["method.response.header.Access-Control-Allow-Origin"] == "'*'"
    assert "POST" in answer["method.response.header.Access-Control-Allow-Methods"]
    assert "Content-Type" in answer["method.response.header.Access-Control-Allow-Headers"]


def test_a_page_from_anywhere_may_read_a_record_without_asking_beforehand() -> None:
    [api] = resources(RECORD, "AWS::ApiGateway::RestApi").values()

    # No preflight: the function itself allows what a plain GET may do, and no page may POST a record.
    assert {path: set(methods) for path, methods in api["Body"]["paths"].items()} == {
        "/record": {"post"},
        "/record/{RideId}": {"get"},
    }


def test_the_page_s_bucket_may_be_read_by_everybody_and_nothing_else() -> None:
    [bucket] = resources(WILD_RYDES, "AWS::S3::Bucket").values()
    [policy] = resources(WILD_RYDES, "AWS::S3::BucketPolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]

    assert bucket["WebsiteConfiguration"] == {"IndexDocument": "index.html"}
    # As AWS's default has them, but for the two that refuse a public policy.
    assert {name for name, blocked in bucket["PublicAccessBlockConfiguration"].items() if not blocked} == {
        "BlockPublicPolicy",
        "RestrictPublicBuckets",
    }
    assert (statement["Principal"], statement["Action"]) == ("*", "s3:GetObject")
    assert statement["Resource"] == {"Fn::Sub": "${SiteBucket.Arn}/*"}


# ---- how rides reach the record ----


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        ("microservices", {"PutRideRecordHttp", "GetRideRecord"}),
        ("direct-invoke", {"PutRideRecordHttp", "GetRideRecord"}),
        ("event-driven", {"PutRideRecordHttp", "GetRideRecord", "PutRideRecordSns", "ProcessDeadLetters"}),
        ("queued", {"PutRideRecordHttp", "GetRideRecord", "PutRideRecordSqs", "ProcessDeadLetters"}),
    ],
)
def test_the_record_has_the_functions_of_its_design_and_always_those_for_http(design: str, expected: set[str]) -> None:
    assert set(functions(RECORD, Design=design)) == expected


def test_event_driven_subscribes_the_function_and_gives_it_a_dead_letter_queue() -> None:
    [subscription] = resources(RECORD, "AWS::SNS::Subscription", Design="event-driven").values()
    function = functions(RECORD, Design="event-driven")["PutRideRecordSns"]

    assert (subscription["Protocol"], subscription["TopicArn"]) == ("lambda", TOPIC_ARN)
    assert subscription["Endpoint"] == {"Fn::GetAtt": ["PutRideRecordSns", "Arn"]}
    assert function["DeadLetterConfig"] == {"TargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}}
    assert set(resources(RECORD, "AWS::SQS::Queue", Design="event-driven")) == {"DeadLetterQueue", "PoisonQueue"}


def test_queued_subscribes_the_queue_and_only_the_topic_may_fill_it() -> None:
    [subscription] = resources(RECORD, "AWS::SNS::Subscription", Design="queued").values()
    [policy] = resources(RECORD, "AWS::SQS::QueuePolicy", Design="queued").values()
    [statement] = policy["PolicyDocument"]["Statement"]

    assert (subscription["Protocol"], subscription["TopicArn"]) == ("sqs", TOPIC_ARN)
    assert subscription["Endpoint"] == {"Fn::GetAtt": ["RideQueue", "Arn"]}
    # The handler reads the ride from the body itself, without SNS's envelope.
    assert subscription["RawMessageDelivery"] is True
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": TOPIC_ARN}}


def test_queued_retries_as_aws_recommends_and_gives_up_to_the_dead_letter_queue() -> None:
    queue = resources(RECORD, "AWS::SQS::Queue", Design="queued")["RideQueue"]
    timeout_s = functions(RECORD, Design="queued")["PutRideRecordSqs"]["Timeout"]

    assert queue["VisibilityTimeout"] >= 6 * timeout_s
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]},
        "maxReceiveCount": 5,
    }


def test_queued_lets_single_messages_of_a_batch_fail() -> None:
    [mapping] = resources(RECORD, "AWS::Lambda::EventSourceMapping", Design="queued").values()

    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["FunctionName"] == {"Ref": "PutRideRecordSqs"}


@pytest.mark.parametrize("design", DESIGNS)
def test_the_record_s_outputs_are_those_of_its_design(design: str) -> None:
    outputs = deployed(RECORD, Design=design)["Outputs"]

    assert {"RideRecordUrl", "RideRecordTableName"} <= set(outputs)
    assert ("DeadLetterQueueUrl" in outputs) is (design in ("event-driven", "queued"))
    assert ("PoisonQueueUrl" in outputs) is (design in ("event-driven", "queued"))
    assert ("RideQueueUrl" in outputs) is (design == "queued")


# ---- the table ----


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(
    ("mode", "billing", "throughput"),
    [
        ("provisioned", "PROVISIONED", True),
        ("autoscaled", "PROVISIONED", True),
        ("on-demand", "PAY_PER_REQUEST", False),
    ],
)
def test_a_table_mode_means_the_same_in_every_design(design: str, mode: str, billing: str, *, throughput: bool) -> None:
    parameters = {"Design": design, "TableMode": mode}
    [table] = resources(RECORD, "AWS::DynamoDB::Table", **parameters).values()

    assert table["BillingMode"] == billing
    assert table.get("ProvisionedThroughput") == (
        {"ReadCapacityUnits": {"Ref": "ReadCapacityUnits"}, "WriteCapacityUnits": {"Ref": "WriteCapacityUnits"}}
        if throughput
        else None
    )
    scaled = mode == "autoscaled"
    assert len(resources(RECORD, "AWS::ApplicationAutoScaling::ScalableTarget", **parameters)) == 2 * scaled
    assert len(resources(RECORD, "AWS::ApplicationAutoScaling::ScalingPolicy", **parameters)) == 2 * scaled


@pytest.mark.parametrize("direction", ["Read", "Write"])
def test_auto_scaling_tracks_70_percent_between_the_start_and_the_maximum(direction: str) -> None:
    target = resources(RECORD, "AWS::ApplicationAutoScaling::ScalableTarget", TableMode="autoscaled")[
        f"{direction}ScalableTarget"
    ]
    policy = resources(RECORD, "AWS::ApplicationAutoScaling::ScalingPolicy", TableMode="autoscaled")[
        f"{direction}ScalingPolicy"
    ]

    assert target == {
        "ServiceNamespace": "dynamodb",
        "ScalableDimension": f"dynamodb:table:{direction}CapacityUnits",
        "ResourceId": {"Fn::Sub": "table/${RideRecordTable}"},
        "MinCapacity": {"Ref": f"{direction}CapacityUnits"},
        "MaxCapacity": {"Ref": f"Max{direction}CapacityUnits"},
    }
    assert policy["PolicyType"] == "TargetTrackingScaling"
    assert policy["ScalingTargetId"] == {"Ref": f"{direction}ScalableTarget"}
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "PredefinedMetricSpecification": {"PredefinedMetricType": f"DynamoDB{direction}CapacityUtilization"},
        "TargetValue": 70,
    }


def test_the_tables_have_the_agreed_keys() -> None:
    [unicorns] = resources(FLEET, "AWS::DynamoDB::Table").values()
    [rides] = resources(RECORD, "AWS::DynamoDB::Table").values()

    assert unicorns["KeySchema"] == [{"AttributeName": "Name", "KeyType": "HASH"}]
    assert rides["KeySchema"] == [{"AttributeName": "RideId", "KeyType": "HASH"}]


def test_new_unicorns_make_cloudformation_ask_for_an_update() -> None:
    [content] = resources(FLEET, "AWS::CloudFormation::CustomResource").values()
    unicorns = (SERVICES_DIR / FLEET / "data" / "unicorns.json").read_bytes()

    assert content["ServiceToken"] == {"Fn::GetAtt": ["LoadTable", "Arn"]}
    assert content["TableName"] == {"Ref": "UnicornsTable"}
    assert content["UnicornsSha256"] == hashlib.sha256(unicorns).hexdigest(), (
        "write the new checksum into template.yaml"
    )
