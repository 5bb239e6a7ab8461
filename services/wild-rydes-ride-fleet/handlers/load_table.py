"""LoadTable: the event source, CloudFormation, which asks for the content of UnicornsTable as a custom resource."""

import functools
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import urllib3

from .custom_resource import Done, serve
from .unicorns import Unicorn, UnicornsTable

UNICORNS_FILE = Path(__file__).parent.parent / "data" / "unicorns.json"


def handler(event: dict[str, Any], context: Any) -> None:
    """Create, update or delete the content of the table, and tell CloudFormation how it went."""
    logging.getLogger(__package__).setLevel(os.environ.get("LOG_LEVEL", "INFO"))
    serve(
        event,
        lambda request: carry_out(request, _table),
        fallback_id=context.log_stream_name,
        pool=urllib3.PoolManager(timeout=10),
    )


def carry_out(request: Mapping[str, Any], table_named: Callable[[str], UnicornsTable]) -> Done:
    """Do what CloudFormation asks for.

    Create and Update leave the table with exactly the unicorns of data/unicorns.json. Delete takes those out again. A
    changed TableName makes another physical id, whereupon CloudFormation sends a Delete for the old table.
    """
    kind = request["RequestType"]
    table_name = request.get("ResourceProperties", {}).get("TableName")
    if kind == "Delete":
        # Without a table's name nothing was ever loaded: this cleans up after a Create that failed for that.
        if table_name:
            table_named(table_name).remove(read_unicorns())
        return Done(request["PhysicalResourceId"])
    if kind not in ("Create", "Update"):
        raise ValueError(f"RequestType must be Create, Update or Delete, got {kind!r}")
    if not table_name:
        raise ValueError("the property TableName is missing")
    return Done(f"{table_name}-content", {"Count": table_named(table_name).fill(read_unicorns())})


def read_unicorns(file: Path = UNICORNS_FILE) -> list[Unicorn]:
    """Return the unicorns that are deployed with the code."""
    unicorns: list[Unicorn] = json.loads(file.read_text(encoding="utf-8"))
    return unicorns


@functools.cache
def _table(name: str) -> UnicornsTable:
    return UnicornsTable(boto3.client("dynamodb"), name)
