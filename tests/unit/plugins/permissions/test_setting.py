from collections.abc import Iterator

import pytest

from rydelab.plugins.permissions.setting import ENFORCE_VARIABLE, enforced


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    enforced.cache_clear()
    yield
    enforced.cache_clear()


@pytest.mark.parametrize(("value", "expected"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_permissions_are_enforced_if_the_variable_is_one(
    monkeypatch: pytest.MonkeyPatch, value: str | None, *, expected: bool
) -> None:
    if value is None:
        monkeypatch.delenv(ENFORCE_VARIABLE, raising=False)
    else:
        monkeypatch.setenv(ENFORCE_VARIABLE, value)

    assert enforced() is expected


def test_another_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENFORCE_VARIABLE, "true")

    with pytest.raises(ValueError, match="RYDELAB_ENFORCE_IAM must be 1 or 0, got 'true'"):
        enforced()
