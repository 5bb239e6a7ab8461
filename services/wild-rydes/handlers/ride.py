"""What a ride request must say, and what a ride is.

Pure: no clock but the one inside the ride's own id, no environment, no AWS.
"""

import json
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

# A version 1 UUID counts 100 ns ticks from the first day of the Gregorian calendar.
_UUID_EPOCH = datetime(1582, 10, 15, tzinfo=UTC)


class Unicorn(TypedDict):
    """A unicorn as the fleet names it."""

    Name: str
    Color: str
    DeviceId: str


class Ride(TypedDict):
    """A dispatched ride: the answer to its requester, and the record."""

    RideId: str
    Unicorn: Unicorn
    RequestTime: str


class MalformedRequestError(ValueError):
    """The request cannot be understood; the message says why, for the one who sent it."""


def check_request(body: str | None) -> None:
    """Raise MalformedRequestError unless *body* is a ride request.

    A ride request is ``{"PickupLocation": {"Latitude": degrees, "Longitude": degrees}}``.
    """
    if not body:
        raise MalformedRequestError("the request has no body")
    try:
        request = json.loads(body)
    except ValueError as error:
        raise MalformedRequestError(f"the body is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise MalformedRequestError("the body must be a JSON object")
    location = request.get("PickupLocation")
    if not isinstance(location, dict):
        raise MalformedRequestError("PickupLocation is missing or not an object")
    _check_degrees(location, "Latitude", limit=90)
    _check_degrees(location, "Longitude", limit=180)


def _check_degrees(location: dict[str, Any], name: str, *, limit: int) -> None:
    if name not in location:
        raise MalformedRequestError(f"PickupLocation.{name} is missing")
    degrees = location[name]
    if isinstance(degrees, bool) or not isinstance(degrees, int | float):
        raise MalformedRequestError(f"PickupLocation.{name} must be a number, got {json.dumps(degrees)}")
    # Written so that NaN, which Python's JSON reader lets through, fails too.
    if not -limit <= degrees <= limit:
        raise MalformedRequestError(f"PickupLocation.{name} must be between -{limit} and {limit}, got {degrees}")


def new_ride(unicorn: Unicorn) -> Ride:
    """Return a ride with a new id, requested now."""
    # Execution environments may be copies of one process, and copies share the clock sequence that tells apart two ids
    # of the same instant. So each id draws its own.
    ride_id = uuid.uuid1(clock_seq=secrets.randbits(14))
    return {"RideId": str(ride_id), "Unicorn": unicorn, "RequestTime": request_time(ride_id)}


def request_time(ride_id: uuid.UUID) -> str:
    """Return the moment that a version 1 UUID was made, as ``YYYY-MM-DD HH:MM:SS.ffffff`` in UTC."""
    made = _UUID_EPOCH + timedelta(microseconds=ride_id.time // 10)
    return made.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
