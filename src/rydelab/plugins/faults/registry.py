"""The faults that are set now. Each ends by this process's own clock, whoever set it and whether they still live."""

import itertools
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rydelab.faults import Fault

_MOST_ENDED: Final = 100
"""How many faults that are over are remembered, so that whoever set them can ask what they met."""


@dataclass(slots=True)
class ActiveFault:
    """One fault with its time and its draws."""

    id: str
    fault: Fault
    begins_s: float
    ends_s: float
    """Both on the registry's clock."""
    draws: random.Random
    """Decides which requests it meets, and what there is to choose of what it does."""
    hits: int = 0
    """How many requests it has met."""

    def is_on(self, now_s: float) -> bool:
        """Whether it lasts at *now_s*."""
        return self.begins_s <= now_s < self.ends_s


class Faults:
    """Sets faults, takes them back, and says which of them meet a request. Safe to use from many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        # Replaced as a whole, never changed: whoever asks needs no lock while there is nothing.
        self._set: tuple[ActiveFault, ...] = ()
        self._ended: deque[ActiveFault] = deque(maxlen=_MOST_ENDED)
        self._thread: threading.Thread | None = None

    def now_s(self) -> float:
        """Return the time by which faults begin and end."""
        return self._clock()

    @property
    def any(self) -> bool:
        """Whether there is a fault, on or for later."""
        return bool(self._set)

    def start(self, fault: Fault) -> ActiveFault:
        """Set *fault*; its time counts from now."""
        begins_s = self._clock() + fault.start_s
        active = ActiveFault(
            id=f"fault-{next(self._numbers)}",
            fault=fault,
            begins_s=begins_s,
            ends_s=begins_s + fault.length_s,
            # Faults that differ in nothing but their kind or target meet different requests.
            draws=random.Random(f"{fault.parameters.get('seed', 0)}/{fault.kind}/{fault.target}"),  # noqa: S311
        )
        with self._changed:
            self._set = (*self._set, active)
            if self._thread is None:
                self._thread = threading.Thread(target=self._forget_what_is_over, name="faults", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return active

    def stop(self, fault_id: str | None = None) -> Sequence[ActiveFault]:
        """End the fault of that id, or all, now; return those that were there."""
        now_s = self._clock()
        with self._changed:
            stopped = [one for one in self._set if fault_id in (None, one.id) and now_s < one.ends_s]
            for one in stopped:
                one.begins_s, one.ends_s = min(one.begins_s, now_s), now_s
            self._forget(now_s)
            self._changed.notify_all()
        return stopped

    def all(self) -> tuple[Sequence[ActiveFault], Sequence[ActiveFault]]:
        """Return the faults that are set, also for later, and the last that are over."""
        with self._changed:
            self._forget(self._clock())
            return self._set, tuple(self._ended)

    def meeting(self, kind: str, target: str) -> Sequence[ActiveFault]:
        """Return the faults of *kind* that meet this request to *target*, and count it among their hits."""
        if not self._set:
            return ()
        now_s = self._clock()
        met = []
        for one in self._set:
            if one.fault.kind == kind and one.fault.target == target and one.is_on(now_s):
                with self._changed:
                    if one.draws.random() < one.fault.value("rate"):
                        one.hits += 1
                        met.append(one)
        return met

    def wait_while_paused(self) -> None:
        """Return when no fault pauses the lab."""
        if not self._set:
            return
        waited_for: set[str] = set()
        with self._changed:
            while pauses := [one for one in self._set if self._pauses(one)]:
                for one in pauses:
                    one.hits += one.id not in waited_for
                    waited_for.add(one.id)
                self._changed.wait(max(one.ends_s for one in pauses) - self._clock())

    def _pauses(self, one: ActiveFault) -> bool:
        return one.fault.kind == "emulator-paused" and one.is_on(self._clock())

    def _forget(self, now_s: float) -> None:
        """Take what is over out of the way of requests; the caller holds the lock."""
        self._ended.extend(one for one in self._set if one.ends_s <= now_s)
        self._set = tuple(one for one in self._set if one.ends_s > now_s)

    def _forget_what_is_over(self) -> None:
        with self._changed:
            while True:
                self._forget(self._clock())
                if not self._set:
                    self._thread = None
                    return
                self._changed.wait(min(one.ends_s for one in self._set) - self._clock())


faults = Faults()
"""Those of this lab."""
