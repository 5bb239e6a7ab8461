"""Asynchronous invocations: the queue between ``InvocationType=Event`` and the function.

It stands in the place of LocalStack's event manager, which polls an internal SQS queue with one thread per version,
never lengthens the interval after throttling, and loses events that age out. Here an event is a Python object that
waits either for a worker thread or for its time.

Source: AWS Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation".
"""

import heapq
import itertools
import logging
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from localstack import config
from localstack.services.lambda_.invocation.lambda_models import EventInvokeConfig, FunctionVersion, Invocation
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager

from rydelab.plugins import lab_clock
from rydelab.plugins.duplicates import choice
from rydelab.plugins.lambda_ import activity, metrics
from rydelab.plugins.lambda_.delivery import Condition, Done, send_to_dead_letter_queue, send_to_destination
from rydelab.plugins.lambda_.invocation import VersionReplacedError

LOG = logging.getLogger(__name__)

_DEFAULT_MAX_RETRIES: Final = 2
_DEFAULT_MAX_AGE_S: Final = 6 * 3600
_FIRST_THROTTLE_DELAY_S: Final = 1.0
_LAST_THROTTLE_DELAY_S: Final = 300.0
_REPLACED_DELAY_S: Final = 0.1
# AWS takes events from its queue with as many environments as the function's concurrency allows. On one machine an
# environment more only helps when the present ones wait for something, which shows in events that wait for a worker.
_PATIENCE_S: Final = 0.1
_WORKER_LINGER_S: Final = 2.0


@dataclass(slots=True)
class _Event:
    invocation: Invocation
    received_s: float
    """Lab seconds."""
    failed_attempts: int = 0
    throttled_attempts: int = 0
    waiting_since_s: float = field(default=0.0)


class AsyncEvents:
    """The events of one function version. Same operations as LocalStack's ``LambdaEventManager``.

    An event leaves only by success, or through ``delivery`` when it has failed for good: none is dropped silently.
    """

    def __init__(self, version_manager: LambdaVersionManager) -> None:
        self.version_manager = version_manager
        self._condition = threading.Condition()
        self._ready: deque[_Event] = deque()
        self._later: list[tuple[float, int, _Event]] = []
        self._sequence = itertools.count()
        self._workers = 0
        self._idle_workers = 0
        self._running = 0
        self._stopped = False
        self._ticker: threading.Thread | None = None

    # -- LocalStack's side ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take over the events of the version that this one replaces."""
        name = self.version_manager.function_version.qualified_arn
        predecessor = _registry.get(name)
        _registry[name] = self
        if predecessor is not None:
            predecessor._hand_over_to(self)  # noqa: SLF001 (same class)

    def enqueue_event(self, invocation: Invocation) -> None:
        """Accept one event."""
        now_s = lab_clock.now_s()
        metrics.asynchronous(self.version_manager.function_version, {"AsyncEventsReceived": 1.0})
        self._put(_Event(invocation, received_s=now_s, waiting_since_s=now_s))
        if choice().comes_twice(self.version_manager.function_version.id.function_name):
            self._put(_Event(invocation, received_s=now_s, waiting_since_s=now_s))

    def stop_for_update(self) -> None:
        """Stop after an update; the new version's queue has taken the events over."""
        self._stop()

    def stop(self) -> None:
        """Stop because the function is gone, and its events with it, as on AWS."""
        name = self.version_manager.function_version.qualified_arn
        if _registry.get(name) is self:
            del _registry[name]
        self._stop()

    def counts(self) -> dict[str, int]:
        """Return how many events wait for a worker, wait for a retry, and run."""
        with self._condition:
            return {"queued": len(self._ready), "retrying": len(self._later), "running": self._running}

    # -- the queue ------------------------------------------------------------------------------------------------

    def _put(self, event: _Event, delay_s: float = 0.0) -> None:
        with self._condition:
            successor = _registry.get(self.version_manager.function_version.qualified_arn)
            if not self._stopped:
                if delay_s > 0:
                    heapq.heappush(self._later, (lab_clock.now_s() + delay_s, next(self._sequence), event))
                    self._tick_from_now_on()
                else:
                    self._ready.append(event)
                    self._wake_a_worker()
                return
        if successor is not None and successor is not self:
            successor._put(event, delay_s)  # noqa: SLF001

    def _hand_over_to(self, successor: "AsyncEvents") -> None:
        with self._condition:
            ready, self._ready = self._ready, deque()
            later, self._later = self._later, []
            self._stopped = True
            self._condition.notify_all()
        now_s = lab_clock.now_s()
        for event in ready:
            successor._put(event)  # noqa: SLF001
        for due_s, _, event in later:
            successor._put(event, max(0.0, due_s - now_s))  # noqa: SLF001

    def _stop(self) -> None:
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def _wake_a_worker(self) -> None:
        if self._idle_workers > 0:
            self._condition.notify()
        if len(self._ready) > self._idle_workers:  # a worker that was woken before may not have run yet
            if self._workers == 0:
                self._add_worker()
            else:
                self._tick_from_now_on()

    def _add_worker(self) -> None:
        self._workers += 1
        name = self.version_manager.function_version.id.function_name
        threading.Thread(target=self._work, name=f"lambda-async-{name}", daemon=True).start()

    def _tick_from_now_on(self) -> None:
        if self._ticker is None:
            self._ticker = threading.Thread(target=self._tick, name="lambda-async-clock", daemon=True)
            self._ticker.start()

    def _tick(self) -> None:
        """Move events whose time has come, and add a worker while events wait for one."""
        wake = threading.Event()
        while True:
            with self._condition:
                if self._stopped or not (self._ready or self._later):
                    self._ticker = None
                    return
                now_s = lab_clock.now_s()
                while self._later and self._later[0][0] <= now_s:
                    _, _, event = heapq.heappop(self._later)
                    event.waiting_since_s = now_s
                    self._ready.append(event)
                    self._condition.notify()
                room = self._workers < config.LAMBDA_LIMITS_CONCURRENT_EXECUTIONS
                if self._ready and self._idle_workers == 0 and room:
                    waited_s = lab_clock.real_s(now_s - self._ready[0].waiting_since_s)
                    if self._workers == 0 or waited_s > _PATIENCE_S:
                        self._add_worker()
            wake.wait(_PATIENCE_S / 2)

    def _work(self) -> None:
        while (event := self._take()) is not None:
            try:
                self._handle(event)
            except Exception:
                LOG.exception("rydelab: asynchronous event %s failed in the lab", event.invocation.request_id)
            finally:
                with self._condition:
                    self._running -= 1

    def _take(self) -> _Event | None:
        with self._condition:
            self._idle_workers += 1
            try:
                if not self._ready and not self._stopped:
                    self._condition.wait_for(lambda: self._ready or self._stopped, _WORKER_LINGER_S)
                if not self._ready or self._stopped:
                    self._workers -= 1
                    return None
                self._running += 1
                return self._ready.popleft()
            finally:
                self._idle_workers -= 1

    # -- one event ------------------------------------------------------------------------------------------------

    def _handle(self, event: _Event) -> None:
        version: FunctionVersion = self.version_manager.function_version
        rules = _Rules.of(self.version_manager)
        if self.version_manager.function.reserved_concurrent_executions == 0:
            self._give_up(event, Condition.ZERO_RESERVED_CONCURRENCY, None)
            return
        age_ms = (lab_clock.now_s() - event.received_s) * 1000
        if event.failed_attempts or event.throttled_attempts:
            activity.add(version.id.function_name, activity.RETRIED)
        try:
            result = self.version_manager.invoke(invocation=event.invocation)
        except VersionReplacedError:
            self._put(event, _REPLACED_DELAY_S)
            return
        except Exception as refusal:  # noqa: BLE001 (throttled, or the lab's own trouble: both go back)
            event.throttled_attempts += 1
            delay_s = min(_FIRST_THROTTLE_DELAY_S * 2 ** (event.throttled_attempts - 1), _LAST_THROTTLE_DELAY_S)
            LOG.debug("rydelab: asynchronous event of %s refused: %s", version.qualified_arn, refusal)
            if self._too_old_after(event, delay_s, rules):
                self._give_up(event, Condition.EVENT_AGE_EXCEEDED, None)
            else:
                self._put(event, delay_s)
            return
        metrics.asynchronous(version, {"AsyncEventAge": age_ms})
        if not result.is_error:
            done = Done(event.invocation, Condition.SUCCESS, event.failed_attempts + 1, result)
            send_to_destination(version, rules.on_success, done)
            return
        event.failed_attempts += 1
        delay_s = event.failed_attempts * float(config.LAMBDA_RETRY_BASE_DELAY_SECONDS)
        if event.failed_attempts > rules.max_retries:
            self._give_up(event, Condition.RETRIES_EXHAUSTED, result)
        elif self._too_old_after(event, delay_s, rules):
            self._give_up(event, Condition.EVENT_AGE_EXCEEDED, result)
        else:
            self._put(event, delay_s)

    def _too_old_after(self, event: _Event, delay_s: float, rules: "_Rules") -> bool:
        # AWS looks ahead: an event whose next attempt would come too late is discarded now.
        return lab_clock.now_s() + delay_s - event.received_s > rules.max_age_s

    def _give_up(self, event: _Event, condition: Condition, result: Any) -> None:
        version = self.version_manager.function_version
        rules = _Rules.of(self.version_manager)
        done = Done(event.invocation, condition, event.failed_attempts, result)
        kept = send_to_destination(version, rules.on_failure, done)
        kept |= send_to_dead_letter_queue(version, done)
        if not kept:
            LOG.warning(
                "rydelab: asynchronous event %s of %s is dropped (%s): no dead-letter queue or destination took it",
                event.invocation.request_id,
                version.qualified_arn,
                condition,
            )
        metrics.asynchronous(version, {"AsyncEventsDropped": 1.0})


@dataclass(frozen=True, slots=True)
class _Rules:
    max_retries: int
    max_age_s: float
    on_success: str | None
    on_failure: str | None

    @classmethod
    def of(cls, version_manager: LambdaVersionManager) -> "_Rules":
        settings: EventInvokeConfig | None = version_manager.function.event_invoke_configs.get(
            version_manager.function_version.id.qualifier
        )
        if settings is None:
            return cls(_DEFAULT_MAX_RETRIES, _DEFAULT_MAX_AGE_S, None, None)
        destinations = settings.destination_config or {}
        retries, age_s = settings.maximum_retry_attempts, settings.maximum_event_age_in_seconds
        return cls(
            _DEFAULT_MAX_RETRIES if retries is None else int(retries),
            _DEFAULT_MAX_AGE_S if age_s is None else float(age_s),
            destinations.get("OnSuccess", {}).get("Destination"),
            destinations.get("OnFailure", {}).get("Destination"),
        )


_registry: dict[str, AsyncEvents] = {}


def counts() -> dict[str, dict[str, int]]:
    """Return ``AsyncEvents.counts`` per qualified function ARN."""
    return {name: events.counts() for name, events in list(_registry.items())}
