"""Query and Scan, page by page, against dictionaries sorted by hand."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rydelab.plugins.dynamodb.store import collection, ordered
from rydelab.plugins.dynamodb.store.direct import DirectOperations

type Item = dict[str, dict[str, Any]]
type NewTable = Callable[..., DirectOperations]

SORT_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "S": st.text(st.sampled_from("ab\x00é😀"), min_size=1, max_size=3),
    "N": st.integers(-12, 12).map(lambda n: str(n / 4)),
    "B": st.binary(min_size=1, max_size=2).map(lambda content: bytes(byte % 2 * 255 for byte in content)),
}


def sortable(value: dict[str, Any]) -> Any:
    """Return a value that Python sorts as DynamoDB sorts this one."""
    ((kind, content),) = value.items()
    readings: dict[str, Callable[[Any], Any]] = {"S": str.encode, "N": Decimal, "B": bytes}
    return readings[kind](content)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[Item]]:
    """Return a type of sort key, and items: p and s are the key, l a local and g a global index's sort key."""
    kind = draw(st.sampled_from("SNB"))
    item = st.fixed_dictionaries(
        {"p": st.sampled_from("xyz"), "s": SORT_VALUES[kind]},
        optional={"l": SORT_VALUES[kind], "g": st.sampled_from("uv"), "h": SORT_VALUES[kind], "v": st.integers(0, 3)},
    )
    drawn = draw(st.lists(item, max_size=25))
    types = {"p": "S", "s": kind, "l": kind, "g": "S", "h": kind, "v": "N"}
    items = [{name: {types[name]: str(c) if name == "v" else c} for name, c in one.items()} for one in drawn]
    unique = {(one["p"]["S"], sortable(one["s"])): one for one in items}
    return kind, list(unique.values())


def filled(new_table: NewTable, kind: str, items: list[Item]) -> DirectOperations:
    table = new_table(
        {"p": "S", "s": kind},
        local={"L": ({"p": "S", "l": kind}, "KEYS_ONLY")},
        globals_={"G": ({"g": "S", "h": kind}, ["v"]), "H": ({"g": "S"}, "ALL")},
    )
    for item in items:
        table.put_item({"TableName": "T", "Item": item})
    return table


def walk(read: Callable[[dict[str, Any]], dict[str, Any]], request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all pages of a request."""
    pages = [read(request)]
    while "LastEvaluatedKey" in pages[-1]:
        pages.append(read(request | {"ExclusiveStartKey": pages[-1]["LastEvaluatedKey"]}))
    return pages


def shown(pages: list[dict[str, Any]]) -> list[Item]:
    return [item for page in pages for item in page["Items"]]


CONDITIONS: dict[str, Callable[[Any, Any, Any], bool]] = {
    "{} = :a": lambda v, a, _: v == a,
    "{} < :a": lambda v, a, _: v < a,
    "{} <= :a": lambda v, a, _: v <= a,
    "{} > :a": lambda v, a, _: v > a,
    "{} >= :a": lambda v, a, _: v >= a,
    "{} BETWEEN :a AND :b": lambda v, a, b: a <= v <= b,
    "begins_with({}, :a)": lambda v, a, _: v.startswith(a),
}


@settings(max_examples=150, deadline=None)
@given(data=st.data(), drawn=tables())
def test_query_gives_what_sorting_by_hand_gives(
    new_table: NewTable, data: st.DataObject, drawn: tuple[str, list[Item]]
) -> None:
    kind, items = drawn
    table = filled(new_table, kind, items)
    index, partition, sort = data.draw(st.sampled_from([(None, "p", "s"), ("L", "p", "l"), ("G", "g", "h")]))
    value = data.draw(st.sampled_from("xyz" if partition == "p" else "uv"))
    forward, limit = data.draw(st.booleans()), data.draw(st.one_of(st.none(), st.integers(1, 4)))
    expression, condition = data.draw(st.sampled_from([(None, None), *CONDITIONS.items()]))
    if kind == "N" and expression == "begins_with({}, :a)":
        expression = condition = None
    low, high = sorted((data.draw(SORT_VALUES[kind]), data.draw(SORT_VALUES[kind])), key=lambda c: sortable({kind: c}))

    values: dict[str, Any] = {":p": {"S": value}}
    request: dict[str, Any] = {"TableName": "T", "KeyConditionExpression": f"{partition} = :p"}
    if expression is not None:
        request["KeyConditionExpression"] += " AND " + expression.format(sort)
        values[":a"] = {kind: low}
        if ":b" in expression:
            values[":b"] = {kind: high}
    request |= {"ExpressionAttributeValues": values, "ScanIndexForward": forward}
    request |= {"IndexName": index} if index else {}
    request |= {"Limit": limit} if limit else {}
    pages = walk(table.query, request)

    def matches(item: Item) -> bool:
        if item.get(partition) != {"S": value} or sort not in item:
            return False
        bounds = sortable({kind: low}), sortable({kind: high})
        return condition is None or condition(sortable(item[sort]), *bounds)

    expected = [item for item in items if matches(item)]
    projected = {"L": {"p", "s", "l"}, "G": {"p", "s", "g", "h", "v"}, None: set("pslghv")}[index]
    expected = [{name: value for name, value in item.items() if name in projected} for item in expected]
    found = shown(pages)
    order = [sortable(item[sort]) for item in found]
    assert order == sorted(order, reverse=not forward)
    assert sorted(map(repr, found)) == sorted(repr({n: i[n] for n in i}) for i in canonical(expected))
    assert [page["ScannedCount"] for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert sum(page["Count"] for page in pages) == len(expected)


def canonical(items: list[Item]) -> list[Item]:
    """Return items as the store gives them back: numbers without trailing zeros."""
    return [
        {name: {"N": f"{Decimal(v['N']).normalize():f}"} if "N" in v else v for name, v in item.items()}
        for item in items
    ]


@settings(max_examples=80, deadline=None)
@given(data=st.data(), drawn=tables())
def test_scan_gives_each_item_once_partition_by_partition(
    new_table: NewTable, data: st.DataObject, drawn: tuple[str, list[Item]]
) -> None:
    kind, items = drawn
    table = filled(new_table, kind, items)
    index, partition, sort = data.draw(
        st.sampled_from([(None, "p", "s"), ("L", "p", "l"), ("G", "g", "h"), ("H", "g", "g")])
    )
    total, limit = data.draw(st.integers(1, 6)), data.draw(st.one_of(st.none(), st.integers(1, 4)))
    request: dict[str, Any] = {"TableName": "T"} | ({"IndexName": index} if index else {})
    request |= {"Limit": limit} if limit else {}
    expected = [item for item in items if partition in item and sort in item]

    whole = shown(walk(table.scan, request))
    parts = [shown(walk(table.scan, request | {"Segment": n, "TotalSegments": total})) for n in range(total)]

    assert len(whole) == len(expected)
    assert {repr(item) for item in whole} == {repr(item) for item in canonical(projected(expected, index))}
    assert [item for part in parts for item in part] == whole
    groups = [item[partition]["S"] for item in whole]
    assert len({*groups}) == sum(1 for n, group in enumerate(groups) if n == 0 or group != groups[n - 1])
    for group in {*groups}:
        order = [sortable(item[sort]) for item in whole if item[partition]["S"] == group]
        assert order == sorted(order)


def projected(items: list[Item], index: str | None) -> list[Item]:
    names = {"L": {"p", "s", "l"}, "G": {"p", "s", "g", "h", "v"}}.get(index or "", set("pslghv"))
    return [{name: value for name, value in item.items() if name in names} for item in items]


# As AWS scans them, found by architect/dynalite (test/scan.part3.js), whose tests also run against AWS.
STRINGS_IN_SCAN_ORDER = ["2", "8", "9", "1", "6", "hello", "0", "5", "4", "äáöü", "aardman", "7", "3", "zapf"]
NUMBERS_IN_SCAN_ORDER = ["7", "999.9", "8", "3", "2", "-999.9", "9", "4", "-0.09", "6", "1", "0", "0.012345", "5"]


@pytest.mark.parametrize(("kind", "order"), [("S", STRINGS_IN_SCAN_ORDER), ("N", NUMBERS_IN_SCAN_ORDER)])
def test_scan_goes_through_partitions_in_the_order_of_aws(new_table: NewTable, kind: str, order: list[str]) -> None:
    table = new_table({"p": kind})
    for name in sorted(order):
        table.put_item({"TableName": "T", "Item": {"p": {kind: name}}})
    assert [item["p"][kind] for item in table.scan({"TableName": "T"})["Items"]] == order


@pytest.mark.parametrize(
    ("kind", "name", "segment"),
    [("S", "3635", 0), ("S", "228", 0), ("S", "1668", 1), ("S", "3435", 4), ("N", "251", 1), ("N", "2388", 4095)],
)
def test_an_item_is_in_the_segment_that_aws_has_it_in(new_table: NewTable, kind: str, name: str, segment: int) -> None:
    table = new_table({"p": kind})
    table.put_item({"TableName": "T", "Item": {"p": {kind: name}}})
    assert table.scan({"TableName": "T", "Segment": segment, "TotalSegments": 4096})["Count"] == 1


def test_a_full_page_says_where_to_continue_even_when_nothing_is_left(table: DirectOperations) -> None:
    for number in range(2):
        table.put_item({"TableName": "T", "Item": {"p": {"S": "a"}, "s": {"N": str(number)}}})

    page = table.scan({"TableName": "T", "Limit": 2})
    rest = table.scan({"TableName": "T", "Limit": 2, "ExclusiveStartKey": page["LastEvaluatedKey"]})

    assert page["LastEvaluatedKey"] == {"p": {"S": "a"}, "s": {"N": "1"}}
    assert rest == {"Count": 0, "ScannedCount": 0, "Items": []}


def test_a_page_ends_before_one_megabyte_of_items(table: DirectOperations) -> None:
    for number in range(12):
        item = {"p": {"S": "a"}, "s": {"N": str(number)}, "x": {"S": "x" * 200_000}}
        table.put_item({"TableName": "T", "Item": item})
    request = {
        "TableName": "T",
        "KeyConditionExpression": "p = :p",
        "FilterExpression": "s_ = :none",
        "ExpressionAttributeValues": {":p": {"S": "a"}, ":none": {"S": "none"}},
    }

    pages = walk(table.query, request)

    assert [page["ScannedCount"] for page in pages] == [5, 5, 2]
    assert [page["Count"] for page in pages] == [0, 0, 0]


def test_filters_count_what_they_leave_and_what_they_read(table: DirectOperations) -> None:
    for number in range(10):
        item = {"p": {"S": "a"}, "s": {"N": str(number)}, "odd": {"BOOL": number % 2 == 1}}
        table.put_item({"TableName": "T", "Item": item})

    page = table.scan(
        {
            "TableName": "T",
            "Limit": 5,
            "FilterExpression": "odd = :yes",
            "ProjectionExpression": "#number",
            "ExpressionAttributeNames": {"#number": "s"},
            "ExpressionAttributeValues": {":yes": {"BOOL": True}},
        }
    )

    assert page == {
        "Count": 2,
        "ScannedCount": 5,
        "Items": [{"s": {"N": "1"}}, {"s": {"N": "3"}}],
        "LastEvaluatedKey": {"p": {"S": "a"}, "s": {"N": "4"}},
    }


def test_a_count_shows_no_items(table: DirectOperations) -> None:
    table.put_item({"TableName": "T", "Item": {"p": {"S": "a"}, "s": {"N": "1"}}})
    assert table.scan({"TableName": "T", "Select": "COUNT"}) == {"Count": 1, "ScannedCount": 1}


def test_a_local_index_fetches_what_it_does_not_hold(new_table: NewTable) -> None:
    table = filled(new_table, "N", [{"p": {"S": "x"}, "s": {"N": "1"}, "l": {"N": "2"}, "v": {"N": "3"}}])
    store = table._store
    request = {
        "TableName": "T",
        "IndexName": "L",
        "KeyConditionExpression": "p = :p",
        "ExpressionAttributeValues": {":p": {"S": "x"}},
    }

    narrow = store.query(request)
    wide = store.query(request | {"Select": "ALL_ATTRIBUTES"})
    projected_page = store.query(request | {"ProjectionExpression": "v"})

    assert narrow.items == ({"p": {"S": "x"}, "s": {"N": "1"}, "l": {"N": "2"}},)
    assert narrow.fetched_sizes == ()
    assert wide.items is not None
    assert wide.items[0]["v"] == {"N": "3"}
    assert (narrow.evaluated_bytes, wide.evaluated_bytes, wide.fetched_sizes) == (8, 8, (11,))
    assert projected_page.items == ({"v": {"N": "3"}},)


def test_an_item_leaves_an_index_with_its_key_and_moves_with_it(new_table: NewTable) -> None:
    table = new_table({"p": "S"}, globals_={"G": ({"g": "S"}, "ALL")})

    def in_index(value: str) -> int:
        request = {
            "TableName": "T",
            "IndexName": "G",
            "KeyConditionExpression": "g = :g",
            "ExpressionAttributeValues": {":g": {"S": value}},
        }
        return int(table.query(request)["Count"])

    table.put_item({"TableName": "T", "Item": {"p": {"S": "a"}, "g": {"S": "one"}}})
    assert (in_index("one"), in_index("two")) == (1, 0)
    table.put_item({"TableName": "T", "Item": {"p": {"S": "a"}, "g": {"S": "two"}}})
    assert (in_index("one"), in_index("two")) == (0, 1)
    table.update_item({"TableName": "T", "Key": {"p": {"S": "a"}}, "UpdateExpression": "REMOVE g"})
    assert (in_index("one"), in_index("two")) == (0, 0)
    table.put_item({"TableName": "T", "Item": {"p": {"S": "a"}, "g": {"S": "one"}}})
    table.delete_item({"TableName": "T", "Key": {"p": {"S": "a"}}})
    assert (in_index("one"), in_index("two")) == (0, 0)


@pytest.mark.parametrize("index", [None, "G"])
def test_a_page_reads_no_more_items_than_it_returns(
    new_table: NewTable, monkeypatch: pytest.MonkeyPatch, index: str | None
) -> None:
    table = new_table({"p": "S", "s": "N"}, globals_={"G": ({"p": "S", "s": "N"}, "ALL")})
    for number in range(3000):
        table.put_item({"TableName": "T", "Item": {"p": {"S": str(number % 3)}, "s": {"N": str(number)}}})
    read: list[bytes] = []

    def counted(record: bytes) -> Any:
        read.append(record)
        return ordered.from_record(record)

    monkeypatch.setattr(collection, "from_record", counted)
    where = {"IndexName": index} if index else {}
    values = {":p": {"S": "1"}, ":s": {"N": "1500"}}
    condition = {"KeyConditionExpression": "p = :p AND s > :s", "ExpressionAttributeValues": values}

    assert table.query({"TableName": "T", "Limit": 10, **condition, **where})["Count"] == 10
    assert table.query({"TableName": "T", "Limit": 10, "ScanIndexForward": False, **condition, **where})["Count"] == 10
    assert table.scan({"TableName": "T", "Limit": 10, **where})["Count"] == 10
    assert len(read) == 30
