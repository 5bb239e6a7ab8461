"""Where the buckets of one table or index lie in memory, and which row is that of a key's partition.

The memory is a sequence of pairs of rows, one for reads and one for writes. The first pair has the table-wide buckets,
the pairs behind it have one partition each.
"""

import math
from array import array
from bisect import bisect_right

from rydelab.capacity.bucket import ROW, Bucket, Number
from rydelab.capacity.positions import POSITIONS
from rydelab.capacity.throttling import Access

PAIR_BYTES = 2 * ROW.size
ROW_OF = {Access.READ: 0, Access.WRITE: ROW.size}
"""Where the row of an access begins in its pair."""


class PartitionSide(Bucket):
    """One partition's reads or its writes: the bucket of its ceiling, and the units of its heat window.

    A view of its row, made when it is asked for. A split moves rows, so nobody keeps it longer than that.
    """

    __slots__ = ()

    window_units = Number(2)
    window_end = Number(3)


def cold_row(*, rate: float, size: float, tokens: float, last: float) -> bytes:
    """Return the row of a partition of which no heat is known."""
    return ROW.pack(tokens, last, 0.0, -math.inf, rate, size)


def pair_offset(place: int) -> int:
    """Return where the pair of partition *place* begins."""
    return PAIR_BYTES * (place + 1)


def make_directory(starts: list[int]) -> tuple["array[int]", int]:
    """Return the pair offsets of partitions by slot, and by how many bits a position is shifted to get its slot.

    With it a partition is found in the same time however many there are. All slots have the same width, that of the
    narrowest partition if every partition was halved in the middle. Where a slot has several partitions, because one
    was split elsewhere for its heat, its offset is 0: only then is there something to search.
    """
    depth = len(starts).bit_length()
    shift = POSITIONS.bit_length() - 1 - depth
    directory = array("l")
    for slot in range(1 << depth):
        first, last = slot << shift, (slot + 1 << shift) - 1
        place = bisect_right(starts, first)
        directory.append(pair_offset(place) if bisect_right(starts, last) == place else 0)
    return directory, shift
