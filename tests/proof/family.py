"""The family of faults: every one that can stand between a promise and its record, alone and in pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from rydelab.faults import Fault

DESIGNS = ("event-driven", "queued")
RECORD_FUNCTION = {"event-driven": "PutRideRecordSns", "queued": "PutRideRecordSqs"}


@dataclass(frozen=True)
class Case:
    """Faults that happen to one design at the same time."""

    design: str
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"{self.design}: {' + '.join(fault.kind for fault in self.faults)}"


def members(design: str, *, start_s: float, length_s: float) -> tuple[Fault, ...]:
    """Return each fault by itself.

    Not among them: a dead-letter queue that refuses. Lambda then drops what it would send there, on AWS too.
    """
    function = RECORD_FUNCTION[design]

    def fault(kind: str, target: str, **parameters: float) -> Fault:
        return Fault(kind, target, length_s, start_s, parameters)

    return (
        fault("function-error", function, rate=0.8, seed=1),
        # Longer than its messages are hidden, or than its timeout.
        fault("function-slow", function, rate=0.3, seed=2, delay_ms=3500),
        fault("function-crash", function, rate=0.7, seed=3),
        fault("environment-killed", function, rate=0.9, seed=4, within_ms=40),
        fault("function-refused", function, rate=0.7, seed=8),
        fault("table-refused", "RideRecordTable", rate=0.9, seed=5),
        fault("topic-refused", "RidesSnsTopic", rate=0.6, seed=6),
        *([fault("queue-refused", "RideQueue", rate=0.8, seed=7)] if design == "queued" else []),
        Fault("emulator-paused", "", min(length_s, 2.0), start_s + length_s / 3),
    )


def whole_family(*, start_s: float, length_s: float) -> Sequence[Case]:
    """Return every case: each fault alone, and each two together."""
    return [
        Case(design, faults)
        for design in DESIGNS
        for number in (1, 2)
        for faults in combinations(members(design, start_s=start_s, length_s=length_s), number)
    ]


def short_family(design: str, *, start_s: float, length_s: float) -> Sequence[Case]:
    """Return as few cases as have every fault of *design* once: in pairs, and the last alone if their number is odd."""
    # From both ends, so that each pair is of different things.
    all_of_it = members(design, start_s=start_s, length_s=length_s)
    half = (len(all_of_it) + 1) // 2
    first, second = all_of_it[:half], all_of_it[half:]
    pairs = [(one, *second[at : at + 1]) for at, one in enumerate(first)]
    return [Case(design, faults) for faults in pairs]
