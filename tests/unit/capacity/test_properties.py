"""What holds on every schedule."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from rydelab.capacity.admission import admit_transaction
from rydelab.capacity.charges import IndexWrite, ReadCharge, WriteCharge
from rydelab.capacity.consumed import consumed
from rydelab.capacity.errors import CapacityError
from rydelab.capacity.positions import POSITIONS
from rydelab.capacity.schema import Index, TableSchema
from rydelab.capacity.settings import Settings
from rydelab.capacity.table import Charge, Table
from rydelab.capacity.throttling import BillingMode
from rydelab.capacity.throughput import Change, Throughput, ThroughputSettings
from rydelab.capacity.update import Update

TOLERANCE = 1e-6
STRICT = Settings(max_debt_units=0)

schedules = examples(max_examples=60, deadline=None)

gaps = st.one_of(st.just(0.0), st.floats(0, 2), st.floats(0, 1000))
units = st.one_of(st.sampled_from([0.5, 1.0, 2.0]), st.floats(0.5, 400))
positions = st.sampled_from([0, 1, POSITIONS // 2, POSITIONS - 1])
epochs = st.sampled_from([0.0, 1_763_000_000.25])
rates = st.sampled_from([1.0, 3.0, 25.0, 900.0, 4000.0])


def provisioned(rate: float, now: float, settings: Settings, *, indexes: bool = False) -> Table:
    declared = (Index("byCity", "city"), Index("byName", "name")) if indexes else ()
    throughput = ThroughputSettings(Throughput(rate, rate))
    return Table(
        TableSchema("Rides", "id", indexes=declared),
        throughput=throughput,
        index_throughput={index.name: throughput for index in declared},
        settings=settings,
        now=now,
    )


def index_writes() -> st.SearchStrategy[tuple[IndexWrite, ...]]:
    one = st.builds(IndexWrite, st.sampled_from(["byCity", "byName"]), positions, units)
    return st.lists(one, max_size=3).map(tuple)


charges = st.one_of(
    st.builds(WriteCharge, units, positions, index_writes()),
    st.builds(ReadCharge, units, st.one_of(st.none(), positions), st.sampled_from([None, "byCity"])),
)


def state(tables: Iterable[Table]) -> list[object]:
    limiters = [
        (limiter, resource.partitions.sides(limiter.access))
        for table in tables
        for resource in table.resources.values()
        for limiter in resource.limiters.values()
    ]
    return [
        [(limiter.tokens, limiter.last, limiter.consumed_units, limiter.admitted_requests) for limiter, _ in limiters],
        [(side.tokens, side.last, side.window_units) for _, sides in limiters for side in sides],
    ]


@schedules
@given(rates, epochs, st.lists(st.tuples(gaps, units, positions), max_size=30), st.booleans())
def test_never_more_than_burst_and_rate_times_time_is_admitted(
    rate: float,
    start: float,
    steps: list[tuple[float, float, int]],
    strict: bool,  # noqa: FBT001 -- hypothesis gives it by place
) -> None:
    """In any stretch of the schedule, and with debt not more than one request beyond it."""
    table = provisioned(rate, start, STRICT if strict else Settings())
    debt = 0.0 if strict else max((asked for _, asked, _ in steps), default=0.0)
    now, admitted = start, [(start, 0.0)]
    for gap, asked, position in steps:
        now += gap
        if table.admit_write(WriteCharge(asked, position), now).admitted:
            admitted.append((now, admitted[-1][1] + asked))
    for number, (since, before) in enumerate(admitted):
        for until, total in admitted[number:]:
            assert total - before <= 300 * rate + rate * (until - since) + debt + TOLERANCE * rate


@schedules
@given(epochs, st.lists(st.tuples(gaps, units), max_size=30))
def test_no_key_gets_more_than_its_partition_serves(start: float, steps: list[tuple[float, float]]) -> None:
    table = provisioned(40_000, start, STRICT)
    now, total = start, 0.0
    for gap, asked in steps:
        now += gap / 100
        if table.admit_write(WriteCharge(asked, 7), now).admitted:
            total += asked
        assert total <= 1000 + 1000 * (now - start) + 1e-3


@schedules
@given(rates, epochs, st.lists(st.tuples(st.floats(-500, 500), units, positions, st.booleans()), max_size=30))
def test_a_clock_that_steps_back_creates_no_units(
    rate: float, start: float, steps: list[tuple[float, float, int, bool]]
) -> None:
    """Neither on the fast path nor on the careful one, which transactions take."""
    table = provisioned(rate, start, STRICT)
    now = latest = start
    total = 0.0
    for step, asked, position, carefully in steps:
        now += step
        latest = max(latest, now)
        charge = WriteCharge(asked, position)
        answer = admit_transaction([(table, charge)], now) if carefully else table.admit_write(charge, now)
        if answer.admitted:
            total += asked
        assert total <= 300 * rate + rate * (latest - start) + TOLERANCE * rate


TO_ON_DEMAND = Update(mode=BillingMode.ON_DEMAND)
UPDATES = st.one_of(
    st.just(TO_ON_DEMAND),
    st.builds(
        lambda rate, mode: Update(mode=mode, throughput=ThroughputSettings(Throughput(rate, rate))),
        rates,
        st.sampled_from([None, BillingMode.PROVISIONED]),
    ),
    st.builds(lambda most: Update(throughput=ThroughputSettings(on_demand_maximum=Change(write=most))), rates),
)


@schedules
@given(rates, st.lists(st.tuples(gaps, st.one_of(UPDATES, units)), max_size=30))
def test_updates_and_mode_switches_create_no_units(rate: float, steps: list[tuple[float, Update | float]]) -> None:
    """At any time, not more was admitted than the first burst and what each rate gave while it was in force."""
    settings = Settings(max_debt_units=0, update_delay_s=0, mode_switch_delay_s=0, on_demand_growth_s=1e9)
    table = provisioned(rate, 0.0, settings)
    write = table.resource().write
    now, total, allowed = 0.0, 0.0, 300 * rate
    for gap, step in steps:
        now += gap
        table.advance(now)
        allowed += gap * write.rate
        if isinstance(step, Update):
            try:
                table.update(step, now)
            except CapacityError:
                continue
            table.advance(now)
        elif table.admit_write(WriteCharge(step, 0), now).admitted:
            total += step
        assert total <= allowed * (1 + 1e-9) + TOLERANCE


@schedules
@given(rates, st.lists(st.tuples(gaps, charges), max_size=25))
def test_consumption_is_the_sum_of_what_was_admitted_and_refusals_change_nothing(
    rate: float, steps: list[tuple[float, Charge]]
) -> None:
    table = provisioned(rate, 0.0, Settings(), indexes=True)
    now, done = 0.0, []
    for gap, charge in steps:
        now += gap
        before = state([table])
        admit = table.admit_write if isinstance(charge, WriteCharge) else table.admit_read
        decision = admit(charge, now)  # type: ignore[operator]
        if decision.admitted:
            done.append(charge)
        else:
            assert state([table]) == before
    expected = consumed("Rides", done)
    resources = table.resources.values()
    assert abs(sum(resource.read.consumed_units for resource in resources) - expected.read_units) < TOLERANCE
    assert abs(sum(resource.write.consumed_units for resource in resources) - expected.write_units) < TOLERANCE


@schedules
@given(
    rates, st.lists(st.tuples(gaps, st.lists(st.tuples(st.booleans(), charges), min_size=1, max_size=5)), max_size=8)
)
def test_a_transaction_is_all_or_nothing(rate: float, steps: list[tuple[float, list[tuple[bool, Charge]]]]) -> None:
    tables = [provisioned(rate, 0.0, Settings(), indexes=True) for _ in range(2)]
    now = 0.0
    for gap, items in steps:
        now += gap
        before = state(tables)
        answer = admit_transaction([(tables[second], charge) for second, charge in items], now)
        assert answer.admitted == all(decision.admitted for decision in answer.items)
        if not answer.admitted:
            assert state(tables) == before


@schedules
@given(rates, st.booleans(), st.lists(st.tuples(gaps, units, positions), max_size=30))
def test_the_fast_path_decides_as_the_careful_one(
    rate: float,
    on_demand: bool,  # noqa: FBT001 -- hypothesis gives it by place
    steps: list[tuple[float, float, int]],
) -> None:
    fast, careful = (provisioned(rate, 0.0, Settings(mode_switch_delay_s=0)) for _ in range(2))
    if on_demand:
        for table in (fast, careful):
            table.update(TO_ON_DEMAND, 0.0)
    now = 0.0
    for gap, asked, position in steps:
        now += gap
        charge = WriteCharge(asked, position)
        assert fast.admit_write(charge, now) == admit_transaction([(careful, charge)], now).items[0]
        assert state([fast]) == state([careful])


@schedules
@given(
    st.lists(
        st.tuples(
            st.one_of(st.just(0.0), st.floats(-3, 12), st.floats(0, 300)),
            st.sampled_from([0.5, 1.0, 40.0]),
            st.integers(0, POSITIONS - 1),
        ),
        max_size=80,
    ),
    st.sampled_from([1, 5]),
    st.sampled_from([0.0, 1_763_000_000.25]),
)
def test_the_short_way_of_a_decision_leaves_behind_what_the_long_way_does(
    steps: list[tuple[float, float, int]], partitions: int, start: float
) -> None:
    """Above all when a heat window ends: cold ones end in place in Limiter.admit, which close_window does otherwise."""
    settings = Settings(heat_window_s=10, heat_threshold=0.002, split_after_s=20, max_debt_units=0)
    short, long = (provisioned(4000, start, settings).resource() for _ in range(2))
    for resource in (short, long):
        resource.partitions.grow(partitions, start)
    now = start
    for gap, asked, position in steps:
        now += gap
        admitted = short.write.admit(asked, position, now).admitted
        assert admitted == (long.write.reserve(asked, position, now, []) is None)
        if admitted:
            long.write.count(asked, position, now)
        assert short.partitions.memory == long.partitions.memory
        assert short.partitions.starts == long.partitions.starts
