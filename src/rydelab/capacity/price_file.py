"""Reads prices from TOML: the package's own ``prices.toml``, or the text of another file of that form."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from rydelab.capacity.prices import ITEMS, Price, Prices, Tier


class PricesError(ValueError):
    """Prices that cannot be used; the message names the file, the key and the value."""


@cache
def packaged_prices() -> Prices:
    """Return the prices that come with the package."""
    return parse_prices(packaged_text(), source="prices.toml")


def packaged_text() -> str:
    """Return the file that comes with the package, to be edited."""
    return files("rydelab.capacity").joinpath("prices.toml").read_text(encoding="utf-8")


def parse_prices(text: str, *, source: str) -> Prices:
    """Read prices from TOML; *source* is what messages call it. Raises PricesError."""
    try:
        values = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise PricesError(f"{source}: not TOML: {error}") from None
    top = _Table(values, source)
    region, currency = top.text("region"), top.text("currency")
    items = {name: _price(top.table(name)) for name in ITEMS}
    top.expect_nothing_else()
    return Prices(region, currency, items)


def _price(table: "_Table") -> Price:
    price = Price(
        unit=table.text("unit"),
        per=table.number("per", above_zero=True),
        tiers=tuple(_tiers(table.take("tiers"), table)),
        free_per_month=table.number("free_per_month"),
        page=table.text("page"),
        source=table.text("source"),
        date=table.day("date"),
    )
    table.expect_nothing_else()
    return price


def _tiers(values: Any, table: "_Table") -> Sequence[Tier]:
    if not isinstance(values, list) or not values or not all(isinstance(value, dict) for value in values):
        raise table.error("tiers", values, "must be a list of tables, each with a price")
    tiers: list[Tier] = []
    for number, value in enumerate(values):
        part = _Table(value, table.source, f"{table.name}.tiers[{number}]")
        is_last = number == len(values) - 1
        tier = Tier(None if is_last else part.number("up_to", above_zero=True), part.number("price"))
        part.expect_nothing_else()
        if tiers and tier.up_to is not None and tier.up_to <= (tiers[-1].up_to or 0):
            raise part.error("up_to", tier.up_to, "must be above that of the tier before")
        tiers.append(tier)
    return tiers


class _Table:
    """A table of the file whose values are taken out one by one."""

    def __init__(self, values: Mapping[str, Any], source: str, name: str = "") -> None:
        self._left = dict(values)
        self.source = source
        self.name = name

    def take(self, key: str) -> Any:
        if key not in self._left:
            raise PricesError(f"{self.source}: {self._full(key)} is missing")
        return self._left.pop(key)

    def table(self, key: str) -> "_Table":
        value = self.take(key)
        if not isinstance(value, dict):
            raise self.error(key, value, "must be a table")
        return _Table(value, self.source, key)

    def text(self, key: str) -> str:
        value = self.take(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, value, "must be a text that says something")
        return value

    def number(self, key: str, *, above_zero: bool = False) -> Decimal:
        value = self.take(key)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self.error(key, value, "must be a number")
        number = Decimal(value)
        if not number.is_finite() or number < 0 or (above_zero and not number):
            raise self.error(key, value, "must be above 0" if above_zero else "must be 0 or more")
        return number

    def day(self, key: str) -> date:
        value = self.take(key)
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.error(key, value, "must be a day, such as 2026-09-20")
        return value

    def expect_nothing_else(self) -> None:
        if self._left:
            key, value = next(iter(self._left.items()))
            known = f"; there are region, currency, {', '.join(ITEMS)}" if not self.name else ""
            raise self.error(key, value, f"is unknown{known}")

    def error(self, key: str, value: object, complaint: str) -> PricesError:
        return PricesError(f"{self.source}: {self._full(key)} = {value}: {complaint}")

    def _full(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key
