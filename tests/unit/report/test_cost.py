import json
from dataclasses import replace
from decimal import Decimal

import pytest

from rydelab.capacity.bill import NOT_IN_THE_BILL
from rydelab.capacity.price_file import packaged_prices, packaged_text, parse_prices
from rydelab.capacity.usage import FunctionUse, Usage
from rydelab.report.bill import bills_document, money, render_bills
from rydelab.report.cost import per_million_rides, run_bills
from rydelab.report.markdown import render_markdown
from rydelab.report.page import render_page
from rydelab.report.repeats import repeated_cells
from rydelab.report.run import Run
from rydelab.report.summary import CellSummary, Saturation
from rydelab.report.terminal import render
from tests.unit.report.test_repeats import run
from tests.unit.report.test_sentences import cell

PRICES = packaged_prices()
LABEL = "list prices of us-east-1, from sources of 2024-07 to 2026-08"
# 100 rides in 10 s, each three requests through API Gateway: a million are 3 million x 3.50 a million = 10.50.
USED = Usage(gateway_requests=300, duration_s=20.0, load_s=10.0)


def priced(**changes: object) -> CellSummary:
    rows = dict.fromkeys(cell().rows, 0) | {"recorded": 80, "refused": 20}
    return replace(cell(), arrivals=100, rows=rows, usage=USED, **changes)  # type: ignore[arg-type]


def test_a_million_rides_cost_what_a_million_arrivals_do_whatever_became_of_them() -> None:
    assert per_million_rides(priced(), PRICES) == Decimal("10.50")
    assert per_million_rides(replace(priced(), usage=None), PRICES) is None
    assert per_million_rides(replace(priced(), arrivals=0), PRICES) is None


def test_every_report_has_the_cost_beside_the_ledger_with_region_and_date_of_the_prices() -> None:
    made = Run(run(priced()))

    terminal, markdown, page = render(made.summary), render_markdown(made), render_page(made)

    assert "USD per" in terminal
    assert next(line for line in terminal.splitlines() if line.startswith("event-driven")).split()[-1] == "10.50"
    assert next(line for line in markdown.splitlines() if line.startswith("| event-driven")).endswith("| $10.50 |")
    assert "a million rides <b>$10.50</b>" in page
    assert all(LABEL in text for text in (terminal, markdown, page))
    assert all("billed for the times of this machine" in text for text in (terminal, markdown, page))


def test_a_report_of_a_run_that_counted_nothing_says_nothing_of_cost() -> None:
    made = Run(run(cell()))

    assert "USD" not in render(made.summary)
    assert "list prices" not in render_markdown(made) + render_page(made)


def test_a_report_by_prices_of_ones_own_names_their_region() -> None:
    text = packaged_text().replace("us-east-1", "eu-central-1").replace("price = 3.50", "price = 7.00")
    own = parse_prices(text, source="own.toml")
    made = Run(run(priced()))

    assert "21.00" in render(made.summary, prices=own)
    for text in (render_markdown(made, prices=own), render_page(made, prices=own)):
        assert "$21.00" in text
        assert "list prices of eu-central-1" in text


def test_the_page_has_the_lines_of_the_bill() -> None:
    page = render_page(Run(run(priced())))

    # 10 rides a second are 26,280,000 in 730 hours: 78.84 million requests x 3.50.
    assert "API Gateway: requests" in page
    assert "$275.94" in page
    assert "together, for 26,280,000 rides" in page


def test_repeats_cost_what_all_of_them_used() -> None:
    twice = [priced(), replace(priced(repeat=2), usage=replace(USED, gateway_requests=100))]
    (total,) = repeated_cells(run(*twice))

    # 400 requests for 200 rides.
    assert per_million_rides(total.total, PRICES) == Decimal("7.00")
    (total,) = repeated_cells(run(twice[0], replace(twice[1], usage=None)))
    assert total.total.usage is None


def test_repeats_of_a_provisioned_table_keep_its_mean_units() -> None:
    # 2 units for 20 s, then 4 units for 20 s: 3 on average, all month.
    used = [Usage(provisioned_write_unit_s=units * 20, duration_s=20, load_s=10, alarms=8) for units in (2, 4)]
    cells = [priced(repeat=number) for number in (1, 2)]
    (total,) = repeated_cells(run(*(replace(one, usage=use) for one, use in zip(cells, used, strict=True))))

    (bill,) = run_bills(run(total.total), PRICES)

    assert {line.item: line.quantity for line in bill.bill.lines} == {"write_unit_hours": 3 * 730, "alarms": 8}


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("0.001", "<$0.01"),
        ("0.625", "$0.63"),
        ("39.0833375", "$39.08"),
        ("1234567.891", "$1,234,567.89"),
    ],
)
def test_money_is_rounded_to_cents_and_something_is_never_nothing(amount: str, text: str) -> None:
    assert money(Decimal(amount), PRICES) == text


def test_money_in_another_currency_is_named() -> None:
    own = parse_prices(packaged_text().replace('currency = "USD"', 'currency = "EUR"'), source="own.toml")

    assert money(Decimal("1.5"), own) == "EUR 1.50"


def test_a_bill_is_a_table_of_its_lines_and_says_what_is_not_in_it() -> None:
    text = render_bills(list(run_bills(run(priced()), PRICES, rides_per_month=1e6)), PRICES, noun="rides")

    assert "event-driven provisioned: 1,000,000 rides a month" in text
    assert text.splitlines()[3].split() == [
        "API",
        "Gateway",
        *("requests", "3,000,000"),
        *("requests", "$10.50", "$10.50"),
    ]
    assert "Of the rides asked for, 80 % were recorded." in text
    assert f"Prices: {LABEL}." in text
    assert all(part in text for part in NOT_IN_THE_BILL)


def test_several_bills_are_also_shown_side_by_side() -> None:
    cells = [priced(), replace(priced(table_mode="on-demand"), usage=replace(USED, sns_publishes=100))]

    text = render_bills(list(run_bills(run(*cells), PRICES, rides_per_month=1e6)), PRICES, noun="rides")

    rows = text[text.index("A month, by service") :]
    assert "event-driven provisioned        $10.50       -" in rows
    assert "event-driven on-demand          $10.50   $0.50" in rows


def test_a_brief_bill_has_no_lines() -> None:
    text = render_bills(list(run_bills(run(priced()), PRICES, rides_per_month=1e6)), PRICES, noun="rides", brief=True)

    assert "A month, by service" in text
    assert "3,000,000" not in text


def test_what_spoils_a_bill_is_said() -> None:
    limited = replace(priced(), saturation=Saturation(limited=True), usage=replace(USED, provisioned_write_unit_s=20.0))

    (named,) = run_bills(run(limited), PRICES, rides_per_month=1e6)

    assert any("The lab itself limited this cell" in remark for remark in named.remarks)
    assert any("whatever the number of rides" in remark for remark in named.remarks)


def test_json_has_every_amount_to_the_last_digit_with_the_sources_of_the_prices() -> None:
    used = replace(USED, functions={"f": FunctionUse(100, busy_s=1.2345678901, memory_mb=128)})

    document = json.loads(
        json.dumps(bills_document(list(run_bills(run(replace(priced(), usage=used)), PRICES)), PRICES))
    )

    (bill,) = document["bills"]
    lines = {line["item"]: line for line in bill["lines"]}
    # 1.2345678901 s x 128/1024 GB x 262,800 such loads in a month x 0.0000166667 a GB-s.
    exact = Decimal("1.2345678901") / 8 * 262_800 * Decimal("0.0000166667")
    assert Decimal(lines["lambda_gb_s"]["amount"]) == exact
    assert Decimal(bill["total"]) == sum(Decimal(line["amount"]) for line in lines.values())
    assert lines["lambda_gb_s"]["service"] == "Lambda"
    assert document["prices"]["region"] == "us-east-1"
    assert document["prices"]["items"]["sqs_requests"]["date"] == "2026-03-14"
    assert document["not_in_the_bill"] == list(NOT_IN_THE_BILL)
