"""How a figure is printed."""

import sys
from collections.abc import Sequence
from statistics import median


def show(name: str, measured: str, target: str = "", *, met: bool | None = None) -> None:
    """Print one row; *met* is None for a figure without a target."""
    verdict = "" if met is None else ("met" if met else "MISSED")
    print(f"{name:<58} {measured:>28}  {target:<24} {verdict}")
    sys.stdout.flush()


def spread(values: Sequence[float], unit: str) -> str:
    """Return median and range."""
    return f"{median(values):.4g} {unit} ({min(values):.3g} to {max(values):.3g})"
