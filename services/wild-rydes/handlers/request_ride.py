"""RequestRide: the event source, ``POST /ride`` through API Gateway."""

import base64
import functools
import json
import logging
import os
from collections.abc import Callable
from typing import Any

import boto3

from .dispatch import Dispatched, Fleet, FleetError, Recorder, UnrecordedRideError, dispatch
from .fleet import HttpFleet, InvokedFleet
from .http_json import HttpJson
from .recorder import HttpRecorder, SnsRecorder
from .ride import MalformedRequestError, check_request
from .settings import Settings, read_settings

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a ride request: 201 and the ride, 400 if it is malformed, 502 if a service behind failed."""
    return respond(event, _wired())


def respond(event: dict[str, Any], dispatch_ride: Callable[[], Dispatched]) -> dict[str, Any]:
    """Turn API Gateway's event into a decision and the outcome into API Gateway's response."""
    try:
        check_request(_body(event))
    except MalformedRequestError as error:
        logger.info("400: %s", error)
        return _response(400, {"message": str(error)})
    try:
        dispatched = dispatch_ride()
    except FleetError as error:
        logger.error("502: no unicorn: %s", error)  # noqa: TRY400 (the reason is the message; a trace adds nothing)
        return _response(502, {"message": f"the fleet gave no unicorn: {error}"})
    except UnrecordedRideError as error:
        logger.error("502: ride %s not recorded: %s", error.ride_id, error)  # noqa: TRY400 (as above)
        return _response(502, {"message": f"the ride could not be recorded: {error}", "RideId": error.ride_id})
    ride = dispatched.ride
    if dispatched.ignored_failure is None:
        logger.info("ride %s: %s", ride["RideId"], ride["Unicorn"]["Name"])
    else:
        logger.warning("ride %s not recorded, ignored: %s", ride["RideId"], dispatched.ignored_failure)
    return _response(201, ride)


def _body(event: dict[str, Any]) -> str | None:
    body: str | None = event.get("body")
    if body and event.get("isBase64Encoded"):
        try:
            return base64.b64decode(body, validate=True).decode()
        except ValueError as error:
            raise MalformedRequestError(f"the body is not base64 of UTF-8 text: {error}") from error
    return body


def _response(status: int, document: object) -> dict[str, Any]:
    return {
        "statusCode": status,
        # The page that asks is served from another origin.
        "headers": {"Access-Control-Allow-Origin": "*", "Content-Type": "application/json"},
        "body": json.dumps(document, separators=(",", ":")),
    }


@functools.cache
def _wired() -> Callable[[], Dispatched]:
    """Connect the decision to the services that this deployment's design uses; once per execution environment."""
    settings = read_settings(os.environ)
    logging.getLogger(__package__).setLevel(settings.log_level)
    http = HttpJson(settings.endpoint_url)
    return functools.partial(
        dispatch,
        fleet=_fleet(settings, http),
        recorder=_recorder(settings, http),
        ignore_record_failure=settings.ignore_record_failure,
    )


def _fleet(settings: Settings, http: HttpJson) -> Fleet:
    if settings.request_unicorn_url:
        return HttpFleet(http, settings.request_unicorn_url)
    return InvokedFleet(boto3.client("lambda"), settings.request_unicorn_arn)


def _recorder(settings: Settings, http: HttpJson) -> Recorder:
    if settings.ride_record_url:
        return HttpRecorder(http, settings.ride_record_url)
    return SnsRecorder(boto3.client("sns"), settings.rides_sns_topic_arn)
