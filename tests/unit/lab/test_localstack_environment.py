"""What LocalStack is started with does not depend on the shell that starts it."""

from pathlib import Path

import pytest

from rydelab.lab.emulation.localstack_environment import localstack_environment
from rydelab.settings import Settings

SETTINGS = Settings(port=4001, data_dir=Path("/var/lab"))


def test_settings_credentials_and_proxies_of_the_shell_do_not_get_through() -> None:
    shell = {
        "AWS_ACCESS_KEY_ID": "real",
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "real",
        "LAMBDA_RUNTIME_EXECUTOR": "docker",
        "PERSISTENCE": "1",
        "DEBUG": "1",
        "HTTPS_PROXY": "http://proxy:3128",
        "LOCALSTACK_AUTH_TOKEN": "token",
        "GATEWAY_LISTEN": "0.0.0.0:4566",
    }

    environment = localstack_environment(SETTINGS, shell)

    assert environment == localstack_environment(SETTINGS, {})


def test_what_any_program_needs_gets_through_and_so_do_our_own_settings() -> None:
    shell = {
        "PATH": "/bin",
        "LANG": "C.UTF-8",
        "LC_ALL": "C",
        "PYTHONPATH": "/lib",
        "RYDELAB_DYNAMODB_ENFORCEMENT": "off",
    }

    assert localstack_environment(SETTINGS, shell).items() >= shell.items()


def test_the_clock_speed_is_that_of_the_settings() -> None:
    faster = Settings(port=4001, data_dir=Path("/var/lab"), clock_speed=12.5)

    assert localstack_environment(faster, {"RYDELAB_CLOCK_SPEED": "10"})["RYDELAB_CLOCK_SPEED"] == "12.5"


@pytest.mark.parametrize(("enforce_iam", "expected"), [(True, "1"), (False, "0"), (None, "0")])
def test_policies_are_enforced_if_the_settings_say_so(enforce_iam: bool | None, expected: str) -> None:  # noqa: FBT001
    settings = Settings(port=4001, data_dir=Path("/var/lab"), enforce_iam=enforce_iam)

    assert localstack_environment(settings, {"RYDELAB_ENFORCE_IAM": "x"})["RYDELAB_ENFORCE_IAM"] == expected


def test_every_path_is_below_the_data_directory() -> None:
    environment = localstack_environment(SETTINGS, {})

    paths = {name: value for name, value in environment.items() if value.startswith("/") and value != "/dev/null"}
    assert set(paths) >= {"FILESYSTEM_ROOT", "TMPDIR", "XDG_CACHE_HOME", "CONFIG_DIR"}
    assert [name for name, path in paths.items() if not Path(path).is_relative_to("/var/lab")] == []


def test_every_address_is_loopback() -> None:
    environment = localstack_environment(SETTINGS, {})

    assert environment["GATEWAY_LISTEN"] == environment["LOCALSTACK_HOST"] == "127.0.0.1:4001"
    assert not any("0.0.0.0" in value for value in environment.values())  # noqa: S104
