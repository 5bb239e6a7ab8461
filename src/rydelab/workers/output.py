"""Splits the bytes that a runtime process writes into log events."""

import time
from typing import Final

from rydelab.workers.model import LogEvent

# awslambdaric's frames begin with one of sixteen types, 0xa55a0000 to 0xa55a00ff, then a 4-byte length and an
# 8-byte timestamp in microseconds (FramedTelemetryLogSink in awslambdaric/bootstrap.py).
_FRAME_MARK: Final = b"\xa5\x5a\x00"
_FRAME_HEADER_BYTES: Final = 16
# One event of CloudWatch Logs holds 256 KB, of which it counts 26 bytes as overhead.
MAX_EVENT_BYTES: Final = 256 * 1024 - 26


class OutputSplitter:
    """Turns one stream of plain lines and telemetry frames into log events, in the order in which they were written.

    ``print`` writes lines, the runtime's logging handler writes frames: both go to the same pipe, so that their order
    is kept. Holds at most one unfinished line or frame of ``MAX_EVENT_BYTES``.
    """

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[LogEvent]:
        """Take *data* and return the events that it completes."""
        self._pending += data
        events: list[LogEvent] = []
        while self._pending:
            event = self._take_frame() if self._pending.startswith(_FRAME_MARK) else self._take_line()
            if event is None:
                break
            if event.message.strip():  # CloudWatch Logs takes no empty events
                events.append(event)
        return events

    def finish(self) -> list[LogEvent]:
        """Return what is left when an invocation ends, though no newline came."""
        rest, self._pending = bytes(self._pending), bytearray()
        return [_now(rest)] if rest.strip() else []

    def _take_frame(self) -> LogEvent | None:
        if len(self._pending) < _FRAME_HEADER_BYTES:
            return None
        length = int.from_bytes(self._pending[4:8], "big")
        kept = min(length, MAX_EVENT_BYTES)
        if len(self._pending) < _FRAME_HEADER_BYTES + kept:
            return None
        timestamp_ms = int.from_bytes(self._pending[8:16], "big") // 1000
        message = bytes(self._pending[_FRAME_HEADER_BYTES : _FRAME_HEADER_BYTES + kept])
        # The rest of a longer frame, if any, follows as plain text.
        del self._pending[: _FRAME_HEADER_BYTES + kept]
        return LogEvent(timestamp_ms, message.decode("utf-8", "replace"))

    def _take_line(self) -> LogEvent | None:
        end = self._pending.find(b"\n")
        frame = self._pending.find(_FRAME_MARK)
        if frame >= 0 and (end < 0 or frame < end):
            end = frame - 1  # print("x", end="") and then a log record
        if end < 0 and len(self._pending) < MAX_EVENT_BYTES:
            return None
        length = min(end + 1 if end >= 0 else len(self._pending), MAX_EVENT_BYTES)
        line = bytes(self._pending[:length])
        del self._pending[:length]
        return _now(line)


def _now(data: bytes) -> LogEvent:
    return LogEvent(time.time_ns() // 1_000_000, data.decode("utf-8", "replace"))
