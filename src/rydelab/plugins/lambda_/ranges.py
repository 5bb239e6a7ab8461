"""Numbers out of their range, and targets of the wrong kind, that Lambda refuses and LocalStack takes."""

from collections.abc import Mapping
from typing import Any, Final

from localstack.aws.api import CommonServiceException
from localstack.aws.api.lambda_ import InvalidParameterValueException

_LONGEST_TIMEOUT_S: Final = 900
_MOST_RETRIES: Final = 2
_LEAST_AGE_S, _MOST_AGE_S = 60, 21_600


def check_range(member: str, value: int | None, *, least: int, most: int) -> None:
    """Refuse a *value* of the request's *member* that is out of its range; None is no value."""
    if value is None or least <= value <= most:
        return
    bound = f"greater than or equal to {least}" if value < least else f"less than or equal to {most}"
    raise CommonServiceException(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
        f"Member must have value {bound}",
        sender_fault=True,
    )


def check_function(request: Mapping[str, Any]) -> None:
    """Refuse a timeout above 15 minutes, and a dead-letter queue or topic that is FIFO."""
    check_range("timeout", request.get("Timeout"), least=1, most=_LONGEST_TIMEOUT_S)
    target_arn = (request.get("DeadLetterConfig") or {}).get("TargetArn") or ""
    if target_arn.endswith(".fifo"):
        raise InvalidParameterValueException(
            f"The provided target ARN {target_arn} is FIFO: a dead-letter queue or topic must be a standard one.",
            Type="User",
        )


def check_event_invoke(request: Mapping[str, Any]) -> None:
    """Refuse more retries of an asynchronous event than 2, and an age outside of a minute to six hours."""
    check_range("maximumRetryAttempts", request.get("maximum_retry_attempts"), least=0, most=_MOST_RETRIES)
    age_s = request.get("maximum_event_age_in_seconds")
    check_range("maximumEventAgeInSeconds", age_s, least=_LEAST_AGE_S, most=_MOST_AGE_S)
