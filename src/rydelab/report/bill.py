"""Bills as tables for the terminal and as JSON values. Pure."""

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from rydelab.capacity.bill import NOT_IN_THE_BILL, Bill
from rydelab.capacity.prices import ITEMS, Prices
from rydelab.report.quantities import NOTHING

_CENT = Decimal("0.01")
_HUNDRED = 100


@dataclass(frozen=True, slots=True)
class NamedBill:
    """A bill, what it is of, and what a reader must know about it."""

    name: str
    bill: Bill
    remarks: tuple[str, ...] = ()


def money(amount: Decimal | None, prices: Prices) -> str:
    """39.0833 as ``$39.08``; never nothing for something."""
    if amount is None:
        return NOTHING
    sign = "$" if prices.currency == "USD" else f"{prices.currency} "
    if 0 < amount < _CENT:
        return f"<{sign}0.01"
    return f"{sign}{amount.quantize(_CENT, rounding=ROUND_HALF_UP):,}"


def render_bills(
    bills: Sequence[NamedBill], prices: Prices, *, noun: str, notes: Sequence[str] = (), brief: bool = False
) -> str:
    """Draw each bill line by line, and all of them side by side; *noun* is what is counted. Ends with a newline.

    *notes* are for all of them. *brief*: only side by side.
    """
    text = io.StringIO()
    console = Console(file=text, width=160, highlight=False)
    for named in bills if not brief else ():
        console.print(f"{named.name}: {_quantity(named.bill.rides)} {noun} a month", markup=False, soft_wrap=True)
        console.print(_lines(named.bill, prices, noun))
        for remark in named.remarks:
            console.print(remark, markup=False, soft_wrap=True)
        console.print()
    if len(bills) > 1 or brief:
        console.print("A month, by service, at list price")
        console.print(_side_by_side(bills, prices, noun))
        console.print()
    for line in (*notes, f"Prices: {prices.label}."):
        console.print(line, markup=False, soft_wrap=True)
    console.print("Not in the bill:")
    for part in NOT_IN_THE_BILL:
        console.print(f"  {part}", markup=False, soft_wrap=True)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def bills_document(bills: Sequence[NamedBill], prices: Prices, *, notes: Sequence[str] = ()) -> dict[str, Any]:
    """Return the bills as values for ``json.dumps``; numbers are texts, since they are exact."""
    return {
        "prices": {
            "region": prices.region,
            "currency": prices.currency,
            "items": {
                name: {"unit": price.unit, "page": price.page, "source": price.source, "date": price.date.isoformat()}
                for name, price in prices.items.items()
            },
        },
        "bills": [
            {
                "name": named.name,
                "rides": _plain(named.bill.rides),
                "lines": [
                    {key: _plain(value) for key, value in asdict(line).items()}
                    | {"service": line.service, "what": line.what}
                    for line in named.bill.lines
                ],
                "empty_receives": _plain(named.bill.empty_receives),
                "total": _plain(named.bill.total),
                "total_after_free": _plain(named.bill.total_after_free),
                "per_million": _plain(named.bill.per_million),
                "remarks": named.remarks,
            }
            for named in bills
        ],
        "notes": notes,
        "not_in_the_bill": NOT_IN_THE_BILL,
    }


def _lines(bill: Bill, prices: Prices, noun: str) -> Table:
    table = _table("", "", "quantity", "", "list price", "with free tier", texts={0, 1, 3})
    for line in bill.lines:
        unit = line.unit
        if line.item == "sqs_requests" and bill.empty_receives:
            unit += f" ({_quantity(bill.empty_receives)} of them empty receives)"
        table.add_row(
            line.service,
            line.what,
            _quantity(line.quantity),
            unit,
            money(line.amount, prices),
            money(line.amount_after_free, prices),
        )
    table.add_section()
    table.add_row("total", "", "", "", money(bill.total, prices), money(bill.total_after_free, prices))
    table.add_row(f"per million {noun}", "", "", "", money(bill.per_million, prices), "")
    return table


def _side_by_side(bills: Sequence[NamedBill], prices: Prices, noun: str) -> Table:
    used = {line.service for named in bills for line in named.bill.lines}
    services = [service for service in dict.fromkeys(service for service, _ in ITEMS.values()) if service in used]
    table = _table("", *services, "total", "with free tier", f"per million {noun}", texts={0})
    for named in bills:
        bill = named.bill
        table.add_row(
            named.name,
            *(money(_of(bill, service), prices) for service in services),
            money(bill.total, prices),
            money(bill.total_after_free, prices),
            money(bill.per_million, prices),
        )
    return table


def _of(bill: Bill, service: str) -> Decimal | None:
    amounts = [line.amount for line in bill.lines if line.service == service]
    return sum(amounts, Decimal(0)) if amounts else None


def _table(*headings: str, texts: set[int]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number in texts else "right")
    return table


def _quantity(number: Decimal) -> str:
    """Whole from a hundred on; below, two digits after the point where there are any."""
    if number >= _HUNDRED or number == number.to_integral_value():
        return f"{number:,.0f}"
    return f"{number:.2f}" if number >= _CENT else f"{number:.2g}"


def _plain(value: object) -> object:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value
