"""What the aggregate engine makes of loads whose outcome is worked out by hand."""

from typing import Any

import pytest

from rydelab.simulator.cell import DESIGNS, Cell, Conditions
from rydelab.simulator.engine import simulate
from rydelab.simulator.profile import Profile
from rydelab.simulator.result import CellOutcome
from rydelab.simulator.traffic import Rate
from tests.unit.simulator.places import instant

LEGACY_S = 25.55
"""All pauses of a client of DynamoDB in mode legacy."""


def flow(
    per_s: float,
    duration_s: int,
    design: str = "direct-invoke",
    table_mode: str = "provisioned",
    *,
    place: Profile | None = None,
    conditions: Conditions | None = None,
    mix: dict[str, float] | None = None,
    **options: Any,
) -> CellOutcome:
    """Play a load of one rate."""
    cell = Cell(design=design, table_mode=table_mode, **options)  # type: ignore[arg-type]  # a test may name any
    traffic = Rate([per_s] * duration_s, 1.0, mix or {"ride": 1.0})
    return simulate(cell, traffic, place or instant(), engine="aggregate", conditions=conditions)


def consumed_per_s(outcome: CellOutcome, at_s: int) -> float:
    """Return what the table admitted in one second."""
    return outcome.series.capacity[0].consumed[at_s] or 0.0


@pytest.mark.parametrize("design", DESIGNS)
def test_a_load_that_meets_no_limit_is_recorded(design: str) -> None:
    outcome = flow(1000, 60, design, "on-demand")

    assert outcome.rows["recorded"] == outcome.arrivals == 60_000
    assert not outcome.throttles
    assert outcome.series.arrivals == outcome.series.recorded == (1000.0,) * 60


def test_what_is_not_throttled_takes_what_its_steps_take() -> None:
    place = instant(
        gateway=0.010, request_ride=0.003, invoke=0.020, request_unicorn=0.004, put_ride_record=0.002, put_item=0.005
    )

    direct, apart = (flow(10, 60, design, "on-demand", place=place) for design in ("direct-invoke", "microservices"))

    assert direct.latency.p50_ms == direct.latency.p99_ms == pytest.approx(54)
    assert apart.latency.p50_ms == pytest.approx(44)


@pytest.mark.parametrize("design", ["microservices", "direct-invoke"])
def test_one_write_unit_records_its_burst_and_a_ride_a_second(design: str) -> None:
    outcome = flow(10, 180, design)

    # The last to come try for 25.55 s more.
    assert outcome.rows["recorded"] == pytest.approx(300 + 180 + LEGACY_S, abs=2)
    assert outcome.rows["refused"] == 1800 - outcome.rows["recorded"]
    assert outcome.error_latency.p50_ms == pytest.approx(LEGACY_S * 1000)
    assert consumed_per_s(outcome, 10) == 10
    assert consumed_per_s(outcome, 100) == pytest.approx(1, rel=0.01)


def test_a_table_in_which_a_rate_of_attempts_finds_room_for_one_of_them_has_that_many_throttles() -> None:
    outcome = flow(10, 1000)

    # 10 rides a second of which 1 is recorded: with a chance p of each attempt 1 - (1 - p)**10 is 0.1.
    chance = 1 - 0.9**0.1
    assert outcome.series.capacity[0].throttles[800] == pytest.approx(1 / chance - 1, rel=0.01)


def test_the_standard_mode_refuses_sooner_and_more() -> None:
    outcome = flow(10, 180, sdk_retry_mode="standard")

    assert outcome.rows["recorded"] == pytest.approx(300 + 180 + 3, abs=4)
    assert outcome.error_latency.max_ms is not None
    assert outcome.error_latency.max_ms <= 3000


def test_an_event_is_tried_three_times_and_is_then_a_dead_letter() -> None:
    outcome = flow(20, 60, "event-driven")

    assert outcome.rows["recorded"] + outcome.rows["dead_lettered"] == 1200
    assert outcome.drain_s == pytest.approx(3 * LEGACY_S + 60 + 120, rel=0.02)
    assert outcome.retries is not None
    assert outcome.retries >= 2 * outcome.rows["dead_lettered"]


def test_a_message_is_received_five_times_and_is_then_a_dead_letter() -> None:
    outcome = flow(10, 180, "queued")

    assert outcome.rows["dead_lettered"] > 0
    assert outcome.drain_s == pytest.approx(5 * 180, rel=0.02)


def test_a_function_that_may_never_run_leaves_dead_letters() -> None:
    outcome = flow(10, 60, "event-driven", record_concurrency=0)

    assert outcome.rows["dead_lettered"] == 600


def test_concurrency_is_what_a_function_takes_times_its_rate() -> None:
    # 20 rides a second of one second each in 10 environments: every other one finds room.
    outcome = flow(20, 100, table_mode="on-demand", place=instant(request_ride=1.0), ride_concurrency=10)

    assert outcome.rows["recorded"] == pytest.approx(1000, rel=0.02)
    assert outcome.throttles["FunctionConcurrency"] == outcome.rows["refused"]


def test_a_function_gains_a_thousand_environments_and_a_hundred_a_second() -> None:
    # 500 a second, each for longer than the load: by t, 500 t are asked for and 1,000 + 100 t can be.
    place = instant(request_ride=20.0, limits={"new_environments_per_10_s": 1000})

    outcome = flow(500, 10, "event-driven", "on-demand", place=place)

    assert outcome.throttles["FunctionConcurrency"] == pytest.approx(5000 - 2000, rel=0.02)


def test_the_gateway_lets_its_burst_and_its_rate_through() -> None:
    place = instant(limits={"gateway_requests_per_s": 10_000, "gateway_burst": 5_000})

    outcome = flow(12_000, 10, "event-driven", "on-demand", place=place)

    assert outcome.rows["refused"] == pytest.approx(120_000 - 105_000, rel=0.01)
    assert list(outcome.errors) == ["429 Too Many Requests"]


def test_on_demand_doubles_its_peak_every_half_hour() -> None:
    outcome = flow(10_000, 5000, "direct-invoke", "on-demand")

    assert consumed_per_s(outcome, 1000) == pytest.approx(4000, rel=2e-3)
    # A minute's mean is the peak: the first had a second of burst, 61 x 4,000 / 60.
    assert consumed_per_s(outcome, 2500) == pytest.approx(2 * 4067, rel=2e-3)
    assert consumed_per_s(outcome, 4500) == pytest.approx(10_000, rel=2e-3)
    assert set(outcome.throttles) == {"TableWriteKeyRangeThroughputExceeded"}


def test_auto_scaling_moves_the_table_in_the_seconds_in_which_it_does_in_the_exact_engine() -> None:
    cell = Cell(design="direct-invoke", table_mode="autoscaled")
    traffic = Rate([10] * 400 + [1] * 2000, 1.0)

    moved = []
    for engine in ("exact", "aggregate"):
        column = simulate(cell, traffic, instant(), engine=engine).series.capacity[0].provisioned  # type: ignore[arg-type]
        moved.append([at for at in range(1, len(column)) if column[at] != column[at - 1]])

    assert moved[0] == moved[1]
    assert len(moved[0]) >= 3


def test_a_client_that_gives_up_leaves_a_ghost() -> None:
    outcome = flow(10, 180, conditions=Conditions(timeout_s=5))

    # Those admitted at the attempts after 6.35, 12.75 and 25.55 s.
    assert outcome.rows["ghost"] > 0
    assert outcome.rows["recorded"] + outcome.rows["ghost"] == pytest.approx(300 + 180 + LEGACY_S, abs=2)
    assert outcome.latency.max_ms is not None
    assert outcome.latency.max_ms <= 5000


def test_a_failure_that_is_ignored_loses_the_ride() -> None:
    outcome = flow(10, 180, on_record_failure="ignore")

    assert outcome.rows["refused"] == 0
    assert outcome.rows["lost"] == 1800 - outcome.rows["recorded"]


def test_what_is_under_way_at_the_drains_end_is_in_flight() -> None:
    outcome = flow(10, 180, "queued", conditions=Conditions(drain_s=60))

    assert outcome.rows["in_flight"] > 0
    assert outcome.drain_s == 60


def test_each_kind_of_request_is_counted_where_it_belongs() -> None:
    outcome = flow(10, 100, table_mode="on-demand", mix={"ride": 2, "record": 1, "unicorn": 1})

    assert outcome.arrivals == outcome.rows["recorded"] == 750
    assert outcome.usage.functions["RequestRide"].invocations == pytest.approx(500)
    assert outcome.usage.functions["PutRideRecordHttp"].invocations == pytest.approx(750)
    assert outcome.usage.functions["RequestUnicornApig"].invocations == pytest.approx(250)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("sdk_retry_mode", ["legacy", "standard"])
def test_ten_times_everything_is_ten_times_the_outcome(design: str, sdk_retry_mode: str) -> None:
    one, ten = (
        flow(
            30 * factor,
            120,
            design,
            write_units=5 * factor,
            sdk_retry_mode=sdk_retry_mode,
            place=instant(
                limits={
                    "account_concurrency": 1000.0 * factor,
                    "sqs_pollers": 5.0 * factor,
                    "sqs_most_pollers": 1250.0 * factor,
                    "sqs_growth_per_min": 300.0 * factor,
                }
            ),
        )
        for factor in (1, 10)
    )

    assert ten.rows == {row: pytest.approx(10 * number, abs=20) for row, number in one.rows.items()}
    assert sum(ten.throttles.values()) == pytest.approx(10 * sum(one.throttles.values()), rel=0.01)
    assert ten.drain_s == pytest.approx(one.drain_s, rel=0.01)
