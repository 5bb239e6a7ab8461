"""GetRideRecord: one record, or that it is not there."""

import json
from typing import Any

import pytest

from tests.unit.services.deployed import module, sample_event
from tests.unit.services.fake_dynamodb import FakeDynamoDB

get_ride_record = module("wild-rydes-ride-record", "get_ride_record")
put_ride_record = module("wild-rydes-ride-record", "put_ride_record")
storage = module("wild-rydes-ride-record", "storage")

SAMPLE_ID = sample_event("wild-rydes-ride-record", "get-ride-record")["pathParameters"]["RideId"]


@pytest.fixture
def dynamodb() -> FakeDynamoDB:
    return FakeDynamoDB(key="RideId")


def answer(dynamodb: FakeDynamoDB, ride_id: str = SAMPLE_ID) -> tuple[int, Any]:
    """Return status and body of the answer; every answer may be read by a page from anywhere."""
    response = get_ride_record.respond(ride_id, storage.RideRecordTable(dynamodb, "table"))
    assert response["headers"]["Access-Control-Allow-Origin"] == "*"
    return response["statusCode"], json.loads(response["body"])


def test_what_was_recorded_is_what_is_read(dynamodb: FakeDynamoDB) -> None:
    ride = {
        "RideId": SAMPLE_ID,
        "Unicorn": {"Name": "Shadowfax", "Color": "White", "DeviceId": "0"},
        "RequestTime": "2018-08-20 16:15:01.515825",
        "Fare": 12.5,
        "Seats": 2,
        "Stops": [None, True, "café"],
    }
    put_ride_record.put_ride_record(json.dumps(ride), storage.RideRecordTable(dynamodb, "table"))

    assert answer(dynamodb) == (200, ride)


def test_a_ride_without_a_record_is_not_found_by_its_id(dynamodb: FakeDynamoDB) -> None:
    assert answer(dynamodb, "nobody-s") == (404, {"message": "there is no record of ride nobody-s"})


def test_a_table_that_does_not_answer_is_not_taken_for_one_without_the_ride(dynamodb: FakeDynamoDB) -> None:
    dynamodb.fail("ProvisionedThroughputExceededException")

    status, body = answer(dynamodb)

    assert (status, body["error"]) == (502, "ProvisionedThroughputExceededException")
