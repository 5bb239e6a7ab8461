"""What the observation says of each item's writes."""

from typing import Any

import pytest

from rydelab.plugins.dynamodb.observation import begin_writes, writes
from rydelab.plugins.dynamodb.refusals import RefusedError
from tests.unit.plugins.dynamodb.conftest import START, Front


def put(front: Front, name: str, **attributes: str) -> None:
    item = {"p": {"S": name}, **{key: {"S": value} for key, value in attributes.items()}}
    front.operations.put_item({"TableName": "T", "Item": item})


def written(front: Front) -> dict[str, tuple[int, float | None, float | None]]:
    """Return how often, when first and when last each item was written; times from START."""
    (table,) = writes(front.tables, name="T")["tables"]
    columns: Any = zip(table["keys"], table["writes"], table["first_at"], table["last_at"], strict=True)
    return {key: (number, first and first - START, last and last - START) for (key,), number, first, last in columns}


def test_each_item_says_when_it_was_first_written_and_how_often(front: Front) -> None:
    front.create()
    begin_writes(front.tables, name="T")

    put(front, "a")
    front.clock.now_s += 2
    put(front, "b")
    put(front, "a")
    put(front, "a", color="white")

    assert written(front) == {"a": (3, 0.0, 2.0), "b": (1, 2.0, 2.0)}


def test_a_refused_write_is_none(front: Front) -> None:
    front.create(units=(1, 1))
    begin_writes(front.tables)

    def put_until_refused() -> None:
        while True:
            put(front, "a")

    with pytest.raises(RefusedError):
        put_until_refused()

    assert written(front) == {"a": (300, 0.0, 0.0)}


def test_a_deleted_item_is_not_there_and_begins_anew_when_it_comes_back(front: Front) -> None:
    front.create()
    begin_writes(front.tables)
    put(front, "a")
    put(front, "a")

    front.operations.delete_item({"TableName": "T", "Key": {"p": {"S": "a"}}})
    assert written(front) == {}

    front.clock.now_s += 1
    put(front, "a")
    assert written(front) == {"a": (1, 1.0, 1.0)}


def test_items_from_before_are_there_without_times(front: Front) -> None:
    front.create()
    put(front, "old")

    assert written(front) == {"old": (0, None, None)}
    begin_writes(front.tables)
    assert written(front) == {"old": (0, None, None)}


def test_looking_consumes_no_units(front: Front) -> None:
    table = front.create(units=(1, 1))
    begin_writes(front.tables)
    put(front, "a")
    before = table.capacity.resources[None].read.consumed_units

    for _ in range(1000):
        assert written(front)

    assert table.capacity.resources[None].read.consumed_units == before


def test_only_the_named_table_is_shown(front: Front) -> None:
    front.create("T")
    front.create("Other")

    assert [table["table"] for table in writes(front.tables, name="T")["tables"]] == ["T"]
    assert begin_writes(front.tables, name="T")["noting"] == ["T"]
    assert len(writes(front.tables)["tables"]) == 2
