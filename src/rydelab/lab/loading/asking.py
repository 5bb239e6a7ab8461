"""What each kind of arrival asks for, and how its answer is judged. Pure."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, Protocol

RIDE_REQUEST: Final[Mapping[str, Any]] = {
    "PickupLocation": {"Latitude": 47.6174755835663, "Longitude": -122.28837066650185}
}
"""The body of ``POST /ride``: a place in Seattle, as in the workshop."""
UNICORN: Final[Mapping[str, str]] = {"Name": "Shadowfax", "Color": "White", "DeviceId": "0000"}

_JSON: Final = {"Content-Type": "application/json"}
_RIDE_BODY: Final = json.dumps(RIDE_REQUEST).encode()


class Judge(Protocol):
    """Says what an answer means."""

    def __call__(self, status: int | None, body: bytes | str | None, *, failure: str = "") -> tuple[str | None, str]:
        """Return the RideId that the ledger knows the arrival by, if any, and why it was not accepted (else empty).

        *failure* is what the HTTP client said where it got no answer.
        """


@dataclass(frozen=True, slots=True)
class Asking:
    """One request that is to be sent."""

    name: str
    """How Locust's statistics call it."""
    method: str
    url: str
    judge: Judge
    body: bytes | None = None
    headers: Mapping[str, str] | None = None
    ride_id: str | None = None
    """The RideId if the client makes it."""


def ask_for(kind: str, url: str) -> Asking:
    """Make the request of an arrival that asks *url* for *kind*: a ride, a record or a unicorn."""
    return _MAKERS[kind](url)


def judge_ride(status: int | None, body: bytes | str | None, *, failure: str = "") -> tuple[str | None, str]:
    """Judge the answer to a ride request: only a 201 that names its ride is an acceptance."""
    told = _told(body)
    ride_id = told.get("RideId")
    ride_id = ride_id if isinstance(ride_id, str) and ride_id else None
    if error := judge_status(status, body, wanted=HTTPStatus.CREATED, failure=failure):
        return ride_id if status else None, error
    return ride_id, "" if ride_id else "201 without a RideId"


def judge_status(status: int | None, body: bytes | str | None, *, wanted: int, failure: str = "") -> str:
    """Return why an answer is not the one that was *wanted*, with its own message; empty if it is."""
    if not status:
        return failure or "no answer"
    return "" if status == wanted else f"{status} {_told(body).get('message', '')}".strip()


def new_ride() -> dict[str, Any]:
    """Make a ride as RequestRide makes it."""
    return {
        "RideId": str(uuid.uuid1()),
        "Unicorn": dict(UNICORN),
        "RequestTime": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}",
    }


def _ride(url: str) -> Asking:
    return Asking("RequestRide", "POST", url, judge_ride, _RIDE_BODY, _JSON)


def _record(url: str) -> Asking:
    ride = new_ride()
    ride_id: str = ride["RideId"]

    def judge(status: int | None, body: bytes | str | None, *, failure: str = "") -> tuple[str | None, str]:
        return ride_id, judge_status(status, body, wanted=HTTPStatus.CREATED, failure=failure)

    return Asking("PutRideRecord", "POST", url, judge, json.dumps(ride).encode(), _JSON, ride_id)


def _unicorn(url: str) -> Asking:
    def judge(status: int | None, body: bytes | str | None, *, failure: str = "") -> tuple[str | None, str]:
        return None, judge_status(status, body, wanted=HTTPStatus.OK, failure=failure)

    return Asking("RequestUnicorn", "GET", url, judge)


_MAKERS: Final[Mapping[str, Callable[[str], Asking]]] = {"ride": _ride, "record": _record, "unicorn": _unicorn}


def _told(body: bytes | str | None) -> Mapping[str, Any]:
    try:
        document: Any = json.loads(body or "")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
