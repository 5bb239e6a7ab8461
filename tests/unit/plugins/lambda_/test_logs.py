"""What CloudWatch Logs is given."""

from rydelab.plugins.lambda_.logs import _in_order
from rydelab.workers.model import LogEvent


def test_times_never_go_back_so_that_reading_keeps_the_order() -> None:
    # A runtime's own timestamp is taken before the emulator reads the line, and may lie behind that of another line.
    events = [LogEvent(100, "START"), LogEvent(103, "printed"), LogEvent(101, "logged"), LogEvent(104, "END")]
    assert _in_order(events) == [
        {"timestamp": 100, "message": "START"},
        {"timestamp": 103, "message": "printed"},
        {"timestamp": 103, "message": "logged"},
        {"timestamp": 104, "message": "END"},
    ]
