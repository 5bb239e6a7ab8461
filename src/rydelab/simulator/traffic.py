"""When people come: each arrival's due time, or how many come in each step of time. Seconds from the begin."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

KINDS = ("ride", "record", "unicorn")
"""What an arrival asks for: POST /ride, POST /record, GET /unicorn. The ledger is of the first two."""
RIDE, RECORD, UNICORN = range(3)
"""Positions in `KINDS`."""

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Each arrival on its own."""

    due_s: Sequence[float]
    """When each is due, ascending; best an ``array("d")``."""
    duration_s: float
    """How long arrivals come, at least to the last of them."""
    kinds: bytes = b""
    """What each asks for, as a position in `KINDS`; empty if all ask for a ride."""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.due_s)

    @property
    def mix(self) -> Mapping[str, float]:
        """The share of each kind, from 0 to 1."""
        if not self.kinds:
            return {"ride": 1.0}
        return {kind: self.kinds.count(at) / len(self.kinds) for at, kind in enumerate(KINDS) if at in self.kinds}

    def per_step(self, step_s: float) -> array[float]:
        """Count the arrivals of each *step_s* seconds from the begin, up to the end of the duration."""
        counts = _zeros(self.duration_s, step_s)
        before = 0
        for step in range(len(counts) - 1):
            upto = bisect_left(self.due_s, (step + 1) * step_s, before)
            counts[step] = upto - before
            before = upto
        counts[-1] = self.count - before
        return counts

    def due_times_s(self) -> Iterator[float]:
        """Yield each due time."""
        yield from self.due_s


@dataclass(frozen=True, slots=True)
class Rate:
    """Arrivals per step of time, spread evenly within each step."""

    arrivals: Sequence[float]
    """How many come in each step; not always whole."""
    step_s: float
    mix: Mapping[str, float] = field(default_factory=lambda: {"ride": 1.0})
    """The share of each of `KINDS`, in any unit."""

    @property
    def count(self) -> int:
        """How many whole arrivals there are."""
        return round(sum(self.arrivals))

    @property
    def duration_s(self) -> float:
        """How long arrivals come."""
        return len(self.arrivals) * self.step_s

    def per_step(self, step_s: float) -> array[float]:
        """Count the arrivals of each *step_s* seconds; a step that begins or ends within one of ours has its part."""
        if step_s == self.step_s:
            return array("d", self.arrivals)
        counts = _zeros(self.duration_s, step_s)
        last = len(counts) - 1
        for number, arrivals in enumerate(self.arrivals):
            begin_s, end_s = number * self.step_s, (number + 1) * self.step_s
            at_s = begin_s
            while at_s < end_s - _ROUNDING:
                step = min(last, int((at_s + _ROUNDING) / step_s))
                until_s = end_s if step == last else min(end_s, (step + 1) * step_s)
                counts[step] += arrivals * (until_s - at_s) / self.step_s
                at_s = until_s
        return counts

    def due_times_s(self) -> Iterator[float]:
        """Yield when each arrival is due: evenly, as a scenario's schedule spaces them.

        A step that ends between two arrivals hands its remainder to the next one.
        """
        before, number = 0.0, 0
        for step, arrivals in enumerate(self.arrivals):
            after = before + arrivals
            while number < after - _ROUNDING:
                yield step * self.step_s + max(0.0, number - before) / arrivals * self.step_s
                number += 1
            before = after


type Traffic = Arrivals | Rate


def each_arrival(traffic: Traffic) -> Arrivals:
    """Return *traffic* arrival by arrival; the kinds of a mix alternate so that the shares hold at every moment."""
    if isinstance(traffic, Arrivals):
        return traffic
    due_s = array("d", traffic.due_times_s())
    return Arrivals(due_s, traffic.duration_s, _kinds(traffic.mix, len(due_s)))


def _kinds(mix: Mapping[str, float], number: int) -> bytes:
    if not any(share for kind, share in mix.items() if kind != "ride"):
        return b""
    whole = sum(mix.values())
    owed = dict.fromkeys(mix, 0.0)
    kinds = bytearray()
    for _ in range(number):
        for kind, share in mix.items():
            owed[kind] += share / whole
        chosen = max(owed, key=lambda kind: owed[kind])
        owed[chosen] -= 1
        kinds.append(KINDS.index(chosen))
    return bytes(kinds)


def _zeros(duration_s: float, step_s: float) -> array[float]:
    steps = max(1, -int(-(duration_s - _ROUNDING) // step_s))
    return array("d", bytes(8 * steps))
