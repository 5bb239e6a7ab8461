"""Waits until nothing is under way any more, and finds out where each ride ended: the evidence for the ledger."""

import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from rydelab.lab.cells.ledger import Evidence
from rydelab.lab.cells.stores import Records, Stores, Waiting

POLL_INTERVAL_S = 0.5
SETTLE_S = 2.0
"""What has not changed for this long, with nothing under way that could change it, does not change any more."""


@dataclass(frozen=True, slots=True)
class Drained:
    """The end of a drain."""

    evidence: Evidence
    first_at: Mapping[str, float] = field(default_factory=dict)
    """When each ride in the table was first written, in the lab's Unix time, as far as the lab can tell."""
    interrupted: bool = False
    """Whether Ctrl-C ended it; the evidence is then what was found so far."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the looks at the stores say about how to go on."""

    missing: int
    """Accepted rides that are nowhere yet."""
    waiting: Waiting
    """What may bring them."""
    with_errors: bool
    """Whether arrivals ended in an error, which may yet leave a record behind."""
    unchanged_s: float
    """Since a look last differed from the one before."""

    @property
    def is_over(self) -> bool:
        """Whether another look can show nothing new."""
        if not self.missing and not self.with_errors:
            return True
        # A message is counted nowhere for a moment when it moves on, so one look alone proves nothing.
        return not self.waiting.total and self.unchanged_s >= SETTLE_S


def drain(
    stores: Stores,
    *,
    accepted: AbstractSet[str],
    with_errors: bool,
    ignore: AbstractSet[str] = frozenset(),
    deadline_s: float,
    progress: Callable[[int, int], None] | None = None,
) -> Drained:
    """Wait until every ride of *accepted* has ended somewhere, nothing can change any more, or *deadline_s* has passed.

    *with_errors*: whether arrivals ended in an error. Rides in *ignore* are from before the load. *progress* gets how
    many accepted rides have ended, and of how many.
    """
    looks = _Looks(stores, accepted=accepted, with_errors=with_errors, ignore=ignore)
    interrupted = False
    try:
        while True:
            look_took_s = looks.look()
            if progress:
                progress(len(accepted) - len(looks.missing), len(accepted))
            if looks.situation.is_over or looks.waited_s >= deadline_s:
                break
            # A scan of a large table is work for the lab; most of the time should be left to it.
            time.sleep(max(POLL_INTERVAL_S, 2 * look_took_s))
    except KeyboardInterrupt:
        interrupted = True
    finally:
        looks.show_dead_letters_again()
    return Drained(looks.evidence(), looks.records.first_at, interrupted)


class _Looks:
    """Looks at the stores again and again, and remembers what it has seen."""

    def __init__(
        self, stores: Stores, *, accepted: AbstractSet[str], with_errors: bool, ignore: AbstractSet[str]
    ) -> None:
        self._stores = stores
        self._accepted = accepted
        self._with_errors = with_errors
        self._ignore = ignore
        self._begin = self._looked_at = self._changed_at = time.monotonic()
        self.records = Records({})
        self._dead: set[str] = set()
        self._hidden: list[str] = []
        self._waiting = Waiting()

    @property
    def _recorded(self) -> AbstractSet[str]:
        return self.records.writes.keys() - self._ignore

    @property
    def missing(self) -> AbstractSet[str]:
        """The accepted rides that are nowhere yet."""
        return self._accepted - self._recorded - self._dead

    @property
    def situation(self) -> Situation:
        return Situation(
            missing=len(self.missing),
            waiting=self._waiting,
            with_errors=self._with_errors,
            unchanged_s=self._looked_at - self._changed_at,
        )

    @property
    def waited_s(self) -> float:
        return self._looked_at - self._begin

    def look(self) -> float:
        """Look at every store, and return how long it took in seconds."""
        before = (self.records.writes.keys(), len(self._dead), self._waiting)
        self._looked_at = time.monotonic()
        self.records = self._stores.records()
        for letter in self._stores.dead_letters():
            self._dead.update(letter.ride_ids)
            self._hidden.append(letter.receipt_handle)
        self._waiting = self._stores.waiting()
        if (self.records.writes.keys(), len(self._dead), self._waiting) != before:
            self._changed_at = self._looked_at
        return time.monotonic() - self._looked_at

    def show_dead_letters_again(self) -> None:
        """Let others see the dead letters that were read."""
        self._stores.release(self._hidden)

    def evidence(self) -> Evidence:
        recorded = self._recorded
        writes = {ride_id: number for ride_id, number in self.records.writes.items() if ride_id in recorded}
        known = {ride_id: number for ride_id, number in writes.items() if number is not None}
        return Evidence(
            recorded=recorded,
            dead_lettered=self._dead - self._ignore,
            in_flight=self.missing if self._waiting.total else frozenset(),
            writes=known if len(known) == len(writes) else None,
        )
