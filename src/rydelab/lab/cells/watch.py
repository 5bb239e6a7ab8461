"""Watches a cell while it runs, once a second: what waits, how busy machine and emulator are, how fast the lab answers.

It costs the lab about ten simple requests a second.
"""

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psutil
from botocore.exceptions import BotoCoreError, ClientError

from rydelab.lab.cells.stores import Stores
from rydelab.lab.emulation.observation import (
    FunctionActivity,
    LabRefusesError,
    ObservationError,
    ProcessorTime,
    TableActivity,
)

INTERVAL_S = 1.0
PROBES_PER_INTERVAL = 4
REFUSED_S, SILENT_S = 2.0, 60.0
"""A lab that refuses every connection for this long has ended; one that answers nothing for this long hangs.

On a busy machine, when hundreds of environments start at once, an answer takes many seconds.
"""
TABLE_INTERVAL_S = 60.0
"""The lab forgets what happened in a table more than an hour ago."""
CLOCK_ERROR_S = 0.05


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. Unix time, of this machine."""

    at: float
    backlog: int
    """Messages and events that wait or are being worked on."""
    dead_letters: int
    """In the dead-letter queue."""
    activity: FunctionActivity
    """Of the function that records rides, since the lab started."""
    ride_throttles: int
    """Invocations of RequestRide that were refused, since the lab started."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One request that does no work."""

    at: float
    took_s: float


@dataclass(frozen=True, slots=True)
class Busy:
    """How busy the machine was in an interval that ended then; shares from 0 to 1."""

    at: float
    processors: float
    """Of all processors together."""
    emulator: float | None
    """Of the one processor that the emulator's own process can use; None if it did not say."""


class Watch:
    """Looks once a second from the begin of its ``with`` block to its end."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._processor_time: ProcessorTime | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._answered_at = time.monotonic()
        self._refused = False
        self._table_from = time.time()
        self.samples: list[Sample] = []
        self.probes: list[Probe] = []
        self.busy: list[Busy] = []
        self.tables: list[TableActivity] = []
        """What happened to the record table, in pieces that may overlap."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        if not self.is_lab_gone:
            # The lab shows a second when it is over.
            time.sleep(1 - time.time() % 1 + CLOCK_ERROR_S)
            with contextlib.suppress(ObservationError):
                self._look_at_table()

    @property
    def is_lab_gone(self) -> bool:
        """Whether the lab has not answered anything for too long."""
        return time.monotonic() - self._answered_at > (REFUSED_S if self._refused else SILENT_S)

    def _run(self) -> None:
        psutil.cpu_percent()  # it counts from the call before
        self._emulator_share()  # likewise
        due = time.monotonic()
        while not self._stopping.is_set():
            with contextlib.suppress(ObservationError, BotoCoreError, ClientError):
                self._look()
            due = max(due + INTERVAL_S, time.monotonic())
            self._probe_until(due)
            self._note_busy()

    def _look(self) -> None:
        activity = self._stores.observation.lambda_activity()
        functions = self._stores.deployment.functions
        self.samples.append(
            Sample(
                at=time.time(),
                backlog=self._stores.waiting(activity).backlog,
                dead_letters=self._stores.dead(),
                activity=activity.of(functions.get(self._stores.deployment.record_function or "")),
                ride_throttles=activity.of(functions.get("RequestRide")).throttles,
            )
        )
        if time.time() - self._table_from > TABLE_INTERVAL_S:
            self._look_at_table()

    def _look_at_table(self) -> None:
        until = time.time()
        # A second more than since the last time: the one that was not over then.
        found = self._stores.observation.table_activity(
            self._stores.deployment.record_table or "", since=self._table_from - 1
        )
        self._table_from = until
        if found is not None:
            self.tables.append(found)

    def _probe_until(self, end: float) -> None:
        for _ in range(PROBES_PER_INTERVAL):
            self._probe()
            left_s = end - time.monotonic()
            if left_s <= 0 or self._stopping.wait(min(left_s, INTERVAL_S / PROBES_PER_INTERVAL)):
                return
        self._stopping.wait(max(0.0, end - time.monotonic()))

    def _probe(self) -> None:
        at = time.time()
        try:
            self.probes.append(Probe(at, self._stores.observation.probe()))
        except LabRefusesError:
            self._refused = True
        except ObservationError:
            self._refused = False
        else:
            self._refused = False
            self._answered_at = time.monotonic()

    def _note_busy(self) -> None:
        self.busy.append(Busy(time.time(), psutil.cpu_percent() / 100, self._emulator_share()))

    def _emulator_share(self) -> float | None:
        """How much of a processor the emulator has used since this was asked before."""
        before, self._processor_time = self._processor_time, None
        with contextlib.suppress(ObservationError):
            self._processor_time = self._stores.observation.processor_time()
        return self._processor_time.share_since(before) if self._processor_time else None


def between[T: (Sample, Probe, Busy)](rows: Sequence[T], begin: float, end: float) -> list[T]:
    """Return the rows from Unix time *begin* on, and before *end*."""
    return [row for row in rows if begin <= row.at < end]
