"""ConsumedCapacity as responses carry it (A5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rydelab.capacity.charges import ReadCharge, WriteCharge


@dataclass(frozen=True, slots=True)
class Consumed:
    """The units that one table and its indexes consumed by one request; *table_units* is the base table's part."""

    table: str
    table_units: float
    local_indexes: Mapping[str, float]
    global_indexes: Mapping[str, float]
    read_units: float
    write_units: float

    @property
    def units(self) -> float:
        """CapacityUnits: the table's and all indexes' together."""
        return self.read_units + self.write_units

    def on_wire(self, detail: Literal["TOTAL", "INDEXES"], *, both: bool = False) -> dict[str, Any]:
        """Return the ConsumedCapacity structure for one table.

        *both* adds ReadCapacityUnits or WriteCapacityUnits, as in the answers to transactions: pass
        ``settings.transactions_report_both`` there.
        """
        is_read = self.read_units > 0.0
        answer: dict[str, Any] = {"TableName": self.table, **_capacity(self.units, is_read=is_read, both=both)}
        if detail == "INDEXES":
            answer["Table"] = _capacity(self.table_units, is_read=is_read, both=both)
            for member, indexes in (
                ("LocalSecondaryIndexes", self.local_indexes),
                ("GlobalSecondaryIndexes", self.global_indexes),
            ):
                if indexes:
                    answer[member] = {
                        name: _capacity(units, is_read=is_read, both=both) for name, units in indexes.items()
                    }
        return answer


def consumed(table: str, charges: Iterable[ReadCharge | WriteCharge]) -> Consumed:
    """Return what *charges*, all admitted, consumed of *table*; one call for each table of a batch."""
    local: dict[str, float] = {}
    other: dict[str, float] = {}
    table_units = read = write = 0.0
    for charge in charges:
        for name, units in charge.local_units:
            local[name] = local.get(name, 0.0) + units
            table_units -= units
        if isinstance(charge, ReadCharge):
            read += charge.units
            if charge.index is not None:
                other[charge.index] = other.get(charge.index, 0.0) + charge.units
                continue
        else:
            write += charge.units
            for part in charge.global_writes:
                other[part.index] = other.get(part.index, 0.0) + part.units
                write += part.units
        table_units += charge.units
    return Consumed(table, table_units, local, other, read, write)


def _capacity(units: float, *, is_read: bool, both: bool) -> dict[str, float]:
    kind = "ReadCapacityUnits" if is_read else "WriteCapacityUnits"
    return {"CapacityUnits": units, kind: units} if both else {"CapacityUnits": units}
