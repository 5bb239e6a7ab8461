"""The one LocalStack that the plug-ins are written for: they replace parts of it that are nobody's interface."""

from typing import Final

from localstack.constants import VERSION

SUPPORTED_VERSION: Final = "4.14.0"


class UnsupportedVersionError(RuntimeError):
    """Another LocalStack is installed."""


def require_supported_version(what: str) -> None:
    """Raise UnsupportedVersionError, naming *what* needs it, unless this is LocalStack `SUPPORTED_VERSION`."""
    if VERSION != SUPPORTED_VERSION:
        raise UnsupportedVersionError(f"{what} is written for LocalStack {SUPPORTED_VERSION}, and this is {VERSION}")
