"""What a function's answer says about the messages of its batch. Pure.

Source: AWS Lambda developer guide, "Handling errors for an SQS event source in Lambda".
"""

import json
from collections.abc import Set as AbstractSet


def failed_messages(answer: bytes | None, message_ids: AbstractSet[str]) -> AbstractSet[str]:
    """Return the ids of the batch that the answer of a function with ReportBatchItemFailures reports as failed.

    All of *message_ids* for an answer that cannot be understood: no JSON, no object, a wrong key, or an identifier that
    is empty, null or not of this batch.
    """
    try:
        document = json.loads(answer or b"null")
    except ValueError:
        return message_ids
    if not document and not isinstance(document, bool | int | float):
        return frozenset()  # null, {}, [] and "" report no failure
    if not isinstance(document, dict):
        return message_ids
    reported = document.get("batchItemFailures")
    if reported is None:
        return frozenset()
    if not isinstance(reported, list):
        return message_ids
    failed = [item.get("itemIdentifier") if isinstance(item, dict) else None for item in reported]
    known = frozenset(one for one in failed if isinstance(one, str) and one in message_ids)
    return known if len(known) == len(set(map(str, failed))) else message_ids
