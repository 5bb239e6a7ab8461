"""The simulator's exact engine: arrivals simulated per second of processor time."""

import time

from rydelab.simulator.cell import DESIGNS, Cell, Conditions
from rydelab.simulator.engine import simulate
from rydelab.simulator.profile import load_profile
from rydelab.simulator.traffic import Rate
from tests.bench.figures import show, spread

TARGET_PER_S = 200_000
LOAD = Rate([500] * 400, 1.0)
FLOOD = Rate([1000] * 60, 1.0)
REPEATS = 3


def main() -> None:
    """Print the figures of the simulator."""
    for place in ("local", "aws"):
        for design in DESIGNS:
            rates = [arrivals_per_s(LOAD, place, design, "on-demand") for _ in range(REPEATS)]
            name = f"exact, {design}, profile {place}, arrivals per s"
            show(name, spread(rates, ""), f">= {TARGET_PER_S:,}", met=max(rates) >= TARGET_PER_S)
    for design in DESIGNS:
        rates = [arrivals_per_s(FLOOD, "local", design, "provisioned") for _ in range(REPEATS)]
        show(f"exact, {design}, 1,000/s on 1 write unit", spread(rates, ""))


def arrivals_per_s(load: Rate, place: str, design: str, table_mode: str) -> float:
    """Simulate *load* and return how many arrivals were simulated in a second of this process's time."""
    cell = Cell(design=design, table_mode=table_mode)  # type: ignore[arg-type]  # one of DESIGNS
    profile = load_profile(place)
    begin = time.process_time()
    simulate(cell, load, profile, engine="exact", conditions=Conditions(drain_s=30.0, warm_up_rides=20))
    return load.count / (time.process_time() - begin)


if __name__ == "__main__":
    main()
