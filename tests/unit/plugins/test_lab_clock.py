"""The lab clock and its setting."""

from collections.abc import Iterator

import pytest

from rydelab.plugins import lab_clock


@pytest.fixture(autouse=True)
def _forget_the_speed() -> Iterator[None]:
    lab_clock.speed.cache_clear()
    yield
    lab_clock.speed.cache_clear()


@pytest.mark.parametrize(("text", "speed"), [(None, 1.0), ("", 1.0), ("60", 60.0), ("0.5", 0.5)])
def test_the_speed_is_lab_seconds_per_second(monkeypatch: pytest.MonkeyPatch, text: str | None, speed: float) -> None:
    monkeypatch.delenv(lab_clock.SPEED_VARIABLE, raising=False)
    if text is not None:
        monkeypatch.setenv(lab_clock.SPEED_VARIABLE, text)
    assert lab_clock.speed() == speed


@pytest.mark.parametrize("text", ["fast", "0", "-1", "nan", "inf"])
def test_a_speed_that_cannot_be_is_refused_with_the_setting_and_its_value(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(lab_clock.SPEED_VARIABLE, text)
    with pytest.raises(ValueError, match=f"^RYDELAB_CLOCK_SPEED must be a positive number, got '{text}'$"):
        lab_clock.speed()


def test_lab_time_passes_faster_than_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(lab_clock.SPEED_VARIABLE, "120")
    monkeypatch.setattr(lab_clock.time, "monotonic", lambda: 10.0)
    assert lab_clock.now_s() == 1200
    assert lab_clock.real_s(60) == 0.5
