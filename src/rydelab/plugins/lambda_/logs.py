"""CloudWatch Logs of functions.

LocalStack sends one HTTP request to itself per invocation, from a thread per function. Here a single thread hands what
all functions wrote to the Logs backend, a few times a second: in order per stream, with each event's own time.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from localstack.aws.connect import connect_to
from localstack.services.logs import provider as _logs_provider  # noqa: F401 (it adds subscription filters to moto's streams)
from moto.logs.models import logs_backends

from rydelab.plugins.permissions.guard import require_role
from rydelab.plugins.permissions.refusals import AccessDeniedError
from rydelab.workers.model import LogEvent

LOG = logging.getLogger(__name__)
_FLUSH_S: Final = 0.25
# A lab that runs for hours must not fill the memory with logs: of a longer stream the older half is dropped.
_KEPT_EVENTS_PER_STREAM: Final = 100_000


@dataclass(frozen=True, slots=True)
class LogStream:
    """Where one execution environment writes."""

    account_id: str
    region: str
    group: str
    stream: str
    role_arn: str
    """The function's role, which must be allowed to write there."""
    function_name: str

    def write(self, events: list[LogEvent]) -> None:
        """Hand over events, oldest first; returns at once."""
        _writer.add(self, events)

    def require(self, action: str) -> None:
        """Raise AccessDeniedError if the function may not do *action*, such as ``logs:PutLogEvents``, with it."""
        stream = "" if action == "logs:CreateLogGroup" else self.stream
        resource = f"arn:aws:logs:{self.region}:{self.account_id}:log-group:{self.group}:log-stream:{stream}"
        require_role(self.role_arn, self.function_name, action, resource)


class _Writer:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[LogStream, list[LogEvent]] = defaultdict(list)
        self._work = threading.Event()
        self._thread: threading.Thread | None = None
        self._flush_lock = threading.Lock()

    def add(self, stream: LogStream, events: Iterable[LogEvent]) -> None:
        with self._lock:
            self._pending[stream].extend(events)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lambda-logs", daemon=True)
                self._thread.start()
        self._work.set()

    def flush(self) -> None:
        """Write everything that has been handed over so far."""
        with self._flush_lock:
            with self._lock:
                pending, self._pending = self._pending, defaultdict(list)
            for stream, events in pending.items():
                try:
                    _put(stream, events)
                except Exception:
                    LOG.exception("rydelab: %d log events of %s are lost", len(events), stream)

    def _run(self) -> None:
        while True:
            self._work.wait()
            self._work.clear()
            time.sleep(_FLUSH_S)
            self.flush()


_writer = _Writer()


def flush() -> None:
    """Write everything that functions have logged so far, before someone reads it."""
    _writer.flush()


def _put(stream: LogStream, events: list[LogEvent]) -> None:
    from localstack.utils.bootstrap import is_api_enabled  # noqa: PLC0415 (it looks for a Docker engine)

    if not is_api_enabled("logs"):
        return
    backend = logs_backends[stream.account_id][stream.region]
    try:
        if stream.group not in backend.groups:
            stream.require("logs:CreateLogGroup")
            backend.create_log_group(stream.group, {})
        group = backend.groups[stream.group]
        if stream.stream not in group.streams:
            stream.require("logs:CreateLogStream")
            group.create_log_stream(stream.stream)
        stream.require("logs:PutLogEvents")
    except AccessDeniedError as refusal:
        LOG.debug("rydelab: %d log events are not written: %s", len(events), refusal)  # as on AWS, nobody is told
        return
    rows = _in_order(events)
    if backend.filters.metric_filters:  # these are applied by the operation, not by the stream
        client = connect_to(aws_access_key_id=stream.account_id, region_name=stream.region).logs
        client.put_log_events(logGroupName=stream.group, logStreamName=stream.stream, logEvents=rows)
        return
    kept = group.streams[stream.stream]
    kept.put_log_events(rows)
    if len(kept.events) > _KEPT_EVENTS_PER_STREAM:
        excess = len(kept.events) - _KEPT_EVENTS_PER_STREAM // 2
        LOG.info("rydelab: dropped the oldest %d log events of %s", excess, stream)
        del kept.events[:excess]


def _in_order(events: list[LogEvent]) -> list[dict[str, Any]]:
    """Return the events as Logs stores them; times never go back, so that reading keeps the order."""
    rows: list[dict[str, Any]] = []
    latest_ms = 0
    for event in events:
        latest_ms = max(latest_ms, event.timestamp_ms)
        rows.append({"timestamp": latest_ms, "message": event.message})
    return rows
