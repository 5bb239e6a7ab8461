"""ProcessDeadLetters: brings the rides of the dead-letter queue to the table, at a bounded rate."""

import functools
import json
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3

from .dead_letters import DeadLetter, DeadLetterQueue, ride_texts
from .ride import MalformedRideError, read_ride
from .storage import RideRecordTable, UnrecordedError

logger = logging.getLogger(__name__)

# With less time left than this no further letter is begun: a throttled write can take 26 s before it gives up.
_LEAST_TIME_LEFT_MS = 30_000
_DEFAULT_MAX_MESSAGES = 1_000
_DEFAULT_RIDES_PER_SECOND = 10.0


@dataclass
class Summary:
    """What became of the letters of one invocation."""

    recorded: int = 0
    """Letters whose rides are in the table; in a dry run, those whose rides could be."""
    poison: int = 0
    """Letters that hold no ride that could be recorded: put into the poison queue, with the reason."""
    failed: int = 0
    """Letters that the table did not take now; they are back in the queue."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why letters are poison or failed, and how many."""
    more: bool = True
    """Whether the queue may have more letters than this invocation has looked at."""


def handler(event: dict[str, Any] | None, context: Any) -> dict[str, Any]:
    """Process letters until the queue is empty, ``MaxMessages`` are done or the time is over.

    The event has, all optional: MaxMessages (1000), RidesPerSecond (10), DryRun (false: nothing is written, and the
    letters stay). The answer is a Summary.
    """
    limit, rides_per_second, dry_run = _read(event or {})
    summary = process(
        _queue(),
        _table(),
        limit=limit,
        pace=Pace(rides_per_second),
        time_left_ms=context.get_remaining_time_in_millis,
        dry_run=dry_run,
    )
    logger.info("%s%s", "dry run: " if dry_run else "", summary)
    return vars(summary) | {"reasons": dict(summary.reasons)}


class Pace:
    """Lets at most so many rides through in a second, evenly."""

    def __init__(
        self,
        rides_per_second: float,
        *,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval_s = 1 / rides_per_second
        self._now_s = now_s
        self._sleep = sleep
        self._next_s = now_s()

    def wait(self) -> None:
        """Wait until the next ride may pass."""
        early_s = self._next_s - self._now_s()
        if early_s > 0:
            self._sleep(early_s)
        self._next_s = max(self._next_s, self._now_s()) + self._interval_s


def process(
    queue: DeadLetterQueue,
    table: RideRecordTable,
    *,
    limit: int,
    pace: Pace,
    time_left_ms: Callable[[], float],
    dry_run: bool = False,
) -> Summary:
    """Record the rides of up to *limit* letters. A letter is deleted only when its rides, or itself, are stored."""
    summary = Summary()
    kept: list[DeadLetter] = []
    try:
        for letter in _letters(queue, limit, time_left_ms, summary, kept):
            try:
                _record(letter, table, pace, dry_run=dry_run)
            except MalformedRideError as reason:
                summary.poison += 1
                summary.reasons[str(reason)] += 1
                if not dry_run:
                    queue.keep_apart(letter, str(reason))
            except UnrecordedError as error:
                summary.failed += 1
                summary.reasons[error.code] += 1
                kept.append(letter)
                continue
            else:
                summary.recorded += 1
            if dry_run:
                kept.append(letter)
            else:
                queue.delete(letter)
    finally:
        queue.release(kept)
    return summary


def _letters(
    queue: DeadLetterQueue, limit: int, time_left_ms: Callable[[], float], summary: Summary, kept: list[DeadLetter]
) -> Iterator[DeadLetter]:
    """Yield letters one by one; those that were received and not yielded are *kept*."""
    left = limit
    while left > 0:
        received = queue.receive(left)
        if not received:
            summary.more = False
            return
        for number, letter in enumerate(received):
            if time_left_ms() < _LEAST_TIME_LEFT_MS:
                kept += received[number:]
                return
            yield letter
        left -= len(received)


def _record(letter: DeadLetter, table: RideRecordTable, pace: Pace, *, dry_run: bool) -> None:
    """Write the rides of *letter*, the good ones first if one of them is malformed."""
    malformed: MalformedRideError | None = None
    for text in ride_texts(letter.body):
        try:
            ride = read_ride(text)
            if not dry_run:
                pace.wait()
                table.put(ride)
        except MalformedRideError as reason:
            malformed = malformed or reason
    if malformed is not None:
        raise malformed


def _read(event: dict[str, Any]) -> tuple[int, float, bool]:
    limit = event.get("MaxMessages", _DEFAULT_MAX_MESSAGES)
    rides_per_second = event.get("RidesPerSecond", _DEFAULT_RIDES_PER_SECOND)
    dry_run = event.get("DryRun", False)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ValueError(f"MaxMessages must be a whole number of at least 1, got {json.dumps(limit)}")
    if not isinstance(rides_per_second, int | float) or isinstance(rides_per_second, bool) or rides_per_second <= 0:
        raise ValueError(f"RidesPerSecond must be a number above 0, got {json.dumps(rides_per_second)}")
    if not isinstance(dry_run, bool):
        raise ValueError(f"DryRun must be true or false, got {json.dumps(dry_run)}")  # noqa: TRY004 (as the others)
    return limit, float(rides_per_second), dry_run


@functools.cache
def _table() -> RideRecordTable:
    """Connect to the table; once per execution environment."""
    logging.getLogger(__package__).setLevel(os.environ.get("LOG_LEVEL", "INFO"))
    return RideRecordTable(boto3.client("dynamodb"), os.environ["DDB_TABLE_NAME"])


@functools.cache
def _queue() -> DeadLetterQueue:
    """Connect to the two queues; once per execution environment."""
    return DeadLetterQueue(boto3.client("sqs"), os.environ["DEAD_LETTER_QUEUE_URL"], os.environ["POISON_QUEUE_URL"])
