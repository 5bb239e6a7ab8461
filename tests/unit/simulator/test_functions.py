"""Lambda's concurrency and environments."""

from itertools import repeat

from hypothesis import given
from hypothesis import strategies as st

from rydelab.simulator.exact.functions import REFUSED, Function, Pool, QuotaFunction
from rydelab.simulator.exact.sdk import QUOTA


def make(pool: Pool, *, reserved: int | None = None, kind: type[Function] = Function, warm: int = 0) -> Function:
    return kind(
        "Any",
        pool,
        reserved=reserved,
        init_s=repeat(0.5).__next__,
        new_per_10_s=0.0,
        warm=warm,
        memory_mb=128,
    )


def ready(*functions: Function) -> None:
    for function in functions:
        function.find_calm()


@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(0.01, 2), st.floats(0, 5)), max_size=80),
    st.integers(3, 12),
    st.integers(0, 3),
)
def test_never_more_run_at_once_than_the_account_and_the_function_may_have(
    invocations: list[tuple[int, float, float]], limit: int, reserved: int
) -> None:
    pool = Pool(limit)
    functions = [make(pool), make(pool), make(pool, reserved=reserved)]
    ready(*functions)
    ends_s: list[list[float]] = [[], [], []]
    now_s = 0.0

    for which, pause_s, takes_s in invocations:
        now_s += pause_s
        running = [sum(end_s > now_s for end_s in one) for one in ends_s]
        wait_s = functions[which].begin(now_s)
        fits = running[2] < reserved if which == 2 else running[0] + running[1] < limit
        assert (wait_s != REFUSED) is fits
        if fits:
            functions[which].end(now_s + wait_s, now_s + wait_s + takes_s)
            ends_s[which].append(now_s + wait_s + takes_s)


def test_one_function_may_take_all_of_the_account_and_give_it_back() -> None:
    pool = Pool(4)
    one, other = make(pool, warm=4), make(pool, warm=4)
    ready(one, other)

    assert [one.begin(0.0) for _ in range(5)] == [0.0] * 4 + [REFUSED]
    assert other.begin(0.0) == REFUSED
    for _ in range(3):
        one.end(0.0, 1.0)
    assert [other.begin(1.0) for _ in range(4)] == [0.0] * 3 + [REFUSED]


def test_an_environment_serves_one_at_a_time_and_is_used_again() -> None:
    pool = Pool(100)
    function = make(pool)
    ready(function)

    assert [function.begin(0.0), function.begin(0.0)] == [0.5, 0.5]
    function.end(0.5, 1.0)
    assert [function.begin(1.0), function.begin(1.0)] == [0.0, 0.5]
    assert function.invocations == 4
    assert function.total_init_s == 1.5


def test_the_environment_used_last_is_used_first_with_what_is_left_of_its_quota() -> None:
    pool = Pool(100)
    function = make(pool, kind=QuotaFunction)
    ready(function)
    function.begin(0.0)
    first = function.quota
    function.begin(0.0)
    second = function.quota
    assert first is not None
    assert second is not None
    assert first is not second
    first[0] -= 5
    function.end(0.5, 2.0, first)
    function.end(0.5, 1.0, second)

    function.begin(3.0)

    assert function.quota is first
    assert (first, second) == ([QUOTA - 5], [QUOTA])
