"""What a run on a lab says of its use is what was sent, and `rydelab cost` prices it."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Lab
from tests.integration.test_load_compare import rydelab

SCENARIO = """
warm_up_rides = 4
drain_s = 20
[[phases]]
duration_s = 2
arrivals_per_s = 10
[[cells]]
design = ["microservices", "queued"]
table_mode = "provisioned"
write_units = 7
"""
RIDES = 20


@pytest.fixture(scope="module")
def run(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cost")
    (folder / "small.toml").write_text(SCENARIO)
    process = rydelab(
        "compare", str(folder / "small.toml"), "--endpoint", lab.endpoint_url, "--results", str(folder / "results")
    )
    out, error = process.communicate(timeout=200)
    assert process.returncode == 0, out + error
    (saved,) = (folder / "results").iterdir()
    return saved


def usage(run: Path, design: str) -> Any:
    cells = json.loads((run / "summary.json").read_text())["cells"]
    return next(cell["usage"] for cell in cells if cell["design"] == design)


def test_services_that_call_each_other_by_http_use_api_gateway_three_times_a_ride(run: Path) -> None:
    used = usage(run, "microservices")

    assert used["gateway_requests"] == 3 * RIDES
    names = ("RequestRide", "RequestUnicornApig", "PutRideRecordHttp")
    assert {name: use["invocations"] for name, use in used["functions"].items()} == dict.fromkeys(names, RIDES)
    # RequestRide waits for both of the others.
    busy_s = {name: use["busy_s"] for name, use in used["functions"].items()}
    assert busy_s["RequestRide"] > busy_s["RequestUnicornApig"] + busy_s["PutRideRecordHttp"] > 0
    assert (used["sns_publishes"], used["sqs_requests"]) == (0, 0)


def test_each_ride_of_a_queue_is_published_and_sent_once_and_taken_in_batches(run: Path) -> None:
    used = usage(run, "queued")

    assert used["gateway_requests"] == RIDES
    assert used["sns_publishes"] == used["sqs_sends"] == RIDES
    batches = used["functions"]["PutRideRecordSqs"]["invocations"]
    assert 2 <= batches <= RIDES
    assert used["sqs_requests"] == pytest.approx(RIDES + 2 * batches + used["sqs_empty_receives"])


@pytest.mark.parametrize("design", ["microservices", "queued"])
def test_the_table_counts_units_items_and_seconds(run: Path, design: str) -> None:
    used = usage(run, design)

    assert (used["write_units"], used["read_units"]) == (RIDES, RIDES / 2)
    assert used["stored_items"] == RIDES
    assert 150 < used["stored_bytes"] / RIDES < 180
    assert used["load_s"] == 2
    assert used["duration_s"] > 2
    assert used["provisioned_write_unit_s"] == pytest.approx(7 * used["duration_s"])
    assert used["provisioned_read_unit_s"] == pytest.approx(used["duration_s"])


@pytest.mark.parametrize("design", ["microservices", "queued"])
def test_logs_are_what_functions_write(run: Path, design: str) -> None:
    used = usage(run, design)

    # START, END and REPORT lines, and a line of the handler's own.
    per_invocation = used["log_bytes"] / sum(use["invocations"] for use in used["functions"].values())
    assert 300 < per_invocation < 600


def test_the_command_prices_the_run_and_the_report_shows_it(run: Path) -> None:
    process = rydelab("cost", str(run), "--rides", "1e6", "--json")
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error

    http, queued = json.loads(out)["bills"]
    amounts = {line["item"]: Decimal(line["amount"]) for line in http["lines"]}
    assert amounts["gateway_requests"] == Decimal("10.50")  # 3 million x 3.50
    assert amounts["lambda_requests"] == Decimal("0.60")  # 3 million x 0.20
    assert float(amounts["write_unit_hours"]) == pytest.approx(7 * 730 * 0.00065)
    assert Decimal(queued["per_million"]) < Decimal(http["per_million"])
    for name in ("report.html", "summary.txt"):
        assert "list prices of us-east-1" in (run / name).read_text()
