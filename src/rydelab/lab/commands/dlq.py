"""The sub-command ``dlq``: the dead letters of a stage, shown, brought back to the table, or thrown away."""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import bootstrap
from rydelab.cli import Command
from rydelab.errors import RydelabError
from rydelab.lab.cells.dead_letters import Contents, count, look
from rydelab.settings import Settings, add_flags

DESCRIPTION = """\
Dead letters of the event designs: rides that were accepted, and that their function failed to record for good.

  show      how many there are, how old, and why; takes none of them
  redrive   has the function ProcessDeadLetters write their rides to the table, at no more than --rate a second. What
            holds no ride is put into the poison queue with the reason. Nothing is deleted before it is stored, and a
            ride that is recorded already stays one record.
  purge     deletes them; with --poison, those of the poison queue

examples:
  rydelab dlq show
  rydelab dlq redrive --dry-run           say what would become of each letter, and change nothing
  rydelab dlq redrive --rate 2
  rydelab dlq purge --poison

The exit status of redrive is 1 if letters are left. `rydelab compare` hides letters while it reads them; show says how
many are hidden."""

DEFAULT_RATE = "10"
DEFAULT_LIMIT = "100000"
MESSAGES_PER_CALL = 1_000
INVOKE_TIMEOUT_S = 150
SERVICE = "wild-rydes-ride-record"


class DlqError(RydelabError):
    """There is nothing to work on, or the work cannot be done. The message is for people."""

    exit_status = 2


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["show", "redrive", "purge"], help="what to do")
    add_flags(parser, "stage", "port", "endpoint", "allow_remote")
    parser.add_argument("--rate", default=DEFAULT_RATE, metavar="N", help="redrive: rides a second (default 10)")
    parser.add_argument("--limit", default=DEFAULT_LIMIT, metavar="N", help="at most so many letters (default 100000)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--poison", action="store_true", help="purge: the poison queue instead of the dead letters")


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    rate, limit = _number("--rate", arguments.rate, float), _number("--limit", arguments.limit, int)
    if arguments.poison and arguments.action != "purge":
        raise DlqError(f"--poison goes with purge, not with {arguments.action}")
    offers = _offers(settings)
    try:
        if arguments.action == "show":
            return _show(settings, offers, int(limit))
        if arguments.action == "purge":
            return _purge(settings, offers, poison=arguments.poison, dry_run=arguments.dry_run)
        return _redrive(settings, offers, rate=rate, limit=int(limit), dry_run=arguments.dry_run)
    except (ClientError, BotoCoreError) as error:
        raise DlqError(f"{arguments.action} of stage {settings.stage} at {settings.endpoint_url}: {error}") from error


def _show(settings: Settings, offers: Mapping[str, str], limit: int) -> int:
    sqs = _client(settings, "sqs")
    for title, output in (("dead letters", "DeadLetterQueueUrl"), ("poison", "PoisonQueueUrl")):
        print(f"{title}: {described(look(sqs, offers[output], most=limit), now_s=time.time())}")
    return 0


def described(contents: Contents, *, now_s: float) -> str:
    """Return what *contents* are: how many, how old at the Unix time *now_s*, and a line for each reason."""
    lines = [f"{len(contents.letters)}"]
    if contents.letters:
        ages_s = [now_s - letter.sent_s for letter in contents.letters]
        oldest, youngest = _age(max(ages_s)), _age(min(ages_s))
        lines[0] += f", sent {oldest} ago" if oldest == youngest else f", sent {oldest} to {youngest} ago"
    if contents.hidden:
        lines[0] += f"; {contents.hidden} more are hidden, since somebody has just read them"
    lines += [f"{number:>8}  {reason}" for reason, number in contents.reasons]
    return "\n".join(lines)


def _redrive(settings: Settings, offers: Mapping[str, str], *, rate: float, limit: int, dry_run: bool) -> int:
    done: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    begun_s = time.monotonic()
    while limit > 0:
        # A dry run puts the letters back, so a second call would see the same ones again.
        most = limit if dry_run else min(limit, MESSAGES_PER_CALL)
        event = {"MaxMessages": most, "RidesPerSecond": rate, "DryRun": dry_run}
        summary = _invoke(settings, offers["ProcessDeadLettersName"], event)
        step = Counter({name: int(summary[name]) for name in ("recorded", "poison", "failed")})
        done += step
        reasons += Counter(summary["reasons"])
        limit -= step["recorded"] + step["poison"]
        stuck = not step["recorded"] + step["poison"]
        if dry_run or stuck or not summary["more"]:
            break
        print(f"{done['recorded']} recorded, {done['poison']} poison, {time.monotonic() - begun_s:.0f} s", flush=True)
    if dry_run:
        print(f"dry run: {done['recorded']} would be recorded, {done['poison']} are poison; nothing was changed")
    else:
        print(f"{done['recorded']} recorded, {done['poison']} put into the poison queue, {done['failed']} failed")
    for reason, number in reasons.most_common():
        print(f"{number:>8}  {reason}")
    left, hidden = count(_client(settings, "sqs"), offers["DeadLetterQueueUrl"])
    if left or hidden:
        print(f"in the dead-letter queue: {left}" + (f", and {hidden} hidden" if hidden else ""))
    return 0 if dry_run or not (left or hidden) else 1


def _purge(settings: Settings, offers: Mapping[str, str], *, poison: bool, dry_run: bool) -> int:
    sqs, url = _client(settings, "sqs"), offers["PoisonQueueUrl" if poison else "DeadLetterQueueUrl"]
    letters = sum(count(sqs, url))
    what = "poison letters" if poison else "dead letters"
    if dry_run:
        print(f"dry run: {what} that would be deleted: {letters}; nothing was changed")
        return 0
    sqs.purge_queue(QueueUrl=url)
    print(f"{what} deleted: {letters}")
    return 0


def _invoke(settings: Settings, function: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = _client(settings, "lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    document: Any = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise DlqError(f"{function} failed: {document.get('errorMessage', document)}")
    summary: Mapping[str, Any] = document
    return summary


def _offers(settings: Settings) -> Mapping[str, str]:
    """Return the outputs of the record service. Raises DlqError if it has no dead letters."""
    try:
        target = bootstrap.Target(settings.endpoint_url, allow_remote=settings.allow_remote)
        outputs = bootstrap.outputs(target, stage=settings.stage).get(SERVICE, {})
    except bootstrap.BootstrapError as error:
        raise DlqError(str(error)) from error
    if not outputs:
        raise DlqError(f"{SERVICE} is not deployed under stage {settings.stage} at {settings.endpoint_url}")
    needed = {"DeadLetterQueueUrl", "PoisonQueueUrl", "ProcessDeadLettersName"}
    if not needed <= set(outputs):
        raise DlqError(f"stage {settings.stage} has no dead-letter queue: its design is not event-driven or queued")
    return outputs


def _client(settings: Settings, service: str) -> Any:
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=settings.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (LocalStack takes any)
        # An invocation that is sent twice would do no harm, and would take twice as long.
        config=Config(connect_timeout=5, read_timeout=INVOKE_TIMEOUT_S, proxies={}, retries={"total_max_attempts": 1}),
    )


def _number[N: (int, float)](flag: str, given: str, parse: Callable[[str], N]) -> N:
    kind = "a whole number of at least 1" if parse is int else "a number above 0"
    try:
        value = parse(given)
    except ValueError:
        value = parse("0")
    if not 0 < value < float("inf"):
        raise DlqError(f"{flag} must be {kind}, got {given!r}")
    return value


def _age(seconds: float) -> str:
    for unit, unit_s in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


DLQ = Command(description=DESCRIPTION, add_arguments=_add_arguments, run=_run)
