"""Numbers as people read them. Pure."""

import re

from rydelab.report.latency import Latency

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"

NOTHING = "-"
"""Stands where nothing was measured."""


def count(number: float | None) -> str:
    """1800 as ``1,800``."""
    return NOTHING if number is None else f"{number:,.0f}"


def share(part: float, whole: float) -> str:
    """*part* of *whole* in percent; never ``0 %`` for something, nor ``100 %`` for less than everything."""
    if not whole:
        return NOTHING
    percent = 100 * part / whole
    if part in {0, whole}:
        return f"{percent:.0f} %"
    if percent < 0.1:  # noqa: PLR2004
        return "<0.1 %"
    if percent > 99.9:  # noqa: PLR2004
        return ">99.9 %"
    return f"{percent:.0f} %" if 10 <= percent < 99 else f"{percent:.1f} %"  # noqa: PLR2004


def duration(milliseconds: float | None) -> str:
    """12.3 ms as ``12 ms``, 8340 as ``8.3 s``, 125000 as ``2 min 5 s``: two significant digits or more."""
    if milliseconds is None:
        return NOTHING
    if milliseconds < 999.5:  # noqa: PLR2004
        return f"{milliseconds:.0f} ms" if milliseconds >= 9.95 or not milliseconds else f"{milliseconds:.1f} ms"  # noqa: PLR2004
    seconds = milliseconds / 1000
    if seconds < 119.5:  # noqa: PLR2004
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"  # noqa: PLR2004
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def things(number: int, one: str, many: str | None = None) -> str:
    """``1 ride``, ``312 rides``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def percentiles(latency: Latency | None) -> tuple[str, str, str]:
    """Return the 50th, 95th and 99th percentile, for a narrow table."""
    if latency is None:
        return (NOTHING, NOTHING, NOTHING)
    return (_narrow(latency.p50_ms), _narrow(latency.p95_ms), _narrow(latency.p99_ms))


def _narrow(milliseconds: float | None) -> str:
    """As `duration`, but 386000 as ``6.4 min``."""
    if milliseconds is None or milliseconds < 119_500:  # noqa: PLR2004
        return duration(milliseconds)
    minutes = milliseconds / 60_000
    return f"{minutes:.1f} min" if minutes < 9.95 else f"{minutes:.0f} min"  # noqa: PLR2004


def unbroken(text: str) -> str:
    """Keep each number in *text* on one line with its unit."""
    return re.sub(r"(?<=\d) (?=(?:ms|s|min|GiB)\b|%)", NO_BREAK_SPACE, text)
