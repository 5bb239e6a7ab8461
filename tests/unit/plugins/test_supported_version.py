"""Another LocalStack than the one that the plug-ins are written for stops the start."""

import pytest

from rydelab.plugins import runtime, supported_version
from rydelab.plugins.supported_version import UnsupportedVersionError, require_supported_version


def test_the_installed_localstack_is_the_supported_one() -> None:
    require_supported_version("this test")


def test_another_localstack_is_refused_with_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supported_version, "VERSION", "4.15.0")

    with pytest.raises(UnsupportedVersionError, match=r"the engine is written for LocalStack 4\.14\.0.* is 4\.15\.0"):
        require_supported_version("the engine")


def test_the_emulator_does_not_start_on_another_localstack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supported_version, "VERSION", "4.15.0")
    monkeypatch.setattr(runtime.gc, "disable", lambda: None)  # of the tests' own process

    with pytest.raises(SystemExit) as end:
        runtime.main()

    assert end.value.code == runtime.EXIT_PLUGIN_ERROR
    assert (
        "rydelab plug-in error: the lab is written for LocalStack 4.14.0, and this is 4.15.0" in capsys.readouterr().err
    )
