"""One event source mapping from a queue: takes batches out of it and hands each to the function.

One thread receives; it waits on the queue's own lock, so a message is taken the moment it arrives. Each batch is then
handled by a thread of its own, as many at once as ``Concurrency`` allows.
"""

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from localstack.aws.api import ServiceException
from localstack.aws.api.lambda_ import FunctionResponseType
from localstack.services.lambda_.event_source_mapping.esm_worker import EsmState, EsmStateReason
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.models import lambda_stores
from localstack.services.lambda_.provider_utils import get_function_version_from_arn
from localstack.utils.aws.arns import parse_arn

from rydelab.plugins.event_sources.answers import failed_messages
from rydelab.plugins.event_sources.concurrency import Concurrency
from rydelab.plugins.event_sources.records import (
    MAX_EVENT_BYTES,
    Record,
    Source,
    batches,
    event_of,
    is_repeated,
    matches,
    record_of,
    size_bytes,
)
from rydelab.plugins.lambda_ import activity, direct
from rydelab.plugins.local_queue import MOST_PER_CALL, LocalQueue
from rydelab.plugins.permissions.guard import require_role
from rydelab.plugins.permissions.refusals import AccessDeniedError

LOG = logging.getLogger(__name__)

_RECEIVE_WAIT_S: Final = 1
"""How long one call waits for a message; a mapping that is stopped notices after at most this long."""
_SLOT_WAIT_S: Final = 0.1
_LOST_QUEUE_WAIT_S: Final = 1.0
_FIRST_REFUSED_WAIT_S: Final = 0.1
_LAST_REFUSED_WAIT_S: Final = 5.0
# What is no answer of the function and may be different a moment later: throttled, or the lab's own trouble.
_GONE: Final = ("ResourceNotFoundException", "RequestEntityTooLargeException", "InvalidRequestContentException")


@dataclass(frozen=True, slots=True)
class _Batch:
    records: list[Record]
    hidden_until_s: float
    """On the monotonic clock: when other receivers may see its messages again."""


class SqsMapping:
    """Runs one mapping. Same operations as LocalStack's ``EsmWorker``, in whose place it stands.

    Messages leave the queue only when the function has handled them or a filter has dropped them; every other outcome
    leaves them to the visibility timeout and the queue's redrive policy.
    """

    def __init__(self, configuration: dict[str, Any], *, enabled: bool) -> None:
        self.esm_config = configuration
        self.enabled = enabled
        self.current_state = EsmState.CREATING
        self.state_transition_reason = EsmStateReason.USER_INITIATED
        self._function_arn: str = configuration["FunctionArn"]
        self._function_name = parse_arn(self._function_arn)["resource"].split(":")[1]
        self._role_arn = ""
        self._queue = LocalQueue(configuration["EventSourceArn"])
        self._source = Source(self._queue.arn, self._queue.region)
        self._batch_size = int(configuration.get("BatchSize") or MOST_PER_CALL)
        is_fifo = self._queue.arn.endswith(".fifo")
        self._window_s = 0.0 if is_fifo else float(configuration.get("MaximumBatchingWindowInSeconds") or 0)
        self._reports_failures = FunctionResponseType.ReportBatchItemFailures in (
            configuration.get("FunctionResponseTypes") or []
        )
        filters = (configuration.get("FilterCriteria") or {}).get("Filters") or []
        self._patterns = [json.loads(one["Pattern"]) for one in filters]
        self._concurrency = Concurrency((configuration.get("ScalingConfig") or {}).get("MaximumConcurrency"))
        self._free = threading.Condition()
        self._in_use = 0
        self._stopping = threading.Event()
        self._deleted = False

    @property
    def uuid(self) -> str:
        """The mapping's id."""
        return str(self.esm_config["UUID"])

    # -- LocalStack's side ----------------------------------------------------------------------------------------

    def create(self) -> None:
        """Start, unless the mapping is disabled."""
        if self.enabled:
            self._set_state(EsmState.ENABLED)
            threading.Thread(target=self._run, name=f"sqs-mapping-{self.uuid}", daemon=True).start()
        else:
            self._set_state(EsmState.DISABLED)

    def stop(self) -> None:
        """Stop taking messages. What has been taken is still handled."""
        was_running, self.enabled = self.enabled, False
        self._set_state(EsmState.DISABLING if was_running else EsmState.DISABLED)
        self._stopping.set()

    def delete(self) -> None:
        """Stop, and forget the mapping."""
        self._deleted = True
        self.current_state = EsmState.DELETING
        self._stopping.set()
        self._mappings.pop(self.uuid, None)

    def stop_for_shutdown(self) -> None:
        """Stop because the lab ends."""
        self._stopping.set()

    @property
    def _mappings(self) -> dict[str, Any]:
        arn = parse_arn(self._function_arn)
        mappings: dict[str, Any] = lambda_stores[arn["account"]][arn["region"]].event_source_mappings
        return mappings

    def _set_state(self, state: EsmState) -> None:
        self.current_state = state
        if (stored := self._mappings.get(self.uuid)) is not None:
            stored["State"] = state

    # -- receiving ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        pool = ThreadPoolExecutor(self._concurrency.ceiling, thread_name_prefix=f"sqs-batch-{self.uuid[:8]}")
        try:
            while self._wait_for_a_slot():
                try:
                    self._receive(pool)
                except AccessDeniedError as refusal:
                    LOG.debug("rydelab: mapping %s may not receive: %s", self.uuid, refusal)
                    activity.add(self._function_name, activity.REFUSED_POLLS)
                    self._stopping.wait(_LOST_QUEUE_WAIT_S)
                except ServiceException as error:
                    LOG.debug("rydelab: mapping %s cannot receive: %s", self.uuid, error)
                    self._stopping.wait(_LOST_QUEUE_WAIT_S)
                except Exception:
                    LOG.exception("rydelab: mapping %s failed to receive", self.uuid)
                    self._stopping.wait(_LOST_QUEUE_WAIT_S)
        finally:
            pool.shutdown(wait=False)
            # An update puts another mapping of the same id in this one's place before this one has ended.
            stored = self._mappings.get(self.uuid)
            if not self._deleted and stored is not None and stored["State"] == EsmState.DISABLING:
                self._set_state(EsmState.DISABLED)
            elif self.current_state == EsmState.DISABLING:
                self.current_state = EsmState.DISABLED

    def _receive(self, pool: ThreadPoolExecutor) -> None:
        """Receive one batch, or nothing within a second, and have it handled."""
        self._role_arn = get_function_version_from_arn(self._function_arn).config.role  # it may have another by now
        self._require("sqs:ReceiveMessage")
        self._require("sqs:GetQueueAttributes")
        messages = list(self._queue.receive(min(self._batch_size, MOST_PER_CALL), _RECEIVE_WAIT_S))
        received_s = time.monotonic()
        if not messages:
            if self._in_use == 0:
                self._concurrency.is_idle()
            return
        records = [record_of(message, self._source) for message in messages]
        self._fill(records, until_s=received_s + self._window_s)
        hidden_until_s = received_s + self._queue.visibility_timeout_s
        for number, batch in enumerate(batches(self._without_dropped(records))):
            if number and not self._wait_for_a_slot():
                return
            with self._free:
                self._in_use += 1
            pool.submit(self._handle, _Batch(batch, hidden_until_s))

    def _fill(self, records: list[Record], *, until_s: float) -> None:
        """Add messages to *records* until the batch is full or the window is over."""
        held_bytes = sum(map(size_bytes, records))
        while (room := self._batch_size - len(records)) > 0 and held_bytes < MAX_EVENT_BYTES:
            left_s = until_s - time.monotonic()
            if left_s <= 0 or self._stopping.is_set():
                return
            more = self._queue.receive(min(room, MOST_PER_CALL), _RECEIVE_WAIT_S if left_s > _RECEIVE_WAIT_S else 0)
            if not more and left_s <= _RECEIVE_WAIT_S:
                self._stopping.wait(min(left_s, _SLOT_WAIT_S))
            added = [record_of(message, self._source) for message in more]
            held_bytes += sum(map(size_bytes, added))
            records += added

    def _without_dropped(self, records: list[Record]) -> list[Record]:
        passing = [record for record in records if matches(record, self._patterns)]
        if len(passing) < len(records):
            kept = {record["messageId"] for record in passing}
            self._delete([record["receiptHandle"] for record in records if record["messageId"] not in kept])
        return passing

    def _delete(self, receipt_handles: list[str]) -> None:
        try:
            self._require("sqs:DeleteMessage")
        except AccessDeniedError as refusal:
            LOG.warning("rydelab: messages of mapping %s stay in their queue: %s", self.uuid, refusal)
            return
        self._queue.delete(receipt_handles)

    def _require(self, action: str) -> None:
        """Raise AccessDeniedError if the function's role may not do *action* with the queue."""
        require_role(self._role_arn, self._function_name, action, self._queue.arn)

    def _wait_for_a_slot(self) -> bool:
        """Wait until one more batch may be handled; false if the mapping was stopped."""
        with self._free:
            while not self._stopping.is_set():
                if self._in_use < self._concurrency.limit:
                    return True
                self._concurrency.wanted_more(time.monotonic())
                self._free.wait(_SLOT_WAIT_S)
        return False

    # -- one batch ------------------------------------------------------------------------------------------------

    def _handle(self, batch: _Batch) -> None:
        try:
            result = self._invoke(batch)
            if result is None:
                return
            handled = self._handled(batch, result)
            if handled:
                self._delete(handled)
        except Exception:
            LOG.exception("rydelab: a batch of mapping %s is left to the visibility timeout", self.uuid)
        finally:
            with self._free:
                self._in_use -= 1
                self._free.notify()

    def _invoke(self, batch: _Batch) -> InvocationResult | None:
        """Invoke the function; again and again while it is refused and the messages are hidden. None if in vain."""
        event = event_of(batch.records)
        activity.add(self._function_name, activity.RETRIED, sum(map(is_repeated, batch.records)))
        wait_s = _FIRST_REFUSED_WAIT_S
        while True:
            try:
                return direct.invoke(self._function_arn, event, "RequestResponse")
            except Exception as refusal:  # noqa: BLE001 (what is not worth another try is told apart below)
                LOG.debug("rydelab: a batch of mapping %s was refused: %s", self.uuid, refusal)
                if isinstance(refusal, ServiceException) and refusal.code in _GONE:
                    return None
                activity.add(self._function_name, activity.RETRIED, len(batch.records))
                with self._free:
                    self._concurrency.went_badly()
                if time.monotonic() + wait_s >= batch.hidden_until_s or self._stopping.wait(wait_s):
                    return None
                wait_s = min(2 * wait_s, _LAST_REFUSED_WAIT_S)

    def _handled(self, batch: _Batch, result: InvocationResult) -> list[str]:
        """Return the receipt handles of the messages that the function has handled."""
        if result.is_error:
            failed = {record["messageId"] for record in batch.records}
        elif self._reports_failures:
            failed = set(failed_messages(result.payload, {record["messageId"] for record in batch.records}))
        else:
            failed = set()
        if len(failed) == len(batch.records) and not self._reports_failures:
            with self._free:
                self._concurrency.went_badly()
        return [record["receiptHandle"] for record in batch.records if record["messageId"] not in failed]
