"""moto's own operations on tables of the store: what the API has besides reading and writing items."""

import gc
import json
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.responses import DynamoHandler

from rydelab.capacity.settings import Settings
from rydelab.plugins.dynamodb.store.backend import OrderedBackend, install
from rydelab.plugins.dynamodb.store.direct import DirectOperations
from rydelab.plugins.dynamodb.store.table import OrderedTable

ACCOUNT, REGION = "000000000000", "ap-south-1"

TABLE = {
    "TableName": "Rides",
    "KeySchema": [{"AttributeName": "RideId", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "RideId", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.fixture
def moto() -> Iterator[Callable[[str, dict[str, Any]], Any]]:
    """Install the store, and return the way to call moto's handler as LocalStack's fallback does."""
    install()
    handler = DynamoHandler()
    handler.current_account, handler.region, handler.response_headers = ACCOUNT, REGION, {}

    def call(operation: str, request: dict[str, Any]) -> Any:
        handler.body = json.loads(json.dumps(request))
        return json.loads(getattr(handler, operation)() or "{}")

    yield call
    dynamodb_backends.clear()
    dynamodb_backends.backend = DynamoDBBackend


def operations() -> DirectOperations:
    backend = dynamodb_backends[ACCOUNT][REGION]
    assert isinstance(backend, OrderedBackend)
    return DirectOperations(backend.store)


def put_rides(count: int, table: str = "Rides") -> None:
    for number in range(count):
        item = {"RideId": {"S": f"{number:03}"}, "Unicorn": {"S": f"u{number % 3}"}, "Photo": {"B": b"\x00\xff"}}
        operations().put_item({"TableName": table, "Item": item})


def ids(table: str = "Rides", **more: Any) -> list[str]:
    items = operations().scan({"TableName": table, **more})["Items"]
    return sorted(item["RideId"]["S"] for item in items)


def test_create_table_makes_a_table_of_the_store(moto: Any) -> None:
    moto("create_table", TABLE)
    put_rides(5)
    described = moto("describe_table", {"TableName": "Rides"})["Table"]

    assert isinstance(dynamodb_backends[ACCOUNT][REGION].tables["Rides"], OrderedTable)
    # RideId (6) and 3, Unicorn (7) and 2, Photo (5) and 2: 25 bytes an item.
    assert (described["ItemCount"], described["TableSizeBytes"]) == (5, 125)
    assert ids() == ["000", "001", "002", "003", "004"]


def test_items_are_sized_by_the_models_settings(describe: Callable[..., dict[str, Any]]) -> None:
    backend = OrderedBackend(REGION, ACCOUNT, settings=Settings(set_overhead_bytes=100))
    backend.reset()
    backend.create_table("T", **describe({"p": "S"}))
    DirectOperations(backend.store).put_item({"TableName": "T", "Item": {"p": {"S": "a"}, "t": {"SS": ["x"]}}})
    assert backend.store.scan({"TableName": "T"}).evaluated_bytes == 2 + 1 + 100 + 1


@pytest.mark.usefixtures("moto")
def test_moto_routes_the_installed_backend() -> None:
    assert dynamodb_backends[ACCOUNT][REGION].flask_paths.keys() == {"/"}


def test_installing_refuses_to_lose_tables(moto: Any) -> None:
    moto("create_table", TABLE)
    with pytest.raises(RuntimeError, match="account 000000000000 has tables in ap-south-1"):
        install()


def test_a_new_index_is_filled_and_a_deleted_one_is_gone(moto: Any) -> None:
    moto("create_table", TABLE)
    put_rides(6)
    operations().put_item({"TableName": "Rides", "Item": {"RideId": {"S": "x"}, "Unicorn": {"N": "1"}}})
    index = {
        "IndexName": "ByUnicorn",
        "KeySchema": [{"AttributeName": "Unicorn", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    moto(
        "update_table",
        {
            "TableName": "Rides",
            "AttributeDefinitions": [{"AttributeName": "Unicorn", "AttributeType": "S"}],
            "GlobalSecondaryIndexUpdates": [{"Create": index}],
        },
    )
    query = {
        "TableName": "Rides",
        "IndexName": "ByUnicorn",
        "KeyConditionExpression": "Unicorn = :u",
        "ExpressionAttributeValues": {":u": {"S": "u1"}},
    }
    put_rides(8)

    described = moto("describe_table", {"TableName": "Rides"})["Table"]
    assert [one["AttributeName"] for one in described["AttributeDefinitions"]] == ["RideId", "Unicorn"]
    assert [(one["IndexName"], one["ItemCount"]) for one in described["GlobalSecondaryIndexes"]] == [("ByUnicorn", 8)]
    assert sorted(item["RideId"]["S"] for item in operations().query(query)["Items"]) == ["001", "004", "007"]

    moto(
        "update_table", {"TableName": "Rides", "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "ByUnicorn"}}]}
    )
    assert (
        moto("describe_table", {"TableName": "Rides"})["Table"]["AttributeDefinitions"] == TABLE["AttributeDefinitions"]
    )


def test_an_index_needs_its_attributes_defined(moto: Any) -> None:
    moto("create_table", TABLE)
    index = {
        "IndexName": "ByUnicorn",
        "KeySchema": [{"AttributeName": "Unicorn", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    with pytest.raises(Exception, match="Some index key attributes are not defined in AttributeDefinitions"):
        moto("update_table", {"TableName": "Rides", "GlobalSecondaryIndexUpdates": [{"Create": index}]})
    assert moto("describe_table", {"TableName": "Rides"})["Table"]["GlobalSecondaryIndexes"] == []


def test_a_backup_keeps_the_items_of_its_time(moto: Any) -> None:
    moto("create_table", TABLE)
    put_rides(3)
    arn = moto("create_backup", {"TableName": "Rides", "BackupName": "b"})["BackupDetails"]["BackupArn"]
    put_rides(5)
    operations().delete_item({"TableName": "Rides", "Key": {"RideId": {"S": "000"}}})

    moto("restore_table_from_backup", {"TargetTableName": "Old", "BackupArn": arn})
    moto("restore_table_to_point_in_time", {"TargetTableName": "Now", "SourceTableName": "Rides"})
    put_rides(1, "Now")

    assert ids("Old") == ["000", "001", "002"]
    assert ids("Now") == ["000", "001", "002", "003", "004"]
    assert ids("Rides") == ["001", "002", "003", "004"]


def test_ttl_tags_and_deletion_are_motos(moto: Any) -> None:
    moto("create_table", TABLE | {"DeletionProtectionEnabled": True, "Tags": [{"Key": "a", "Value": "b"}]})
    arn = moto("describe_table", {"TableName": "Rides"})["Table"]["TableArn"]
    ttl = {"Enabled": True, "AttributeName": "Expires"}
    moto("update_time_to_live", {"TableName": "Rides", "TimeToLiveSpecification": ttl})

    assert moto("describe_time_to_live", {"TableName": "Rides"})["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "Expires",
    }
    assert moto("list_tags_of_resource", {"ResourceArn": arn})["Tags"] == [{"Key": "a", "Value": "b"}]
    with pytest.raises(Exception, match="DeletionProtectionEnabled"):
        moto("delete_table", {"TableName": "Rides"})
    moto("update_table", {"TableName": "Rides", "DeletionProtectionEnabled": False})
    moto("delete_table", {"TableName": "Rides"})
    assert moto("list_tables", {})["TableNames"] == []


def test_a_stream_records_what_changes(moto: Any) -> None:
    view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    moto("create_table", TABLE | {"StreamSpecification": view})
    put_rides(1)
    put_rides(1)
    key = {"RideId": {"S": "000"}}
    update = {"UpdateExpression": "SET Unicorn = :u", "ExpressionAttributeValues": {":u": {"S": "new"}}}
    operations().update_item({"TableName": "Rides", "Key": key, **update})
    operations().delete_item({"TableName": "Rides", "Key": key})

    records = dynamodb_backends[ACCOUNT][REGION].tables["Rides"].stream_shard.items
    assert [record.record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    images = [record.record["dynamodb"] for record in records]
    assert images[0]["NewImage"]["Photo"] == {"B": "AP8="}
    assert (images[1]["OldImage"]["Unicorn"], images[1]["NewImage"]["Unicorn"]) == ({"S": "u0"}, {"S": "new"})


def test_motos_own_reads_and_imports_see_the_items(moto: Any) -> None:
    moto("create_table", TABLE)
    table = dynamodb_backends[ACCOUNT][REGION].tables["Rides"]
    table.put_item({"RideId": {"S": "x"}, "Photo": {"B": "AP8="}, "N": {"N": "1.0"}})

    assert operations().get_item({"TableName": "Rides", "Key": {"RideId": {"S": "x"}}})["Item"] == {
        "RideId": {"S": "x"},
        "Photo": {"B": b"\x00\xff"},
        "N": {"N": "1"},
    }
    assert [item.to_json()["Attributes"]["Photo"] for item in table.all_items()] == [{"B": "AP8="}]


def test_motos_data_operations_are_refused(moto: Any) -> None:
    moto("create_table", TABLE)
    with pytest.raises(NotImplementedError, match="are its store's"):
        moto("put_item", {"TableName": "Rides", "Item": {"RideId": {"S": "x"}}})


def test_a_deleted_table_and_what_updates_leave_are_freed(moto: Any) -> None:
    moto("create_table", TABLE)
    table = weakref.ref(dynamodb_backends[ACCOUNT][REGION].tables["Rides"])
    put_rides(2)
    update = {
        "TableName": "Rides",
        "Key": {"RideId": {"S": "000"}},
        "UpdateExpression": "ADD N :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    for _ in range(20):
        operations().update_item(update)
    gc.collect()
    tracemalloc.start()
    for _ in range(200):
        operations().update_item(update)
    gc.collect()
    grown_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    moto("delete_table", {"TableName": "Rides"})
    gc.collect()

    assert grown_bytes < 200 * 100
    assert table() is None


def test_a_small_item_takes_less_than_a_kilobyte(moto: Any) -> None:
    moto("create_table", TABLE)
    gc.collect()
    tracemalloc.start()
    for number in range(3000):
        unicorn = {"Name": {"S": "Shadowfax"}, "Color": {"S": "White"}, "DeviceId": {"S": f"{number:036}"}}
        item = {
            "RideId": {"S": f"{number:036}"},
            "Unicorn": {"M": unicorn},
            "RequestTime": {"S": "2026-01-01 00:00:00.000000"},
        }
        operations().put_item({"TableName": "Rides", "Item": item})
    gc.collect()
    taken_bytes = tracemalloc.get_traced_memory()[0] / 3000
    tracemalloc.stop()
    assert taken_bytes < 1024
