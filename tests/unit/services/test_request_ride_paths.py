"""The ways from RequestRide to the other services: chosen by the environment, over HTTP, invoked, published."""

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import urllib3
from botocore.response import StreamingBody
from botocore.stub import Stubber
from urllib3.exceptions import NewConnectionError, ProtocolError

from tests.unit.services.deployed import module, sdk_client

dispatch = module("wild-rydes", "dispatch")
fleet = module("wild-rydes", "fleet")
http_json = module("wild-rydes", "http_json")
recorder = module("wild-rydes", "recorder")
request_ride = module("wild-rydes", "request_ride")
settings = module("wild-rydes", "settings")

ARN = "arn:aws:lambda:us-east-1:000000000000:function:RequestUnicornInvoke"
TOPIC = "arn:aws:sns:us-east-1:000000000000:RidesSnsTopic"
FLEET_URL = "https://abc123.execute-api.us-east-1.amazonaws.com/dev/unicorn"
RECORD_URL = "https://def456.execute-api.us-east-1.amazonaws.com/dev/record"
UNICORN = {"Name": "Shadowfax", "Color": "White", "DeviceId": "21fc3d3a"}
RIDE = {"RideId": "1", "Unicorn": UNICORN, "RequestTime": "2018-08-20 16:15:01.515825"}


class Pool:
    """Answers each request with the next of *answers*: a status and bytes, or an exception to raise."""

    def __init__(self, *answers: tuple[int, bytes] | Exception) -> None:
        self.requests: list[tuple[str, str, bytes | None, dict[str, str]]] = []
        self._answers = list(answers)

    def request(self, method: str, url: str, *, body: Any, headers: Any, retries: bool) -> urllib3.BaseHTTPResponse:
        """Answer one request."""
        assert retries is False
        self.requests.append((method, url, body, headers))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return urllib3.HTTPResponse(status=answer[0], body=answer[1])


@pytest.fixture
def stub(request: pytest.FixtureRequest) -> Iterator[Stubber]:
    client = sdk_client(request.param)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
    client.close()


# ---- which way ----


@pytest.mark.parametrize(
    ("environment", "expected_fleet", "expected_recorder"),
    [
        ({"REQUEST_UNICORN_URL": FLEET_URL, "RIDE_RECORD_URL": RECORD_URL}, "HttpFleet", "HttpRecorder"),
        ({"REQUEST_UNICORN_ARN": ARN, "RIDE_RECORD_URL": RECORD_URL}, "InvokedFleet", "HttpRecorder"),
        ({"REQUEST_UNICORN_ARN": ARN, "RIDES_SNS_TOPIC_ARN": TOPIC}, "InvokedFleet", "SnsRecorder"),
    ],
)
def test_the_environment_chooses_the_way_to_each_service(
    environment: dict[str, str], expected_fleet: str, expected_recorder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients: list[str] = []
    monkeypatch.setattr(boto3, "client", clients.append)
    read = settings.read_settings(environment)
    http = http_json.HttpJson()

    chosen = request_ride._fleet(read, http), request_ride._recorder(read, http)

    assert tuple(type(way).__name__ for way in chosen) == (expected_fleet, expected_recorder)
    # No client is made for a service that the design does not use.
    assert len(clients) == sum(name.endswith("_ARN") for name in environment)


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"RIDE_RECORD_URL": "u"}, "REQUEST_UNICORN_ARN and REQUEST_UNICORN_URL must be set, got neither"),
        ({"REQUEST_UNICORN_ARN": "a"}, "RIDES_SNS_TOPIC_ARN and RIDE_RECORD_URL must be set, got neither"),
        (
            {"REQUEST_UNICORN_ARN": "a", "RIDES_SNS_TOPIC_ARN": "t", "RIDE_RECORD_URL": "u"},
            "got RIDES_SNS_TOPIC_ARN and RIDE_RECORD_URL",
        ),
        (
            {"REQUEST_UNICORN_ARN": "a", "RIDE_RECORD_URL": "u", "ON_RECORD_FAILURE": "shrug"},
            "ON_RECORD_FAILURE must be fail or ignore, got 'shrug'",
        ),
    ],
)
def test_a_wrong_environment_is_named(environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(settings.SettingsError, match=complaint):
        settings.read_settings(environment)


@pytest.mark.parametrize(("value", "ignored"), [(None, False), ("fail", False), ("ignore", True)])
def test_a_failed_record_fails_the_request_unless_the_environment_says_ignore(
    value: str | None, *, ignored: bool
) -> None:
    environment = {"REQUEST_UNICORN_ARN": "a", "RIDE_RECORD_URL": "u"}
    if value:
        environment["ON_RECORD_FAILURE"] = value

    assert settings.read_settings(environment).ignore_record_failure is ignored


# ---- over HTTP ----


@pytest.mark.parametrize(
    ("url", "endpoint_url", "expected"),
    [
        (FLEET_URL, "", (FLEET_URL, {})),
        (
            FLEET_URL,
            "http://127.0.0.1:4566",
            ("http://127.0.0.1:4566/dev/unicorn", {"Host": "abc123.execute-api.us-east-1.amazonaws.com"}),
        ),
        (
            "https://abc123.execute-api.localhost:4566/dev/unicorn?colour=white",
            "http://127.0.0.1:4566",
            ("http://127.0.0.1:4566/dev/unicorn?colour=white", {"Host": "abc123.execute-api.localhost:4566"}),
        ),
        ("http://example.org/unicorn", "http://127.0.0.1:4566", ("http://example.org/unicorn", {})),
    ],
)
def test_an_api_is_called_through_the_sdk_s_endpoint_if_there_is_one(
    url: str, endpoint_url: str, expected: tuple[str, dict[str, str]]
) -> None:
    assert http_json.through_endpoint(url, endpoint_url) == expected


def test_a_unicorn_is_got_over_http() -> None:
    pool = Pool((200, json.dumps(UNICORN).encode()))

    assert fleet.HttpFleet(http_json.HttpJson(pool=pool), FLEET_URL).request_unicorn() == UNICORN
    assert pool.requests == [("GET", FLEET_URL, None, {})]


def test_a_ride_is_posted_as_json() -> None:
    pool = Pool((201, b'{"success":true}'))

    recorder.HttpRecorder(http_json.HttpJson(pool=pool), RECORD_URL).record(RIDE)

    [(method, url, body, headers)] = pool.requests
    assert (method, url, headers) == ("POST", RECORD_URL, {"Content-Type": "application/json"})
    assert json.loads(body or b"") == RIDE


def test_a_refused_record_says_who_refused_and_why() -> None:
    pool = Pool((502, b'{"message":"throttled"}'))

    with pytest.raises(dispatch.RecordError, match=r'def456\S+ answered 502: {"message":"throttled"}'):
        recorder.HttpRecorder(http_json.HttpJson(pool=pool), RECORD_URL).record(RIDE)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ((503, b'{"message":"no unicorns"}'), "answered 503"),
        ((200, b"<html>"), "did not answer JSON"),
        ((200, b"[]"), "is no unicorn"),
        (NewConnectionError(None, "refused"), "got no answer"),  # type: ignore[arg-type]
    ],
)
def test_a_fleet_without_a_sensible_answer_is_a_fleet_error(
    answer: tuple[int, bytes] | Exception, complaint: str
) -> None:
    with pytest.raises(dispatch.FleetError, match=complaint):
        fleet.HttpFleet(http_json.HttpJson(pool=Pool(answer)), FLEET_URL).request_unicorn()


def test_a_kept_connection_that_was_closed_meanwhile_costs_one_more_attempt() -> None:
    pool = Pool(ProtocolError("closed"), (200, json.dumps(UNICORN).encode()))

    assert fleet.HttpFleet(http_json.HttpJson(pool=pool), FLEET_URL).request_unicorn() == UNICORN
    assert len(pool.requests) == 2


def test_a_second_broken_connection_is_an_error() -> None:
    pool = Pool(ProtocolError("closed"), ProtocolError("closed again"))

    with pytest.raises(dispatch.FleetError, match="closed again"):
        fleet.HttpFleet(http_json.HttpJson(pool=pool), FLEET_URL).request_unicorn()


# ---- invoked, published ----


def _payload(document: Any) -> StreamingBody:
    body = json.dumps(document).encode()
    return StreamingBody(io.BytesIO(body), len(body))


@pytest.mark.parametrize("stub", ["lambda"], indirect=True)
def test_a_unicorn_is_got_by_invoking_the_function(stub: Stubber) -> None:
    stub.add_response("invoke", {"StatusCode": 200, "Payload": _payload(UNICORN)}, {"FunctionName": ARN})

    assert fleet.InvokedFleet(stub.client, ARN).request_unicorn() == UNICORN


@pytest.mark.parametrize("stub", ["lambda"], indirect=True)
def test_an_error_of_the_invoked_function_is_a_fleet_error(stub: Stubber) -> None:
    error = {"errorType": "NoUnicornError", "errorMessage": "table t holds no unicorns", "stackTrace": ["a.py"]}
    stub.add_response("invoke", {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": _payload(error)})

    with pytest.raises(dispatch.FleetError, match=r"^NoUnicornError: table t holds no unicorns$"):
        fleet.InvokedFleet(stub.client, ARN).request_unicorn()


@pytest.mark.parametrize("stub", ["lambda"], indirect=True)
def test_a_throttled_invocation_is_a_fleet_error(stub: Stubber) -> None:
    stub.add_client_error("invoke", "TooManyRequestsException", "Rate Exceeded.")

    with pytest.raises(dispatch.FleetError, match="TooManyRequestsException"):
        fleet.InvokedFleet(stub.client, ARN).request_unicorn()


@pytest.mark.parametrize("stub", ["sns"], indirect=True)
def test_a_ride_is_published_as_json(stub: Stubber) -> None:
    message = json.dumps(RIDE, separators=(",", ":"))
    stub.add_response("publish", {"MessageId": "1"}, {"TopicArn": TOPIC, "Message": message})

    recorder.SnsRecorder(stub.client, TOPIC).record(RIDE)


@pytest.mark.parametrize("stub", ["sns"], indirect=True)
def test_a_topic_that_refuses_is_a_record_error(stub: Stubber) -> None:
    stub.add_client_error("publish", "NotFound", "Topic does not exist")

    with pytest.raises(dispatch.RecordError, match="Topic does not exist"):
        recorder.SnsRecorder(stub.client, TOPIC).record(RIDE)
