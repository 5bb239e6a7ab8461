"""What is simulated: one cell, what the services' templates fix, and the conditions of the run."""

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from rydelab.capacity.settings import Settings

type Design = Literal["microservices", "direct-invoke", "event-driven", "queued"]
type TableMode = Literal["provisioned", "autoscaled", "on-demand"]
type RetryMode = Literal["legacy", "standard"]

DESIGNS: tuple[str, ...] = get_args(Design.__value__)
TABLE_MODES: tuple[str, ...] = get_args(TableMode.__value__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One design with one table mode; the fields are a scenario's options, with the same defaults (docs/scenarios.md).

    Raises ValueError for values that no cell can have.
    """

    design: Design
    table_mode: TableMode
    read_units: float = 1
    """Per second when provisioned; the start and the minimum when autoscaled."""
    write_units: float = 1
    max_read_units: float = 40
    """The most that auto scaling sets."""
    max_write_units: float = 40
    sdk_retry_mode: RetryMode = "legacy"
    on_record_failure: Literal["fail", "ignore"] = "fail"
    memory_mb: int = 128
    ride_concurrency: int | None = None
    """Reserved concurrency of RequestRide."""
    record_concurrency: int | None = None
    """Reserved concurrency of the function that records rides in this design."""

    def __post_init__(self) -> None:
        for name, known in (
            ("design", DESIGNS),
            ("table_mode", TABLE_MODES),
            ("sdk_retry_mode", ("legacy", "standard")),
            ("on_record_failure", ("fail", "ignore")),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        for name in ("read_units", "write_units", "memory_mb"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)!r}")
        for name in ("read_units", "write_units"):
            if self.table_mode == "autoscaled" and getattr(self, f"max_{name}") < getattr(self, name):
                raise ValueError(f"max_{name} must be at least {name}, got {getattr(self, f'max_{name}')!r}")

    @property
    def fleet_over_http(self) -> bool:
        """Whether RequestRide asks for a unicorn through API Gateway, and not by an invocation."""
        return self.design == "microservices"

    @property
    def answers_first(self) -> bool:
        """Whether the client is answered before the ride is recorded."""
        return self.design in ("event-driven", "queued")

    @property
    def record_function(self) -> str:
        """The function that records the rides of this design."""
        return {"event-driven": "PutRideRecordSns", "queued": "PutRideRecordSqs"}.get(self.design, "PutRideRecordHttp")

    @property
    def fleet_function(self) -> str:
        """The function that gives RequestRide a unicorn."""
        return "RequestUnicornApig" if self.fleet_over_http else "RequestUnicornInvoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """What the templates and handlers under ``services/`` fix. tests/unit/simulator/test_templates.py compares them."""

    function_timeout_s: float = 29.0
    """Of every function of a ride but PutRideRecordSqs."""
    sqs_function_timeout_s: float = 30.0
    http_timeout_s: float = 28.0
    """How long RequestRide waits for another service's API."""
    batch_size: int = 10
    batch_window_s: float = 0.0
    visibility_timeout_s: float = 180.0
    max_receive_count: int = 5
    least_time_left_s: float = 10.0
    """With less than this left, PutRideRecordSqs begins no further ride of its batch."""
    max_event_retries: int = 2
    """MaximumRetryAttempts of asynchronous events, Lambda's default."""
    max_event_age_s: float = 6 * 3600.0
    """MaximumEventAgeInSeconds, Lambda's default."""
    target_percent: float = 70.0
    """What auto scaling aims at."""
    record_bytes: int = 135
    """A ride in RideRecordTable: below 1 KB, so one write unit."""
    alarms: int = 8
    """Of an autoscaled table: four for each of its two policies."""
    log_bytes: int = 350
    """What one invocation writes to its log."""
    unicorn_read_units: float = 0.5
    """An eventually consistent Scan of UnicornsTable, which is on-demand and below 4 KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How the run is made; the first three are a scenario's."""

    timeout_s: float = 30.0
    """How long a client waits for its answer."""
    drain_s: float = math.inf
    """How long is waited, after the last answer, for accepted rides to end; those that have not are in flight."""
    warm_up_rides: int = 0
    """Rides before the load: they take units of the table, and leave environments behind that need no start."""
    warm_up_before_s: float = 4.0
    """How long before the load the warm-up is."""
    begins_at_s: float = 0.0
    """The Unix time of the load's begin: auto scaling goes by whole minutes, and decreases are counted by UTC day."""
    clock_speed: float = 1.0
    """How many times faster AWS's loops of minutes run, as in a lab with --clock-speed."""
    capacity: Settings = field(default_factory=Settings)
    """Of the capacity model, before the clock speed."""
    interval_s: float = 1.0
    """The length of one interval of the series."""

    @property
    def loop_settings(self) -> Settings:
        """The capacity model's settings at this clock speed."""
        return self.capacity.at_clock_speed(self.clock_speed)
