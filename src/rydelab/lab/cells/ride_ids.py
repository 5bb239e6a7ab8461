"""Finds the RideIds in a message, however many envelopes it travelled in. Pure."""

import json
from typing import Any


def ride_ids_in(body: str) -> frozenset[str]:
    """Find every RideId in *body*: JSON, or JSON inside a string of JSON.

    A dead letter holds what its last consumer got: Lambda's event with the SNS message as a string in it, or SQS's body
    with SNS's envelope, or the ride alone where the subscription delivers raw messages.
    """
    return frozenset(_found(body))


def _found(value: Any) -> list[str]:
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except json.JSONDecodeError:
            return []
        return _found(parsed) if isinstance(parsed, dict | list) else []
    if isinstance(value, list):
        return [ride_id for part in value for ride_id in _found(part)]
    if isinstance(value, dict):
        own = [value["RideId"]] if isinstance(value.get("RideId"), str) else []
        return own + [ride_id for part in value.values() for ride_id in _found(part)]
    return []
