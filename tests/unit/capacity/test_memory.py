"""Memory per table does not depend on the number of requests or keys."""

import tracemalloc
from collections.abc import Callable

import pytest

from rydelab.capacity.charges import WriteCharge
from rydelab.capacity.settings import Settings
from rydelab.capacity.table import Table
from rydelab.capacity.throughput import Throughput


@pytest.mark.parametrize("on_demand", [False, True])
def test_a_table_is_as_large_after_many_requests_to_many_keys_as_after_few(
    make_table: Callable[..., Table],
    on_demand: bool,  # noqa: FBT001 -- pytest gives it by name
) -> None:
    settings = Settings(max_partitions=8, heat_window_s=1, split_after_s=3, on_demand_peak_window_s=1)
    table = make_table(write=9000, on_demand=on_demand, settings=settings)
    requests = 0

    def write(count: int) -> None:
        nonlocal requests
        for _ in range(count):
            requests += 1
            table.admit_write(WriteCharge(2.0, (requests * 2654435761) % 2**32), requests / 2000)

    write(20_000)
    tracemalloc.start()
    try:
        write(2_000)
        before, _ = tracemalloc.get_traced_memory()
        write(20_000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000  # bytes: less than one for each request


def test_refusals_leave_nothing_behind(make_table: Callable[..., Table]) -> None:
    table = make_table(indexes={"byCity": Throughput(1, 1)})
    table.admit_write(WriteCharge(300, 1), 0.0)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(5_000):
            assert not table.admit_write(WriteCharge(1, number), 0.0).admitted
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 5_000
