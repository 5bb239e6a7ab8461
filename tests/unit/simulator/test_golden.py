"""Golden runs: whoever changes the engine sees what else changes. See golden.py."""

import json

import pytest

from tests.unit.simulator.golden import GOLDEN, outcomes


def test_every_cell_comes_to_what_it_came_to() -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))

    now = dict(outcomes())

    assert now.keys() == golden.keys()
    for cell, told in now.items():
        for name, value in told.items():
            # Another machine's exp() may round the last bit of a time otherwise; counts have none.
            assert flat(value) == pytest.approx(flat(golden[cell][name]), rel=1e-6), f"{cell}: {name}"
            assert texts(value) == texts(golden[cell][name])


def flat(value: object) -> list[float]:
    """Return every number in *value*, in order."""
    if isinstance(value, dict):
        return [number for part in value.values() for number in flat(part)]
    if isinstance(value, list):
        return [number for part in value for number in flat(part)]
    return [float(value)] if isinstance(value, int | float) else []


def texts(value: object) -> list[str]:
    """Return every key and text in *value*, in order."""
    if isinstance(value, dict):
        return [text for key, part in value.items() for text in (key, *texts(part))]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [value] if isinstance(value, str) else []
