"""Transactions: all of their writes or none, and the memory of the tokens that make them repeatable."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from marshal import dumps
from threading import Lock
from typing import Any

from rydelab.plugins.dynamodb.store.errors import DynamoError, invalid, transaction_cancelled
from rydelab.plugins.dynamodb.store.reads import ItemLookup, TableOf, has_duplicates, prepare_get
from rydelab.plugins.dynamodb.store.writes import (
    Change,
    Write,
    prepare_check,
    prepare_delete,
    prepare_put,
    prepare_update,
)

MAX_ACTIONS = 100
MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
TOKEN_LIFETIME_S = 600.0

_PREPARE: dict[str, Callable[..., Write]] = {
    "ConditionCheck": prepare_check,
    "Put": prepare_put,
    "Delete": prepare_delete,
    "Update": prepare_update,
}


@dataclass(frozen=True, slots=True)
class Transaction:
    """Checked writes to be done together; *fingerprint* tells a repeated request from another with its token."""

    writes: tuple[Write, ...]
    token: str | None = None
    fingerprint: bytes = b""


@dataclass(frozen=True, slots=True)
class PlannedTransaction:
    """What a transaction finds and leaves, in the order of its actions.

    *failure* is its cancellation, with the reasons. *is_repeat* tells that it was done before, under its token:
    its changes are then reads of the items as they are, and committing it does nothing.
    """

    transaction: Transaction
    changes: tuple[Change, ...]
    failure: DynamoError | None
    is_repeat: bool = False


def prepare_transaction(table_of: TableOf, request: Mapping[str, Any]) -> Transaction:
    """Check TransactWriteItems."""
    actions: Sequence[Mapping[str, Any]] = request["TransactItems"]
    check_length("transactItems", len(actions))
    writes: list[Write] = []
    for action in actions:
        if len(action) != 1:
            raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
        ((kind, body),) = action.items()
        writes.append(_PREPARE[kind](table_of(body["TableName"]), body))
    return transaction_of(writes, request.get("ClientRequestToken"), actions)


def transaction_of(writes: Sequence[Write], token: str | None, body: Any) -> Transaction:
    """Make a transaction of checked writes; *body* is the part of the request that its token stands for."""
    if has_duplicates(writes):
        raise invalid("Transaction request cannot include multiple operations on one item")
    fingerprint = sha256(dumps(_plain(body))).digest() if token else b""
    return Transaction(tuple(writes), token, fingerprint)


def prepare_reads(table_of: TableOf, request: Mapping[str, Any]) -> tuple[ItemLookup, ...]:
    """Check TransactGetItems."""
    gets = [action["Get"] for action in request["TransactItems"]]
    check_length("transactItems", len(gets))
    return distinct([prepare_get(table_of(get["TableName"]), get) for get in gets])


def distinct(lookups: Sequence[ItemLookup]) -> tuple[ItemLookup, ...]:
    """Return the lookups of a transaction; raise a ValidationException if two are of one item."""
    if has_duplicates(lookups):
        raise invalid("Transaction request cannot include multiple operations on one item")
    return tuple(lookups)


def check_length(parameter: str, length: int) -> None:
    """Raise a ValidationException if a transaction has no action, or more than 100."""
    if not 1 <= length <= MAX_ACTIONS:
        bound = "greater than or equal to 1" if not length else f"less than or equal to {MAX_ACTIONS}"
        raise invalid(
            f"1 validation error detected: Value at '{parameter}' failed to satisfy constraint: "
            f"Member must have length {bound}"
        )


def cancellation(changes: Sequence[Change]) -> DynamoError | None:
    """Return the error that these changes cancel their transaction with, or None."""
    if all(change.failure is None for change in changes):
        return None
    return transaction_cancelled([reason(change.failure) for change in changes])


def reason(failure: DynamoError | None) -> dict[str, Any]:
    """Return one of CancellationReasons."""
    if failure is None:
        return {"Code": "None"}
    codes = {"ConditionalCheckFailedException": "ConditionalCheckFailed", "ValidationException": "ValidationError"}
    code = codes.get(failure.code, failure.code.removesuffix("Exception"))
    return {"Code": code, "Message": failure.message, **failure.members}


def check_total_size(changes: Sequence[Change]) -> None:
    """Raise a ValidationException if a transaction's items are larger than 4 MB together."""
    if sum(change.after_bytes for change in changes) > MAX_TRANSACTION_BYTES:
        raise invalid("Member must have aggregated size less than or equal to 4 MB")


class Tokens:
    """The ClientRequestTokens of committed transactions, each remembered for ten minutes. Safe to share."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._seen: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def is_repeat(self, transaction: Transaction) -> bool:
        """Tell whether this transaction is done already; raise if its token was another transaction's."""
        if transaction.token is None:
            return False
        with self._lock:
            self._forget_old()
            seen = self._seen.get(transaction.token)
        if seen is None:
            return False
        if seen[1] != transaction.fingerprint:
            raise DynamoError(
                "IdempotentParameterMismatchException",
                "Request parameters do not match the parameters of the earlier request with this client token",
            )
        return True

    def remember(self, transaction: Transaction) -> None:
        """Note that this transaction is done."""
        if transaction.token is not None:
            with self._lock:
                self._forget_old()
                self._seen[transaction.token] = (self._clock() + TOKEN_LIFETIME_S, transaction.fingerprint)

    def _forget_old(self) -> None:
        now = self._clock()
        while self._seen and next(iter(self._seen.values()))[0] <= now:
            self._seen.popitem(last=False)


def _plain(value: Any) -> Any:
    """Return *value* with every mapping in one order, so that equal requests have equal bytes."""
    if isinstance(value, Mapping):
        return [(name, _plain(member)) for name, member in sorted(value.items())]
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value
