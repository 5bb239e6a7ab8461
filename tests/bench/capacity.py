"""How fast the capacity model decides, and what it holds in memory: ``python -m tests.bench.capacity``.

Virtual time advances so that every request is admitted, unless the line says otherwise. Rates are per second of
processor time. They include the loop around the call, which is the same everywhere and touches no memory of its own; a
busy machine still lowers them, since it shares its caches.
"""

import gc
import random
import resource
import sys
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice

from rydelab.capacity.charges import IndexWrite, WriteCharge
from rydelab.capacity.limiter import Limiter
from rydelab.capacity.positions import position_of_bytes
from rydelab.capacity.schema import Index, TableSchema
from rydelab.capacity.settings import Settings
from rydelab.capacity.table import Table
from rydelab.capacity.throughput import Throughput, ThroughputSettings

REQUESTS = 400_000
MEMORY_REQUESTS = 10_000_000
TARGET_PER_S = 500_000
RATE = ThroughputSettings(Throughput(1000, 1000))
KEYS = [number * 2654435761 % 2**32 for number in range(10_007)]


def make_table(*, indexes: int = 0, partitions: int = 1) -> Table:
    """Return a table of 1,000 WCU with so many global indexes and partitions."""
    declared = tuple(Index(f"by{number}", f"key{number}") for number in range(indexes))
    settings = Settings()
    return Table(
        TableSchema("Rides", "RideId", indexes=declared),
        throughput=RATE,
        index_throughput={index.name: RATE for index in declared},
        size_bytes=partitions * settings.partition_bytes,
        settings=settings,
        now=0.0,
    )


def best_rate(run: Callable[[], object], requests: int = REQUESTS, repeats: int = 3) -> float:
    """Return requests per second of the fastest of some runs: the one that others disturbed least."""
    gc.collect()
    best = float("inf")
    for _ in range(repeats):
        begin = time.process_time()
        run()
        best = min(best, time.process_time() - begin)
    return requests / best


def limiter_rate(limiters: Sequence[Limiter], step_s: float, repeats: int = 5) -> float:
    """Return decisions per second, each on the next of *limiters*, each for another key."""
    clock = [0.0]

    def run() -> None:
        now = clock[0]
        position = 0
        for limiter in islice(cycle(limiters), REQUESTS):
            now += step_s
            position = (position + 2654435761) & 0xFFFFFFFF
            limiter.admit(1.0, position, now)
        clock[0] = now

    rate = best_rate(run, repeats=repeats)
    consumed = sum(limiter.admitted_requests for limiter in limiters)
    if consumed != repeats * REQUESTS:
        raise RuntimeError(f"every request should be admitted, {consumed} of {repeats * REQUESTS} were")
    return rate


def table_rate(table: Table, charges: Sequence[WriteCharge], step_s: float) -> float:
    """Return ``Table.admit_write`` calls per second."""
    clock = [0.0]
    sequence = list(islice(cycle(charges), REQUESTS))

    def run() -> None:
        now = clock[0]
        for charge in sequence:
            now += step_s
            table.admit_write(charge, now)
        clock[0] = now

    return best_rate(run)


def whole_rate(table: Table) -> float:
    """Return requests per second from a key in bytes: hash it, make the charge, decide."""
    clock = [0.0]
    keys = [b"ride-%012d" % number for number in range(REQUESTS)]

    def run() -> None:
        now = clock[0]
        for key in keys:
            now += 0.002
            table.admit_write(WriteCharge(1.0, position_of_bytes(key)), now)
        clock[0] = now

    return best_rate(run)


def hot_rate() -> float:
    """Return decisions per second for one hot key, which no split makes cold: its partition's keys are counted."""
    return table_rate(make_table(), [WriteCharge(1.0, 7)], 0.00105)


def refused_rate() -> float:
    """Return refusals per second of a drained table: the slow path, with a reason for each."""
    table = make_table()
    table.admit_write(WriteCharge(300_000.0, 0), 0.0)
    table.resource().write.take(1e12, 0.0)
    return table_rate(table, [WriteCharge(1.0, position) for position in KEYS], 0.0)


def memory_growth() -> tuple[int, int]:
    """Return the blocks and the resident KiB that a table gained from its millionth request to its ten-millionth."""
    table = make_table()
    admit = table.resource().write.admit
    now = 0.0
    marks: list[tuple[int, int]] = []
    for part in (MEMORY_REQUESTS // 10, MEMORY_REQUESTS - MEMORY_REQUESTS // 10):
        for number in range(part):
            now += 0.002
            admit(1.0, number * 2654435761 % 2**32, now)
        gc.collect()
        marks.append((sys.getallocatedblocks(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
    return marks[1][0] - marks[0][0], marks[1][1] - marks[0][1]


def show_beside(one: float, name: str, rate: float) -> None:
    """Print *rate* and how much longer a decision takes than at the rate *one*."""
    print(f"{name:<56}{rate:>12,.0f} /s  {one / rate:5.2f} x the time of one")


def main() -> int:
    """Print the figures; return 1 if the rate for a table without index is below the target."""
    one = limiter_rate([make_table().resource().write], 0.002)
    print(f"{'one table, no index: Limiter.admit':<56}{one:>12,.0f} /s")
    charges = [WriteCharge(1.0, position) for position in KEYS]
    headline = table_rate(make_table(), charges, 0.002)
    print(f"{'one table, no index: Table.admit_write':<56}{headline:>12,.0f} /s")
    print(f"{'same, with hashing the key and making the charge':<56}{whole_rate(make_table()):>12,.0f} /s")
    print(f"{'same, every request refused':<56}{refused_rate():>12,.0f} /s")
    print(f"{'same, one hot key':<56}{hot_rate():>12,.0f} /s")
    for count in (1, 3):
        writes = [
            WriteCharge(1.0, position, tuple(IndexWrite(f"by{number}", position, 1.0) for number in range(count)))
            for position in KEYS
        ]
        rate = table_rate(make_table(indexes=count), writes, 0.002)
        print(f"{f'one table, {count} global index(es)':<56}{rate:>12,.0f} /s")
    counts = (1, 10, 100, 1_000, 10_000)
    for count in counts:
        limiters = [make_table().resource().write for _ in range(count)]
        show_beside(one, f"{count:,} tables in turn", limiter_rate(limiters, 0.002))
    limiters = [make_table().resource().write for _ in range(counts[-1])]
    random.Random(1).shuffle(limiters)  # noqa: S311 (no secret; what the processor cannot foresee)
    show_beside(one, f"{counts[-1]:,} tables in random order", limiter_rate(limiters, 0.002))
    for count in counts:
        rate = limiter_rate([make_table(partitions=count).resource().write], 0.002)
        show_beside(one, f"one table, {count:,} partitions, random keys", rate)
    blocks, kib = memory_growth()
    print(
        f"from 1 to {MEMORY_REQUESTS // 1_000_000} million requests: {blocks:+,} memory blocks, {kib:+,} KiB resident"
    )
    return 0 if headline >= TARGET_PER_S else 1


if __name__ == "__main__":
    sys.exit(main())
