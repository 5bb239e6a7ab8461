"""Whether the lab itself limited a cell. Pure: what the watch saw in, a verdict with its evidence out.

Three things speak for it, each enough: the generator could not send on time, a request that does no work had to wait
in the lab, or the emulator's process used all of the one processor that it can use. A busy machine alone does not: it
is the evidence beside the verdict.
"""

from collections.abc import Sequence
from statistics import fmean, median

from rydelab.lab.cells.watch import Busy, Probe
from rydelab.report.latency import percentile
from rydelab.report.summary import Saturation

MOST_LATE_RATIO = 0.01
MOST_PROBE_S = 0.050
"""A wait that would show in the percentiles of any design."""
MOST_EMULATOR_BUSY = 0.95
LEAST_PROBES = 20
"""With fewer, the 95th percentile would be a single slow answer."""


def judge(
    *, arrivals: int, late: int, late_s: float, at_rest: Sequence[Probe], probes: Sequence[Probe], busy: Sequence[Busy]
) -> Saturation:
    """Judge a load of *arrivals*, of which *late* were sent more than *late_s* late.

    *at_rest* are probes from before the load, *probes* and *busy* from the load.
    """
    took_s = sorted(probe.took_s for probe in probes)
    probe_s = percentile(took_s, 95) if len(took_s) >= LEAST_PROBES else None
    rest_s = median(probe.took_s for probe in at_rest) if at_rest else None
    of_emulator = [row.emulator for row in busy if row.emulator is not None]
    emulator = fmean(of_emulator) if of_emulator else None
    reasons = []
    if arrivals and late / arrivals > MOST_LATE_RATIO:
        reasons.append(f"{late} of {arrivals} arrivals were sent more than {_ms(late_s)} late")
    if probe_s is not None and probe_s > MOST_PROBE_S:
        rest = f", {_ms(rest_s)} at rest" if rest_s is not None else ""
        reasons.append(f"one request in twenty that does no work took {_ms(probe_s)} or longer{rest}")
    if emulator is not None and emulator > MOST_EMULATOR_BUSY:
        reasons.append(f"the emulator's process used {emulator:.0%} of the one processor that it can use")
    return Saturation(
        limited=bool(reasons),
        reasons=tuple(reasons),
        gateway_busy_ratio=None if emulator is None else round(min(1.0, emulator), 3),
        cpu_busy_ratio=round(fmean(row.processors for row in busy), 3) if busy else None,
        probe_p95_ms=None if probe_s is None else round(probe_s * 1000, 3),
        probe_at_rest_ms=None if rest_s is None else round(rest_s * 1000, 3),
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.0095 else f"{seconds * 1000:.1f} ms"  # noqa: PLR2004 (two digits)
