from collections.abc import Iterator

import pytest

from rydelab.plugins import duplicates
from rydelab.plugins.duplicates import Choice


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    duplicates.rate.cache_clear()
    yield
    duplicates.rate.cache_clear()


def drawn(choice: Choice, source: str, count: int = 1000) -> list[bool]:
    return [choice.comes_twice(source) for _ in range(count)]


def test_nothing_comes_twice_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(duplicates.RATE_VARIABLE, raising=False)
    assert not any(drawn(Choice(duplicates.rate(), "0"), "rides"))


def test_the_same_seed_chooses_the_same_messages_whatever_happens_to_other_queues() -> None:
    one, other = Choice(0.1, "7"), Choice(0.1, "7")
    drawn(other, "letters", 13)
    assert drawn(one, "rides") == drawn(other, "rides")
    assert drawn(Choice(0.1, "8"), "rides") != drawn(Choice(0.1, "7"), "rides")


def test_the_rate_is_the_share_that_comes_twice() -> None:
    assert sum(drawn(Choice(0.1, "0"), "rides", 10_000)) == pytest.approx(1000, rel=0.1)
    assert all(drawn(Choice(1, "0"), "rides"))


@pytest.mark.parametrize("text", ["-0.1", "1.1", "often", "nan"])
def test_a_rate_that_is_none_is_refused_by_name_and_value(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(duplicates.RATE_VARIABLE, text)
    with pytest.raises(ValueError, match=f"RYDELAB_DUPLICATE_RATE must be a number from 0 to 1, got '{text}'"):
        duplicates.rate()
