"""What the simulator takes for granted is what the services' templates and handlers say."""

import ast
from typing import Any

import pytest

from rydelab.capacity.item_size import Item, item_bytes
from rydelab.capacity.settings import Settings
from rydelab.simulator.cell import Templates
from tests.unit.services.deployed import SERVICES_DIR
from tests.unit.services.templates import resources

TEMPLATES = Templates()


@pytest.fixture(autouse=True)
def a_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell SAM's transformation where it would deploy."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def functions(service: str, **parameters: str) -> dict[str, Any]:
    return resources(service, "AWS::Lambda::Function", **parameters)


def constant(path: str, name: str) -> float:
    """Return the number that the handler in the file *path* assigns to *name*."""
    for node in ast.parse((SERVICES_DIR / path).read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            value: float = ast.literal_eval(node.value)
            return value
    raise AssertionError(f"{path} has no {name}")


def test_functions_may_run_for_as_long_as_the_templates_say() -> None:
    ride = functions("wild-rydes")["RequestRide"]["Timeout"]
    fleet = functions("wild-rydes-ride-fleet")
    record = functions("wild-rydes-ride-record", Design="event-driven")
    queued = functions("wild-rydes-ride-record", Design="queued")

    assert ride == TEMPLATES.function_timeout_s
    for name in ("RequestUnicornApig", "RequestUnicornInvoke"):
        assert fleet[name]["Timeout"] == TEMPLATES.function_timeout_s
    for name in ("PutRideRecordHttp", "PutRideRecordSns"):
        assert record[name]["Timeout"] == TEMPLATES.function_timeout_s
    assert queued["PutRideRecordSqs"]["Timeout"] == TEMPLATES.sqs_function_timeout_s


def test_the_queue_and_its_mapping_are_those_of_the_template() -> None:
    queue = resources("wild-rydes-ride-record", "AWS::SQS::Queue", Design="queued")["RideQueue"]
    (mapping,) = resources("wild-rydes-ride-record", "AWS::Lambda::EventSourceMapping", Design="queued").values()

    assert queue["VisibilityTimeout"] == TEMPLATES.visibility_timeout_s
    assert queue["RedrivePolicy"]["maxReceiveCount"] == TEMPLATES.max_receive_count
    assert mapping["BatchSize"] == TEMPLATES.batch_size
    assert mapping.get("MaximumBatchingWindowInSeconds", 0) == TEMPLATES.batch_window_s
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_asynchronous_events_are_tried_as_often_as_lambda_does_without_a_setting() -> None:
    kinds = "AWS::Lambda::EventInvokeConfig"

    assert resources("wild-rydes-ride-record", kinds, Design="event-driven") == {}
    assert (TEMPLATES.max_event_retries, TEMPLATES.max_event_age_s) == (2, 6 * 3600)


def test_auto_scaling_aims_at_what_the_template_says() -> None:
    kinds = "AWS::ApplicationAutoScaling::ScalingPolicy"
    policies = resources("wild-rydes-ride-record", kinds, Design="queued", TableMode="autoscaled")

    targets = {one["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] for one in policies.values()}

    assert targets == {TEMPLATES.target_percent}


def test_the_handlers_wait_as_long_as_they_say() -> None:
    assert constant("wild-rydes/handlers/http_json.py", "_TIMEOUT_S") == TEMPLATES.http_timeout_s
    left_ms = constant("wild-rydes-ride-record/handlers/put_ride_record.py", "_LEAST_TIME_LEFT_MS")
    assert left_ms == TEMPLATES.least_time_left_s * 1000


def test_a_record_is_as_large_as_a_ride() -> None:
    ride: Item = {
        "RideId": {"S": "0b8b7c1e-c66a-11f0-8de9-0242ac120002"},
        "Unicorn": {"M": {"Name": {"S": "Shadowfax"}, "Color": {"S": "White"}, "DeviceId": {"S": "abcdef123456"}}},
        "RequestTime": {"S": "2026-11-21 05:29:07.123456"},
    }

    assert item_bytes(ride, Settings()) == TEMPLATES.record_bytes
