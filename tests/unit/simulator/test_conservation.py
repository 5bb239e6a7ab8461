"""Whatever is played: every arrival ends in exactly one row, nothing is lost or made, one seed says one thing."""

import json
import pickle
from array import array
from dataclasses import asdict

from hypothesis import given, settings
from hypothesis import strategies as st

from rydelab.simulator.cell import DESIGNS, TABLE_MODES, Cell, Conditions
from rydelab.simulator.engine import simulate
from rydelab.simulator.profile import Profile, load_profile
from rydelab.simulator.result import CellOutcome
from rydelab.simulator.traffic import RIDE, UNICORN, Arrivals, Rate, Traffic
from tests.unit.simulator.places import instant

LOCAL = load_profile("local")
PLACES = st.sampled_from(
    [
        LOCAL,
        load_profile("aws"),
        instant(),
        instant(put_item=8.0, limits={"account_concurrency": 6}),
        instant(request_ride=0.5, init=0.3, limits={"gateway_requests_per_s": 5, "gateway_burst": 3}),
        instant(
            put_ride_record=3.0, limits={"async_patience_s": 0.1, "sqs_pollers": 2, "new_environments_per_10_s": 4}
        ),
    ]
)
CONCURRENCY = st.sampled_from([None, None, 0, 1, 3])
CELLS = st.builds(
    Cell,
    design=st.sampled_from(DESIGNS),
    table_mode=st.sampled_from(TABLE_MODES),
    write_units=st.sampled_from([1, 1, 2]),
    sdk_retry_mode=st.sampled_from(["legacy", "standard"]),
    on_record_failure=st.sampled_from(["fail", "ignore"]),
    memory_mb=st.sampled_from([128, 1024]),
    ride_concurrency=CONCURRENCY,
    record_concurrency=CONCURRENCY,
)
CONDITIONS = st.builds(
    Conditions,
    timeout_s=st.sampled_from([30.0, 1.0]),
    drain_s=st.sampled_from([float("inf"), 0.0, 40.0]),
    warm_up_rides=st.sampled_from([0, 20]),
    begins_at_s=st.floats(0, 2e9),
    clock_speed=st.sampled_from([1.0, 20.0]),
    interval_s=st.sampled_from([1.0, 5.0]),
)


@st.composite
def loads(draw: st.DrawFn) -> Traffic:
    """Draw a rate, or a heap of arrivals of all kinds."""
    if draw(st.booleans()):
        return Rate(draw(st.lists(st.floats(0, 40), min_size=1, max_size=12)), draw(st.sampled_from([1.0, 3.0])))
    due_s = sorted(draw(st.lists(st.floats(0, 20), max_size=30))) + [21.0] * draw(st.sampled_from([0, 350]))
    kinds = draw(st.lists(st.integers(RIDE, UNICORN), min_size=len(due_s), max_size=len(due_s)))
    return Arrivals(array("d", due_s), 22.0, bytes(kinds))


@settings(max_examples=60, deadline=None)
@given(CELLS, loads(), PLACES, CONDITIONS, st.integers(0, 3))
def test_every_arrival_ends_in_exactly_one_row(
    cell: Cell, load: Traffic, place: Profile, conditions: Conditions, seed: int
) -> None:
    outcome = simulate(cell, load, place, engine="exact", seed=seed, conditions=conditions)

    assert sum(outcome.rows.values()) == outcome.arrivals
    assert all(number >= 0 for number in outcome.rows.values())
    assert outcome.rides is not None
    assert len(outcome.rides.fates) == len(list(load.due_times_s()))
    assert max(outcome.rides.fates, default=0) < 8, "an arrival without an answer"
    check_rows(cell, outcome, conditions)
    check_times(outcome, conditions)


def check_rows(cell: Cell, outcome: CellOutcome, conditions: Conditions) -> None:
    """Check what cannot be in this design."""
    rows = outcome.rows
    if cell.answers_first or cell.on_record_failure == "fail":
        assert rows["lost"] == 0
    if not cell.answers_first:
        assert rows["dead_lettered"] == rows["in_flight"] == 0
        assert outcome.retries is None
    if conditions.drain_s == float("inf"):
        assert rows["in_flight"] == 0
    written = round(sum(units or 0 for units in outcome.series.capacity[0].consumed) * outcome.series.interval_s, 6)
    assert written >= rows["recorded"] + rows["ghost"]
    assert round(outcome.usage.write_units - written) == 0
    assert outcome.usage.stored_items == rows["recorded"] + rows["ghost"]


def check_times(outcome: CellOutcome, conditions: Conditions) -> None:
    """Check that nothing happens before it can."""
    rides = outcome.rides
    assert rides is not None
    assert all(0 <= latency_s <= conditions.timeout_s for latency_s in rides.latency_s)
    assert all(at_s >= due_s - 1e-6 for due_s, at_s in zip(rides.due_s, rides.recorded_s, strict=True))
    assert sum(value or 0 for value in outcome.series.arrivals) == outcome.arrivals
    answered = outcome.latency.count - sum(
        outcome.rows[row] for row in ("recorded", "dead_lettered", "in_flight", "lost")
    )
    assert answered == 0


@settings(max_examples=10, deadline=None)
@given(CELLS, loads(), st.integers(0, 3))
def test_the_same_seed_gives_the_same_bytes(cell: Cell, load: Traffic, seed: int) -> None:
    first, second = (simulate(cell, load, LOCAL, engine="exact", seed=seed) for _ in range(2))

    assert pickle.dumps(first) == pickle.dumps(second)


def test_another_seed_gives_other_times() -> None:
    cell, load = Cell(design="queued", table_mode="on-demand"), Rate([20], 1.0)

    outcomes = [simulate(cell, load, LOCAL, engine="exact", seed=seed) for seed in (1, 2)]

    assert json.dumps(asdict(outcomes[0].latency)) != json.dumps(asdict(outcomes[1].latency))
