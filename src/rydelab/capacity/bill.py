"""A month's bill, line by line, from what was used. Money is exact: decimals, and no rounding but for display."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from rydelab.capacity.prices import ITEMS, Prices
from rydelab.capacity.usage import Usage

MONTH_S = 730 * 3600.0
"""A month of bills: 730 hours, as AWS's own calculator has it."""
STORAGE_OVERHEAD_BYTES = 100
"""What DynamoDB bills for each stored item on top of its size (AWS's price page, "Data storage")."""

_GIB = 1024**3
_MILLION = 1_000_000
_DIGITS = 60
"""Enough for every quotient here; sums and products are exact in any case."""

NOT_IN_THE_BILL = (
    "data transfer, such as API Gateway's answers to the internet",
    "keeping logs, and reading them; metrics and alarms but those of auto scaling",
    "backups, streams and indexes of the tables",
    "tax, discounts, savings plans, support, and the offers for new accounts",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill. Amounts are in the currency of the prices."""

    item: str
    """One of `ITEMS`."""
    quantity: Decimal
    unit: str
    amount: Decimal
    """At list price."""
    amount_after_free: Decimal
    """With what AWS gives every account for free."""

    @property
    def service(self) -> str:
        """The service that charges it."""
        return ITEMS[self.item][0]

    @property
    def what(self) -> str:
        """What of the service."""
        return ITEMS[self.item][1]


@dataclass(frozen=True, slots=True)
class Bill:
    """What a month costs."""

    rides: Decimal
    """How many rides, requests or messages it is for."""
    lines: tuple[Line, ...]
    """In the order of `ITEMS`; without what is not used."""
    empty_receives: Decimal
    """The SQS requests of it that found nothing, as far as they are known apart."""

    @property
    def total(self) -> Decimal:
        """At list price."""
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def total_after_free(self) -> Decimal:
        """With the free tiers, which no other use of the account shares."""
        return sum((line.amount_after_free for line in self.lines), Decimal(0))

    @property
    def per_million(self) -> Decimal | None:
        """What a million rides cost at list price and at this traffic; None without rides."""
        with localcontext(prec=_DIGITS):
            return self.total * _MILLION / self.rides if self.rides else None


def monthly_bill(usage: Usage, prices: Prices, *, rides: float, rides_per_month: float | None = None) -> Bill:
    """Price a month that goes on like *usage*, in which *rides* came.

    Its load is repeated all month long; or as often as it takes for *rides_per_month*, while provisioned units stay
    what they were on average. What a ride leaves in the table is kept for one month. Raises ValueError for a usage
    without duration, or rides to scale by.
    """
    with localcontext(prec=_DIGITS):
        if not usage.duration_s > 0:
            raise ValueError(f"duration_s must be above 0, got {usage.duration_s!r}")
        if rides_per_month is not None and not rides > 0:
            raise ValueError(f"rides must be above 0 to be scaled, got {rides!r}")
        factor = (
            exact(MONTH_S) / exact(usage.load_s or usage.duration_s)
            if rides_per_month is None
            else exact(rides_per_month) / exact(rides)
        )
        quantities = _quantities(usage, factor)
        lines = []
        for item in ITEMS:
            if quantity := quantities[item]:
                price = prices.items[item]
                lines.append(
                    Line(item, quantity, price.unit, price.amount(quantity), price.amount_after_free(quantity))
                )
        return Bill(exact(rides) * factor, tuple(lines), exact(usage.sqs_empty_receives) * factor)


def exact(number: float | Decimal) -> Decimal:
    """Return the decimal number that a float is written as."""
    return number if isinstance(number, Decimal) else Decimal(repr(number))


def _quantities(usage: Usage, factor: Decimal) -> Mapping[str, Decimal]:
    per_month = exact(MONTH_S) / exact(usage.duration_s) / 3600
    written = exact(usage.write_units) * factor
    stored_bytes = exact(usage.stored_bytes) + exact(usage.stored_items) * STORAGE_OVERHEAD_BYTES
    functions = usage.functions.values()
    gb_s = sum((exact(one.busy_s) * one.memory_mb / 1024 for one in functions), Decimal(0))
    return {
        "gateway_requests": exact(usage.gateway_requests) * factor,
        "lambda_requests": sum((exact(one.invocations) for one in functions), Decimal(0)) * factor,
        "lambda_gb_s": gb_s * factor,
        "sns_publishes": exact(usage.sns_publishes) * factor,
        # Each topic has one subscription.
        "sns_deliveries": exact(usage.sns_publishes) * factor,
        "sqs_requests": exact(usage.sqs_requests) * factor,
        "write_request_units": Decimal(0) if usage.is_provisioned else written,
        "read_request_units": exact(usage.read_units) * factor,
        "write_unit_hours": exact(usage.provisioned_write_unit_s) * per_month,
        "read_unit_hours": exact(usage.provisioned_read_unit_s) * per_month,
        "stored_gb_months": stored_bytes / _GIB * factor,
        "log_gb": exact(usage.log_bytes) / _GIB * factor,
        "alarms": exact(usage.alarms),
    }
