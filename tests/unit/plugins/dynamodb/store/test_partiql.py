"""PartiQL statements, alone, in batches and in transactions."""
# ruff: noqa: S608 - the statements are this test's own

from typing import Any

import pytest

from rydelab.plugins.dynamodb.store.direct import DirectOperations
from rydelab.plugins.dynamodb.store.errors import DynamoError
from rydelab.plugins.dynamodb.store.selections import Selection, SelectionResult


@pytest.fixture
def rides(new_table: Any) -> DirectOperations:
    """Return the operations on a table with items a/1 to a/4 and b/1, and an index on ``g``."""
    table: DirectOperations = new_table(
        {"p": "S", "s": "N"}, globals_={"G": ({"g": "S"}, "KEYS_ONLY")}, local={"L": ({"p": "S", "l": "N"}, "ALL")}
    )
    for name, number in (("a", 1), ("a", 2), ("a", 3), ("a", 4), ("b", 1)):
        item = {"p": {"S": name}, "s": {"N": str(number)}, "g": {"S": "even" if number % 2 == 0 else "odd"}}
        table.put_item({"TableName": "T", "Item": {**item, "m": {"M": {"x": {"L": [{"N": str(number)}]}}}}})
    return table


def run(table: DirectOperations, statement: str, *parameters: Any, **more: Any) -> Any:
    request: dict[str, Any] = {"Statement": statement, **more}
    if parameters:
        request["Parameters"] = list(parameters)
    return table.execute_statement(request)


def places(answer: dict[str, Any]) -> list[str]:
    return [f"{item['p']['S']}{item['s']['N']}" for item in answer["Items"]]


@pytest.mark.parametrize(
    ("where", "parameters", "found"),
    [
        ("p = 'a'", [], ["a1", "a2", "a3", "a4"]),
        ("p = ? AND s >= ?", [{"S": "a"}, {"N": "3"}], ["a3", "a4"]),
        ("p = 'a' AND s BETWEEN 2 AND 3", [], ["a2", "a3"]),
        ("p = 'a' AND g = 'even' ORDER BY s DESC", [], ["a4", "a2"]),
        ("p IN ['b', 'a'] AND s = 1", [], ["b1", "a1"]),
        ("p = 'a' AND s = 1 OR p = 'b'", [], ["a1", "b1"]),
        ("(p = 'a' OR p = 'b') AND s < 2", [], ["a1", "b1"]),
        ("p = 'a' AND NOT s = 2 AND begins_with(g, 'e')", [], ["a4"]),
        ("p = 'a' AND m.x[0] = 3", [], ["a3"]),
        ("p = 'a' AND h IS MISSING AND s <> 1 AND s != 2", [], ["a3", "a4"]),
        ("p = 'a' AND g IS NOT MISSING AND size(g) = 4", [], ["a2", "a4"]),
        ("p = 'it''s'", [], []),
    ],
)
def test_select_finds_what_its_where_says(
    rides: DirectOperations, where: str, parameters: list[Any], found: list[str]
) -> None:
    answer = run(rides, f'SELECT * FROM "T" WHERE {where}', *parameters)
    # Without one partition key to start from, the order is that of a Scan.
    assert places(answer) == found or (" OR p" in where and sorted(places(answer)) == found)


def test_select_reads_only_the_partitions_that_it_names(rides: DirectOperations) -> None:
    def select(statement: str) -> SelectionResult:
        prepared = rides._store.prepare_statement({"Statement": statement})
        assert isinstance(prepared, Selection)
        return prepared.read()

    one = select("SELECT * FROM T WHERE p = 'a' AND g = 'odd'")
    two = select("select p from T where p in ('b', 'none')")
    everything = select("SELECT s FROM T WHERE g = 'odd'")

    assert [(page.partition_key, page.scanned_count, page.count) for page in one.pages] == [({"S": "a"}, 4, 2)]
    assert [(page.partition_key, page.scanned_count) for page in two.pages] == [({"S": "b"}, 1), ({"S": "none"}, 0)]
    assert [(page.partition_key, page.scanned_count, page.count) for page in everything.pages] == [(None, 5, 3)]
    assert two.items == ({"p": {"S": "b"}},)


def test_select_shows_paths_by_their_last_name(rides: DirectOperations) -> None:
    answer = run(rides, "SELECT g, m.x[0], m.y FROM \"T\" WHERE p = 'b' AND s = 1")
    assert answer == {"Items": [{"g": {"S": "odd"}, "x[0]": {"N": "1"}}]}


def test_select_reads_an_index(rides: DirectOperations) -> None:
    answer = run(rides, 'SELECT * FROM "T"."G" WHERE g = \'even\'')
    assert answer["Items"] == [{"p": {"S": "a"}, "s": {"N": n}, "g": {"S": "even"}} for n in "24"]


def test_select_continues_from_its_token(rides: DirectOperations) -> None:
    seen: list[str] = []
    token: dict[str, Any] = {}
    while True:
        answer = run(rides, "SELECT * FROM T WHERE p IN ['a', 'b']", Limit=2, **token)
        seen += places(answer)
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert seen == ["a1", "a2", "a3", "a4", "b1"]


def test_insert_puts_a_new_item_only(rides: DirectOperations) -> None:
    statement = "INSERT INTO \"T\" VALUE {'p': ?, 's': 9, 'tags': <<'x', 'y'>>, 'list': [1, {'k': null}], 'ok': true}"
    assert run(rides, statement, {"S": "a"}) == {"Items": []}
    with pytest.raises(DynamoError) as refused:
        run(rides, statement, {"S": "a"})

    item = rides.get_item({"TableName": "T", "Key": {"p": {"S": "a"}, "s": {"N": "9"}}})["Item"]
    assert item["tags"] == {"SS": ["x", "y"]}
    assert item["list"] == {"L": [{"N": "1"}, {"M": {"k": {"NULL": True}}}]}
    assert (refused.value.code, refused.value.message) == (
        "DuplicateItemException",
        "Duplicate primary key exists in table",
    )


def test_insert_checks_index_keys(rides: DirectOperations) -> None:
    with pytest.raises(DynamoError, match="Type mismatch for Index Key l"):
        run(rides, "INSERT INTO T VALUE {'p': 'a', 's': 9, 'l': 'text'}")


def test_update_writes_one_item_that_is_there(rides: DirectOperations) -> None:
    where = "WHERE p = 'a' AND s = 1"
    answer = run(
        rides,
        "UPDATE T SET n = 1 SET m.x = list_append(m.x, [2]), tags = set_add(tags, <<'x'>>), "
        f"k = if_not_exists(k, ?) REMOVE g {where} AND g = 'odd' RETURNING ALL NEW *",
        {"S": "new"},
    )
    assert answer["Items"] == [
        {
            "p": {"S": "a"},
            "s": {"N": "1"},
            "n": {"N": "1"},
            "m": {"M": {"x": {"L": [{"N": "1"}, {"N": "2"}]}}},
            "tags": {"SS": ["x"]},
            "k": {"S": "new"},
        }
    ]
    assert run(rides, f"UPDATE T SET n = n - -1.5 {where} RETURNING MODIFIED OLD *")["Items"] == [{"n": {"N": "1"}}]
    for failing in ("WHERE p = 'a' AND s = 77", f"{where} AND n = 1"):
        with pytest.raises(DynamoError) as refused:
            run(rides, f"UPDATE T SET n = 5 {failing}")
        assert refused.value.code == "ConditionalCheckFailedException"


def test_delete_takes_one_item(rides: DirectOperations) -> None:
    answer = run(rides, 'DELETE FROM "T" WHERE p = ? AND s = ? RETURNING ALL OLD *', {"S": "b"}, {"N": "1.0"})
    assert places(answer) == ["b1"]
    assert run(rides, "DELETE FROM T WHERE p = 'b' AND s = 1") == {"Items": []}
    with pytest.raises(DynamoError, match="The conditional request failed"):
        run(rides, "DELETE FROM T WHERE p = 'a' AND s = 1 AND g = 'even'")


@pytest.mark.parametrize(
    ("statement", "code", "message"),
    [
        ("SELECT * FROM none", "ResourceNotFoundException", "Requested resource not found"),
        ("SELECT * FROM T.none", "ValidationException", "The table does not have the specified index: none"),
        (
            "DELETE FROM T WHERE p = 'a'",
            "ValidationException",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "SELECT * FROM T WHERE p = ?",
            "ValidationException",
            "Number of parameters in request and statement don't match.",
        ),
        (
            "SELECT * FROM T WHERE g = 'x' ORDER BY s",
            "ValidationException",
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
        ),
        ("UPDATE T SET s = 1 WHERE p = 'a' AND s = 1", "ValidationException", None),
        ("EXISTS(SELECT * FROM T WHERE p = 'a' AND s = 1)", "ValidationException", None),
        ("SELECT FROM T", "ValidationException", None),
        ("SELECT * FROM T WHERE", "ValidationException", None),
        ("SELECT * FROM T WHERE p = 'a' extra", "ValidationException", None),
        ("INSERT INTO T VALUE 'x'", "ValidationException", None),
        ("DROP TABLE T", "ValidationException", None),
        ("SELECT * FROM T WHERE p = 'a", "ValidationException", None),
        ("", "ValidationException", None),
    ],
)
def test_a_wrong_statement_is_refused(rides: DirectOperations, statement: str, code: str, message: str | None) -> None:
    with pytest.raises(DynamoError) as refused:
        run(rides, statement)
    assert refused.value.code == code
    if message is not None:
        assert refused.value.message == message


def test_a_batch_answers_each_statement_by_itself(rides: DirectOperations) -> None:
    answer = rides.batch_execute_statement(
        {
            "Statements": [
                {"Statement": "SELECT g FROM T WHERE p = 'a' AND s = 2"},
                {"Statement": "SELECT g FROM T WHERE p = 'a' AND s = 99"},
                {"Statement": "SELECT g FROM T WHERE p = 'a'"},
                {"Statement": "SELECT g FROM none WHERE p = 'a'"},
                {"Statement": "INSERT INTO T VALUE {'p': 'a', 's': 1}"},
                {"Statement": "UPDATE T SET n = 1 WHERE p = 'b' AND s = 1 RETURNING MODIFIED NEW *"},
            ]
        }
    )
    key_needed = "Select statements within BatchExecuteStatement must specify the primary key in the where clause."
    assert answer["Responses"] == [
        {"TableName": "T", "Item": {"g": {"S": "even"}}},
        {"TableName": "T"},
        {"TableName": "T", "Error": {"Code": "ValidationError", "Message": key_needed}},
        {"Error": {"Code": "ResourceNotFound", "Message": "Requested resource not found"}},
        {"TableName": "T", "Error": {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"}},
        {"TableName": "T", "Item": {"n": {"N": "1"}}},
    ]


def test_a_transaction_of_statements_is_all_or_nothing(rides: DirectOperations) -> None:
    good = [
        {"Statement": "EXISTS(SELECT * FROM T WHERE p = 'a' AND s = 1 AND g = 'odd')"},
        {"Statement": "UPDATE T SET n = 1 WHERE p = 'b' AND s = 1"},
        {"Statement": "INSERT INTO T VALUE {'p': 'c', 's': ?}", "Parameters": [{"N": "1"}]},
    ]
    rides.execute_transaction({"TransactStatements": good, "ClientRequestToken": "one"})
    rides.execute_transaction({"TransactStatements": good, "ClientRequestToken": "one"})
    with pytest.raises(DynamoError) as cancelled:
        rides.execute_transaction(
            {"TransactStatements": [{"Statement": "DELETE FROM T WHERE p = 'a' AND s = 2"}, good[2]]}
        )
    read = [{"Statement": f"SELECT s FROM T WHERE p = '{name}' AND s = {n}"} for name, n in (("a", 2), ("d", 1))]

    assert [reason["Code"] for reason in cancelled.value.members["CancellationReasons"]] == ["None", "DuplicateItem"]
    assert rides.execute_transaction({"TransactStatements": read}) == {"Responses": [{"Item": {"s": {"N": "2"}}}, {}]}
    with pytest.raises(DynamoError, match="mixture of read and write"):
        rides.execute_transaction({"TransactStatements": [*read, good[0]]})
