"""Prices of what the designs use, with the source and the date of each. Pure values; `price_file` reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

ITEMS: Mapping[str, tuple[str, str]] = {
    "gateway_requests": ("API Gateway", "requests"),
    "lambda_requests": ("Lambda", "requests"),
    "lambda_gb_s": ("Lambda", "time"),
    "sns_publishes": ("SNS", "publishes"),
    "sns_deliveries": ("SNS", "deliveries to Lambda and SQS"),
    "sqs_requests": ("SQS", "requests"),
    "write_request_units": ("DynamoDB", "writes on demand"),
    "read_request_units": ("DynamoDB", "reads on demand"),
    "write_unit_hours": ("DynamoDB", "provisioned writes"),
    "read_unit_hours": ("DynamoDB", "provisioned reads"),
    "stored_gb_months": ("DynamoDB", "storage"),
    "log_gb": ("CloudWatch", "logs"),
    "alarms": ("CloudWatch", "alarms of auto scaling"),
}
"""What has a price: its table in the file, the service and what of it, in the order of a bill."""


@dataclass(frozen=True, slots=True)
class Tier:
    """A price, and the quantity of a month up to which it holds."""

    up_to: Decimal | None
    """None in the last tier: without end."""
    price: Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """What one item costs."""

    unit: str
    per: Decimal
    """How many units the tiers' prices are for."""
    tiers: tuple[Tier, ...]
    free_per_month: Decimal
    page: str
    source: str
    date: date

    def amount(self, quantity: Decimal) -> Decimal:
        """Return what *quantity* units in a month cost, each tier's at its price."""
        total, begin = Decimal(0), Decimal(0)
        for tier in self.tiers:
            end = quantity if tier.up_to is None else min(quantity, tier.up_to)
            if end <= begin:
                break
            total += (end - begin) * tier.price / self.per
            begin = end
        return total

    def amount_after_free(self, quantity: Decimal) -> Decimal:
        """Return the same without what is free.

        That is the first of the month: tiers count it ("from 1 million to 100 billion requests", says SQS's page).
        """
        return self.amount(quantity) - self.amount(min(quantity, self.free_per_month))


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of a region. *items* has each of `ITEMS`."""

    region: str
    currency: str
    items: Mapping[str, Price]

    @property
    def label(self) -> str:
        """Where and when they hold, for whatever shows an amount."""
        dates = sorted(price.date for price in self.items.values())
        return f"list prices of {self.region}, from sources of {dates[0]:%Y-%m} to {dates[-1]:%Y-%m}"
