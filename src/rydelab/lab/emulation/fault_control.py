"""Sets faults in a running lab, and takes them back (docs/faults.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import bootstrap
from rydelab.errors import RydelabError
from rydelab.faults import KINDS, Fault
from rydelab.lab.emulation.observation import ask

FAULTS_PATH = "/_rydelab/faults"
TYPES: Mapping[str, str] = {
    "function": "AWS::Lambda::Function",
    "table": "AWS::DynamoDB::Table",
    "queue": "AWS::SQS::Queue",
    "topic": "AWS::SNS::Topic",
}
"""CloudFormation's name for each kind of target."""


class FaultRefusedError(RydelabError):
    """The lab does not take a fault, or has none of that id. The message is for people."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class SetFault:
    """A fault as the lab has it."""

    id: str
    kind: str
    target: str
    """Its physical name."""
    parameters: Mapping[str, str | float]
    state: str
    """``waits``, ``on`` or ``over``."""
    begins_at: float
    """Unix time by the lab's clock, as `ends_at`."""
    ends_at: float
    hits: int
    """How many requests it has met."""


@dataclass(frozen=True, slots=True)
class FaultControl:
    """The faults of the lab at *endpoint_url*. Every method raises FaultRefusedError or ObservationError."""

    endpoint_url: str
    timeout_s: float = 10.0

    def start(self, fault: Fault) -> SetFault:
        """Set *fault*, whose target is a physical name, an ARN or a URL."""
        body = {
            "kind": fault.kind,
            "target": fault.target,
            "start_s": fault.start_s,
            "length_s": fault.length_s,
            "parameters": dict(fault.parameters),
        }
        return SetFault(**self._ask("POST", FAULTS_PATH, body))

    def stop(self, fault_id: str | None = None) -> Sequence[SetFault]:
        """End the fault of that id, or all; return those that were there."""
        path = FAULTS_PATH if fault_id is None else f"{FAULTS_PATH}?id={quote(fault_id)}"
        return [SetFault(**one) for one in self._ask("DELETE", path)["stopped"]]

    def all(self) -> tuple[Sequence[SetFault], Sequence[SetFault]]:
        """Return the faults that are set, and the last that are over."""
        answer = self._ask("GET", FAULTS_PATH)
        return [SetFault(**one) for one in answer["faults"]], [SetFault(**one) for one in answer["ended"]]

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = ask(self.endpoint_url, method, path, body=body, timeout_s=self.timeout_s)
        if status >= HTTPStatus.BAD_REQUEST:
            said = answer["error"] if answer else f"answered {status} to {method} {path}; is it a lab of this version?"
            raise FaultRefusedError(f"the lab at {self.endpoint_url}: {said}")
        return answer


def physical_target(target: bootstrap.Target, fault: Fault, *, stage: str) -> str:
    """Return the physical name, ARN or URL of what *fault* calls by its name in a template of *stage*.

    Raises bootstrap's InputError, which lists what there is, if nothing is called so.
    """
    needs = KINDS[fault.kind].target
    return bootstrap.find(target, TYPES[needs], fault.target, stage=stage) if needs else ""
