"""What Invoke answers and refuses, in AWS's words and fields."""

import base64
import json
from typing import Any

import pytest

from tests.integration.conftest import FUNCTION_ROLE


@pytest.fixture(scope="module")
def echo(functions: Any) -> str:
    """Return a function that does what the event says, or tells what it sees."""
    name: str = functions.create(
        "import os, time\n"
        "def handler(event, context):\n"
        "    match event:\n"
        "        case {'raise': message}: raise LookupError(message)\n"
        "        case {'exit': status}: os._exit(status)\n"
        "        case {'sleep': seconds}: time.sleep(seconds)\n"
        "        case {'length': length}: return 'x' * length\n"
        "    return {\n"
        "        'event': event, 'environment': dict(os.environ), 'arn': context.invoked_function_arn,\n"
        "        'id': context.aws_request_id, 'group': context.log_group_name, 'stream': context.log_stream_name,\n"
        "        'client': context.client_context and context.client_context.custom,\n"
        "        'remaining': context.get_remaining_time_in_millis(), 'memory': context.memory_limit_in_mb,\n"
        "        'name': context.function_name, 'version': context.function_version,\n"
        "    }\n",
        Timeout=1,
        MemorySize=192,
        Environment={"Variables": {"TABLE": "RideRecordTable", "PATH": "/mine"}},
    )
    return name


def test_an_answer_has_status_version_payload_and_the_end_of_the_log(functions: Any, echo: str) -> None:
    answer = functions.invoke(echo, {"RideId": "1"})
    assert (answer.status, answer.error, answer.version) == (200, None, "$LATEST")
    assert answer.payload["event"] == {"RideId": "1"}
    assert answer.log.startswith(f"START RequestId: {answer.request_id} Version: $LATEST\n")
    assert f"\nEND RequestId: {answer.request_id}\nREPORT RequestId: {answer.request_id}\tDuration: " in answer.log
    assert "\tMemory Size: 192 MB\tMax Memory Used: " in answer.log


def test_only_the_first_invocation_of_an_environment_reports_an_init_duration(functions: Any) -> None:
    name = functions.create("def handler(event, context): pass")
    cold, warm = functions.invoke(name), functions.invoke(name)
    assert "\tInit Duration: " in cold.log
    assert "\tInit Duration: " not in warm.log


def test_a_handler_that_raises_is_a_function_error_with_status_200(functions: Any, echo: str) -> None:
    answer = functions.invoke(echo, {"raise": "no unicorn"})
    assert (answer.status, answer.error) == (200, "Unhandled")
    assert answer.payload["errorType"] == "LookupError"
    assert answer.payload["errorMessage"] == "no unicorn"
    assert answer.payload["requestId"] == answer.request_id
    assert answer.payload["stackTrace"][0].endswith("raise LookupError(message)\n")


def test_a_timeout_is_a_function_error_that_names_the_limit(functions: Any, echo: str) -> None:
    answer = functions.invoke(echo, {"sleep": 30})
    assert (answer.status, answer.error) == (200, "Unhandled")
    assert answer.payload == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {answer.request_id} Error: Task timed out after 1.00 seconds",
    }
    assert "\tStatus: timeout" in answer.log


def test_a_crash_is_an_exit_error_and_the_next_invocation_works(functions: Any, echo: str) -> None:
    answer = functions.invoke(echo, {"exit": 4})
    assert answer.error == "Unhandled"
    assert answer.payload == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {answer.request_id} Error: Runtime exited with error: exit status 4",
    }
    assert functions.invoke(echo, 1).error is None


def test_a_function_that_cannot_be_loaded_says_so_each_time(functions: Any) -> None:
    name = functions.create("import unicorns", Handler="index.handler")
    for _ in range(2):
        answer = functions.invoke(name)
        assert answer.error == "Unhandled"
        assert answer.payload["errorType"] == "Runtime.ImportModuleError"
        assert answer.payload["errorMessage"] == "Unable to import module 'index': No module named 'unicorns'"


def test_an_answer_over_the_limit_is_a_function_error(functions: Any, echo: str) -> None:
    answer = functions.invoke(echo, {"length": 6_291_555})
    assert answer.error == "Unhandled"
    assert answer.payload["errorType"] == "Function.ResponseSizeTooLarge"


@pytest.mark.parametrize(
    ("invocation_type", "limit"), [("RequestResponse", 6_291_456), ("Event", 1_048_576)], ids=["sync", "async"]
)
def test_an_event_over_the_limit_is_refused(functions: Any, echo: str, invocation_type: str, limit: int) -> None:
    refusal = functions.refusal(
        functions.client("lambda").invoke,
        FunctionName=echo,
        InvocationType=invocation_type,
        Payload=b'"' + b"x" * (limit - 1) + b'"',
    )
    assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert refusal["Error"] == {
        "Code": "RequestEntityTooLargeException",
        "Message": f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
    }


@pytest.mark.parametrize("payload", [b"{'single': 'quotes'}", b"\xff\xfe", b"{"])
def test_an_event_that_is_no_json_is_refused(functions: Any, echo: str, payload: bytes) -> None:
    refusal = functions.refusal(functions.client("lambda").invoke, FunctionName=echo, Payload=payload)
    assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert refusal["Error"]["Code"] == "InvalidRequestContentException"
    assert refusal["Error"]["Message"].startswith("Could not parse request body into json: Could not parse payload")


@pytest.mark.parametrize("parameters", [{}, {"Payload": b""}], ids=["no body", "empty body"])
def test_no_event_is_an_empty_event(functions: Any, echo: str, parameters: dict[str, bytes]) -> None:
    response = functions.client("lambda").invoke(FunctionName=echo, **parameters)
    assert json.load(response["Payload"])["event"] == {}


def test_a_dry_run_runs_nothing(functions: Any, echo: str) -> None:
    assert functions.invoke(echo, {"exit": 1}, InvocationType="DryRun").status == 204


def test_the_context_is_that_of_the_request(functions: Any, echo: str) -> None:
    custom = base64.b64encode(json.dumps({"custom": {"tier": "gold\nZoë"}}).encode()).decode()
    answer = functions.invoke(echo, 1, ClientContext=custom)
    seen, environment = answer.payload, answer.payload["environment"]
    assert seen["id"] == answer.request_id
    assert seen["arn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{echo}"
    assert (seen["name"], seen["version"], seen["memory"]) == (echo, "$LATEST", "192")
    assert seen["group"] == f"/aws/lambda/{echo}"
    assert "/[$LATEST]" in seen["stream"]
    assert 0 < seen["remaining"] <= 1000
    assert seen["client"] == {"tier": "gold\nZoë"}
    assert environment["_X_AMZN_TRACE_ID"].startswith("Root=1-")


@pytest.mark.parametrize("context", ["no base64!", base64.b64encode(b"[1]").decode()])
def test_a_client_context_that_cannot_be_read_is_refused(functions: Any, echo: str, context: str) -> None:
    refusal = functions.refusal(functions.client("lambda").invoke, FunctionName=echo, ClientContext=context)
    assert refusal["Error"] == {
        "Code": "InvalidRequestContentException",
        "Message": "Client context must be a valid Base64-encoded JSON object.",
    }


def test_the_handler_finds_awss_variables_and_its_own(functions: Any, echo: str) -> None:
    environment = functions.invoke(echo, 1).payload["environment"]
    expected = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "192",
        "AWS_LAMBDA_FUNCTION_NAME": echo,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{echo}",
        "AWS_REGION": "us-east-1",
        "LANG": "en_US.UTF-8",
        "PATH": "/mine",  # a variable that is not reserved can be replaced
        "TABLE": "RideRecordTable",
        "TZ": ":UTC",
        "_HANDLER": "index.handler",
    }
    assert {name: environment.get(name) for name in expected} == expected
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_LOG_STREAM_NAME"):
        assert environment[name]
    assert not [name for name in environment if name.startswith(("RYDELAB", "LOCALSTACK_RUNTIME", "PYTHON"))]


def test_a_handler_reaches_the_lab_with_no_settings_of_its_own(functions: Any) -> None:
    url, _ = functions.queue()
    name = functions.create(
        "import boto3\n"
        "def handler(event, context): boto3.client('sqs').send_message(QueueUrl=event, MessageBody='hello')"
    )
    assert functions.invoke(name, url).error is None
    assert functions.receive(url)["Body"] == "hello"


def test_a_version_keeps_its_code_and_an_alias_leads_to_it(functions: Any) -> None:
    client = functions.client("lambda")
    name = functions.create("def handler(event, context): return ['one', context.invoked_function_arn]")
    version = client.publish_version(FunctionName=name)["Version"]
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    functions.update_code(name, "def handler(event, context): return 'two'")
    assert functions.invoke(name).payload == "two"
    answer = functions.eventually(lambda: functions.invoke(name, Qualifier="live"))
    assert answer.version == version
    assert answer.payload == ["one", f"arn:aws:lambda:us-east-1:000000000000:function:{name}:live"]


@pytest.mark.parametrize("runtime", ["nodejs22.x", "provided.al2023", "java21"])
def test_a_runtime_other_than_python_is_refused_when_the_function_is_made(functions: Any, runtime: str) -> None:
    refusal = functions.refusal(functions.create, source="", Runtime=runtime)
    assert refusal["Error"]["Code"] == "InvalidParameterValueException"
    assert refusal["Error"]["Message"] == (
        f"rydelab runs Python functions only and cannot run runtime {runtime}; it accepts python3.9, python3.10, "
        "python3.11, python3.12, python3.13, python3.14."
    )


def test_a_function_cannot_be_changed_to_another_runtime(functions: Any, echo: str) -> None:
    update = functions.client("lambda").update_function_configuration
    refusal = functions.refusal(update, FunctionName=echo, Runtime="nodejs22.x")
    assert refusal["Error"]["Message"].startswith(
        "rydelab runs Python functions only and cannot run runtime nodejs22.x"
    )


def test_a_container_image_is_refused_when_the_function_is_made(functions: Any) -> None:
    refusal = functions.refusal(
        functions.client("lambda").create_function,
        FunctionName="image",
        PackageType="Image",
        Code={"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/image:1"},
        Role=FUNCTION_ROLE,
    )
    assert refusal["Error"]["Message"] == "rydelab runs functions from zip archives only, not package type Image."


def test_a_reserved_variable_is_refused(functions: Any) -> None:
    refusal = functions.refusal(functions.create, source="", Environment={"Variables": {"AWS_REGION": "x", "A": "b"}})
    assert refusal["Error"]["Code"] == "InvalidParameterValueException"
    assert refusal["Error"]["Message"].endswith("Reserved keys used in this request: AWS_REGION")
