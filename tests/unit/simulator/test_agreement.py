"""How far the two engines agree where the table is what refuses. The bounds are those of docs/simulator.md.

They were found by playing cases like these, and are not proven: every run plays the same ones.
"""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rydelab.simulator.cell import DESIGNS, TABLE_MODES, Cell
from rydelab.simulator.engine import simulate
from rydelab.simulator.profile import Profile, load_profile
from rydelab.simulator.result import FUNCTION_CONCURRENCY, CellOutcome
from rydelab.simulator.traffic import Rate

MOST_ARRIVALS = 12_000
PLACES = st.sampled_from([load_profile("local"), load_profile("aws")])


@st.composite
def loads(draw: st.DrawFn) -> Rate:
    """Draw a steady rate, or one that is four times as high for a while."""
    per_s = draw(st.sampled_from([2, 5, 10, 20, 50]))
    duration_s = draw(st.sampled_from([30, 60, 120, 300]))
    rates = [per_s] * duration_s
    if draw(st.booleans()):
        begin_s, length_s = draw(st.integers(0, duration_s // 2)), duration_s // 6
        rates[begin_s : begin_s + length_s] = [4 * per_s] * length_s
    assume(sum(rates) <= MOST_ARRIVALS)
    return Rate(rates, 1.0)


def cells(designs: list[str]) -> st.SearchStrategy[Cell]:
    """Draw a cell of one of *designs*."""
    return st.builds(
        Cell,
        design=st.sampled_from(designs),
        table_mode=st.sampled_from(TABLE_MODES),
        write_units=st.sampled_from([1, 2, 5, 10, 20]),
        sdk_retry_mode=st.sampled_from(["legacy", "standard"]),
    )


def both(cell: Cell, load: Rate, place: Profile) -> tuple[CellOutcome, CellOutcome]:
    """Play *load* with either engine; give up the example if Lambda's concurrency is a limit."""
    exact, aggregate = (simulate(cell, load, place, engine=engine) for engine in ("exact", "aggregate"))  # type: ignore[arg-type]
    assume(FUNCTION_CONCURRENCY not in exact.throttles)
    return exact, aggregate


def largest_difference(exact: CellOutcome, aggregate: CellOutcome) -> float:
    """Return by how many arrivals the rows of the ledger differ at most."""
    return max(abs(number - aggregate.rows[row]) for row, number in exact.rows.items())


@settings(max_examples=50, deadline=None, derandomize=True)
@given(cells([design for design in DESIGNS if design != "queued"]), loads(), PLACES)
def test_single_writes_end_in_the_same_rows(cell: Cell, load: Rate, place: Profile) -> None:
    exact, aggregate = both(cell, load, place)

    assert largest_difference(exact, aggregate) <= 3 + 0.05 * load.count
    assert abs(exact.drain_s - aggregate.drain_s) <= 2 + 0.2 * exact.drain_s
    if cell.sdk_retry_mode == "legacy":
        throttles, predicted = (sum(outcome.throttles.values()) for outcome in (exact, aggregate))
        assert abs(throttles - predicted) <= 0.1 * load.count + 0.6 * throttles


@settings(max_examples=30, deadline=None, derandomize=True)
@given(cells(["queued"]), loads(), PLACES)
def test_batches_end_in_about_the_same_rows(cell: Cell, load: Rate, place: Profile) -> None:
    exact, aggregate = both(cell, load, place)

    assert largest_difference(exact, aggregate) <= 5 + 0.08 * load.count
    assert abs(exact.drain_s - aggregate.drain_s) <= 5 + 0.45 * exact.drain_s


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.sampled_from(DESIGNS), st.sampled_from([2, 10, 50]), PLACES)
def test_what_no_limit_meets_is_the_same_to_a_ride(design: str, per_s: int, place: Profile) -> None:
    cell = Cell(design=design, table_mode="on-demand")  # type: ignore[arg-type]  # one of DESIGNS

    exact, aggregate = both(cell, Rate([per_s] * 60, 1.0), place)

    assert exact.rows == aggregate.rows
    assert exact.throttles == aggregate.throttles == {}
