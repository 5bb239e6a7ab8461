"""CloudFormation's protocol for custom resources: one event in, one JSON document put to the event's ResponseURL.

Specification: AWS CloudFormation User Guide, "Custom resource request objects" and "Custom resource response objects".
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3

logger = logging.getLogger(__name__)

# CloudFormation refuses an answer of more than 4096 bytes. The other fields are ids and ARNs and need less than half.
_REASON_BYTES = 1024


class UndeliveredError(Exception):
    """CloudFormation did not take the answer."""


@dataclass(frozen=True)
class Done:
    """A request that was carried out: the resource's physical id, and the attributes that Fn::GetAtt can read."""

    physical_id: str
    data: Mapping[str, Any] = field(default_factory=dict)


def serve(
    event: Mapping[str, Any],
    carry_out: Callable[[Mapping[str, Any]], Done],
    *,
    fallback_id: str,
    pool: urllib3.PoolManager,
) -> None:
    """Carry out CloudFormation's request and answer it, also when it fails: without an answer the stack waits an hour.

    *fallback_id* is the physical id to give when a Create failed, since CloudFormation demands one. Raises
    UndeliveredError if the answer is not taken; the invocation then fails, and Lambda tries it again.
    """
    try:
        done = carry_out(event)
    except Exception as error:
        logger.error("%s failed: %r", event.get("RequestType"), error, exc_info=True)  # noqa: G201 (one line, one trace)
        document = failure(event, error, fallback_id=fallback_id)
    else:
        logger.info("%s of %s done: %s", event["RequestType"], done.physical_id, done.data)
        document = success(event, done)
    _put(event["ResponseURL"], document, pool)


def success(event: Mapping[str, Any], done: Done) -> dict[str, Any]:
    """Return the answer to a request that was carried out."""
    return {"Status": "SUCCESS", "PhysicalResourceId": done.physical_id, "Data": done.data, **_repeated(event)}


def failure(event: Mapping[str, Any], error: Exception, *, fallback_id: str) -> dict[str, Any]:
    """Return the answer to a request that failed; its Reason becomes the resource's status reason in the stack."""
    reason = f"{type(error).__name__}: {error}".encode()[:_REASON_BYTES].decode(errors="ignore")
    return {
        "Status": "FAILED",
        "Reason": reason,
        "PhysicalResourceId": event.get("PhysicalResourceId", fallback_id),
        **_repeated(event),
    }


def _repeated(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}


def _put(url: str, document: Mapping[str, Any], pool: urllib3.PoolManager) -> None:
    # The URL is signed for a request without a content type.
    body = json.dumps(document, ensure_ascii=False).encode()
    response = pool.request("PUT", url, body=body, headers={"Content-Type": ""})
    if not 200 <= response.status < 300:  # noqa: PLR2004 (HTTP's range of success)
        raise UndeliveredError(f"CloudFormation answered {response.status}: {response.data[:500]!r}")
