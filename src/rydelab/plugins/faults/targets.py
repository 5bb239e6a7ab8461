"""Whether there is what a fault shall happen to: one that meets nothing would be taken for a design that stands it."""

from collections.abc import Iterator

from localstack.services.lambda_.invocation.models import lambda_stores
from localstack.services.sns.models import sns_stores
from localstack.services.sqs.models import sqs_stores
from moto.dynamodb.models import dynamodb_backends


def names(target_kind: str) -> frozenset[str]:
    """Return the names of all functions, tables, queues or topics of the lab, in whatever account and region."""
    return frozenset(
        {
            "function": _functions,
            "table": _tables,
            "queue": _queues,
            "topic": _topics,
        }[target_kind]()
    )


def _functions() -> Iterator[str]:
    for _account, _region, store in lambda_stores.iter_stores():
        yield from store.functions


def _queues() -> Iterator[str]:
    for _account, _region, store in sqs_stores.iter_stores():
        yield from store.queues


def _topics() -> Iterator[str]:
    for _account, _region, store in sns_stores.iter_stores():
        yield from (arn.rpartition(":")[2] for arn in store.topics)


def _tables() -> Iterator[str]:
    for regions in dynamodb_backends.values():
        for backend in regions.values():
            yield from backend.tables
