"""Bills worked by hand from the prices in prices.toml, so that a changed price or rule shows."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rydelab.capacity.bill import MONTH_S, monthly_bill
from rydelab.capacity.price_file import packaged_prices
from rydelab.capacity.prices import ITEMS
from rydelab.capacity.usage import FunctionUse, Usage, empty_receives

PRICES = packaged_prices()
A_MONTH = Usage(duration_s=MONTH_S, load_s=MONTH_S)


def lines(usage: Usage, *, rides: float = 1e6, rides_per_month: float | None = None) -> dict[str, tuple[str, str]]:
    bill = monthly_bill(usage, PRICES, rides=rides, rides_per_month=rides_per_month)
    return {
        line.item: (f"{line.amount.normalize():f}", f"{line.amount_after_free.normalize():f}") for line in bill.lines
    }


def test_the_workshops_question_ten_million_requests_of_100_ms_with_128_mb() -> None:
    usage = replace(
        A_MONTH, gateway_requests=10e6, functions={"PutRideRecord": FunctionUse(10e6, busy_s=10e6 * 0.1, memory_mb=128)}
    )

    bill = monthly_bill(usage, PRICES, rides=10e6)

    # API Gateway: 10 million x 3.50 a million = 35.00
    # Lambda requests: 10 million x 0.20 a million = 2.00; without the first million 9 x 0.20 = 1.80
    # Lambda time: 10,000,000 x 0.1 s x 128/1024 GB = 125,000 GB-s x 0.0000166667 = 2.0833375; 400,000 are free
    assert lines(usage) == {
        "gateway_requests": ("35", "35"),
        "lambda_requests": ("2", "1.8"),
        "lambda_gb_s": ("2.0833375", "0"),
    }
    assert bill.total == Decimal("39.0833375")
    assert bill.total_after_free == Decimal("36.80")
    assert bill.per_million == Decimal("3.90833375")


def test_sns_is_paid_for_what_is_published_and_not_for_what_it_delivers() -> None:
    # 3 million x 0.50 a million = 1.50; without the first million 1.00
    assert lines(replace(A_MONTH, sns_publishes=3e6)) == {"sns_publishes": ("1.5", "1"), "sns_deliveries": ("0", "0")}


def test_a_queue_is_paid_for_sends_receives_deletes_and_empty_receives_alike() -> None:
    # 1,000,000 sends, 100,000 receives and 100,000 deletes in batches of ten, 300,000 empty: 1.5 million x 0.40 = 0.60
    usage = replace(A_MONTH, sqs_requests=1.5e6, sqs_sends=1e6, sqs_empty_receives=0.3e6)

    assert lines(usage) == {"sqs_requests": ("0.6", "0.2")}
    assert monthly_bill(usage, PRICES, rides=1e6).empty_receives == 300_000


def test_an_on_demand_table_is_paid_by_the_request_and_has_no_free_ones() -> None:
    # 10 million writes x 0.625 a million = 6.25; 5 million read units x 0.125 a million = 0.625
    usage = replace(A_MONTH, write_units=10e6, read_units=5e6)

    assert lines(usage) == {"write_request_units": ("6.25", "6.25"), "read_request_units": ("0.625", "0.625")}


def test_a_provisioned_table_is_paid_by_the_hour_whatever_it_takes() -> None:
    # 40 write units x 730 h = 29,200 unit-hours x 0.00065 = 18.98
    # 25 x 730 = 18,250 of them are free: 10,950 x 0.00065 = 7.1175
    # 1 read unit x 730 h x 0.00013 = 0.0949, and free
    usage = replace(
        A_MONTH, write_units=10e6, provisioned_write_unit_s=40 * MONTH_S, provisioned_read_unit_s=1 * MONTH_S
    )

    assert lines(usage) == {"write_unit_hours": ("18.98", "7.1175"), "read_unit_hours": ("0.0949", "0")}


def test_an_autoscaled_table_is_paid_for_the_integral_of_its_units_and_for_its_alarms() -> None:
    # 100 s with 2 units, 300 s with 10: 3,200 unit-seconds in 400 s are 8 units on average, all month:
    # 8 x 730 h = 5,840 unit-hours x 0.00065 = 3.796. Eight alarms x 0.10 = 0.80, and ten are free
    usage = Usage(provisioned_write_unit_s=2 * 100 + 10 * 300, duration_s=400, load_s=400, alarms=8)

    assert lines(usage) == {"write_unit_hours": ("3.796", "0"), "alarms": ("0.8", "0")}


def test_storage_is_bytes_and_a_hundred_for_each_item_and_logs_are_gigabytes() -> None:
    # 36 GiB, and so many items that 100 bytes each are 4 GiB: 40 x 0.25 = 10; 25 are free: 15 x 0.25 = 3.75
    # 15 GiB of logs x 0.50 = 7.50; 5 are free: 5.00
    gib = 1024**3
    usage = replace(A_MONTH, stored_bytes=36 * gib, stored_items=4 * gib / 100, log_bytes=15 * gib)

    assert lines(usage) == {"stored_gb_months": ("10", "3.75"), "log_gb": ("7.5", "5")}


@pytest.mark.parametrize(
    ("millions", "amount"),
    [
        (333, "1165.5"),  # 333 x 3.50
        (334, "1168.3"),  # and 1 x 2.80
        (1_000, "3033.1"),  # 333 x 3.50 + 667 x 2.80
        (1_001, "3035.48"),  # and 1 x 2.38
        (20_000, "48253.1"),  # 3,033.10 + 19,000 x 2.38
        (20_001, "48254.61"),  # and 1 x 1.51
    ],
)
def test_each_tier_has_its_own_price_up_to_its_edge(millions: int, amount: str) -> None:
    assert lines(replace(A_MONTH, gateway_requests=millions * 1e6)) == {"gateway_requests": (amount, amount)}


def test_what_is_free_is_the_first_of_a_month_and_counts_towards_the_tiers() -> None:
    # 6 billion GB-s x 0.0000166667 = 100,000.20 and 1,000 more x 0.000015 = 0.015.
    # The first 400,000 x 0.0000166667 = 6.66668 are free.
    usage = replace(A_MONTH, functions={"f": FunctionUse(0, busy_s=6_000_001_000, memory_mb=1024)})

    assert lines(usage) == {"lambda_gb_s": ("100000.215", "99993.54832")}


def test_a_run_goes_on_all_month() -> None:
    # 1,800 rides in 180 s are 10 a second: 10 x 2,628,000 s = 26,280,000 rides. The table is looked at until the end of
    # the drain: 2 units on average, 2 x 730 h x 0.00065 = 0.949
    usage = Usage(gateway_requests=1_800, provisioned_write_unit_s=2 * 300, duration_s=300, load_s=180)

    bill = monthly_bill(usage, PRICES, rides=1_800)

    assert bill.rides == 26_280_000
    assert [(line.item, line.quantity, line.amount) for line in bill.lines] == [
        ("gateway_requests", 26_280_000, Decimal("91.98")),
        ("write_unit_hours", 1_460, Decimal("0.949")),
    ]


def test_a_run_can_be_scaled_to_a_number_of_rides_and_keeps_its_units() -> None:
    usage = Usage(gateway_requests=3_600, provisioned_write_unit_s=2 * 300, duration_s=300, load_s=180)

    # 3,600 requests for 1,800 rides: 2 million for a million x 3.50 = 7.00
    assert lines(usage, rides=1_800, rides_per_month=1e6) == {
        "gateway_requests": ("7", "7"),
        "write_unit_hours": ("0.949", "0"),
    }


def test_money_is_exact() -> None:
    # A third of a million requests, which no float holds: 333,333 x 0.0000035.
    assert lines(replace(A_MONTH, gateway_requests=333_333)) == {"gateway_requests": ("1.1666655", "1.1666655")}
    # The smallest and the largest in one sum.
    usage = replace(A_MONTH, gateway_requests=1e15, sns_publishes=1)
    total = monthly_bill(usage, PRICES, rides=1e15).total
    assert total == Decimal("48253.10") + (10**9 - 20_000) * Decimal("1.51") + Decimal("0.0000005")


@pytest.mark.parametrize("usage", [Usage(gateway_requests=1), Usage(gateway_requests=1, duration_s=-1.0)])
def test_a_usage_without_duration_cannot_go_on_for_a_month(usage: Usage) -> None:
    with pytest.raises(ValueError, match="duration_s must be above 0"):
        monthly_bill(usage, PRICES, rides=1)


def test_nothing_can_be_scaled_from_no_rides() -> None:
    with pytest.raises(ValueError, match="rides must be above 0"):
        monthly_bill(A_MONTH, PRICES, rides=0, rides_per_month=1e6)
    assert monthly_bill(A_MONTH, PRICES, rides=0).per_million is None


@given(
    requests=st.floats(min_value=0, max_value=1e12),
    more=st.floats(min_value=0, max_value=1e12),
    item=st.sampled_from(sorted(ITEMS)),
)
def test_more_never_costs_less_and_the_free_tier_never_costs_more(requests: float, more: float, item: str) -> None:
    price = PRICES.items[item]
    few, many = Decimal(repr(requests)), Decimal(repr(requests)) + Decimal(repr(more))

    assert price.amount(few) <= price.amount(many)
    assert 0 <= price.amount_after_free(many) <= price.amount(many)
    assert price.amount_after_free(few) <= price.amount_after_free(many)


def test_pollers_of_an_empty_queue_ask_every_20_seconds() -> None:
    # 5 pollers x 3 a minute x 60 x 730 h
    assert empty_receives(0, duration_s=MONTH_S) == 5 * 3 * 60 * 730 == 657_000


def test_pollers_of_a_busy_queue_hardly_ever_wait_in_vain() -> None:
    assert empty_receives(10 * MONTH_S, duration_s=MONTH_S) < 1
    assert empty_receives(1e4 * MONTH_S, duration_s=MONTH_S) == 0
    # One message in 4 s: each of five pollers expects one in 20 s, and e**-1 of its polls find nothing:
    # for each that does, 1 / (e - 1) = 0.582 that do not.
    assert empty_receives(100, duration_s=400) == pytest.approx(58.2, abs=0.1)
