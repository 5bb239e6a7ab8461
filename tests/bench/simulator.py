"""The simulator: arrivals a second of the exact engine; what a day costs the aggregate engine, at any rate."""

import multiprocessing
import resource
import time
from dataclasses import replace

from rydelab.simulator.cell import DESIGNS, TABLE_MODES, Cell, Conditions
from rydelab.simulator.engine import EngineName, simulate
from rydelab.simulator.profile import Profile, load_profile
from rydelab.simulator.traffic import Rate
from tests.bench.figures import show, spread

EXACT_PER_S = 200_000
LOAD = Rate([500] * 400, 1.0)
FLOOD = Rate([1000] * 60, 1.0)
REPEATS = 3

DAY_S = 86_400
MOST_DAY_S, MOST_DAY_MB = 2.0, 300
SCALES = (1, 30, 1000)
"""Times 25 arrivals a second for each write unit. A table of more units has partitions, and is another case."""
MOST_RATIO = 1.2
MIB = 1024**2


def main() -> None:
    """Print the figures of the simulator."""
    for place in ("local", "aws"):
        for design in DESIGNS:
            rates = [arrivals_per_s(LOAD, place, design, "on-demand") for _ in range(REPEATS)]
            name = f"exact, {design}, profile {place}, arrivals per s"
            show(name, spread(rates, ""), f">= {EXACT_PER_S:,}", met=max(rates) >= EXACT_PER_S)
    for design in DESIGNS:
        rates = [arrivals_per_s(FLOOD, "local", design, "provisioned") for _ in range(REPEATS)]
        show(f"exact, {design}, 1,000/s on 1 write unit", spread(rates, ""))
    for place in ("local", "aws"):
        for design in DESIGNS:
            with multiprocessing.get_context("spawn").Pool(1) as process:  # its memory is this figure's alone
                days = process.starmap(day_of_all_modes, [(place, design)] * REPEATS)
            seconds, megabytes = [day_s for day_s, _ in days], max(peak for _, peak in days)
            met = min(seconds) <= MOST_DAY_S and megabytes <= MOST_DAY_MB
            name = f"a day of 1,000,000/s, {design}, profile {place}, 3 modes"
            show(name, f"{spread(seconds, 's')}, {megabytes:.0f} MB", f"<= {MOST_DAY_S:g} s, {MOST_DAY_MB} MB", met=met)
    for design in DESIGNS:
        costs = [min(scaled_day_s(design, scale) for _ in range(REPEATS)) for scale in SCALES]
        ratio = max(costs) / min(costs)
        show(f"a day at 25/s to 25,000/s, {design}", f"{ratio:.2f} x", f"<= {MOST_RATIO} x", met=ratio <= MOST_RATIO)


def arrivals_per_s(load: Rate, place: str, design: str, table_mode: str) -> float:
    """Simulate *load* and return how many arrivals were simulated in a second of this process's time."""
    cell = Cell(design=design, table_mode=table_mode)  # type: ignore[arg-type]  # one of DESIGNS
    conditions = Conditions(drain_s=30.0, warm_up_rides=20)
    return load.count / _took_s(cell, load, load_profile(place), "exact", conditions)


def day_of_all_modes(place: str, design: str) -> tuple[float, float]:
    """Return how long a day of 1,000,000 a second takes, in every table mode, and this process's peak of memory."""
    load, profile = Rate([1e6] * DAY_S, 1.0), load_profile(place)
    cells = [Cell(design=design, table_mode=mode) for mode in TABLE_MODES]  # type: ignore[arg-type]  # one of DESIGNS
    took_s = sum(_took_s(cell, load, profile, "aggregate", Conditions(drain_s=3600.0)) for cell in cells)
    return took_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB


def scaled_day_s(design: str, scale: int) -> float:
    """Return what a day takes of which everything is *scale* times as large: arrivals, write units, limits."""
    profile = _scaled(load_profile("aws"), scale)
    cell = Cell(design=design, table_mode="provisioned", write_units=scale, max_write_units=scale)  # type: ignore[arg-type]
    load = Rate([25.0 * scale] * DAY_S, 1.0)
    return _took_s(cell, load, profile, "aggregate", Conditions(drain_s=3600.0))


def _scaled(profile: Profile, scale: int) -> Profile:
    """Return *profile* with limits for 25 arrivals a second, times *scale*."""
    base = {
        "account_concurrency": 500,
        "new_environments_per_10_s": 500,
        "gateway_requests_per_s": 250,
        "gateway_burst": 125,
        "sqs_pollers": 5,
        "sqs_most_pollers": 100,
        "sqs_growth_per_min": 60,
    }
    return replace(profile, limits=profile.limits | {name: float(value * scale) for name, value in base.items()})


def _took_s(cell: Cell, load: Rate, profile: Profile, engine: EngineName, conditions: Conditions) -> float:
    begin = time.process_time()
    simulate(cell, load, profile, engine=engine, conditions=conditions)
    return time.process_time() - begin


if __name__ == "__main__":
    main()
