"""Why a request was throttled, and which exception says so (A11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from rydelab.capacity.settings import Settings


class Limit(StrEnum):
    """The limit that refused a request, as AWS's metric names spell it; reasons add ``Exceeded``."""

    PROVISIONED = "ProvisionedThroughput"
    KEY_RANGE = "KeyRangeThroughput"
    ACCOUNT = "AccountLimit"
    ON_DEMAND_MAXIMUM = "MaxOnDemandThroughput"


class Access(StrEnum):
    """The kind of capacity."""

    READ = "Read"
    WRITE = "Write"


class BillingMode(StrEnum):
    """How a table is paid for, which is also how it is limited."""

    PROVISIONED = "PROVISIONED"
    ON_DEMAND = "PAY_PER_REQUEST"


@dataclass(frozen=True, slots=True)
class Throttle:
    """One event: the *limit* of one table, or of one of its global indexes, refused a read or write."""

    limit: Limit
    access: Access
    mode: BillingMode
    table: str
    index: str | None = None

    @property
    def reason(self) -> str:
        """One of the 16 reasons of the API, such as ``TableWriteProvisionedThroughputExceeded``."""
        return f"{'Table' if self.index is None else 'Index'}{self.access}{self.limit}Exceeded"

    @property
    def metric(self) -> str:
        """The CloudWatch metric that counts this event by its reason (A12)."""
        return f"{self.access}{self.limit}ThrottleEvents"

    def arn(self, region: str, account: str) -> str:
        """Return the ARN of the table or index."""
        table = f"arn:aws:dynamodb:{region}:{account}:table/{self.table}"
        return table if self.index is None else f"{table}/index/{self.index}"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request: admitted, or every throttle that refused it, the base table's first."""

    throttles: tuple[Throttle, ...] = ()

    @property
    def admitted(self) -> bool:
        """True when nothing refused the request."""
        return not self.throttles


ADMITTED = Decision()
"""The one decision that admits. The hot path returns it, so ``decision is ADMITTED`` holds."""

type ExceptionName = Literal["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"]

PROVISIONED_EXCEPTION: ExceptionName = "ProvisionedThroughputExceededException"
THROTTLING_EXCEPTION: ExceptionName = "ThrottlingException"
REQUEST_LIMIT_EXCEPTION: ExceptionName = "RequestLimitExceeded"

PROVISIONED_TABLE_MESSAGE = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)
PROVISIONED_INDEX_MESSAGE = (
    "The level of configured provisioned throughput for one or more global secondary indexes of the table was "
    "exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with the "
    "UpdateTable API"
)
ON_DEMAND_TABLE_MESSAGE = (
    "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or "
    "index so please try again shortly. If exceptions persist, check if you have a hot key: "
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
)
ON_DEMAND_INDEX_MESSAGE = (
    "Throughput exceeds the current capacity for one or more global secondary indexes. "
    "DynamoDB is automatically scaling your index so please try again shortly."
)
ON_DEMAND_MAXIMUM_MESSAGE = "Throughput exceeds the maximum OnDemandThroughput configured on table or index"
ACCOUNT_MESSAGE = (
    "Throughput exceeds the current throughput limit for your account. "
    "To request a limit increase, contact AWS Support at https://aws.amazon.com/support"
)
GENERIC_MESSAGE = "Rate of requests exceeds the allowed throughput."

_TYPE_PREFIX: dict[ExceptionName, str] = {
    PROVISIONED_EXCEPTION: "com.amazonaws.dynamodb.v20120810",
    THROTTLING_EXCEPTION: "com.amazon.coral.availability",
    REQUEST_LIMIT_EXCEPTION: "com.amazonaws.dynamodb.v20120810",
}
_BATCH_CODES: dict[ExceptionName, str] = {
    PROVISIONED_EXCEPTION: "ProvisionedThroughputExceeded",
    THROTTLING_EXCEPTION: "ThrottlingError",
    REQUEST_LIMIT_EXCEPTION: "RequestLimitExceeded",
}


@dataclass(frozen=True, slots=True)
class ThrottlingError:
    """An error as it goes on the wire, with HTTP status 400."""

    name: ExceptionName
    message: str
    throttles: tuple[Throttle, ...]

    http_status = 400

    @property
    def wire_type(self) -> str:
        """The ``__type`` member of the body."""
        return f"{_TYPE_PREFIX[self.name]}#{self.name}"

    @property
    def reasons_key(self) -> str:
        """The member that carries the reasons: its spelling differs between the exceptions."""
        return "throttlingReasons" if self.name == THROTTLING_EXCEPTION else "ThrottlingReasons"

    @property
    def partiql_code(self) -> str:
        """The code of this error in the answer to a PartiQL batch."""
        return _BATCH_CODES[self.name]

    @property
    def cancellation_code(self) -> str:
        """The code of this error among a transaction's reasons, which know two kinds of throttling only."""
        return "ProvisionedThroughputExceeded" if self.name == PROVISIONED_EXCEPTION else "ThrottlingError"

    def reasons(self, region: str, account: str) -> list[dict[str, str]]:
        """Return the value of the reasons member; equal events are listed once."""
        arns = {throttle: throttle.arn(region, account) for throttle in self.throttles}
        return [{"reason": throttle.reason, "resource": arn} for throttle, arn in arns.items()]


def throttling_error(throttles: Sequence[Throttle], settings: Settings) -> ThrottlingError:
    """Return the error of a single-item call, Query, Scan or PartiQL statement; its first throttle chooses the name."""
    name, message = _name_and_message(throttles[0], settings)
    return ThrottlingError(name, message, tuple(throttles))


def batch_write_error(throttles: Sequence[Throttle], settings: Settings) -> ThrottlingError:
    """Return the error of a BatchWriteItem of which nothing was processed.

    ProvisionedThroughputExceededException when provisioned rates did it all; ThrottlingException otherwise.
    """
    other = [throttle for throttle in throttles if throttle.limit is not Limit.PROVISIONED]
    if not other:
        return throttling_error(throttles, settings)
    name, message = _name_and_message(other[0], settings)
    if name != THROTTLING_EXCEPTION:
        message = GENERIC_MESSAGE
    return ThrottlingError(THROTTLING_EXCEPTION, message, tuple(throttles))


def batch_get_error(throttles: Sequence[Throttle]) -> ThrottlingError:
    """Return the error of a BatchGetItem of which nothing was processed: always the same exception."""
    return ThrottlingError(PROVISIONED_EXCEPTION, PROVISIONED_TABLE_MESSAGE, tuple(throttles))


def cancellation_reasons(decisions: Sequence[Decision], settings: Settings) -> list[dict[str, str]]:
    """Return a transaction's CancellationReasons, one for each item, in request order."""
    reasons: list[dict[str, str]] = []
    for decision in decisions:
        if decision.admitted:
            reasons.append({"Code": "None"})
        else:
            error = throttling_error(decision.throttles, settings)
            reasons.append({"Code": error.cancellation_code, "Message": error.message})
    return reasons


def _name_and_message(throttle: Throttle, settings: Settings) -> tuple[ExceptionName, str]:
    is_index = throttle.index is not None
    match throttle.limit:
        case Limit.PROVISIONED:
            return PROVISIONED_EXCEPTION, PROVISIONED_INDEX_MESSAGE if is_index else PROVISIONED_TABLE_MESSAGE
        case Limit.ON_DEMAND_MAXIMUM:
            return THROTTLING_EXCEPTION, ON_DEMAND_MAXIMUM_MESSAGE
        case Limit.ACCOUNT:
            name: ExceptionName = settings.account_limit_exception
            return name, ACCOUNT_MESSAGE if name == REQUEST_LIMIT_EXCEPTION else GENERIC_MESSAGE
        case Limit.KEY_RANGE if is_index:
            return THROTTLING_EXCEPTION, ON_DEMAND_INDEX_MESSAGE
        case Limit.KEY_RANGE if throttle.mode is BillingMode.ON_DEMAND:
            return THROTTLING_EXCEPTION, ON_DEMAND_TABLE_MESSAGE
        case Limit.KEY_RANGE:
            name = settings.hot_partition_exception
            return name, PROVISIONED_TABLE_MESSAGE if name == PROVISIONED_EXCEPTION else GENERIC_MESSAGE
