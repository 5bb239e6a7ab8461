"""Deployed functions: found by the name that their template gives them, invoked, and their logs read."""

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bootstrap.resources import physical_id
from bootstrap.target import Target, connected

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef

_POLL_S = 0.5
# Log events can arrive out of order, from several environments. A follower looks back so far for late ones.
_LATENESS_MS = 10_000


@dataclass(frozen=True, slots=True)
class Invocation:
    """What one synchronous invocation gave."""

    payload: bytes
    """The function's answer, or the description of its error, as JSON."""
    function_error: str | None
    """``Unhandled`` or ``Handled`` if the function failed, else None."""
    log_tail: str
    """The last 4 KB of the invocation's log."""


def invoke(target: Target, function: str, event: bytes, *, stage: str = "dev") -> Invocation:
    """Invoke *function* (a logical name such as RequestRide) with *event*, a JSON text, and wait for its answer."""
    with connected(target) as clients:
        answer = clients.lambda_.invoke(
            FunctionName=physical_id(clients, "AWS::Lambda::Function", function, stage=stage),
            Payload=event,
            LogType="Tail",
        )
        return Invocation(
            payload=answer["Payload"].read(),
            function_error=answer.get("FunctionError"),
            log_tail=base64.b64decode(answer.get("LogResult", "")).decode(errors="replace"),
        )


def logs(target: Target, function: str, *, stage: str = "dev", follow: bool = False) -> Iterator[str]:
    """Yield the log lines of *function* from all its streams, oldest first; with *follow* for ever."""
    with connected(target) as clients:
        group = f"/aws/lambda/{physical_id(clients, 'AWS::Lambda::Function', function, stage=stage)}"
        seen: dict[str, int] = {}  # event id to time, in ms, of those that could be met again
        since_ms = 0
        while True:
            for event in _events(clients.logs, group, since_ms):
                if event["eventId"] not in seen:
                    seen[event["eventId"]] = event["timestamp"]
                    yield event["message"].rstrip("\n")
            if not follow:
                return
            since_ms = max(since_ms, max(seen.values(), default=0) - _LATENESS_MS)
            seen = {event_id: at_ms for event_id, at_ms in seen.items() if at_ms >= since_ms}
            time.sleep(_POLL_S)


def _events(client: "CloudWatchLogsClient", group: str, since_ms: int) -> list["FilteredLogEventTypeDef"]:
    try:
        pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since_ms)
        events = [event for page in pages for event in page["events"]]
    except client.exceptions.ResourceNotFoundException:
        return []  # it has not run yet
    # The sort is stable: lines of one stream with the same time stay in order.
    return sorted(events, key=lambda event: event["timestamp"])
