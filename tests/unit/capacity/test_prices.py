import re
from datetime import date
from decimal import Decimal

import pytest

from rydelab.capacity.price_file import PricesError, packaged_prices, packaged_text, parse_prices
from rydelab.capacity.prices import ITEMS


def test_every_price_of_the_package_has_a_source_a_page_of_aws_and_a_date() -> None:
    prices = packaged_prices()

    assert prices.region == "us-east-1"
    assert list(prices.items) == list(ITEMS)
    for name, price in prices.items.items():
        assert price.page.startswith("https://aws.amazon.com/"), name
        assert len(price.source) > 20, name
        assert date(2024, 1, 1) < price.date < date(2026, 11, 21), name


def test_the_label_says_the_region_and_the_oldest_and_newest_source() -> None:
    assert packaged_prices().label == "list prices of us-east-1, from sources of 2024-07 to 2026-08"


def test_prices_are_the_numbers_that_are_written_not_the_nearest_float() -> None:
    assert packaged_prices().items["lambda_gb_s"].tiers[0].price == Decimal("0.0000166667")


def test_a_file_of_ones_own_replaces_them() -> None:
    text = (
        packaged_text()
        .replace('region = "us-east-1"', 'region = "eu-central-1"')
        .replace("price = 3.50", "price = 3.70")
    )

    prices = parse_prices(text, source="mine.toml")

    assert prices.region == "eu-central-1"
    assert prices.items["gateway_requests"].amount(Decimal(1_000_000)) == Decimal("3.70")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('region = "us-east-1"\n', "", "mine.toml: region is missing"),
        ('region = "us-east-1"', "region = 7", "region = 7: must be a text"),
        ("[alarms]", "[alarm]", "alarms is missing"),
        ("[alarms]", "[alarm]\n[alarms]", "alarm = {}: is unknown; there are region"),
        ("price = 2.80", "price = -2.80", r"gateway_requests.tiers[1].price = -2.80: must be 0 or more"),
        ("price = 2.80", "price = true", r"gateway_requests.tiers[1].price = True: must be a number"),
        ("price = 2.80", "price = nan", r"gateway_requests.tiers[1].price = NaN: must be 0 or more"),
        ("price = 2.80", 'price = "2.80"', r"gateway_requests.tiers[1].price = 2.80: must be a number"),
        ("price = 2.80", "prize = 2.80", r"gateway_requests.tiers[1].price is missing"),
        ("up_to = 1_000_000_000,", "up_to = 333_000_000,", "up_to = 333000000: must be above that of the tier before"),
        ("{ price = 1.51 }", "{ up_to = 5, price = 1.51 }", r"gateway_requests.tiers[3].up_to = 5: is unknown"),
        ("tiers = [{ price = 0.20 }]", "tiers = []", "lambda_requests.tiers = []: must be a list"),
        ("tiers = [{ price = 0.20 }]", "tiers = [0.20]", "lambda_requests.tiers = "),
        ("per = 1_000_000\n", "per = 0\n", "gateway_requests.per = 0: must be above 0"),
        ("free_per_month = 25\n", "free_per_month = -25\n", "stored_gb_months.free_per_month = -25: must be 0 or more"),
        ("date = 2026-03-14", 'date = "yesterday"', "sqs_requests.date = yesterday: must be a day"),
        ("date = 2026-03-14", "", "sqs_requests.date is missing"),
        ("date = 2026-03-14", "date = 2026-03-14\nnote = 1", "sqs_requests.note = 1: is unknown"),
        ("[alarms]", "[alarms", "mine.toml: not TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_place(old: str, new: str, complaint: str) -> None:
    text = packaged_text()
    assert old in text

    with pytest.raises(PricesError, match=re.escape(complaint)):
        parse_prices(text.replace(old, new, 1), source="mine.toml")
