"""When SNS tries a delivery to Lambda or SQS again, after an error on the endpoint's side. Pure.

Source: Amazon SNS developer guide, "Amazon SNS message delivery retries", AWS managed endpoints. How the pauses of the
third phase grow between 1 s and 20 s, and the jitter, are not published: here by a constant factor, without jitter.
"""

from typing import Final

_IMMEDIATE: Final = 3
_PRE_BACKOFF: Final = 2
_BACKOFF: Final = 10
_POST_BACKOFF: Final = 100_000
_FIRST_S: Final = 1.0
_LAST_S: Final = 20.0

MOST_RETRIES: Final = _IMMEDIATE + _PRE_BACKOFF + _BACKOFF + _POST_BACKOFF


def wait_s(retry: int) -> float | None:
    """Return the pause before the *retry*-th retry (1 is the first), in seconds; None when there is none any more."""
    if retry <= _IMMEDIATE:
        return 0.0
    if retry <= _IMMEDIATE + _PRE_BACKOFF:
        return _FIRST_S
    step = retry - _IMMEDIATE - _PRE_BACKOFF  # 1 to 10
    if step <= _BACKOFF:
        return _FIRST_S * float((_LAST_S / _FIRST_S) ** ((step - 1) / (_BACKOFF - 1)))
    return _LAST_S if retry <= MOST_RETRIES else None
