"""What one request has consumed, table by table, and how long it took."""

from collections.abc import Mapping
from time import perf_counter
from typing import Any, Literal, cast

from rydelab.capacity.consumed import consumed
from rydelab.capacity.table import Charge
from rydelab.plugins.dynamodb.metered import MeteredTable

type Detail = Literal["NONE", "TOTAL", "INDEXES"]


class Bill:
    """The charges of one request; made when it begins."""

    __slots__ = ("_charges", "_detail", "_operation", "_started_s")

    def __init__(self, operation: str, request: Mapping[str, Any]) -> None:
        self._operation = operation
        self._detail: Detail = cast("Detail", request.get("ReturnConsumedCapacity") or "NONE")
        self._charges: list[tuple[MeteredTable, str, Charge]] = []
        self._started_s = perf_counter()

    @property
    def operation(self) -> str:
        """The API's name of the operation."""
        return self._operation

    def add(self, metered: MeteredTable, name: str, charge: Charge) -> None:
        """Note what was admitted for a table; *name* is the request's for it, which may be its ARN."""
        self._charges.append((metered, name, charge))

    def close(self, response: dict[str, Any]) -> dict[str, Any]:
        """Return the response to a request on one table, with its ConsumedCapacity if that was asked for."""
        self._note_latency()
        if self._detail != "NONE" and self._charges:
            name = self._charges[0][1]
            response["ConsumedCapacity"] = consumed(name, [charge for _, _, charge in self._charges]).on_wire(
                self._detail
            )
        return response

    def close_several(self, response: dict[str, Any], *, transactional: bool = False) -> dict[str, Any]:
        """Return the response to a batch or transaction, with one ConsumedCapacity for each of its tables."""
        self._note_latency()
        if self._detail == "NONE":
            return response
        by_table: dict[str, list[Charge]] = {}
        both = False
        for metered, name, charge in self._charges:
            by_table.setdefault(name, []).append(charge)
            both = transactional and metered.capacity.settings.transactions_report_both
        response["ConsumedCapacity"] = [
            consumed(name, charges).on_wire(self._detail, both=both) for name, charges in by_table.items()
        ]
        return response

    def _note_latency(self) -> None:
        elapsed_ms = (perf_counter() - self._started_s) * 1000.0
        for metered in {metered for metered, _, _ in self._charges}:
            metered.note(self._operation, "SuccessfulRequestLatency", elapsed_ms)
