"""RequestRide: from API Gateway's event to its response, with the fleet and the record stood in for."""

import base64
import functools
import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.unit.services.deployed import module, sample_event

dispatch = module("wild-rydes", "dispatch")
request_ride = module("wild-rydes", "request_ride")
ride_module = module("wild-rydes", "ride")

SHADOWFAX = {"Name": "Shadowfax", "Color": "White", "DeviceId": "21fc3d3a-f26a-11e8-9109-8c859074f8c7"}


class Fleet:
    """Always gives Shadowfax."""

    def request_unicorn(self) -> dict[str, str]:
        """Give a unicorn."""
        return SHADOWFAX


class EmptyFleet:
    """Has no unicorn to give."""

    def request_unicorn(self) -> dict[str, str]:
        """Give no unicorn."""
        raise dispatch.FleetError("the stable is empty")


class Recorder:
    """Remembers rides; fails with *failure* all the same, if there is one."""

    def __init__(self, failure: str = "") -> None:
        self.rides: list[Any] = []
        self._failure = failure

    def record(self, ride: Any) -> None:
        """Take a ride."""
        self.rides.append(ride)
        if self._failure:
            raise dispatch.RecordError(self._failure)


def post(event: Any, *, fleet: Any = None, recorder: Any = None, ignore: bool = False) -> tuple[int, Any, Any]:
    """Return status, headers and body of the answer to *event*."""
    decision = functools.partial(
        dispatch.dispatch,
        fleet=fleet or Fleet(),
        recorder=recorder or Recorder(),
        ignore_record_failure=ignore,
    )
    response = request_ride.respond(event, decision)
    return response["statusCode"], response["headers"], json.loads(response["body"])


def test_a_ride_is_answered_and_the_same_ride_is_recorded() -> None:
    recorder = Recorder()

    status, headers, ride = post(sample_event("wild-rydes", "request-ride"), recorder=recorder)

    assert status == 201
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert set(ride) == {"RideId", "Unicorn", "RequestTime"}
    assert ride["Unicorn"] == SHADOWFAX
    assert recorder.rides == [ride]


def test_the_request_time_is_the_moment_in_the_ride_id() -> None:
    # A ride of the workshop's own.
    ride_id = uuid.UUID("30c565ea-a494-11e8-a910-425746ae81de")

    assert ride_module.request_time(ride_id) == "2018-08-20 16:15:01.515825"


def test_a_request_time_on_the_full_second_keeps_its_microseconds() -> None:
    ticks = (datetime(2026, 1, 1) - datetime(1582, 10, 15)) // timedelta(microseconds=1) * 10  # noqa: DTZ001 (UTC)
    ride_id = uuid.UUID(fields=(ticks & 0xFFFFFFFF, (ticks >> 32) & 0xFFFF, (ticks >> 48) & 0x0FFF | 0x1000, 0, 0, 1))

    assert ride_module.request_time(ride_id) == "2026-01-01 00:00:00.000000"


def test_copies_of_a_process_do_not_share_the_clock_sequence_of_their_ids() -> None:
    sequences = {uuid.UUID(ride_module.new_ride(SHADOWFAX)["RideId"]).clock_seq for _ in range(20)}

    assert len(sequences) > 10


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "no body"),
        ("", "no body"),
        ("{", "not JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "PickupLocation is missing"),
        ('{"PickupLocation": "here"}', "PickupLocation is missing or not an object"),
        ('{"PickupLocation": {"Longitude": 1}}', "PickupLocation.Latitude is missing"),
        ('{"PickupLocation": {"Latitude": 1}}', "PickupLocation.Longitude is missing"),
        ('{"PickupLocation": {"Latitude": "1", "Longitude": 1}}', 'Latitude must be a number, got "1"'),
        ('{"PickupLocation": {"Latitude": true, "Longitude": 1}}', "Latitude must be a number, got true"),
        ('{"PickupLocation": {"Latitude": 90.5, "Longitude": 1}}', "between -90 and 90, got 90.5"),
        ('{"PickupLocation": {"Latitude": 1, "Longitude": -181}}', "between -180 and 180, got -181"),
        ('{"PickupLocation": {"Latitude": NaN, "Longitude": 1}}', "between -90 and 90, got nan"),
    ],
)
def test_a_malformed_request_gets_400_with_the_reason_and_no_ride(body: str | None, reason: str) -> None:
    recorder = Recorder()

    status, headers, answer = post({"body": body}, recorder=recorder)

    assert status == 400
    assert reason in answer["message"]
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert recorder.rides == []


def test_a_body_in_base64_is_read() -> None:
    body = base64.b64encode(b'{"PickupLocation": {"Latitude": 1, "Longitude": 2}}').decode()

    assert post({"body": body, "isBase64Encoded": True})[0] == 201


def test_a_body_that_claims_to_be_base64_and_is_not_gets_400() -> None:
    status, _, answer = post({"body": "{}", "isBase64Encoded": True})

    assert status == 400
    assert "base64" in answer["message"]


def test_without_a_unicorn_the_request_fails_visibly_and_nothing_is_recorded() -> None:
    recorder = Recorder()

    status, _, answer = post(sample_event("wild-rydes", "request-ride"), fleet=EmptyFleet(), recorder=recorder)

    assert status == 502
    assert "the stable is empty" in answer["message"]
    assert recorder.rides == []


def test_a_ride_that_cannot_be_recorded_fails_visibly_and_names_itself() -> None:
    recorder = Recorder("ProvisionedThroughputExceededException")

    status, headers, answer = post(sample_event("wild-rydes", "request-ride"), recorder=recorder)

    assert status == 502
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "ProvisionedThroughputExceededException" in answer["message"]
    assert answer["RideId"] == recorder.rides[0]["RideId"]


def test_a_failed_record_is_ignored_on_request(caplog: pytest.LogCaptureFixture) -> None:
    status, _, ride = post(sample_event("wild-rydes", "request-ride"), recorder=Recorder("no room"), ignore=True)

    assert status == 201
    assert ride["Unicorn"] == SHADOWFAX
    assert "no room" in caplog.text
