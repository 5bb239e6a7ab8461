"""What can be recorded: a ride as JSON, read with DynamoDB's limits in mind. Pure."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Never

# DynamoDB's limit for a partition key.
_KEY_BYTES = 2048

type Ride = Mapping[str, Any]


class MalformedRideError(ValueError):
    """The text is no ride that could be recorded; the message says why."""


def read_ride(text: str | None) -> Ride:
    """Return the ride in the JSON *text*, every attribute of it; raise MalformedRideError if it is none.

    A ride has at least a RideId, a Unicorn with a Name, and a RequestTime. Fractions are read as Decimal, since
    DynamoDB's numbers are decimal.
    """
    if not text:
        raise MalformedRideError("there is no ride: the text is empty")
    try:
        ride = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except ValueError as error:
        raise MalformedRideError(f"the ride is not JSON: {error}") from error
    if not isinstance(ride, dict):
        raise MalformedRideError("the ride must be a JSON object")
    _check_text(ride, "RideId")
    if len(ride["RideId"].encode()) > _KEY_BYTES:
        raise MalformedRideError(f"RideId is longer than {_KEY_BYTES} bytes")
    _check_text(ride, "RequestTime")
    if not isinstance(ride.get("Unicorn"), dict):
        raise MalformedRideError("Unicorn is missing or not an object")
    _check_text(ride["Unicorn"], "Name", of="Unicorn.")
    return ride


def _check_text(document: dict[str, Any], name: str, *, of: str = "") -> None:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedRideError(f"{of}{name} is missing or not a text")


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not a JSON value")
