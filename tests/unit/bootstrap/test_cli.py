from pathlib import Path

import pytest

from bootstrap.cli import main


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["deploy", "--endpoint", "http://10.0.0.1:4566"], "10.0.0.1 is not this machine"),
        (["deploy", "--stage", "Not A Stage"], "stage 'Not A Stage': must be a lower-case word"),
        (["deploy", "--design", "psychic"], "parameter Design=psychic: must be one of microservices"),
        (["deploy", "--table-mode", "free"], "parameter TableMode=free: must be one of provisioned"),
        (["deploy", "--service", "wild-ryde"], "no service 'wild-ryde'"),
        (["deploy", "--parameter", "Units"], "--parameter 'Units': must be NAME=VALUE"),
        (["deploy", "--services-dir", "nowhere"], "services folder 'nowhere' does not exist"),
        (["outputs", "--stage", "a/b"], "stage 'a/b'"),
        (["destroy", "--stage", "a/b"], "stage 'a/b'"),
        (["invoke", "RequestRide", "--event", "nowhere.json"], "--event nowhere.json: cannot be read: No such file"),
        (["execute", "Purchase", "--event", "nowhere.json"], "--event nowhere.json: cannot be read: No such file"),
    ],
)
def test_wrong_input_is_one_sentence_and_status_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    error = capsys.readouterr().err
    assert error.startswith("bootstrap: ")
    assert complaint in error
    assert len(error.splitlines()) == 1


def test_another_machine_is_permitted_by_the_environment_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RYDELAB_ENDPOINT", "http://0.0.0.0:9")
    monkeypatch.setenv("RYDELAB_ALLOW_REMOTE", "1")
    assert main(["outputs"]) == 1
    assert "no lab answers at http://0.0.0.0:9" in capsys.readouterr().err

    monkeypatch.setenv("RYDELAB_ALLOW_REMOTE", "yes")
    assert main(["outputs"]) == 2
    assert "RYDELAB_ALLOW_REMOTE=yes: must be 1 or 0" in capsys.readouterr().err


@pytest.mark.parametrize("wait", ["-1", "nan", "inf", "soon"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(wait: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["deploy", f"--wait={wait}"])

    assert f"argument --wait: '{wait}' must be a number of seconds" in capsys.readouterr().err


def test_a_lab_that_does_not_come_is_waited_for_and_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", "--endpoint", "http://127.0.0.1:9", "--wait", "0.6"]) == 1

    waiting, failed = capsys.readouterr().err.splitlines()
    assert waiting.endswith(" s at most")
    assert "; waiting for it, " in waiting
    assert failed.startswith("bootstrap: no lab answers at http://127.0.0.1:9")


def test_an_event_that_is_not_json_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = tmp_path / "event.json"
    event.write_text("{not json")

    assert main(["invoke", "RequestRide", "--event", str(event)]) == 2
    assert f"--event {event}: is not JSON" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["deploy", "outputs", "destroy", "invoke", "execute", "logs"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])

    assert "--stage STAGE" in capsys.readouterr().out


def test_help_teaches_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

    assert "python -m bootstrap deploy --design queued" in capsys.readouterr().out


def test_the_environment_gives_defaults_and_a_flag_wins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RYDELAB_ENDPOINT", "http://10.9.8.7:1")
    monkeypatch.setenv("RYDELAB_STAGE", "WRONG")

    assert main(["outputs"]) == 2
    assert "10.9.8.7" in capsys.readouterr().err
    assert main(["outputs", "--endpoint", "http://127.0.0.1:4566"]) == 2
    assert "stage 'WRONG'" in capsys.readouterr().err
