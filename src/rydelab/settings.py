"""What a person can set: command-line flags first, then ``RYDELAB_…`` environment variables, then defaults."""

import argparse
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rydelab.errors import RydelabError

DEFAULT_PORT = 4566
DEFAULT_DATA_DIR = Path(".rydelab")
DEFAULT_STAGE = "dev"
HIGHEST_CLOCK_SPEED = 600.0
"""At this speed a minute is a tenth of a second; a control loop cannot follow much more."""


_FLAGS = {
    "port": ("PORT", f"port of 127.0.0.1 on which the lab listens (default {DEFAULT_PORT}; RYDELAB_PORT)"),
    "data_dir": ("DIR", f"folder for every file of the lab (default {DEFAULT_DATA_DIR}; RYDELAB_DATA_DIR)"),
    "stage": ("STAGE", f"the copy of the services to work on (default {DEFAULT_STAGE}; RYDELAB_STAGE)"),
    "clock_speed": ("N", "run auto scaling, table updates and other slow loops N times faster (RYDELAB_CLOCK_SPEED)"),
    "enforce_iam": (
        "1|0",
        "enforce IAM policies (default 1 for a lab that compare starts, else 0; RYDELAB_ENFORCE_IAM)",
    ),
    "endpoint": ("URL", "where the lab answers (default http://127.0.0.1:PORT; RYDELAB_ENDPOINT)"),
}


class SettingError(RydelabError, ValueError):
    """A setting has a value that cannot be used; the message names the setting and the value."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that every command shares."""

    port: int = DEFAULT_PORT
    """The port of 127.0.0.1 on which a lab that we start listens."""
    data_dir: Path = DEFAULT_DATA_DIR
    """Every file of a lab lies below this folder."""
    stage: str = DEFAULT_STAGE
    """The deployed copy of the services that a command works on."""
    endpoint_url: str = f"http://127.0.0.1:{DEFAULT_PORT}"
    """Where commands find the lab; follows `port` unless given."""
    clock_speed: float = 1.0
    """How many times faster the lab's slow control loops run; units per second and burst stay as they are."""
    enforce_iam: bool | None = None
    """Whether a lab that we start enforces IAM policies; None: if `compare` starts it, and not otherwise."""
    allow_remote: bool = False
    """Whether `endpoint_url` may be another machine, or AWS itself: a load test there costs money."""

    @property
    def lab_dir(self) -> Path:
        """The folder, absolute, of the one lab on `port`; a data directory can hold several labs."""
        return self.data_dir.absolute() / str(self.port)


def add_flags(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add the flags of the settings *names* to *parser*. Values are checked by `resolve`, wherever they come from."""
    for name in names:
        if name == "allow_remote":
            parser.add_argument(
                "--allow-remote",
                action="store_true",
                help="permit an endpoint on another machine, such as a container; on a real account a load test costs "
                "real money (RYDELAB_ALLOW_REMOTE=1)",
            )
        else:
            metavar, text = _FLAGS[name]
            parser.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=text)


def resolve(flags: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """Make the settings from *flags* (by field name; None or absent means not given) and *environ*.

    Raises SettingError, which names the flag or the variable and its value, for a value that cannot be used.
    """
    # The flag can only permit; the variable is how the containers are told that they may speak to each other.
    allow_remote = bool(flags.get("allow_remote") or _given("allow_remote", _one_or_zero, {}, environ))
    port = _given("port", _port, flags, environ)
    data_dir = _given("data_dir", _data_dir, flags, environ)
    stage = _given("stage", _stage, flags, environ)
    clock_speed = _given("clock_speed", _clock_speed, flags, environ)
    enforce_iam = _given("enforce_iam", _one_or_zero, flags, environ)
    # An endpoint from the environment must not win over a port that was asked for on the command line.
    endpoint_environ = {} if flags.get("port") is not None else environ
    endpoint_url = _given("endpoint", lambda text: _endpoint(text, allow_remote=allow_remote), flags, endpoint_environ)
    if port is None and endpoint_url is not None:
        port = urlsplit(endpoint_url).port
    if port is None:
        port = DEFAULT_PORT
    return Settings(
        port=port,
        data_dir=(data_dir or DEFAULT_DATA_DIR).absolute(),
        stage=stage or DEFAULT_STAGE,
        endpoint_url=endpoint_url or f"http://127.0.0.1:{port}",
        clock_speed=1.0 if clock_speed is None else clock_speed,
        enforce_iam=enforce_iam,
        allow_remote=allow_remote,
    )


def _given[T](
    name: str, parse: Callable[[str], T], flags: Mapping[str, object], environ: Mapping[str, str]
) -> T | None:
    """Parse the value of one setting; None where neither a flag nor a variable gives it."""
    variable = f"RYDELAB_{name.upper()}"
    if (flag_value := flags.get(name)) is not None:
        text, origin = str(flag_value), f"--{name.replace('_', '-')} {flag_value}"
    elif variable in environ:
        text, origin = environ[variable], f"{variable}={environ[variable]}"
    else:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise SettingError(f"{origin}: {error}") from None


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:  # noqa: PLR2004 (the range of TCP ports)
        raise ValueError("must be a port, 1 to 65535")
    return int(text)


def _data_dir(text: str) -> Path:
    if not text:
        raise ValueError("must be a folder")
    path = Path(text).expanduser()
    if path.exists() and not path.is_dir():
        raise ValueError("is a file, and must be a folder")
    return path


def _stage(text: str) -> str:
    # The stage becomes a part of stack, function and parameter names, which take no other letters.
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,19}", text):
        raise ValueError("must be a lower-case word of at most 20 letters, digits and hyphens, such as dev")
    return text


def _clock_speed(text: str) -> float:
    message = f"must be a number above 0 and at most {HIGHEST_CLOCK_SPEED:g}"
    try:
        speed = float(text)
    except ValueError:
        raise ValueError(message) from None
    if not 0 < speed <= HIGHEST_CLOCK_SPEED:
        raise ValueError(message)
    return speed


def _one_or_zero(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("must be 1 or 0")
    return text == "1"


def _endpoint(text: str, *, allow_remote: bool) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("must be a URL such as http://127.0.0.1:4566")
    if parts.port == 0:
        raise ValueError("must name a port, 1 to 65535")
    if not allow_remote and not is_loopback(parts.hostname):
        raise ValueError(
            f"{parts.hostname} is not this machine; a load test against a real account costs real money "
            "(--allow-remote permits it)"
        )
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether *host* is certainly this machine: ``localhost`` or a loopback address. No name is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
