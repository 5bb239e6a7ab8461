"""PutRideRecordHttp, PutRideRecordSns, PutRideRecordSqs: three event sources, one table."""

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from tests.unit.services.deployed import module, sample_event, sdk_client
from tests.unit.services.fake_dynamodb import FakeDynamoDB

put_ride_record = module("wild-rydes-ride-record", "put_ride_record")
ride_module = module("wild-rydes-ride-record", "ride")
storage = module("wild-rydes-ride-record", "storage")

SERVICE = "wild-rydes-ride-record"
SAMPLE_ID = "30c565ea-a494-11e8-a910-425746ae81de"
SECOND_ID = "cb4e0e60-9c23-11e8-af29-8a060cb55967"
SAMPLE_ITEM = {
    "RideId": {"S": SAMPLE_ID},
    "Unicorn": {
        "M": {
            "Name": {"S": "Shadowfax"},
            "Color": {"S": "White"},
            "DeviceId": {"S": "21fc3d3a-f26a-11e8-9109-8c859074f8c7"},
        }
    },
    "RequestTime": {"S": "2018-08-20 16:15:01.515825"},
}
THROTTLED = "ProvisionedThroughputExceededException"


@pytest.fixture
def dynamodb() -> FakeDynamoDB:
    return FakeDynamoDB(key="RideId")


@pytest.fixture
def table(dynamodb: FakeDynamoDB) -> Any:
    return storage.RideRecordTable(dynamodb, "table")


def plenty_of_time() -> float:
    return 30_000


def ride(**changes: Any) -> str:
    return json.dumps({"RideId": "1", "Unicorn": {"Name": "A"}, "RequestTime": "now"} | changes)


# ---- the one function that writes ----


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "the text is empty"),
        ("", "the text is empty"),
        ("{", "not JSON"),
        ('"ride"', "must be a JSON object"),
        (ride(RideId=None), "RideId is missing or not a text"),
        (ride(RideId=""), "RideId is missing or not a text"),
        (ride(RideId="é" * 1025), "RideId is longer than 2048 bytes"),
        (ride(RequestTime=5), "RequestTime is missing or not a text"),
        (ride(Unicorn="A"), "Unicorn is missing or not an object"),
        (ride(Unicorn={}), "Unicorn.Name is missing or not a text"),
        (ride(Fare=float("nan")), "NaN is not a JSON value"),
        (ride(Fare=10**40 + 1), "more digits than DynamoDB's 38"),
    ],
)
def test_a_malformed_ride_is_refused_with_the_reason_and_not_written(
    text: str | None, reason: str, table: Any, dynamodb: FakeDynamoDB
) -> None:
    with pytest.raises(ride_module.MalformedRideError, match=reason):
        put_ride_record.put_ride_record(text, table)
    assert dynamodb.items == {}


def test_every_attribute_of_a_ride_is_kept() -> None:
    item = storage.ride_item(ride_module.read_ride(ride(Fare=12.5, Seats=2, Shared=False, Notes=["a", None])))

    assert item["Fare"] == {"N": "12.5"}
    assert item["Seats"] == {"N": "2"}
    assert item["Shared"] == {"BOOL": False}
    assert item["Notes"] == {"L": [{"S": "a"}, {"NULL": True}]}


def test_fractions_are_not_rounded() -> None:
    assert ride_module.read_ride(ride()[:-1] + ', "Fare": 0.1}')["Fare"] == Decimal("0.1")


def test_the_same_ride_recorded_twice_leaves_one_item(table: Any, dynamodb: FakeDynamoDB) -> None:
    for _ in range(2):
        assert put_ride_record.put_ride_record(ride(), table) == "1"

    assert dynamodb.writes == 2
    assert list(dynamodb.items) == ["1"]


def test_what_is_written_is_what_dynamodb_understands() -> None:
    client = sdk_client("dynamodb")
    with Stubber(client) as stubber:
        stubber.add_response("put_item", {}, {"TableName": "table", "Item": SAMPLE_ITEM})
        event = sample_event(SERVICE, "put-ride-record-http")

        put_ride_record.put_ride_record(event["body"], storage.RideRecordTable(client, "table"))

        stubber.assert_no_pending_responses()
    client.close()


def test_an_item_that_dynamodb_could_never_take_is_malformed(table: Any, dynamodb: FakeDynamoDB) -> None:
    dynamodb.fail("ValidationException", "Item size has exceeded the maximum allowed size")

    with pytest.raises(ride_module.MalformedRideError, match="Item size has exceeded"):
        put_ride_record.put_ride_record(ride(), table)


def test_a_table_that_cannot_be_reached_is_an_unrecorded_ride(table: Any, dynamodb: FakeDynamoDB) -> None:
    dynamodb.error = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")  # type: ignore[assignment]

    with pytest.raises(storage.UnrecordedError) as caught:
        put_ride_record.put_ride_record(ride(), table)

    assert caught.value.code == "EndpointConnectionError"


# ---- HTTP ----


def test_a_ride_over_http_is_recorded(table: Any, dynamodb: FakeDynamoDB) -> None:
    response = put_ride_record.from_http(sample_event(SERVICE, "put-ride-record-http"), table)

    assert response["statusCode"] == 201
    assert json.loads(response["body"]) == {"success": True}
    assert dynamodb.items == {SAMPLE_ID: SAMPLE_ITEM}


def test_a_ride_over_http_in_base64_is_recorded(table: Any, dynamodb: FakeDynamoDB) -> None:
    event = {"body": base64.b64encode(ride().encode()).decode(), "isBase64Encoded": True}

    assert put_ride_record.from_http(event, table)["statusCode"] == 201
    assert list(dynamodb.items) == ["1"]


@pytest.mark.parametrize("event", [{"body": "{}"}, {"body": None}, {"body": "%", "isBase64Encoded": True}])
def test_a_malformed_ride_over_http_gets_400_with_the_reason(event: dict[str, Any], table: Any) -> None:
    response = put_ride_record.from_http(event, table)

    assert response["statusCode"] == 400
    assert json.loads(response["body"])["message"]


def test_an_unwritten_ride_over_http_gets_502_with_aws_s_name_for_the_reason(
    table: Any, dynamodb: FakeDynamoDB
) -> None:
    dynamodb.fail(THROTTLED)

    response = put_ride_record.from_http(sample_event(SERVICE, "put-ride-record-http"), table)

    assert response["statusCode"] == 502
    assert json.loads(response["body"])["error"] == THROTTLED


# ---- SNS ----


def test_a_ride_from_the_topic_is_recorded(table: Any, dynamodb: FakeDynamoDB) -> None:
    put_ride_record.from_sns(sample_event(SERVICE, "put-ride-record-sns"), table)

    assert dynamodb.items == {SAMPLE_ID: SAMPLE_ITEM}


def test_an_unwritten_ride_from_the_topic_is_the_function_s_error(table: Any, dynamodb: FakeDynamoDB) -> None:
    dynamodb.fail(THROTTLED)

    with pytest.raises(storage.UnrecordedError, match=THROTTLED):
        put_ride_record.from_sns(sample_event(SERVICE, "put-ride-record-sns"), table)


def test_a_malformed_ride_from_the_topic_is_the_function_s_error(table: Any) -> None:
    with pytest.raises(ride_module.MalformedRideError):
        put_ride_record.from_sns({"Records": [{"Sns": {"Message": "{}"}}]}, table)


# ---- SQS ----


def batch(*texts: str) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m{number}", "body": text} for number, text in enumerate(texts)]}


def failed(response: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def test_a_batch_from_the_queue_is_recorded(table: Any, dynamodb: FakeDynamoDB) -> None:
    response = put_ride_record.from_sqs(sample_event(SERVICE, "put-ride-record-sqs"), table, plenty_of_time)

    assert response == {"batchItemFailures": []}
    assert set(dynamodb.items) == {SAMPLE_ID, SECOND_ID}


def test_only_the_bad_messages_of_a_batch_come_back(table: Any, dynamodb: FakeDynamoDB) -> None:
    event = batch(ride(RideId="a"), "not a ride", ride(RideId="b"), ride(RideId=7))

    response = put_ride_record.from_sqs(event, table, plenty_of_time)

    assert failed(response) == ["m1", "m3"]
    assert set(dynamodb.items) == {"a", "b"}


def test_unwritten_rides_of_a_batch_come_back(
    table: Any, dynamodb: FakeDynamoDB, caplog: pytest.LogCaptureFixture
) -> None:
    dynamodb.fail(THROTTLED)

    response = put_ride_record.from_sqs(batch(ride(RideId="a"), ride(RideId="b")), table, plenty_of_time)

    assert failed(response) == ["m0", "m1"]
    assert THROTTLED in caplog.text


def test_rides_for_which_no_time_is_left_come_back(table: Any, dynamodb: FakeDynamoDB) -> None:
    time_left_ms = iter([30_000, 10_000, 9_999])

    response = put_ride_record.from_sqs(
        batch(ride(RideId="a"), ride(RideId="b"), ride(RideId="c")), table, lambda: next(time_left_ms)
    )

    assert failed(response) == ["m2"]
    assert set(dynamodb.items) == {"a", "b"}
