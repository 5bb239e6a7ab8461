import json
import shlex
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rydelab import cli
from rydelab.capacity.price_file import packaged_text
from rydelab.capacity.usage import Usage
from rydelab.report.latency import Latency
from rydelab.report.summary import CellSummary, RunSummary

CELL = CellSummary(
    design="event-driven",
    table_mode="provisioned",
    arrivals=100,
    rows={"refused": 0, "recorded": 100, "dead_lettered": 0, "in_flight": 0, "lost": 0, "ghost": 0},
    rewrites=None,
    mismatches=(),
    latency=Latency(count=100),
    late_starts=0,
    late_start_s=0.05,
)


def saved(folder: Path, usage: Usage | None) -> Path:
    values = asdict(RunSummary(name="quick", started_at="2026-11-20T10:00:00+00:00", cells=(CELL,)))
    values["cells"][0]["usage"] = None if usage is None else asdict(usage)
    (folder / "summary.json").write_text(json.dumps(values))
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        status = cli.main(["cost", *arguments])
    except SystemExit as end:
        status = int(str(end.code))
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def bills(capsys: pytest.CaptureFixture[str], arguments: str) -> Any:
    status, out, _ = run(capsys, *shlex.split(arguments), "--json")
    assert status == 0
    return json.loads(out)["bills"]


def test_a_path_is_priced_by_typed_in_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    (bill,) = bills(capsys, "--requests 10e6 --path gateway,lambda --duration-ms 100 --memory-mb 128 --log-bytes 0")

    # 35.00 + 2.00 + 125,000 x 0.0000166667: see tests/unit/capacity/test_bill.py.
    assert Decimal(bill["total"]) == Decimal("39.0833375")
    assert Decimal(bill["total_after_free"]) == Decimal("36.80")


def test_designs_and_paths_can_be_priced_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    found = bills(capsys, "--rides 1e6 --path sns,lambda --path sqs,lambda --cells queued:on-demand,event-driven:*")

    assert [bill["name"] for bill in found] == [
        *("sns > lambda", "sqs > lambda", "queued on-demand"),
        *(f"event-driven {mode}" for mode in ("provisioned", "autoscaled", "on-demand")),
    ]
    assert {bill["rides"] for bill in found} == {"1000000"}


def test_a_run_is_priced_for_a_month_of_its_load_or_of_a_number_of_rides(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = saved(tmp_path, Usage(gateway_requests=200, duration_s=20, load_s=10))

    (month,) = bills(capsys, str(folder))
    (million,) = bills(capsys, f"{folder} --rides 1e6")

    assert (month["rides"], month["lines"][0]["quantity"]) == ("26280000", "52560000")
    assert (million["rides"], million["lines"][0]["quantity"]) == ("1000000", "2000000")


def test_prices_can_be_ones_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(packaged_text().replace("us-east-1", "eu-west-3").replace("price = 3.50", "price = 4.00"))

    status, out, _ = run(capsys, "--requests", "1e6", "--path", "gateway", "--prices", str(own))

    assert status == 0
    assert "$4.00" in out
    assert "list prices of eu-west-3" in out


def test_the_prices_are_printed_to_be_edited(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--print-prices") == (0, packaged_text(), "")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "nothing to price: give the folder of a run, --cells or --path"),
        (("--path", "gateway"), "--rides (or --requests): how many a month?"),
        (("--rides", "many", "--path", "gateway"), "--rides many: must be a number from 1 to 1e+15"),
        (("--rides", "nan", "--path", "gateway"), "--rides nan: must be a number"),
        (("--rides", "0", "--path", "gateway"), "--rides 0: must be a number from 1"),
        (("--rides", "-5", "--path", "gateway"), "--rides -5: must be a number from 1"),
        (("--rides", "1", "--path", "moon"), "--path moon: 'moon' is no service"),
        (("--rides", "1", "--cells", "queued:cheap"), "--cells queued:cheap: 'cheap' is no table mode"),
        (("--rides", "1", "--path", "lambda", "--memory-mb", "64"), "--memory-mb 64: must be a whole number from 128"),
        (("--rides", "1", "--path", "lambda", "--memory-mb", "128.5"), "--memory-mb 128.5: must be a whole number"),
        (("--rides", "1", "--path", "lambda", "--duration-ms", "1e6"), "--duration-ms 1e6: must be a number from 1 to"),
        (("--rides", "1", "--path", "lambda", "--batch-size", "0"), "--batch-size 0: must be a number from 1"),
        (("--rides", "1", "--path", "lambda", "--prices", "/no/such.toml"), "/no/such.toml: cannot be read: No such"),
        (("/no/such/run",), "/no/such/run: there is no such folder"),
    ],
)
def test_bad_input_is_named_and_the_exit_status_is_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaint: str
) -> None:
    status, out, error = run(capsys, *arguments)

    assert (status, out) == (2, "")
    assert error.startswith("rydelab: ")
    assert complaint in error


def test_a_run_has_its_own_numbers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = saved(tmp_path, Usage(gateway_requests=200, duration_s=20, load_s=10))

    for flag, value in (("--duration-ms", "50"), ("--cells", "*:*"), ("--path", "lambda")):
        status, _, error = run(capsys, str(folder), flag, value)
        assert status == 2
        assert f"{flag} is for typed-in numbers, and {folder} is a run" in error


def test_a_run_that_counted_nothing_has_no_bill(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _, error = run(capsys, str(saved(tmp_path, None)))

    assert status == 2
    assert "does not say what any cell used" in error


def test_a_file_of_wrong_prices_is_named_with_its_place(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(packaged_text().replace("price = 3.50", "price = -1"))

    status, _, error = run(capsys, "--requests", "1e6", "--path", "gateway", "--prices", str(own))

    assert status == 2
    assert f"{own}: gateway_requests.tiers[0].price = -1: must be 0 or more" in error


def test_a_simulation_is_priced_as_a_run_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(
        "warm_up_rides = 0\n[[phases]]\nduration_s = 10\narrivals_per_s = 5\n"
        '[[cells]]\ndesign = "queued"\ntable_mode = "on-demand"\n'
    )
    assert cli.main(["simulate", str(tmp_path / "small.toml"), "--results", str(tmp_path / "results")]) == 0
    capsys.readouterr()
    (folder,) = (tmp_path / "results").iterdir()

    status, out, _ = run(capsys, str(folder), "--rides", "1e6")
    (bill,) = bills(capsys, f"{folder} --rides 1e6")

    assert status == 0
    assert "Functions are billed for simulated times (profile local)." in out
    quantities = {line["item"]: float(line["quantity"]) for line in bill["lines"]}
    assert quantities["gateway_requests"] == quantities["sns_publishes"] == quantities["write_request_units"] == 1e6
    assert quantities["read_request_units"] == 0.5e6
    # A million sends; and a receive and a delete for each batch, of which there is at least one for ten rides.
    assert quantities["sqs_requests"] >= 1.2e6
    assert 2.1e6 <= quantities["lambda_requests"] <= 3e6
