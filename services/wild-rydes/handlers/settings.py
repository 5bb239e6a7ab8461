"""What the function is told through its environment."""

from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(ValueError):
    """The environment is wrong; the message names the variable."""


@dataclass(frozen=True)
class Settings:
    """Exactly one address of each pair is set; the design decides which."""

    request_unicorn_arn: str
    request_unicorn_url: str
    rides_sns_topic_arn: str
    ride_record_url: str
    ignore_record_failure: bool
    log_level: str
    endpoint_url: str
    """Where the AWS SDK sends its requests instead of to AWS; empty on AWS."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings in *environment*, or raise SettingsError."""
    _exactly_one(environment, "REQUEST_UNICORN_ARN", "REQUEST_UNICORN_URL")
    _exactly_one(environment, "RIDES_SNS_TOPIC_ARN", "RIDE_RECORD_URL")
    on_record_failure = environment.get("ON_RECORD_FAILURE", "fail")
    if on_record_failure not in ("fail", "ignore"):
        raise SettingsError(f"ON_RECORD_FAILURE must be fail or ignore, got {on_record_failure!r}")
    return Settings(
        request_unicorn_arn=environment.get("REQUEST_UNICORN_ARN", ""),
        request_unicorn_url=environment.get("REQUEST_UNICORN_URL", ""),
        rides_sns_topic_arn=environment.get("RIDES_SNS_TOPIC_ARN", ""),
        ride_record_url=environment.get("RIDE_RECORD_URL", ""),
        ignore_record_failure=on_record_failure == "ignore",
        log_level=environment.get("LOG_LEVEL", "INFO"),
        endpoint_url=environment.get("AWS_ENDPOINT_URL", ""),
    )


def _exactly_one(environment: Mapping[str, str], first: str, second: str) -> None:
    given = [name for name in (first, second) if environment.get(name)]
    if len(given) != 1:
        raise SettingsError(f"exactly one of {first} and {second} must be set, got {' and '.join(given) or 'neither'}")
