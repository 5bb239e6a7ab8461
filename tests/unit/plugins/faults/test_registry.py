"""Faults begin, meet requests and end by a clock that the test moves."""

import threading
import time

import pytest

from rydelab.faults import Fault
from rydelab.plugins.faults.registry import Faults


class Clock:
    """Seconds that pass when the test says so."""

    now_s = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def faults(clock: Clock) -> Faults:
    return Faults(clock)


def test_a_fault_meets_its_target_from_its_begin_to_its_end_and_nothing_else(faults: Faults, clock: Clock) -> None:
    faults.start(Fault("function-error", "PutRide", start_s=10, length_s=5))
    met = {}
    for now_s in (100, 109.9, 110, 114.9, 115):
        clock.now_s = now_s
        met[now_s] = len(faults.meeting("function-error", "PutRide"))
        assert not faults.meeting("function-error", "Another")
        assert not faults.meeting("function-slow", "PutRide")
    assert met == {100: 0, 109.9: 0, 110: 1, 114.9: 1, 115: 0}


def test_what_is_over_is_out_of_the_way_and_remembered_with_what_it_met(faults: Faults, clock: Clock) -> None:
    faults.start(Fault("queue-refused", "rides", length_s=5))
    assert faults.any
    faults.meeting("queue-refused", "rides")
    clock.now_s += 5
    present, ended = faults.all()
    assert (present, [one.hits for one in ended], faults.any) == ((), [1], False)


def test_a_fault_is_taken_back_by_its_id_or_with_all_others(faults: Faults) -> None:
    first, second, third = (faults.start(Fault("topic-refused", name, length_s=60)) for name in "abc")
    assert faults.stop(second.id) == [second]
    assert not faults.meeting("topic-refused", "b")
    assert faults.stop() == [first, third]
    assert not faults.any
    assert faults.stop(second.id) == []


def test_a_fault_for_later_that_is_taken_back_has_no_length(faults: Faults) -> None:
    later = faults.start(Fault("topic-refused", "rides", start_s=60, length_s=60))
    faults.stop()
    assert later.begins_s == later.ends_s


def test_the_rate_is_a_share_and_the_seed_chooses_which(faults: Faults) -> None:
    def chosen(seed: int) -> list[bool]:
        fault = faults.start(Fault("function-error", "PutRide", length_s=60, parameters={"rate": 0.3, "seed": seed}))
        met = [bool(faults.meeting("function-error", "PutRide")) for _ in range(1000)]
        faults.stop()
        assert fault.hits == sum(met)
        return met

    assert 250 < sum(chosen(1)) < 350
    assert chosen(1) == chosen(1) != chosen(2)


def test_a_pause_holds_requests_until_it_is_over_or_taken_back() -> None:
    faults = Faults()
    faults.start(Fault("emulator-paused", "", length_s=0.2))
    begun_s = time.monotonic()
    faults.wait_while_paused()
    assert 0.15 < time.monotonic() - begun_s < 5

    pause = faults.start(Fault("emulator-paused", "", length_s=45))
    waiting = threading.Thread(target=faults.wait_while_paused, daemon=True)
    waiting.start()
    deadline = time.monotonic() + 5
    while not pause.hits and time.monotonic() < deadline:
        time.sleep(0.01)
    assert waiting.is_alive()
    faults.stop()
    waiting.join(5)
    assert not waiting.is_alive()
    assert pause.hits == 1


def test_a_fault_that_nobody_asks_about_is_forgotten_by_itself() -> None:
    faults = Faults()
    faults.start(Fault("function-slow", "PutRide", length_s=0.05))
    deadline = time.monotonic() + 5
    while faults.any:
        assert time.monotonic() < deadline
        time.sleep(0.01)
