"""The bytes that a runtime writes, as log events."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rydelab.workers.output import MAX_EVENT_BYTES, OutputSplitter


def frame(message: bytes, *, time_us: int = 1_700_000_000_000_000, kind: int = 3) -> bytes:
    """Return a telemetry frame as awslambdaric writes it."""
    head = b"\xa5\x5a\x00" + bytes([kind]) + len(message).to_bytes(4, "big") + time_us.to_bytes(8, "big")
    return head + message


def messages(*chunks: bytes, finish: bool = True) -> list[str]:
    splitter = OutputSplitter()
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    return [event.message for event in (events + splitter.finish() if finish else events)]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param([b"one\ntwo\n"], ["one\n", "two\n"], id="an event per line"),
        pytest.param([b"on", b"e\ntw", b"o\n"], ["one\n", "two\n"], id="a line may come in pieces"),
        pytest.param([b"no newline"], ["no newline"], id="the end of an invocation ends a line"),
        pytest.param([b"a\n\nb\n"], ["a\n", "\n", "b\n"], id="an empty line is an event"),
        pytest.param([b""], [], id="nothing is nothing"),
        pytest.param([b"50%\r100%\n"], ["50%\r100%\n"], id="a carriage return ends nothing"),
        pytest.param([b"\xff\xfe\n"], ["\ufffd\ufffd\n"], id="bytes that are no text"),
        pytest.param([frame(b"two\nlines\n")], ["two\nlines\n"], id="a frame is one event"),
        pytest.param([frame(b"a\n") + b"b\n" + frame(b"c\n")], ["a\n", "b\n", "c\n"], id="in the order written"),
        pytest.param([b"a" + frame(b"b\n")], ["a", "b\n"], id="a frame ends an unfinished line"),
        pytest.param([frame(b"abc")[:9], frame(b"abc")[9:]], ["abc"], id="a frame may come in pieces"),
        pytest.param([b"x\n\xa5", b"\x5a\x00\x03" + frame(b"y")[4:]], ["x\n", "y"], id="so may its mark"),
        pytest.param([frame(b"")], ["\n"], id="an empty frame"),
        pytest.param([frame(b"z", kind=0xFF)], ["z"], id="a frame of another type"),
    ],
)
def test_output_becomes_events(chunks: list[bytes], expected: list[str]) -> None:
    assert messages(*chunks) == expected


def test_an_unfinished_line_waits_for_its_end() -> None:
    assert messages(b"begun", finish=False) == []


def test_a_frame_has_the_time_at_which_it_was_written() -> None:
    [event] = OutputSplitter().feed(frame(b"x", time_us=1_700_000_000_123_456))
    assert event.timestamp_ms == 1_700_000_000_123


def test_no_event_lies_in_the_future() -> None:
    [event] = OutputSplitter().feed(frame(b"x", time_us=2**63))
    assert event.timestamp_ms <= time.time() * 1000


@pytest.mark.parametrize("length", [MAX_EVENT_BYTES, MAX_EVENT_BYTES + 1, 3 * MAX_EVENT_BYTES])
def test_a_line_too_long_for_cloudwatch_is_cut(length: int) -> None:
    found = messages(b"x" * length + b"\n")
    assert "".join(found) == "x" * length + "\n"
    assert max(map(len, found)) == MAX_EVENT_BYTES


def test_a_frame_too_long_for_cloudwatch_is_cut() -> None:
    found = messages(frame(b"x" * (MAX_EVENT_BYTES + 5)))
    assert [len(message) for message in found] == [MAX_EVENT_BYTES, 5]


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    splitter = OutputSplitter()
    for _ in range(20):
        splitter.feed(b"x" * 65536)
        assert len(splitter._pending) <= MAX_EVENT_BYTES


@given(st.binary(max_size=200), st.integers(1, 7))
def test_text_is_neither_lost_nor_moved_however_it_is_cut_into_pieces(data: bytes, size: int) -> None:
    text = data.replace(b"\xa5", b"a")  # without the mark of a frame
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert "".join(messages(*pieces)) == text.decode("utf-8", "replace")


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_no_bytes_at_all_make_it_fail(chunks: list[bytes]) -> None:
    messages(*[b"\xa5\x5a\x00" + chunk for chunk in chunks])
