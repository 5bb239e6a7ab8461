"""What the exact engine said when golden.json was written. `python -m tests.unit.simulator.golden` writes it anew."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rydelab.simulator.cell import DESIGNS, TABLE_MODES, Cell, Conditions
from rydelab.simulator.engine import simulate
from rydelab.simulator.profile import Profile, ServiceTime
from rydelab.simulator.traffic import Rate
from tests.unit.simulator.places import instant

GOLDEN = Path(__file__).with_name("golden.json")
SEED = 5
LOAD = Rate([12] * 40, 1.0, {"ride": 10, "record": 1, "unicorn": 1})
CONDITIONS = Conditions(drain_s=300, warm_up_rides=20)


def place() -> Profile:
    """Return a profile of its own, so that better figures of the others change nothing here."""
    plain = instant(limits={"async_patience_s": 0.1})
    times = {name: ServiceTime(0.004, 0.009) for name in plain.times} | {"init": ServiceTime(0.1, 0.2)}
    return Profile("golden", "", times, plain.limits)


def outcomes() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what every design comes to in every table mode and retry mode."""
    for design in DESIGNS:
        for table_mode in TABLE_MODES:
            for retry_mode in ("legacy", "standard"):
                cell = Cell(design=design, table_mode=table_mode, sdk_retry_mode=retry_mode)  # type: ignore[arg-type]
                outcome = simulate(cell, LOAD, place(), engine="exact", seed=SEED, conditions=CONDITIONS)
                told = asdict(outcome)
                del told["rides"]
                told["series"] = {name: _sums(column) for name, column in told["series"].items()}
                yield f"{design} {table_mode} {retry_mode}", json.loads(json.dumps(told))


def _sums(column: Any) -> Any:
    """Return enough of a column to tell it from another: its sum, and its sum weighted by the interval."""
    if isinstance(column, dict):
        return {name: _sums(part) for name, part in column.items()}
    if isinstance(column, list | tuple):
        if column and isinstance(column[0], dict):
            return [_sums(part) for part in column]
        values = [value or 0 for value in column]
        return [len(values), sum(values), sum(at * value for at, value in enumerate(values))]
    return column


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(dict(outcomes()), indent=1) + "\n", encoding="utf-8")
