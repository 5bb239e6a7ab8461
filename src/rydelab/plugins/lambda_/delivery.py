"""Where an asynchronous event goes when it is done: the function's dead-letter queue, or a destination."""

import json
import logging
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from localstack.aws.connect import connect_to
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, Invocation, InvocationResult
from localstack.utils.aws import arns
from localstack.utils.aws.message_forwarding import send_event_to_target
from localstack.utils.time import timestamp_millis

from rydelab.plugins.lambda_ import metrics
from rydelab.plugins.local_queue import LocalQueue
from rydelab.plugins.permissions.guard import require_role

LOG = logging.getLogger(__name__)
_MAX_ERROR_MESSAGE_BYTES: Final = 1024
_NO_XML_CHARACTER: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Condition(StrEnum):
    """Why an event is done, in the words of the destination record."""

    SUCCESS = "Success"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    EVENT_AGE_EXCEEDED = "EventAgeExceeded"
    ZERO_RESERVED_CONCURRENCY = "ZeroReservedConcurrency"


@dataclass(frozen=True, slots=True)
class Done:
    """An event that will not be tried again."""

    invocation: Invocation
    condition: Condition
    invoke_count: int
    """How often the function ran; refused attempts do not count."""
    result: InvocationResult | None
    """The last attempt's; None when the last attempt was refused, or none was made."""


def send_to_dead_letter_queue(version: FunctionVersion, event: Done) -> bool:
    """Send *event* to the version's dead-letter queue or topic; false if it has none or did not take it."""
    target_arn = version.config.dead_letter_arn
    if not target_arn:
        return False
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": event.invocation.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": _error_code(event)},
        "ErrorMessage": {"DataType": "String", "StringValue": _error_message(event)},
    }
    try:
        _send(version, target_arn, bytes(event.invocation.payload).decode(), attributes)
    except Exception as error:  # noqa: BLE001 (AWS drops the event and counts it, whatever went wrong)
        LOG.warning("rydelab: dead letter of %s not delivered to %s: %s", version.qualified_arn, target_arn, error)
        metrics.asynchronous(version, {"DeadLetterErrors": 1.0})
        return False
    return True


def send_to_destination(version: FunctionVersion, target_arn: str | None, event: Done) -> bool:
    """Send the record of an event that is done to a destination; false if there is none or it did not take it."""
    if target_arn is None:
        return False
    outcome = "Success" if event.condition is Condition.SUCCESS else "Failure"
    try:
        send_event_to_target(
            target_arn=target_arn,
            event=_record(version, event),
            role=version.config.role,
            source_arn=version.id.unqualified_arn(),
            source_service="lambda",
            events_source="lambda",
            events_detail_type=f"Lambda Function Invocation Result - {outcome}",
        )
    except Exception as error:  # noqa: BLE001 (as above)
        LOG.warning("rydelab: result of %s not delivered to %s: %s", version.qualified_arn, target_arn, error)
        metrics.asynchronous(version, {"DestinationDeliveryFailures": 1.0})
        return False
    return True


def _record(version: FunctionVersion, event: Done) -> dict[str, Any]:
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": timestamp_millis(),
        "requestContext": {
            "requestId": event.invocation.request_id,
            "functionArn": version.qualified_arn,
            "condition": event.condition.value,
            "approximateInvokeCount": event.invoke_count,
        },
        "requestPayload": json.loads(event.invocation.payload),
    }
    result = event.result
    if result is not None:
        record["responseContext"] = {"statusCode": 200, "executedVersion": version.id.qualifier}
        if result.is_error:
            record["responseContext"]["functionError"] = "Unhandled"
        record["responsePayload"] = json.loads(result.payload or b"null")
    return record


def _send(version: FunctionVersion, target_arn: str, body: str, attributes: dict[str, Any]) -> None:
    role_arn, session_name = version.config.role, version.id.function_name
    if ":sqs:" in target_arn:
        require_role(role_arn, session_name, "sqs:SendMessage", target_arn)
        LocalQueue(target_arn).send(body, attributes=attributes)
        return
    region = arns.extract_region_from_arn(target_arn)
    clients = connect_to.with_assumed_role(
        role_arn=role_arn, service_principal="lambda", session_name=session_name, region_name=region
    )
    client = clients.sns.request_metadata(source_arn=version.id.unqualified_arn(), service_principal="lambda")
    client.publish(TopicArn=target_arn, Message=body, MessageAttributes=attributes)


def _error_code(event: Done) -> str:
    # 200 for a function error is what AWS was seen to send; a throttled event has had its 429.
    return "200" if event.result is not None else "429"


def _error_message(event: Done) -> str:
    if event.result is None:
        return "Rate Exceeded."
    try:
        message = str(json.loads(event.result.payload or b"")["errorMessage"])
    except (ValueError, KeyError, TypeError):
        message = (event.result.payload or b"").decode("utf-8", "replace")
    # SQS refuses the whole message for one character that XML does not have, such as a terminal's escape codes.
    message = _NO_XML_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", message)
    return message.encode()[:_MAX_ERROR_MESSAGE_BYTES].decode("utf-8", "ignore") or "Unknown"
