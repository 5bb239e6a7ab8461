"""Reads what the lab knows of itself and AWS would not tell: ``/_rydelab/…`` (docs/observation.md)."""

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import quote, urlsplit

from rydelab.errors import RydelabError

STATUS_PATH = "/_rydelab/status"
LAMBDA_PATH = "/_rydelab/lambda"
SNS_PATH = "/_rydelab/sns"
TABLES_PATH = "/_rydelab/dynamodb"
WRITES_PATH = "/_rydelab/dynamodb/writes"


class ObservationError(RydelabError):
    """The lab does not say what was asked. The message is for people."""


class LabRefusesError(ObservationError):
    """Nothing listens where the lab was: it has ended."""


@dataclass(frozen=True, slots=True)
class FunctionActivity:
    """What a function has done since the lab started."""

    throttles: int = 0
    """Invocations that were refused for want of concurrency."""
    retried: int = 0
    """Events and messages that were handed to it again."""
    running: int = 0
    """Invocations under way."""
    invocations: int = 0
    billed_ms: int = 0
    log_bytes: int = 0
    """What it wrote to CloudWatch Logs."""
    errors: int = 0
    """Invocations that the function failed, or did not survive."""

    def since(self, before: Self) -> Self:
        """Return what it has done since *before*."""
        return type(self)(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))


@dataclass(frozen=True, slots=True)
class LambdaActivity:
    """What Lambda is doing."""

    waiting: Mapping[str, int]
    """Per function, the asynchronous events that it has taken and not finished: queued, retrying and running."""
    functions: Mapping[str, FunctionActivity]

    def of(self, function_name: str | None) -> FunctionActivity:
        """Return what a function has done; nothing for one that was never invoked."""
        return self.functions.get(function_name or "", FunctionActivity())


@dataclass(frozen=True, slots=True)
class ItemWrites:
    """The items of a table whose partition key is a text, and their writes."""

    now: float
    """The lab's clock: the Unix time at which the table was looked at."""
    writes: Mapping[str, int]
    """How often each item was written since it was asked to note writes; 0 for one from before."""
    first_at: Mapping[str, float]
    """The Unix time of each item's first write, by the lab's clock; only of those with writes."""


@dataclass(frozen=True, slots=True)
class TableActivity:
    """What happened to a table, second by second."""

    is_on_demand: bool
    write_burst_size: float
    """The most write units that can be saved up."""
    read_burst_size: float
    seconds: Sequence[Mapping[str, Any]]
    """One per second of Unix time in which something happened; the keys are those of docs/observation.md."""


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """What the emulator's own process has used of the processors since it started, without the functions'."""

    at: float
    """Unix time, by the lab's clock."""
    used_s: float

    def share_since(self, before: "ProcessorTime | None") -> float | None:
        """Return how many processors it has used on average since *before*; None if that was another process."""
        if before is None or self.at <= before.at or self.used_s < before.used_s:
            return None
        return (self.used_s - before.used_s) / (self.at - before.at)


@dataclass(frozen=True, slots=True)
class Observation:
    """Asks the lab at *endpoint_url*. Every method raises ObservationError."""

    endpoint_url: str
    timeout_s: float = 10.0

    def probe(self) -> float:
        """Send a request that does no work, and return how long it took in seconds."""
        begin = time.perf_counter()
        self._ask("GET", STATUS_PATH)
        return time.perf_counter() - begin

    def processor_time(self) -> ProcessorTime:
        """Return what the emulator's own process has used of the processors."""
        answer = self._ask("GET", STATUS_PATH)
        return ProcessorTime(answer["now"], answer["processor_s"])

    def lambda_activity(self) -> LambdaActivity:
        """Return what Lambda is doing."""
        answer = self._ask("GET", LAMBDA_PATH)
        waiting: dict[str, int] = {}
        for arn, counts in answer.get("asynchronous_events", {}).items():
            # By qualified ARN: arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER.
            name = arn.split(":")[6]
            waiting[name] = waiting.get(name, 0) + sum(counts.values())
        functions = {
            name: FunctionActivity(
                throttles=counters.get("Throttles", 0),
                retried=counters.get("RetriedEvents", 0),
                running=counters.get("Running", 0),
                invocations=counters.get("Invocations", 0),
                billed_ms=counters.get("BilledMilliseconds", 0),
                log_bytes=counters.get("LogBytes", 0),
                errors=counters.get("Errors", 0),
            )
            for name, counters in answer.get("functions", {}).items()
        }
        return LambdaActivity(waiting, functions)

    def pending_deliveries(self, topic_arn: str) -> int:
        """Return how many messages of the topic SNS has taken and not delivered: under way, or waiting for a retry."""
        pending: int = self._ask("GET", SNS_PATH)["pending_deliveries"].get(topic_arn, 0)
        return pending

    def begin_writes(self, table: str) -> None:
        """Have the lab note the writes of *table* from now on."""
        self._ask("POST", f"{WRITES_PATH}?table={quote(table)}")

    def item_writes(self, table: str) -> ItemWrites | None:
        """Return the items of *table* with their writes, which consumes no units.

        None from a lab that does not enforce capacity: it knows no tables, and reading them costs nothing there.
        """
        answer = self._ask("GET", f"{WRITES_PATH}?table={quote(table)}")
        if not answer["tables"]:
            return None
        (found,) = answer["tables"]
        names = [keys[0] for keys in found["keys"]]
        times = zip(names, found["first_at"], strict=True)
        return ItemWrites(
            now=answer["now"],
            writes=dict(zip(names, found["writes"], strict=True)),
            first_at={name: first_at for name, first_at in times if first_at is not None},
        )

    def table_activity(self, table: str, *, since: float) -> TableActivity | None:
        """Return what happened to *table* from Unix time *since* on; None from a lab that does not enforce capacity."""
        answer = self._ask("GET", f"{TABLES_PATH}?table={quote(table)}&since={since:.0f}")
        if not answer["tables"]:
            return None
        (found,) = answer["tables"]
        (own,) = (resource for resource in found["resources"] if resource["index"] is None)
        columns: Mapping[str, list[Any]] = own["series"]
        return TableActivity(
            is_on_demand=found["billing_mode"] == "PAY_PER_REQUEST",
            write_burst_size=own["write"]["burst_size"],
            read_burst_size=own["read"]["burst_size"],
            seconds=[dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
        )

    def tables(self) -> dict[str, Any]:
        """Return the totals of every table, without its seconds. Raises ObservationError."""
        totals: dict[str, Any] = self._ask("GET", f"{TABLES_PATH}?series=0")
        return totals

    def clock_difference_s(self) -> float:
        """Return how far the lab's clock is ahead of this process's, in seconds, to within half a round trip."""
        before = time.time()
        now: float = self._ask("GET", f"{TABLES_PATH}?series=0&table=-")["now"]
        return now - (before + time.time()) / 2

    def _ask(self, method: str, path: str) -> Any:
        status, answer = ask(self.endpoint_url, method, path, timeout_s=self.timeout_s)
        if status != HTTPStatus.OK:
            raise ObservationError(f"the lab at {self.endpoint_url} answered {status} to {method} {path}")
        return answer


def ask(endpoint_url: str, method: str, path: str, *, body: Any = None, timeout_s: float) -> tuple[int, Any]:
    """Ask the lab, with *body* as JSON if it is not None; return the status and the answer.

    The answer is None where it is no JSON. Raises ObservationError if there is none.
    """
    parts = urlsplit(endpoint_url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        answer = response.read()
    except ConnectionRefusedError as error:
        raise LabRefusesError(f"the lab at {endpoint_url} does not answer any more: {error}") from error
    except (OSError, http.client.HTTPException) as error:
        raise ObservationError(f"the lab at {endpoint_url} does not answer any more: {error}") from error
    finally:
        connection.close()
    try:
        return response.status, json.loads(answer)
    except ValueError:
        return response.status, None
