"""What functions and tables have counted at one moment. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from rydelab.lab.emulation.observation import FunctionActivity


@dataclass(frozen=True, slots=True)
class TableTotals:
    """What a table holds, and has consumed since it was made."""

    items: int
    size_bytes: int
    read_units: float
    write_units: float

    @classmethod
    def of(cls, name: str, observed: Mapping[str, Any]) -> Self:
        """Read the totals of table *name* out of what the lab says of all tables. Raises KeyError without it."""
        for table in observed["tables"]:
            if table["table"] == name:
                (own,) = (resource for resource in table["resources"] if resource["index"] is None)
                return cls(
                    table["items"],
                    table["size_bytes"],
                    own["read"]["consumed_units"],
                    own["write"]["consumed_units"],
                )
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Meters:
    """What had been counted at one moment."""

    at: float
    """Unix time, of the lab."""
    functions: Mapping[str, FunctionActivity]
    """By their name in the template."""
    records: TableTotals
    unicorns: TableTotals

    @classmethod
    def read(
        cls,
        *,
        functions: Mapping[str, str],
        activity: Mapping[str, FunctionActivity],
        records: str | None,
        unicorns: str | None,
        observed: Mapping[str, Any],
    ) -> Self | None:
        """Read the meters of a deployment, whose functions and tables have these names; None if a table has none."""
        try:
            return cls(
                at=observed["now"],
                functions={name: activity.get(function, FunctionActivity()) for name, function in functions.items()},
                records=TableTotals.of(records or "", observed),
                unicorns=TableTotals.of(unicorns or "", observed),
            )
        except KeyError:
            return None
