"""The command line: help that teaches, one line for an error, and an exit status."""

import argparse
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from rydelab import cli
from rydelab.errors import RydelabError
from rydelab.settings import Settings, add_flags


def run_with(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], *, raises: BaseException | None = None, status: int = 0
) -> tuple[int, list[Settings]]:
    """Run *argv* with one sub-command, ``act``, that returns *status* or raises; with which settings it was called."""
    calls = []

    def act(_arguments: argparse.Namespace, settings: Settings) -> int:
        calls.append(settings)
        if raises is not None:
            raise raises
        return status

    command = cli.Command(description="Acts.", add_arguments=lambda parser: add_flags(parser, "port"), run=act)
    monkeypatch.setattr(cli, "COMMANDS", {"act": ("tests:ACT", "act once")})
    monkeypatch.setattr(cli, "_load", {"tests:ACT": command}.__getitem__)
    return cli.main(argv), calls


def test_a_sub_command_gets_its_settings_and_gives_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    status, calls = run_with(monkeypatch, ["act", "--port", "4001"], status=7)

    assert status == 7
    assert [settings.port for settings in calls] == [4001]


def test_a_wrong_setting_ends_with_status_2_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, calls = run_with(monkeypatch, ["act", "--port", "none"])

    assert (status, calls) == (2, [])
    assert capsys.readouterr().err == "rydelab: --port none: must be a port, 1 to 65535\n"


def test_an_error_that_a_person_can_act_on_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _ = run_with(monkeypatch, ["act"], raises=RydelabError("the stable is closed"))

    assert status == 1
    assert capsys.readouterr().err == "rydelab: the stable is closed\n"


def test_ctrl_c_ends_with_the_status_that_a_shell_expects(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_with(monkeypatch, ["act"], raises=KeyboardInterrupt())[0] == 130


@pytest.mark.parametrize("argv", [[], ["unknown"], ["act", "--unknown"], ["act", "--por", "1"]])
def test_wrong_usage_ends_with_status_2(monkeypatch: pytest.MonkeyPatch, argv: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run_with(monkeypatch, argv)

    assert end.value.code == 2


@pytest.mark.parametrize("name", [None, *cli.COMMANDS])
def test_help_teaches_by_example(name: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([*([name] if name else []), "--help"])

    assert end.value.code == 0
    said = capsys.readouterr().out
    assert "examples:" in said
    assert f"rydelab {name or 'up'}" in said


def test_help_starts_without_the_heavy_libraries() -> None:
    program = (
        "import sys\n"
        "from rydelab import cli\n"
        "try: cli.main(['up', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(','.join({'boto3', 'localstack', 'locust', 'gevent', 'rich', 'bootstrap'} & set(sys.modules)))\n"
    )

    end = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert end.stderr == "\n"


def test_the_version_is_that_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"rydelab {project['version']}\n"


@pytest.mark.parametrize(
    ("line", "completions"),
    [("rydelab sta", ["status"]), ("rydelab up --de", ["--detach"]), ("rydelab status --p", ["--port"])],
)
def test_a_shell_completes_commands_and_their_flags(line: str, completions: list[str]) -> None:
    """In bash, set up by the line of the README."""
    script = f"""
        eval "$(register-python-argcomplete rydelab)"
        COMP_LINE={line!r} COMP_POINT={len(line)} COMP_WORDS=({line}) COMP_CWORD={len(line.split()) - 1} COMP_TYPE=9
        _python_argcomplete rydelab
        printf '%s\n' "${{COMPREPLY[@]}}"
    """
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], env={"PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )

    assert [word.strip() for word in done.stdout.splitlines()] == completions, done.stderr
