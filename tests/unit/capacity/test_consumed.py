from rydelab.capacity.charges import IndexWrite, ReadCharge, WriteCharge
from rydelab.capacity.consumed import consumed

WRITE = WriteCharge(3.0, 1, (IndexWrite("byCity", 2, 1.0), IndexWrite("byCity", 3, 2.0)), (("byDate", 1.0),))


def test_total_is_the_table_and_its_indexes_together() -> None:
    assert consumed("Rides", [WRITE]).on_wire("TOTAL") == {"TableName": "Rides", "CapacityUnits": 6.0}


def test_indexes_adds_the_table_and_each_index() -> None:
    assert consumed("Rides", [WRITE]).on_wire("INDEXES") == {
        "TableName": "Rides",
        "CapacityUnits": 6.0,
        "Table": {"CapacityUnits": 2.0},
        "LocalSecondaryIndexes": {"byDate": {"CapacityUnits": 1.0}},
        "GlobalSecondaryIndexes": {"byCity": {"CapacityUnits": 3.0}},
    }


def test_a_table_without_indexes_has_no_index_maps() -> None:
    assert consumed("Rides", [ReadCharge(0.5, 1)]).on_wire("INDEXES") == {
        "TableName": "Rides",
        "CapacityUnits": 0.5,
        "Table": {"CapacityUnits": 0.5},
    }


def test_a_global_index_query_consumes_nothing_of_the_table() -> None:
    assert consumed("Rides", [ReadCharge(2.0, 1, "byCity")]).on_wire("INDEXES") == {
        "TableName": "Rides",
        "CapacityUnits": 2.0,
        "Table": {"CapacityUnits": 0.0},
        "GlobalSecondaryIndexes": {"byCity": {"CapacityUnits": 2.0}},
    }


def test_a_batch_adds_its_items_up() -> None:
    answer = consumed("Rides", [ReadCharge(1.0, 1), ReadCharge(2.0, 2, local_units=(("byDate", 0.5),))])
    assert answer.on_wire("INDEXES") == {
        "TableName": "Rides",
        "CapacityUnits": 3.0,
        "Table": {"CapacityUnits": 2.5},
        "LocalSecondaryIndexes": {"byDate": {"CapacityUnits": 0.5}},
    }


def test_transactions_carry_read_or_write_units_too() -> None:
    assert consumed("Rides", [WriteCharge(4.0, 1)]).on_wire("INDEXES", both=True) == {
        "TableName": "Rides",
        "CapacityUnits": 4.0,
        "WriteCapacityUnits": 4.0,
        "Table": {"CapacityUnits": 4.0, "WriteCapacityUnits": 4.0},
    }
    assert consumed("Rides", [ReadCharge(4.0, 1)]).on_wire("TOTAL", both=True) == {
        "TableName": "Rides",
        "CapacityUnits": 4.0,
        "ReadCapacityUnits": 4.0,
    }
