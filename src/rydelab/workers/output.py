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
            taken = self._take_frame() if self._pending.startswith(_FRAME_MARK) else self._take_lines()
            if not taken:
                break
            events += taken
        return events

    def finish(self) -> list[LogEvent]:
        """Return what is left when an invocation ends, though no newline came."""
        rest, self._pending = bytes(self._pending), bytearray()
        return _lines(rest)

    def _take_frame(self) -> list[LogEvent]:
        if len(self._pending) < _FRAME_HEADER_BYTES:
            return []
        length = int.from_bytes(self._pending[4:8], "big")
        kept = min(length, MAX_EVENT_BYTES)
        if len(self._pending) < _FRAME_HEADER_BYTES + kept:
            return []
        # Bytes that only look like a frame must not give the log a time to come.
        timestamp_ms = min(int.from_bytes(self._pending[8:16], "big") // 1000, _now_ms())
        message = bytes(self._pending[_FRAME_HEADER_BYTES : _FRAME_HEADER_BYTES + kept])
        # The rest of a longer frame, if any, follows as plain text.
        del self._pending[: _FRAME_HEADER_BYTES + kept]
        # CloudWatch Logs takes no empty events, but an empty frame is still taken from the stream.
        return [LogEvent(timestamp_ms, message.decode("utf-8", "replace") or "\n")]

    def _take_lines(self) -> list[LogEvent]:
        length = self._pending.find(_FRAME_MARK)  # print("x", end="") and then a log record: the line ends there
        if length < 0:
            length = self._pending.rfind(b"\n") + 1
        if length == 0 and len(self._pending) >= MAX_EVENT_BYTES:
            length = MAX_EVENT_BYTES
        text = bytes(self._pending[:length])
        del self._pending[:length]
        return _lines(text)


def _lines(text: bytes) -> list[LogEvent]:
    """Return one event per line; a line that is too long for one is cut."""
    now_ms = _now_ms()
    lines = [line + b"\n" for line in text.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return [
        LogEvent(now_ms, line[start : start + MAX_EVENT_BYTES].decode("utf-8", "replace"))
        for line in lines
        for start in range(0, len(line), MAX_EVENT_BYTES)
    ]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
