"""How long each step takes and what the place allows: a profile, read from TOML with the source of each figure."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from statistics import NormalDist
from typing import Any

PROFILES = ("local", "aws")
"""The profiles that come with the package."""

TIMES: Mapping[str, str] = {
    "gateway": "API Gateway, there and back, around a function's invocation",
    "invoke": "a synchronous Invoke by the SDK, there and back, around the invocation",
    "init": "start of a new execution environment",
    "request_ride": "RequestRide's own time, without the calls that it makes",
    "request_unicorn": "RequestUnicorn…'s own time with its Scan",
    "put_ride_record": "PutRideRecord…'s own time for one ride, without PutItem",
    "put_item": "a PutItem that is admitted",
    "throttled_put_item": "a PutItem that is refused",
    "publish": "Publish by the SDK, there and back",
    "sns_to_lambda": "from the end of Publish until Lambda has the event and a function may start",
    "sns_to_sqs": "from the end of Publish until the message is in the queue",
    "sqs_to_lambda": "from the arrival in the queue, or a free poller, until the batch's invocation",
}
"""The service times of a profile, and what each covers. Each is log-normal, given by its median and 95th percentile."""

LIMITS: Mapping[str, str] = {
    "account_concurrency": "invocations at the same time in the account",
    "new_environments_per_10_s": "environments that a function may gain in 10 s; 0: no limit",
    "gateway_requests_per_s": "requests a second that API Gateway lets through, over all APIs; 0: no limit",
    "gateway_burst": "requests that it lets through at once",
    "environment_idle_s": "how long an idle environment is kept",
    "sqs_pollers": "batches of a queue that are handled at once, at the start",
    "sqs_most_pollers": "and at most",
    "sqs_growth_per_min": "how many more a minute while messages wait",
    "async_patience_s": "how long events wait before a worker more is started for them; 0: each has its own at once",
}
"""The limits of a profile."""

_P95 = NormalDist().inv_cdf(0.95)


class ProfileError(ValueError):
    """A profile that cannot be used; the message names the file, the key and the value."""


@dataclass(frozen=True, slots=True)
class ServiceTime:
    """A log-normal time, in seconds."""

    median_s: float
    p95_s: float
    source: str = ""
    date: str = ""

    @property
    def sigma(self) -> float:
        """The standard deviation of the logarithm."""
        return math.log(self.p95_s / self.median_s) / _P95 if self.median_s else 0.0

    @property
    def mean_s(self) -> float:
        """The expected value."""
        return self.median_s * math.exp(self.sigma**2 / 2)

    def quantile_s(self, share: float) -> float:
        """Return the time that *share* of all, above 0 and below 1, do not exceed."""
        return self.median_s * math.exp(self.sigma * NormalDist().inv_cdf(share)) if self.median_s else 0.0

    def times(self, factor: float) -> "ServiceTime":
        """Return the same distribution, *factor* times as long."""
        return ServiceTime(self.median_s * factor, self.p95_s * factor, self.source, self.date)


@dataclass(frozen=True, slots=True)
class Profile:
    """A place to run in. *times* has each of `TIMES`, *limits* each of `LIMITS`."""

    name: str
    description: str
    times: Mapping[str, ServiceTime]
    limits: Mapping[str, float]
    reference_memory_mb: int | None = None
    """The memory at which the functions' own times hold; None if memory does not change them."""

    def time(self, name: str, *, memory_mb: int | None = None) -> ServiceTime:
        """Return a service time; for a function's own time, that of a function with *memory_mb*.

        Lambda gives processor time in proportion to memory, up to one processor at 1,769 MB; more does not help a
        program with one thread.
        """
        found = self.times[name]
        if memory_mb is None or self.reference_memory_mb is None:
            return found
        return found.times(min(self.reference_memory_mb, _ONE_PROCESSOR_MB) / min(memory_mb, _ONE_PROCESSOR_MB))


_ONE_PROCESSOR_MB = 1769
"""AWS Lambda developer guide, "Configure Lambda function memory"."""


def load_profile(name: str) -> Profile:
    """Read one of `PROFILES`. Raises ProfileError."""
    if name not in PROFILES:
        raise ProfileError(f"profile {name!r}: there are {', '.join(PROFILES)}, or a file that ends in .toml")
    text = (files(__package__) / "profiles" / f"{name}.toml").read_text(encoding="utf-8")
    return parse_profile(text, source=f"{name}.toml", name=name)


def parse_profile(text: str, *, source: str, name: str) -> Profile:
    """Read a profile from TOML *text*; *source* is how complaints name it. Raises ProfileError."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{source}: not TOML: {error}") from None
    unknown = set(values) - {"description", "reference_memory_mb", "times", "limits"}
    if unknown:
        raise ProfileError(f"{source}: {min(unknown)}: there is no such key")
    times = _table(values, "times", TIMES, source)
    limits = _table(values, "limits", LIMITS, source)
    memory_mb = values.get("reference_memory_mb")
    if memory_mb is not None and not (_is_number(memory_mb) and memory_mb >= 1):
        raise ProfileError(f"{source}: reference_memory_mb = {memory_mb!r}: must be a number of at least 1")
    return Profile(
        name=name,
        description=str(values.get("description", "")),
        times={key: _service_time(times[key], f"{source}: times.{key}") for key in TIMES},
        limits={key: _limit(limits[key], f"{source}: limits.{key}") for key in LIMITS},
        reference_memory_mb=memory_mb,
    )


def _table(values: Mapping[str, Any], key: str, known: Mapping[str, str], source: str) -> Mapping[str, Any]:
    table = values.get(key)
    if not isinstance(table, dict):
        raise ProfileError(f"{source}: [{key}] is missing")
    for name in table:
        if name not in known:
            raise ProfileError(f"{source}: {key}.{name}: there is no such key; there are {', '.join(known)}")
    for name in known:
        if not isinstance(table.get(name), dict):
            raise ProfileError(f"{source}: {key}.{name} is missing ({known[name]})")
    return table


def _service_time(values: Mapping[str, Any], where: str) -> ServiceTime:
    _expect(values, ("median_ms", "p95_ms"), where)
    median_ms, p95_ms = values["median_ms"], values["p95_ms"]
    if median_ms < 0 or p95_ms < median_ms or (p95_ms > 0 and not median_ms):
        raise ProfileError(f"{where}: median_ms = {median_ms}, p95_ms = {p95_ms}: must be 0 < median_ms <= p95_ms")
    return ServiceTime(median_ms / 1000, p95_ms / 1000, values["source"], values["date"])


def _limit(values: Mapping[str, Any], where: str) -> float:
    _expect(values, ("value",), where)
    if values["value"] < 0:
        raise ProfileError(f"{where}: value = {values['value']}: must not be negative")
    return float(values["value"])


def _expect(values: Mapping[str, Any], numbers: tuple[str, ...], where: str) -> None:
    for key in (*numbers, "source", "date"):
        if key not in values:
            raise ProfileError(f"{where}: {key} is missing")
        wanted = _is_number(values[key]) if key in numbers else isinstance(values[key], str)
        if not wanted:
            raise ProfileError(
                f"{where}: {key} = {values[key]!r}: must be {'a number' if key in numbers else 'a text'}"
            )
    for key in values:
        if key not in (*numbers, "source", "date"):
            raise ProfileError(f"{where}: {key}: there is no such key")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
