"""Whatever the aggregate engine plays: whole numbers that add up, and nothing that cannot be."""

import pickle
from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from rydelab.simulator.cell import Cell, Conditions
from rydelab.simulator.engine import simulate
from rydelab.simulator.profile import Profile
from rydelab.simulator.traffic import RIDE, UNICORN, Arrivals, Rate, Traffic
from tests.unit.simulator.test_conservation import CELLS, CONDITIONS, LOCAL, PLACES


@st.composite
def loads(draw: st.DrawFn) -> Traffic:
    """Draw rates from nothing to a million a second, or a heap of arrivals of all kinds."""
    if draw(st.booleans()):
        rates = st.one_of(st.floats(0, 40), st.floats(0, 1e6))
        mix = draw(st.sampled_from([{"ride": 1.0}, {"ride": 3.0, "record": 1.0}, {"record": 2.0, "unicorn": 1.0}]))
        return Rate(draw(st.lists(rates, min_size=1, max_size=12)), draw(st.sampled_from([0.5, 1.0, 60.0])), mix)
    due_s = sorted(draw(st.lists(st.floats(0, 20), max_size=30))) + [21.0] * draw(st.sampled_from([0, 350]))
    kinds = draw(st.lists(st.integers(RIDE, UNICORN), min_size=len(due_s), max_size=len(due_s)))
    return Arrivals(array("d", due_s), 22.0, bytes(kinds))


@settings(max_examples=60, deadline=None)
@given(CELLS, loads(), PLACES, CONDITIONS)
def test_every_arrival_ends_in_exactly_one_row(
    cell: Cell, load: Traffic, place: Profile, conditions: Conditions
) -> None:
    outcome = simulate(cell, load, place, engine="aggregate", conditions=conditions)

    assert sum(outcome.rows.values()) == outcome.arrivals
    assert all(isinstance(number, int) and number >= 0 for number in outcome.rows.values())
    assert sum(outcome.errors.values()) == outcome.rows["refused"] + outcome.rows["ghost"]
    assert all(number >= 0 for number in outcome.throttles.values())
    accepted = ("recorded", "dead_lettered", "in_flight", "lost")
    assert outcome.latency.count == sum(outcome.rows[row] for row in accepted)
    assert all(value is None or value >= 0 for value in (*outcome.series.accepted, *outcome.series.backlog))
    assert outcome.drain_s >= 0


@settings(max_examples=30, deadline=None)
@given(CELLS, loads(), PLACES, CONDITIONS)
def test_curves_and_rows_tell_the_same(cell: Cell, load: Traffic, place: Profile, conditions: Conditions) -> None:
    outcome = simulate(cell, load, place, engine="aggregate", conditions=conditions)

    rows, series = outcome.rows, outcome.series
    error = 2 + 1e-3 * outcome.arrivals
    assert abs(sum(value or 0 for value in series.arrivals) - outcome.arrivals) <= error
    assert abs(sum(value or 0 for value in series.recorded) - rows["recorded"] - rows["ghost"]) <= error
    assert abs(outcome.usage.stored_items - rows["recorded"] - rows["ghost"]) <= error
    units = sum(value or 0 for value in series.capacity[0].consumed) * series.interval_s
    assert abs(outcome.usage.write_units - units) <= error


@settings(max_examples=10, deadline=None)
@given(CELLS, loads())
def test_the_same_arguments_give_the_same_bytes(cell: Cell, load: Traffic) -> None:
    first, second = (simulate(cell, load, LOCAL, engine="aggregate") for _ in range(2))

    assert pickle.dumps(first) == pickle.dumps(second)
