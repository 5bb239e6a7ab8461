"""What the report knows of the designs and table modes: their order, and a few words on each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Design:
    """How a ride travels."""

    words: str
    answers_first: bool
    """Whether the client is answered before the ride is recorded, so that rides can wait behind the answer."""


DESIGNS: Mapping[str, Design] = {
    "microservices": Design("services call each other by HTTP; the answer comes after the record", answers_first=False),
    "direct-invoke": Design(
        "the unicorn is found by a direct Lambda call; the answer comes after the record", answers_first=False
    ),
    "event-driven": Design(
        "the answer comes first; an SNS event has the ride recorded, or ends in a dead-letter queue",
        answers_first=True,
    ),
    "queued": Design(
        "the answer comes first; the ride waits in a queue until it is recorded, or ends in a dead-letter queue",
        answers_first=True,
    ),
}

TABLE_MODES: Mapping[str, str] = {
    "provisioned": "a fixed number of units per second",
    "autoscaled": "starts the same; units follow the use, minutes later",
    "on-demand": "no fixed number; paid per request",
}


def answers_first(design: str) -> bool | None:
    """Whether *design* answers before it records; None if it is not a known one."""
    known = DESIGNS.get(design)
    return None if known is None else known.answers_first


def in_order(name: str, order: Mapping[str, object]) -> int:
    """Return where *name* comes in *order*; after all others if it is not in it."""
    return list(order).index(name) if name in order else len(order)
