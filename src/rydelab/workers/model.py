"""The values that go into an execution environment and come out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """What one version of a function needs in order to run."""

    name: str
    version: str
    handler: str
    code_dir: Path
    timeout_s: float
    memory_mb: int
    environment: Mapping[str, str]
    """Everything that the handler finds in ``os.environ``, except what only a running environment knows."""
    layer_dirs: tuple[Path, ...] = ()
    """Directories that AWS would put under /opt, in order."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What is done to an invocation on purpose. All of it takes the invocation's time."""

    hold_s: float = 0.0
    """How long the event is kept from the runtime."""
    crashes: bool = False
    """Whether the runtime is killed before it gets the event."""
    error: bytes | None = None
    """An error document that is answered in the place of the runtime, which never gets the event."""
    kill_after_s: float | None = None
    """When the runtime is killed, counted from the moment it got the event, if it has not answered by then."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event for a function, as the Runtime API hands it out."""

    request_id: str
    payload: bytes
    invoked_arn: str
    trace_id: str = ""
    client_context: str | None = None
    disturbance: Disturbance | None = None


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One CloudWatch log event."""

    timestamp_ms: int
    message: str


class Failure(StrEnum):
    """How an invocation failed. A result without failure has none of these."""

    FUNCTION = "function"
    """The handler raised, or the runtime refused to load it. The environment lives on."""
    TIMEOUT = "timeout"
    EXIT = "exit"
    OUT_OF_MEMORY = "out-of-memory"
    INIT = "init"
    RESPONSE_TOO_LARGE = "response-too-large"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one invocation."""

    request_id: str
    payload: bytes
    """The handler's answer, or the error document that AWS would answer with."""
    failure: Failure | None
    duration_ms: float
    billed_duration_ms: int
    memory_used_mb: int
    init_duration_ms: float | None
    """Only for the first invocation of an environment, as in AWS's REPORT line."""
    log_tail: str
    """The last 4 KB of this invocation's log, START to REPORT (``LogType=Tail``)."""
    log: tuple[LogEvent, ...] = field(repr=False)
