"""The ``[[faults]]`` of a scenario, read from its TOML file. Pure."""

from collections.abc import Mapping, Sequence

from rydelab.faults import KINDS, LONGEST_S, Fault, FaultError
from rydelab.lab.cells.deployment import FUNCTIONS
from rydelab.lab.scenarios.toml_table import TomlTable

RECORD_FUNCTION = "PutRideRecord"
"""Whichever function records rides in a cell's design."""
TARGETS: Mapping[str, Sequence[str]] = {
    "function": (RECORD_FUNCTION, *FUNCTIONS, "ProcessDeadLetters"),
    "table": ("RideRecordTable", "UnicornsTable"),
    "queue": ("RideQueue", "DeadLetterQueue", "PoisonQueue"),
    "topic": ("RidesSnsTopic",),
}
"""What can be named, by the names of the templates. Not every design has all of it."""


def read_fault(table: TomlTable, *, load_s: float) -> Fault:
    """Read one fault of a load that lasts *load_s*; its start counts from the load's. Raises ScenarioError."""
    kind = table.choice("kind", list(KINDS))
    needs = KINDS[kind].target
    target = table.choice("target", TARGETS[needs]) if needs else table.text("target", default="")
    start_s = table.number("start_s", default=0.0, least=0, most=load_s)
    length_s = table.number("length_s", above=0, most=min(LONGEST_S, KINDS[kind].longest_s))
    given = {name: table.optional(name) for name in KINDS[kind].parameters}
    table.expect_nothing_else()
    try:
        parameters = {name: value for name, value in given.items() if value is not None}
        return Fault(kind, target, length_s, start_s, parameters)
    except FaultError as error:
        raise table.error(error.where, error.value, error.complaint) from None
