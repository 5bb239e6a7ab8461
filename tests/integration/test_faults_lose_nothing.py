"""The proof of tests/proof, short: every fault once in either design, most in pairs, with duplicates on.

Every accepted ride is recorded or dead-lettered, and after a redrive recorded. `python -m tests.proof` is the whole.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from rydelab.lab.emulation import emulator
from tests.integration.conftest import lab_settings
from tests.proof.family import DESIGNS, short_family
from tests.proof.stage import LAB_ENVIRONMENT, Proven, deployed

RIDES, RIDES_PER_S = 30, 15.0
START_S, LENGTH_S = 0.2, 2.0
CLOCK_SPEED = 240.0
"""All of an event's attempts come within a fault."""


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Proven]]:
    """Run both designs side by side, since most of the time is waiting, on a lab of their own."""
    settings = replace(lab_settings(tmp_path_factory.mktemp("lab")), clock_speed=CLOCK_SPEED)
    with emulator.start(settings, environment=LAB_ENVIRONMENT) as lab, ThreadPoolExecutor() as pool:

        def prove(design: str) -> list[Proven]:
            with deployed(lab.endpoint_url, design) as stage:
                cases = short_family(design, start_s=START_S, length_s=LENGTH_S)
                return [stage.prove(case, rides=RIDES, per_s=RIDES_PER_S) for case in cases]

        yield [one for of_design in pool.map(prove, DESIGNS) for one in of_design]


def told(proven: list[Proven], what: Any) -> dict[str, Any]:
    """Return what each case that has some came to."""
    return {str(one.case): found for one in proven if (found := what(one))}


def test_faults_met_something_and_every_ledger_adds_up(proven: list[Proven]) -> None:
    assert told(proven, lambda one: one.ledger.mismatches) == {}
    assert told(proven, lambda one: not any(one.hits)) == {}


def test_every_accepted_ride_is_recorded_or_dead_lettered(proven: list[Proven]) -> None:
    assert sum(one.ledger.recorded for one in proven) > len(proven) * RIDES / 2  # a fault is not all that there is
    assert told(proven, lambda one: one.ledger.lost + one.ledger.in_flight) == {}


def test_after_a_redrive_every_accepted_ride_is_recorded_and_no_letter_is_left(proven: list[Proven]) -> None:
    assert sum(one.redriven for one in proven) > 0  # the faults have led to dead letters
    assert told(proven, lambda one: one.missing) == {}
    assert told(proven, lambda one: one.letters_left) == {}


def test_what_came_twice_was_written_twice_and_is_one_record(proven: list[Proven]) -> None:
    assert sum(one.ledger.rewrites or 0 for one in proven) > 0
