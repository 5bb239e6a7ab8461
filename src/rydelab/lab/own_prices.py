"""Prices for a command: the package's, or those of a file that it was given."""

import argparse
from pathlib import Path

from rydelab.capacity.price_file import PricesError, packaged_prices, parse_prices
from rydelab.capacity.prices import Prices
from rydelab.errors import RydelabError


class OwnPricesError(RydelabError):
    """A file without prices that can be used. The message is for people."""

    exit_status = 2


def add_prices_flag(parser: argparse.ArgumentParser) -> None:
    """Let a command be given a file of prices."""
    parser.add_argument(
        "--prices", metavar="FILE", type=Path, help="prices of your own; `rydelab cost --print-prices` prints the form"
    )


def read_prices(path: Path | None) -> Prices:
    """Read the prices in the file *path*; the package's without one. Raises OwnPricesError."""
    if path is None:
        return packaged_prices()
    try:
        return parse_prices(path.read_text(encoding="utf-8"), source=str(path))
    except OSError as error:
        raise OwnPricesError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise OwnPricesError(f"{path}: not UTF-8: {error}") from None
    except PricesError as error:
        raise OwnPricesError(str(error)) from None
