"""What the cells of a run would cost on AWS. Pure."""

from collections.abc import Iterator
from decimal import Decimal

from rydelab.capacity.bill import Bill, monthly_bill
from rydelab.capacity.prices import Prices
from rydelab.report.bill import NamedBill
from rydelab.report.quantities import share
from rydelab.report.summary import CellSummary, RunSummary


def cell_bill(cell: CellSummary, prices: Prices, *, rides_per_month: float | None = None) -> Bill | None:
    """Price a month of *cell*'s load, or of *rides_per_month*; None if it is not known what was used."""
    if cell.usage is None or not cell.usage.duration_s or not cell.arrivals:
        return None
    return monthly_bill(cell.usage, prices, rides=cell.arrivals, rides_per_month=rides_per_month)


def per_million_rides(cell: CellSummary, prices: Prices) -> Decimal | None:
    """Return what a million arrivals like those of *cell* cost at list price, whatever became of them."""
    bill = cell_bill(cell, prices)
    return None if bill is None else bill.per_million


def cost_note(run: RunSummary, prices: Prices) -> str | None:
    """Say what the amounts of a report are; None where there are none."""
    if all(cell.usage is None for cell in run.cells):
        return None
    return (
        f"What a million rides cost is what a million like these, asked for at this rate, cost on AWS, whatever became "
        f"of them: {prices.label}, without free tiers. {billed_times(run)}"
    )


def billed_times(run: RunSummary) -> str:
    """Say whose times the functions' bill is of."""
    if run.simulated is None:
        return "Functions are billed for the times of this machine."
    return f"Functions are billed for simulated times (profile {run.simulated.profile})."


def run_bills(run: RunSummary, prices: Prices, *, rides_per_month: float | None = None) -> Iterator[NamedBill]:
    """Price each cell of *run* of which it is known what it used."""
    for cell in run.cells:
        bill = cell_bill(cell, prices, rides_per_month=rides_per_month)
        if bill is not None:
            yield NamedBill(str(cell.id), bill, tuple(_remarks(cell, rides_per_month)))


def _remarks(cell: CellSummary, rides_per_month: float | None) -> Iterator[str]:
    recorded = cell.rows["recorded"]
    yield f"Of the rides asked for, {share(recorded, cell.arrivals)} were recorded."
    if rides_per_month is not None and cell.usage is not None and cell.usage.is_provisioned:
        yield "The table has the units that it had in the run on average, whatever the number of rides."
    if cell.lab_limited:
        yield "The lab itself limited this cell: a bill of its use is not one of the design."
