"""The faults of a scenario in one cell: set when its load begins, and gone before what it led to is counted."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import bootstrap
from rydelab.errors import RydelabError
from rydelab.faults import KINDS, Fault
from rydelab.lab.cells.deployment import Deployment
from rydelab.lab.emulation.fault_control import FaultControl, SetFault, physical_target
from rydelab.lab.scenarios.scenario_faults import RECORD_FUNCTION

POLL_INTERVAL_S = 0.25


@dataclass(frozen=True, slots=True)
class CellFault:
    """One fault of the scenario in one cell."""

    fault: Fault
    """As the scenario has it."""
    came: SetFault | None
    """What came of it; None if the cell's design has no such target, or the load never began."""


class CellFaults:
    """Sets *faults* in the stage of *deployment*. At the end of its ``with`` block none is left, whatever has happened.

    Raises RydelabError or BootstrapError.
    """

    def __init__(self, faults: Sequence[Fault], deployment: Deployment, *, target: bootstrap.Target) -> None:
        self._control = FaultControl(target.endpoint_url)
        self._ids: dict[int, str] = {}
        self._faults = [_named(fault, deployment) for fault in faults]
        # Found before the load begins: it takes a while.
        self._physical = [_find(fault, deployment.stage, target) for fault in self._faults]
        self._over_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def begin(self, began_at: float) -> None:
        """Set every fault, of a load that begins at the Unix time *began_at* by this machine's clock."""
        since_s = time.time() - began_at
        for position, (fault, physical) in enumerate(zip(self._faults, self._physical, strict=True)):
            if physical is not None:
                start_s = max(0.0, fault.start_s - since_s)
                came = self._control.start(replace(fault, target=physical, start_s=start_s))
                self._ids[position] = came.id
                self._over_at = max(self._over_at, time.monotonic() + start_s + fault.length_s)

    def wait(self, progress: Callable[[float], None]) -> None:
        """Wait until all are over. *progress* gets how long that takes from now, several times a second."""
        while (left_s := self._over_at - time.monotonic()) > 0:
            progress(left_s)
            time.sleep(min(left_s, POLL_INTERVAL_S))

    def stop(self) -> None:
        """End those that are not over; a lab that is gone has none."""
        for fault_id in self._ids.values():
            with contextlib.suppress(RydelabError):
                self._control.stop(fault_id)

    def found(self) -> tuple[CellFault, ...]:
        """Return what came of each."""
        if not self._ids:
            return tuple(CellFault(fault, None) for fault in self._faults)
        present, ended = self._control.all()
        known = {one.id: one for one in [*present, *ended]}
        return tuple(
            CellFault(fault, known.get(self._ids.get(position, ""))) for position, fault in enumerate(self._faults)
        )


def _named(fault: Fault, deployment: Deployment) -> Fault:
    """Put the function's own name in the place of the one that stands for it in every design."""
    if fault.target != RECORD_FUNCTION:
        return fault
    return replace(fault, target=deployment.record_function or RECORD_FUNCTION)


def _find(fault: Fault, stage: str, target: bootstrap.Target) -> str | None:
    """Return the physical name of the target; None if the stage has no such thing."""
    if not KINDS[fault.kind].target:
        return ""
    try:
        return physical_target(target, fault, stage=stage)
    except bootstrap.InputError:
        return None
