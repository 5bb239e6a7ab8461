"""The kinds of faults that a lab can be given on purpose, and what each needs to be told. Pure.

What each of them does, and how it compares with AWS, is in docs/faults.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST_S = 24 * 3600.0
MOST_SEED = 2**32 - 1
MOST_DELAY_MS = 900_000
"""The longest that a function may run."""


class FaultError(ValueError):
    """A fault that cannot be; the message names what is wrong (`where`) and its value."""

    def __init__(self, where: str, value: object, complaint: str) -> None:
        super().__init__(f"{where} = {value!r}: {complaint}")
        self.where = where
        self.value = value
        self.complaint = complaint


@dataclass(frozen=True, slots=True)
class Parameter:
    """What can be said of a fault besides its kind, target and time: one of some words, or a number."""

    description: str
    default: str | float
    choices: tuple[str, ...] = ()
    least: float = 0.0
    most: float = 0.0
    is_whole: bool = False

    def check(self, value: object) -> str | None:
        """Return what is wrong with *value*, None if nothing is."""
        if self.choices:
            return None if value in self.choices else f"must be one of {', '.join(self.choices)}"
        is_number = isinstance(value, int if self.is_whole else int | float) and not isinstance(value, bool)
        if is_number and self.least <= value <= self.most:  # type: ignore[operator] # it is a number here
            return None
        return f"must be a {'whole ' if self.is_whole else ''}number from {self.least:g} to {self.most:.10g}"


_CHANCE: Mapping[str, Parameter] = {
    "rate": Parameter("the share of requests that it meets, 0 to 1", 1.0, least=0.0, most=1.0),
    "seed": Parameter("chooses which: the same seed meets the same ones", 0, least=0, most=MOST_SEED, is_whole=True),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault."""

    target: str
    """What it happens to: a function, table, queue or topic; empty if to the lab as a whole."""
    description: str
    label: str
    """What it is called in a chart, behind its target."""
    parameters: Mapping[str, Parameter] = field(default_factory=lambda: _CHANCE)
    longest_s: float = LONGEST_S


KINDS: Mapping[str, Kind] = {
    "function-error": Kind("function", "its invocations end in a function error, and its code does not run", "fails"),
    "function-slow": Kind(
        "function",
        "its invocations take longer: the event reaches the code late, on the invocation's time",
        "is slow",
        {
            "delay_ms": Parameter("how much longer", 1000, least=1, most=MOST_DELAY_MS, is_whole=True),
            **_CHANCE,
        },
    ),
    "function-crash": Kind("function", "its execution environment dies before its code sees the event", "crashes"),
    "environment-killed": Kind(
        "function",
        "its execution environment is killed in the middle of an invocation, before or after what that has done",
        "is killed",
        {
            "within_ms": Parameter(
                "the moment is drawn from 0 to this long after the event",
                20,
                least=0,
                most=MOST_DELAY_MS,
                is_whole=True,
            ),
            **_CHANCE,
        },
    ),
    "function-refused": Kind("function", "Lambda refuses to invoke it, with ServiceException (500)", "is refused"),
    "table-refused": Kind(
        "table",
        "every request that reads or writes its items is refused",
        "refuses",
        {
            "error": Parameter(
                "with which of DynamoDB's errors",
                "InternalServerError",
                choices=("InternalServerError", "ProvisionedThroughputExceededException"),
            ),
            **_CHANCE,
        },
    ),
    "queue-refused": Kind(
        "queue", "sending, receiving, deleting and hiding its messages fails with ServiceUnavailable (503)", "refuses"
    ),
    "topic-refused": Kind("topic", "publishing to it fails with InternalError (500)", "refuses"),
    "emulator-paused": Kind(
        # Whoever waits for a lab takes it for gone after a minute.
        "",
        "every request to the lab waits until the fault is over",
        "is paused",
        {},
        longest_s=45.0,
    ),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Seconds are real ones, whatever the lab's clock speed. Raises FaultError for what cannot be."""

    kind: str
    target: str
    """The name of the function, table, queue or topic; empty for the lab as a whole."""
    length_s: float
    start_s: float = 0.0
    """How much later than it is asked for it begins."""
    parameters: Mapping[str, str | float] = field(default_factory=dict)
    """Those that were given."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FaultError("kind", self.kind, f"must be one of {', '.join(KINDS)}")
        needs = KINDS[self.kind].target
        if needs and not (isinstance(self.target, str) and self.target):
            raise FaultError("target", self.target, f"must name a {needs}")
        if not needs and self.target:
            raise FaultError("target", self.target, f"means nothing to {self.kind}")
        longest_s = KINDS[self.kind].longest_s
        if not _is_number(self.length_s) or not 0 < self.length_s <= longest_s:
            raise FaultError("length_s", self.length_s, f"must be a number above 0 to {longest_s:g}")
        if not _is_number(self.start_s) or not 0 <= self.start_s <= LONGEST_S:
            raise FaultError("start_s", self.start_s, f"must be a number from 0 to {LONGEST_S:g}")
        known = KINDS[self.kind].parameters
        for name, value in self.parameters.items():
            if name not in known:
                there_are = f"(there are {', '.join(known)})" if known else "(it has none)"
                raise FaultError(name, value, f"is no parameter of {self.kind} {there_are}")
            if complaint := known[name].check(value):
                raise FaultError(name, value, complaint)

    @property
    def label(self) -> str:
        """What a chart calls it, such as ``PutRideRecordSns fails``."""
        return f"{self.target or 'the lab'} {KINDS[self.kind].label}"

    def value(self, parameter: str) -> Any:
        """Return what was given for *parameter*, else its default."""
        return self.parameters.get(parameter, KINDS[self.kind].parameters[parameter].default)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
