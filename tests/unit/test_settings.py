"""Flags, then RYDELAB_… variables, then defaults; a wrong value is named."""

from pathlib import Path

import pytest

from rydelab.settings import SettingError, Settings, is_loopback, resolve


def test_the_defaults_are_a_lab_of_this_folder_on_the_usual_port() -> None:
    settings = resolve({}, {})

    assert settings == Settings(
        port=4566, data_dir=Path.cwd() / ".rydelab", stage="dev", endpoint_url="http://127.0.0.1:4566"
    )
    assert settings.lab_dir == Path.cwd() / ".rydelab" / "4566"


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_default() -> None:
    environ = {"RYDELAB_PORT": "4001", "RYDELAB_STAGE": "from-variable", "RYDELAB_DATA_DIR": "/var/lab"}

    settings = resolve({"port": "4002", "stage": None}, environ)

    assert settings.port == 4002
    assert settings.stage == "from-variable"
    assert settings.data_dir == Path("/var/lab")


@pytest.mark.parametrize(
    ("flags", "environ", "enforce_iam"),
    [
        ({}, {}, None),
        ({}, {"RYDELAB_ENFORCE_IAM": "1"}, True),
        ({"enforce_iam": "0"}, {"RYDELAB_ENFORCE_IAM": "1"}, False),
    ],
)
def test_whether_policies_are_enforced_is_set_or_left_to_the_command(
    flags: dict[str, object],
    environ: dict[str, str],
    enforce_iam: bool | None,  # noqa: FBT001
) -> None:
    assert resolve(flags, environ).enforce_iam is enforce_iam


@pytest.mark.parametrize(
    ("flags", "environ", "clock_speed"),
    [({}, {}, 1.0), ({}, {"RYDELAB_CLOCK_SPEED": "60"}, 60.0), ({"clock_speed": "0.5"}, {}, 0.5)],
)
def test_the_clock_speed_is_aws_s_own_unless_given(
    flags: dict[str, str], environ: dict[str, str], clock_speed: float
) -> None:
    assert resolve(flags, environ).clock_speed == clock_speed


@pytest.mark.parametrize(
    ("flags", "environ", "port", "endpoint_url"),
    [
        pytest.param({"port": "4001"}, {}, 4001, "http://127.0.0.1:4001", id="the endpoint follows the port"),
        pytest.param({}, {"RYDELAB_ENDPOINT": "http://localhost:4001/"}, 4001, "http://localhost:4001", id="and back"),
        pytest.param(
            {"port": "4002"},
            {"RYDELAB_ENDPOINT": "http://127.0.0.1:4001"},
            4002,
            "http://127.0.0.1:4002",
            id="a port on the command line wins over an endpoint in the environment",
        ),
        pytest.param(
            {},
            {"RYDELAB_PORT": "4002", "RYDELAB_ENDPOINT": "http://127.0.0.1:4001"},
            4002,
            "http://127.0.0.1:4001",
            id="both given: each is taken",
        ),
        pytest.param({"endpoint": "http://127.0.0.1"}, {}, 4566, "http://127.0.0.1", id="an endpoint without a port"),
    ],
)
def test_port_and_endpoint_belong_together(
    flags: dict[str, str], environ: dict[str, str], port: int, endpoint_url: str
) -> None:
    settings = resolve(flags, environ)

    assert (settings.port, settings.endpoint_url) == (port, endpoint_url)


@pytest.mark.parametrize(
    ("flags", "environ", "message"),
    [
        ({"port": "0"}, {}, "--port 0: must be a port, 1 to 65535"),
        ({"port": "65536"}, {}, "--port 65536: must be a port"),
        ({"port": "4_566"}, {}, "--port 4_566: must be a port"),
        ({}, {"RYDELAB_PORT": "http"}, "RYDELAB_PORT=http: must be a port"),
        ({}, {"RYDELAB_PORT": ""}, "RYDELAB_PORT=: must be a port"),
        ({}, {"RYDELAB_STAGE": "Dev"}, "RYDELAB_STAGE=Dev: must be a lower-case word"),
        ({"stage": "a" * 21}, {}, "must be a lower-case word of at most 20"),
        ({"data_dir": __file__}, {}, f"--data-dir {__file__}: is a file"),
        ({"data_dir": ""}, {}, "--data-dir : must be a folder"),
        ({"enforce_iam": "yes"}, {}, "--enforce-iam yes: must be 1 or 0"),
        ({}, {"RYDELAB_ENFORCE_IAM": "on"}, "RYDELAB_ENFORCE_IAM=on: must be 1 or 0"),
        ({"clock_speed": "fast"}, {}, "--clock-speed fast: must be a number above 0 and at most 600"),
        ({"clock_speed": "0"}, {}, "--clock-speed 0: must be a number above 0"),
        ({"clock_speed": "nan"}, {}, "--clock-speed nan: must be a number above 0"),
        ({}, {"RYDELAB_CLOCK_SPEED": "601"}, "RYDELAB_CLOCK_SPEED=601: must be a number above 0 and at most 600"),
        ({"endpoint": "127.0.0.1:4566"}, {}, "--endpoint 127.0.0.1:4566: must be a URL such as"),
        ({"endpoint": "http://127.0.0.1:4566/path"}, {}, "must be a URL such as"),
        ({"endpoint": "http://127.0.0.1:99999"}, {}, "--endpoint http://127.0.0.1:99999: "),
        ({}, {"RYDELAB_ENDPOINT": "ftp://127.0.0.1"}, "RYDELAB_ENDPOINT=ftp://127.0.0.1: must be a URL"),
    ],
)
def test_a_wrong_value_is_named_with_where_it_came_from(
    flags: dict[str, str], environ: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingError) as wrong:
        resolve(flags, environ)

    assert message in str(wrong.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://dynamodb.us-east-1.amazonaws.com",
        "http://10.0.0.1:4566",
        "http://localhost.localstack.cloud:4566",
        "http://127.0.0.1.example.com:4566",
        "http://user@example.com",
    ],
)
def test_another_machine_is_refused_unless_it_is_permitted(url: str) -> None:
    with pytest.raises(SettingError, match=r"is not this machine.*--allow-remote"):
        resolve({"endpoint": url}, {})

    assert resolve({"endpoint": url, "allow_remote": True}, {}).endpoint_url == url
    assert resolve({"endpoint": url}, {"RYDELAB_ALLOW_REMOTE": "1"}).endpoint_url == url
    with pytest.raises(SettingError, match="is not this machine"):
        resolve({"endpoint": url, "allow_remote": False}, {"RYDELAB_ALLOW_REMOTE": "0"})


def test_a_permission_that_is_neither_yes_nor_no_is_named() -> None:
    with pytest.raises(SettingError, match="RYDELAB_ALLOW_REMOTE=yes: must be 1 or 0"):
        resolve({}, {"RYDELAB_ALLOW_REMOTE": "yes"})


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("lab", False)],  # noqa: S104
)
def test_loopback_is_known_without_looking_a_name_up(host: str, loopback: bool) -> None:  # noqa: FBT001
    assert is_loopback(host) is loopback
